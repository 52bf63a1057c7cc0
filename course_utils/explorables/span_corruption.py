"""Span corruption with sentinels: corrupt words of a text, and see what T5 reads and writes."""

from collections.abc import Collection, Sequence
from itertools import groupby

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.explorables.masking_sampler import LONGEST_TEXT, check_text, words

# T5's own example (Raffel et al. 2020, figure 2).
EXAMPLE = "Thank you for inviting me to your party last week ."
EXAMPLE_CORRUPTED = (2, 3, 8)  # "for inviting" and "last"
SENTINELS = "XYZABCDEFGHIJKLMNOPQRSTUVW"
LEDE = (
    "Each run of corrupted tokens becomes one sentinel. The target names each and says what it stands for, "
    "so that the decoder writes only what is missing."
)


def span_corruption(
    text: str = EXAMPLE,
    corrupted: Collection[int] = EXAMPLE_CORRUPTED,
    *,
    density: float = 0.15,
    mean_span: float = 3.0,
    title: str = "Replace spans by sentinels",
) -> Explorable:
    """Every token is a button that corrupts it; input, target and their lengths follow.

    text: at most 240 characters; its words and marks are the tokens. corrupted: which of them are at first,
    counted from 0. density (share of tokens), mean_span (tokens): what the button "Draw spans" begins with.
    Raises ValueError for places outside of the text, a density outside 0.05..0.6 or a span outside 1..8.

    >>> span_corruption().data["tokens"][2:4]
    ['for', 'inviting']
    """
    check_text(text)
    tokens = words(text)
    outside = sorted(i for i in corrupted if not 0 <= i < len(tokens))
    if outside:
        raise ValueError(f"the text has the tokens 0 to {len(tokens) - 1}, got {outside} in corrupted")
    if not (0.05 <= density <= 0.6 and 1 <= mean_span <= 8):
        raise ValueError(
            f"density must lie in 0.05..0.6 and mean_span in 1..8, got {density} and {mean_span}"
        )
    noise = [i in set(corrupted) for i in range(len(tokens))]
    data = {"text": text, "tokens": tokens, "noise": noise, "density": density, "meanSpan": mean_span}
    return Explorable(
        "span_corruption",
        title,
        LEDE,
        data,
        _first_state(tokens, noise),
        uses=("wordpiece.js", "objectives.js"),
    )


def replace_words(tokens: Sequence[str], noise: Sequence[bool]) -> tuple[list[str], list[str]]:
    """`course_utils.objectives.spans.replace_spans` on words: what is read, and what is written.

    >>> replace_words(["a", "b", "c"], [False, True, True])
    (['a', '<X>'], ['<X>', 'b', 'c', '<Y>'])
    """
    inputs: list[str] = []
    targets: list[str] = []
    n = 0
    for corrupted, run in groupby(zip(tokens, noise, strict=True), key=lambda pair: pair[1]):
        part = [token for token, _ in run]
        if corrupted:
            inputs.append(sentinel(n))
            targets += [sentinel(n), *part]
            n += 1
        else:
            inputs += part
    return inputs, [*targets, sentinel(n)]


def sentinel(n: int) -> str:
    """The n-th sentinel: <X>, <Y>, <Z>, <A>, <B> and so on."""
    return f"<{SENTINELS[n]}>" if n < len(SENTINELS) else f"<{SENTINELS[n % 26]}{n // 26}>"


def _first_state(tokens: Sequence[str], noise: Sequence[bool]) -> Html:
    inputs, targets = replace_words(tokens, noise)
    return fill(
        asset("span_corruption.html"),
        longest=LONGEST_TEXT,
        tokens=_chips(tokens),
        inputs=_chips(inputs),
        targets=_chips(targets),
        length=len(tokens),
        read=len(inputs),
        written=len(targets),
        story="Corrupted here: " + " ".join(t for t, is_noise in zip(tokens, noise, strict=True) if is_noise),
    )


def _chips(tokens: Sequence[str]) -> Html:
    return join(tag("li", tag("span", token, class_="cw-chip")) for token in tokens)
