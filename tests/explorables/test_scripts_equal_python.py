"""The scripts learn the merges and find the pieces that the package does."""

import random
from itertools import islice, pairwise

import pytest

from course_utils.explorables.base import ASSETS
from course_utils.subword.bpe_training import trace_bpe, train_bpe
from course_utils.subword.wordpiece import WordPiece

pytestmark = pytest.mark.browser
# A CJK ideograph, a full-width tilde, private use and emoji: UTF-16 order is not code point order.
ALPHABETS = ["ab", "abcde", "aàéß中～\ue000😀🦄", "नमस्ते", "слово", "שלום"]
MERGES = 40
TEXTS = [
    "Crème Brûlée naïve ÅNGSTRÖM İstanbul STRASSE straße",
    "ΟΔΥΣΣΕΥΣ Σίσυφος ς",
    "नमस्ते दुनिया, कैसे हो?",
    "東京は日本の首都です。中文 分詞",
    "Привет, мир! Ещё йод",
    "שָׁלוֹם עולם مرحبا بالعالم",
    "한국어 조선말",
    "emoji 😀🦄 👩‍👩‍👧 don't U.S.A. $3.50 «¿qué?» a\u00a0b\u3000c\u200bd\tz\x00\ufffd",
    "3.14159 1,234,567 2026-11-21 x²+y₂",
    "a" * 100 + " " + "b" * 101,
    "",
]


def random_words(rng: random.Random) -> dict[str, int]:
    alphabet = rng.choice(ALPHABETS)
    words = ["".join(rng.choices(alphabet, k=rng.randint(1, 9))) for _ in range(rng.randint(1, 12))]
    return {word: rng.randint(1, 4) for word in words}


def test_merges_and_ties_are_those_of_the_package(scripts):
    rng = random.Random(0)
    corpora = [random_words(rng) for _ in range(200)]
    found = scripts("bpe.js").evaluate(
        """([corpora, limit]) => corpora.map((words) => {
             const { tokens, states } = trainBpe(words, limit, 1);
             return states.slice(1).map(({ merge: { left, right, count } }, k) =>
               [tokens[left], tokens[right], count, states[k].pairs.filter((p) => p.count === count).length]);
           })""",
        [[list(map(list, words.items())) for words in corpora], MERGES],
    )
    for words, merges in zip(corpora, found, strict=True):
        trained = train_bpe(words, num_merges=MERGES).merges
        assert [tuple(merge[:2]) for merge in merges] == trained, words
        traced = [(*step.pair, step.count, len(step.tied)) for step in islice(trace_bpe(words), len(merges))]
        assert [tuple(merge) for merge in merges] == traced, words


def test_a_token_spelled_two_ways_keeps_one_id(scripts):
    words = {"abc": 4, "ab": 3, "bc": 5, "xbc": 2, "abcabc": 1}
    sizes = scripts("bpe.js").evaluate(
        "(words) => trainBpe(words, 40, 1).tokens", [[word, count] for word, count in words.items()]
    )
    assert sizes == list(train_bpe(words, num_merges=40).vocab)


def test_pairs_rarer_than_asked_are_left(scripts):
    words = {"low": 5, "lower": 2, "newest": 6, "widest": 3}
    states = scripts("bpe.js").evaluate(
        "(words) => trainBpe(words, 40, 6).states.length - 1", [[w, n] for w, n in words.items()]
    )
    assert states == len(train_bpe(words, num_merges=40, min_count=6).merges)


def test_texts_split_where_python_splits(scripts):
    text = " a\u0085b\x1cc\u3000d\u200be\ufefff\u2028g\u00a0a \n"
    counts = scripts("bpe.js").evaluate("wordCounts", text)
    assert [word for word, _ in counts] == list(dict.fromkeys(text.split()))


def vocabulary(texts: list[str], rng: random.Random, lowercase: bool) -> list[str]:
    """Every character alone or inside, but for a few, and random longer pieces of the texts."""
    normal = WordPiece(["[UNK]"], lowercase=lowercase).normalizer.normalize(" ".join(texts))
    letters = sorted(set(normal) - {" "})
    kept = [letter for letter in letters if rng.random() < 0.9]
    words = normal.split()
    longer = {w[i : i + rng.randint(2, 5)] for w in words for i in range(len(w)) if rng.random() < 0.4}
    pieces = [*kept, *sorted(longer)]
    return list(dict.fromkeys(["[UNK]", *pieces, *(f"##{piece}" for piece in pieces)]))


@pytest.mark.parametrize("lowercase", [True, False])
def test_pieces_are_those_of_the_package(scripts, lowercase):
    rng = random.Random(1)
    vocab = vocabulary(TEXTS, rng, lowercase)
    mixed = ["".join(rng.choices("".join(TEXTS), k=30)) for _ in range(300)]
    texts = [*TEXTS, *mixed]
    found = scripts("wordpiece.js").evaluate(
        """([tokens, texts, lowercase]) => {
             const vocab = new Map(tokens.map((token, id) => [token, id]));
             const rules = { unknown: "[UNK]", longest: 100 };
             const pieces = (word) => walkWord(word, vocab, rules).pieces;
             return texts.map((text) => bertWords(text, lowercase).flatMap(pieces));
           }""",
        [vocab, texts, lowercase],
    )
    wordpiece = WordPiece(vocab, lowercase=lowercase)
    expected = [wordpiece.tokenize(text) for text in texts]
    assert found == expected
    assert any("[UNK]" in tokens for tokens in expected)
    assert any(token.startswith("##") and len(token) > 3 for tokens in expected for token in tokens)


def test_attempts_are_those_of_the_package(scripts):
    vocab = ["[UNK]", "un", "##aff", "##able", "una", "##ffa", "##ble"]
    wordpiece = WordPiece(vocab)
    found = scripts("wordpiece.js").evaluate(
        """(tokens) => ["unaffable", "unaffected", "x"].map((word) => walkWord(word,
             new Map(tokens.map((token, id) => [token, id])), { unknown: "[UNK]", longest: 100 })
             .attempts.map(({ start, end, piece, id }) => [start, end, piece, id !== undefined]))""",
        vocab,
    )
    for word, attempts in zip(["unaffable", "unaffected", "x"], found, strict=True):
        expected = [(a.start, a.end, a.piece, a.found) for a in wordpiece.trace(word)]
        assert [tuple(attempt) for attempt in attempts] == expected


def test_chart_labels_keep_their_distance_and_stay_inside(scripts):
    page = scripts("chart.js")
    places = page.evaluate("spread([100, 101, 99, 300, 299], 16, 10, 300)")
    ordered = sorted(places)
    assert all(b - a >= 16 for a, b in pairwise(ordered))
    assert places[2] < places[0] < places[1]
    assert max(places) <= 300
    assert page.evaluate("ticks(1.2, 3.7, 5)") == [1, 1.5, 2, 2.5, 3, 3.5, 4]
    assert page.evaluate("ticks(0, 0.3, 5)")[0] == 0


def test_every_script_is_used_by_some_explorable():
    modules = "".join(path.read_text(encoding="utf-8") for path in ASSETS.glob("*.py"))
    for path in ASSETS.glob("*.js"):
        assert path.name in modules or f'"{path.stem}"' in modules, path.name
