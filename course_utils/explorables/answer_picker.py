"""Answer picker: start and end logits over a passage, and the pairs that are an answer or none."""

from collections.abc import Mapping, Sequence
from typing import Any

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag

DECIMALS = 3
LONGEST_WINDOW = 120  # tokens
LEDE = (
    "Each token has a logit for being the start, and one for being the end. The answer is the pair with the "
    "largest sum, among the pairs that are a span."
)


def answer_picker(
    question: str,
    passage: str,
    windows: Sequence[Mapping[str, Any]],
    *,
    max_tokens: int = 15,
    title: str = "Where does the answer start and end?",
) -> Explorable:
    """Bars of both logits; sliders, tokens and buttons pick a pair; says why a pair is no answer.

    windows: each {"begins": its first token's place among the passage's, "offsets": (start, end) in the
    passage of each token, "starts": logits, "ends": logits}, as `finetuning.windows` has them, without the
    question. Logits are shown, added and compared with three decimals. max_tokens: what an answer may have
    to begin with. Raises ValueError for no window, lists that do not fit, logits that are not finite,
    offsets outside of the passage, or a window of more than 120 tokens.
    """
    rounded = [_checked(window, passage) for window in windows]
    if not rounded:
        raise ValueError("give at least one window of the passage")
    if not 1 <= max_tokens <= 30:
        raise ValueError(f"max_tokens must lie in 1..30, got {max_tokens}")
    data = {"question": question, "passage": passage, "windows": rounded, "longest": max_tokens}
    number, start, end, score = best_over_windows(rounded, max_tokens)
    body = fill(
        asset("answer_picker.html"),
        question=question,
        tokens=_tokens(passage, rounded[number], start, end),
        answer=_text(passage, rounded[number], start, end),
        score=f"{score:.{DECIMALS}f}",
    )
    return Explorable("answer_picker", title, LEDE, data, body)


def best_pair(starts: Sequence[float], ends: Sequence[float], max_tokens: int) -> tuple[int, int, float]:
    """(start, end, sum) of the best span of at most `max_tokens` tokens; the first of equals.

    >>> best_pair([0.0, 5.0, 1.0], [4.0, 0.0, 3.0], 2)
    (1, 2, 8.0)
    """
    pairs = (
        (round(starts[s] + ends[e], DECIMALS), s, e)
        for s in range(len(starts))
        for e in range(s, min(s + max_tokens, len(ends)))
    )
    score, start, end = max(pairs, key=lambda pair: (pair[0], -pair[1], -pair[2]))
    return start, end, score


def best_over_windows(windows: Sequence[Mapping[str, Any]], max_tokens: int) -> tuple[int, int, int, float]:
    """(window, start, end, sum) of the best span of all windows, by the raw logits; the first of equals."""
    found = [(number, *best_pair(w["starts"], w["ends"], max_tokens)) for number, w in enumerate(windows)]
    return max(found, key=lambda one: (one[3], -one[0]))


def _checked(window: Mapping[str, Any], passage: str) -> dict[str, Any]:
    offsets = [[int(left), int(right)] for left, right in window["offsets"]]
    logits = {name: [round(float(x), DECIMALS) for x in window[name]] for name in ("starts", "ends")}
    if not 1 <= len(offsets) <= LONGEST_WINDOW or any(len(row) != len(offsets) for row in logits.values()):
        raise ValueError(
            f"a window has 1 to {LONGEST_WINDOW} tokens with an offset, a start and an end logit each, got "
            f"{len(offsets)}, {len(logits['starts'])} and {len(logits['ends'])}"
        )
    if any(not 0 <= left <= right <= len(passage) for left, right in offsets):
        raise ValueError(f"offsets must lie in the passage of {len(passage)} characters")
    return {"begins": int(window["begins"]), "offsets": offsets, **logits}


def _text(passage: str, window: Mapping[str, Any], start: int, end: int) -> str:
    return passage[window["offsets"][start][0] : window["offsets"][end][1]]


def _tokens(passage: str, window: Mapping[str, Any], start: int, end: int) -> Html:
    return join(
        tag(
            "li",
            tag("span", passage[left:right], class_="cw-chip cw-made" if start <= at <= end else "cw-chip"),
        )
        for at, (left, right) in enumerate(window["offsets"])
    )
