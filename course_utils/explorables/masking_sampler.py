"""Masking sampler: BERT's 15% and 80/10/10, drawn live on a sentence, with a running tally."""

from collections.abc import Sequence

from course_utils.explorables.base import Explorable, asset, fill, join, tag
from course_utils.subword.splitting import WORD_OR_MARK
from course_utils.subword.wordpiece import WordPiece

LONGEST_TEXT = 240  # characters the reader may type
# What a random replacement is drawn from by default; a real one comes from the whole vocabulary.
REPLACEMENTS = (
    "apple",
    "river",
    "seven",
    "green",
    "walk",
    "under",
    "piano",
    "often",
    "never",
    "table",
    "money",
)
FATES = ("masked", "replaced at random", "left as it is", "not chosen")
LEDE = (
    "Each word is chosen or not by a draw of its own; a second draw decides what becomes of a chosen one. "
    "Move the shares, draw again, and watch the tally settle."
)


def masking_sampler(
    text: str,
    *,
    share: float = 0.15,
    kinds: tuple[float, float, float] = (0.8, 0.1, 0.1),
    replacements: Sequence[str] = REPLACEMENTS,
    title: str = "Fifteen percent, and then 80/10/10",
) -> Explorable:
    """Buttons draw masks for a sentence, sliders move the shares, a table compares counts with them.

    text: at most 240 characters; its words and marks are the tokens. share: chosen of all tokens. kinds: of
    those, masked, replaced at random, left. replacements: what random tokens are drawn from.
    Raises ValueError for shares that are none, kinds that do not sum to 1, or no replacements.

    >>> masking_sampler("a short film").data["shares"]
    {'share': 0.15, 'mask': 0.8, 'random': 0.1, 'keep': 0.1}
    """
    _check(text, share, kinds, replacements)
    mask, random, keep = kinds
    data = {
        "text": text,
        "shares": {"share": share, "mask": mask, "random": random, "keep": keep},
        "replacements": list(replacements),
    }
    body = fill(
        asset("masking_sampler.html"),
        longest=LONGEST_TEXT,
        tokens=join(tag("li", tag("span", word, class_="cw-chip")) for word in words(text)),
        rows=join(
            tag("tr", tag("th", fate, scope="row"), tag("td", 0), tag("td", "–"), tag("td", f"{part:.2%}"))
            for fate, part in zip(FATES, _expected(share, kinds), strict=True)
        ),
    )
    return Explorable("masking_sampler", title, LEDE, data, body, uses=("wordpiece.js", "objectives.js"))


def words(text: str) -> list[str]:
    """The words and marks of a text, in its own case: what the explorables of objectives call tokens.

    >>> words("Well, well.")
    ['Well', ',', 'well', '.']
    """
    normalizer = WordPiece(["[UNK]"], lowercase=False).normalizer
    return WORD_OR_MARK.findall(normalizer.normalize(text))


def check_text(text: str) -> None:
    """Raise ValueError for a text that is longer than a reader could type."""
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"the text has at most {LONGEST_TEXT} characters, got {len(text)}")


def _check(text: str, share: float, kinds: tuple[float, float, float], replacements: Sequence[str]) -> None:
    check_text(text)
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie in [0, 1], got {share}")
    if min(kinds) < 0 or abs(sum(kinds) - 1) > 1e-9:
        raise ValueError(f"kinds must be three shares that sum to 1, got {kinds}")
    if not replacements:
        raise ValueError("replacements is empty: give the words that a random token is drawn from")


def _expected(share: float, kinds: tuple[float, float, float]) -> list[float]:
    return [*(share * kind for kind in kinds), 1 - share]
