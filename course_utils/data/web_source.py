"""Single files by address: the second source for what a package carries."""

import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import quote

from course_utils.data.errors import SourceUnavailable
from course_utils.data.store import log

CHUNK = 1 << 20  # bytes
SECONDS = 20.0  # without an answer; a slow download as a whole may take longer


def hub_url(repository: str, revision: str, filename: str) -> str:
    """The address of one file on the hub; HF_ENDPOINT chooses another hub or a mirror of it.

    >>> hub_url("sentence-transformers/all-MiniLM-L6-v2", "main", "vocab.txt")
    'https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2/resolve/main/vocab.txt'
    """
    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"
    return f"{endpoint}/{repository}/resolve/{quote(revision, safe='')}/{quote(filename)}"


def fetch(url: str, target: Path) -> None:
    """Download ``url`` into the file ``target``; its content is checked by the caller.

    Raises SourceUnavailable, naming the address, when the server cannot be reached or refuses.
    """
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer, target.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                _report(target.name, file.tell(), total)
    except urllib.error.HTTPError as problem:
        raise SourceUnavailable(f"{url} answered {problem.code} {problem.reason}") from problem
    except (urllib.error.URLError, TimeoutError, ConnectionError) as problem:
        raise SourceUnavailable(
            f"{url} cannot be reached ({getattr(problem, 'reason', problem)})"
        ) from problem


def _report(name: str, done: int, total: int) -> None:
    """One plain line every tenth of a large file."""
    step = max(total // 10, 8 * CHUNK)
    if done // step > (done - CHUNK) // step:
        log.info("  %s: %.0f of %.0f MB", name, done / 1e6, total / 1e6)
