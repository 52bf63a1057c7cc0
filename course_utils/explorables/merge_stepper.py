"""Merge stepper: watch byte-pair encoding train, one merge at a time, on words the reader types.

The browser trains with the tie-break of `course_utils.subword.bpe` (highest count, then the smallest
pair of token ids, the alphabet in code point order first), so both learn the same merges.
"""

from collections import Counter
from collections.abc import Mapping

from course_utils.explorables.base import Explorable, Html, asset, fill, join, tag
from course_utils.subword.bpe_training import count_pairs

LONGEST_TEXT = 2000  # characters; the browser recounts every pair at every merge
SHOWN_PAIRS = 8
LEDE = (
    "Byte-pair encoding joins the most frequent pair of neighbors, again and again. Each join is a new token."
)


def merge_stepper(
    words: str | Mapping[str, int],
    num_merges: int = 30,
    *,
    min_count: int = 1,
    title: str = "Byte-pair encoding, one merge at a time",
) -> Explorable:
    """Buttons, a slider and the arrow keys step through the merges learned from `words`.

    words: a text, or words with their counts (how often each is seen, at least once). num_merges: the
    most tokens to make. min_count: a pair seen less often is not merged. Raises ValueError for a word
    with white space in it, a count below 1, no merges or more than 2,000 characters to start from.

    >>> merge_stepper({"low": 5, "lower": 2}, num_merges=3).data["words"]
    [['low', 5], ['lower', 2]]
    """
    if num_merges < 1:
        raise ValueError(f"num_merges must be at least 1, got {num_merges}")
    counts = Counter(words.split()) if isinstance(words, str) else Counter(dict(words))
    text = words if isinstance(words, str) else " ".join(counts.elements())
    _check(counts, text)
    data = {
        "text": text,
        "words": [[w, n] for w, n in counts.items()],
        "limit": num_merges,
        "least": min_count,
    }
    return Explorable("merge_stepper", title, LEDE, data, _first_state(counts), uses=("bpe.js",))


def _check(counts: Mapping[str, int], text: str) -> None:
    for word, count in counts.items():
        if word.split() != [word]:
            raise ValueError(f"words must be free of white space and not empty, got {word!r}")
        if count < 1:
            raise ValueError(f"the count of {word!r} must be at least 1, got {count}")
    if len(text) > LONGEST_TEXT:
        raise ValueError(
            f"the stepper trains on at most {LONGEST_TEXT} characters, got {len(text)}: take fewer words"
        )


def _first_state(counts: Mapping[str, int]) -> Html:
    """What the browser draws at step 0: characters, counted pairs, the alphabet."""
    ids = {character: i for i, character in enumerate(sorted(set("".join(counts))))}
    pairs = count_pairs({word: word for word in counts}, counts)
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], ids[item[0][0]], ids[item[0][1]]))
    return fill(
        asset("merge_stepper.html"),
        longest=LONGEST_TEXT,
        steps=asset("steps.html"),
        happened="Every word starts as characters.",
        next="The most frequent pair of neighbors is merged first.",
        words=join(_word(word, count) for word, count in counts.items()),
        pairs=join(_pair(pair, count, ids) for pair, count in ranked[:SHOWN_PAIRS]),
        alphabet=join(tag("li", _chips(c), tag("span", i, class_="cw-id")) for c, i in ids.items()),
        size=len(ids),
        tokens=sum(len(word) * count for word, count in counts.items()),
    )


def _chips(tokens: str | tuple[str, ...]) -> Html:
    return tag("span", *(tag("span", token, class_="cw-chip") for token in tokens), class_="cw-chips")


def _word(word: str, count: int) -> Html:
    return tag("li", tag("span", f"{count} ×", class_="cw-times"), _chips(word))


def _pair(pair: tuple[str, str], count: int, ids: Mapping[str, int]) -> Html:
    numbers = tag("td", f"{ids[pair[0]]}, {ids[pair[1]]}", class_="cw-number")
    return tag(
        "tr", tag("th", _chips(pair), scope="row"), numbers, tag("td", count, class_="cw-number"), tag("td")
    )
