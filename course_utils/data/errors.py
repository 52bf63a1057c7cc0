"""The two ways in which getting data fails: no source can be reached, or the data itself is wrong."""


class SourceUnavailable(RuntimeError):  # noqa: N818 - it reads as what has happened
    """No source could deliver; the message is one sentence that says what to do."""


class DataError(ValueError):
    """A file holds something that cannot be used; the message names file, row and remedy."""
