"""The script's objectives: the same inputs and targets as the package for the same draws, and fair draws."""

import random
from itertools import pairwise

import pytest
import torch
from scipy import stats

from course_utils.explorables.span_corruption import SENTINELS, replace_words, sentinel
from course_utils.objectives import IGNORE, SpecialTokens, causal, denoising, masked, replaced, spans

pytestmark = pytest.mark.browser

MASK, FIRST, LENGTH = 1, 40, 24  # text ids are 40, 41, ...: each token of a text is another one
TOKENS = SpecialTokens(MASK, (0,), tuple(range(2, 39)), 200)
NAMES = {MASK: "[MASK]", **{i: sentinel(n) for n, i in enumerate(TOKENS.sentinels)}}


def say(ids):
    return [NAMES.get(i, f"w{i}") for i in ids.tolist()]


def labels(ids):
    return [None if i == IGNORE else f"w{i}" for i in ids.tolist()]


def texts(count=60):
    """Texts of distinct tokens, each with a random noise mask and a generator of its own."""
    rng = random.Random(4)
    for seed in range(count):
        length = rng.randint(1, LENGTH)
        noise = torch.tensor([rng.random() < rng.choice((0.1, 0.5, 0.9)) for _ in range(length)])
        yield torch.arange(FIRST, FIRST + length), noise, torch.Generator().manual_seed(seed)


def check(page, script, cases):
    """cases: (arguments of the script's function, what it must return)."""
    found = page.evaluate(f"(cases) => cases.map((given) => {script}(...given))", [case for case, _ in cases])
    for made, (given, expected) in zip(found, cases, strict=True):
        assert made == expected, given
    assert len(cases) > 20


@pytest.fixture(scope="module")
def page(scripts):
    return scripts("objectives.js")


def pair(corrupted):
    return {"inputs": say(corrupted.input_ids), "targets": say(corrupted.labels)}


def test_spans_are_replaced_and_tokens_dropped_as_in_the_package(page):
    drawn = [(ids, noise) for ids, noise, _ in texts()]
    of = [[say(ids), noise.tolist()] for ids, noise in drawn]
    for script, function in (
        ("replaceSpans", lambda ids, noise: spans.replace_spans(ids, noise, TOKENS)),
        ("dropTokens", spans.drop_tokens),
        ("maskAll", lambda ids, noise: spans.mask_and_rewrite(ids, noise, TOKENS)),
    ):
        check(page, script, [(given, pair(function(*one))) for given, one in zip(of, drawn, strict=True)])


def test_the_first_state_replaces_spans_as_the_package_does():
    for ids, noise, _ in texts():
        inputs, targets = replace_words(say(ids), noise.tolist())
        assert {"inputs": inputs, "targets": targets} == pair(spans.replace_spans(ids, noise, TOKENS))


def test_sentinels_have_one_name_each(page):
    names = page.evaluate("Array.from({ length: 60 }, (_, i) => sentinel(i))")
    assert names == [sentinel(n) for n in range(60)]
    assert len(set(names)) == 60
    assert [name[1] for name in names[:26]] == list(SENTINELS)


def test_left_to_right_labels_are_those_of_the_package(page):
    one_way, with_prefix = [], []
    for ids, _, generator in texts():
        made = causal.causal_lm(ids)
        one_way.append(([say(ids)], {"inputs": say(made.input_ids), "labels": labels(made.labels)}))
        n = int(torch.randint(1, len(ids) + 1, (1,), generator=generator))
        made = causal.prefix_lm(ids, n)
        with_prefix.append(([say(ids), n], {"inputs": say(made.input_ids), "labels": labels(made.labels)}))
    check(page, "causalLm", one_way)
    check(page, "prefixLm", with_prefix)


def test_masked_tokens_are_corrupted_and_labeled_as_in_the_package(page):
    cases = []
    for ids, chosen, generator in texts():
        made = masked.corrupt(ids, chosen, TOKENS, generator, shares=(0.4, 0.4, 0.2))
        kinds = [
            None if not is_chosen else "mask" if new == MASK else "random" if new != old else "keep"
            for old, new, is_chosen in zip(*(x.tolist() for x in (ids, made.input_ids, chosen)), strict=True)
        ]
        given = [say(ids), kinds, say(made.input_ids)]
        cases.append((given, {"inputs": say(made.input_ids), "labels": labels(made.labels)}))
    check(page, "corrupt", cases)


def test_replaced_labels_are_those_of_the_package(page):
    cases = []
    for ids, chosen, generator in texts():
        sampled = torch.where(chosen, torch.randint(FIRST, FIRST + 3, ids.shape, generator=generator), ids)
        cases.append(([say(ids), say(sampled)], replaced.replaced_labels(ids, sampled).tolist()))
    check(page, "replacedLabels", cases)
    assert any(given[0][i] == given[1][i] for given, _ in cases for i in range(len(given[0])))


def places(made, ids):
    """Where the tokens of an input stood in the text; tokens are distinct."""
    return [i - int(ids[0]) for i in made.input_ids.tolist()]


def test_orders_are_laid_out_as_in_the_package(page):
    shuffled, rotated, permuted, fragments = [], [], [], []
    for ids, starts, generator in texts():
        made = denoising.deshuffle(ids, generator)
        shuffled.append(([say(ids), places(made, ids)], pair(made)))
        made = denoising.document_rotation(ids, generator)
        rotated.append(([say(ids), places(made, ids)[0]], pair(made)))
        made = denoising.sentence_permutation(ids, starts, generator)
        opens = [0, *(i for i in range(1, len(ids)) if starts[i])]
        order = [opens.index(i) for i in places(made, ids) if i in opens]
        permuted.append(([say(ids), starts.tolist(), order], pair(made)))
        made = denoising.mass(ids, TOKENS, generator)
        fragments.append(([say(ids), say(made.input_ids).index("[MASK]"), len(made.labels)], pair(made)))
    check(page, "reorder", shuffled)
    check(page, "rotate", rotated)
    check(page, "permuteSentences", permuted)
    check(page, "massFragment", fragments)


def test_infilled_spans_are_laid_out_as_in_the_package(page):
    cases = []
    for ids, _, generator in texts():
        made = denoising.text_infilling(ids, TOKENS, generator)
        found, kept, last = [], 0, -1
        for i in [*made.input_ids.tolist(), int(ids[-1]) + 1]:
            if i == MASK:
                found.append([kept, 0])
                continue
            place = i - int(ids[0])
            if place - last > 1:
                found[-1][1] = place - last - 1
            kept, last = kept + 1, place
        cases.append(([say(ids), found], pair(made)))
    check(page, "infill", cases)


def test_tokens_are_chosen_and_split_in_their_shares(page):
    counts = page.evaluate(
        """() => {
             const random = generator(7), seen = { mask: 0, random: 0, keep: 0, null: 0 };
             const all = Array(100000).fill(true);
             for (const kind of drawKinds(chooseTokens(all, 0.15, random), [0.8, 0.1], random)) seen[kind]++;
             return seen;
           }"""
    )
    observed = [counts[kind] for kind in ("mask", "random", "keep", "null")]
    expected = [100_000 * share for share in (0.12, 0.015, 0.015, 0.85)]
    assert stats.chisquare(observed, expected).pvalue > 1e-4


def test_what_may_not_be_chosen_never_is(page):
    flags = [i % 3 > 0 for i in range(30)]
    for call in ("chooseTokens(flags,", "chooseWords(flags, flags,", "chooseSpans(flags, flags,"):
        chosen = page.evaluate(f"(flags) => {call} 1, generator(1))", flags)
        assert any(chosen)
        assert not any(is_chosen and not may for is_chosen, may in zip(chosen, flags, strict=True))


@pytest.mark.parametrize("share", [0.15, 0.5])
def test_words_and_spans_stay_whole_and_within_their_budget(page, share):
    starts = [True, False, False, True, True, False, True, True, True, False, True, True, True]
    borders = [i for i, start in enumerate(starts) if start] + [len(starts)]
    words = [range(a, b) for a, b in pairwise(borders)]
    for name in ("chooseWords", "chooseSpans"):
        drawn = page.evaluate(
            f"""([starts, share]) => Array.from({{ length: 200 }}, (_, seed) =>
                  {name}(starts.map(() => true), starts, share, generator(seed)))""",
            [starts, share],
        )
        for chosen in drawn:
            assert all(len({chosen[i] for i in word}) == 1 for word in words)
            assert 0 < sum(chosen) <= max(3, round(share * len(starts)))
        assert len({tuple(chosen) for chosen in drawn}) > 5


def test_span_noise_has_exactly_the_tokens_and_spans_of_the_package(page):
    settings = [
        (n, d, m) for n in (0, 1, 2, 5, 11, 40, 75) for d in (0.05, 0.15, 0.5) for m in (1, 2.5, 3, 8)
    ]
    found = page.evaluate(
        """(settings) => settings.map(([length, density, meanSpan], seed) =>
             spanNoise(length, generator(seed), { density, meanSpan }))""",
        settings,
    )
    for (length, density, mean_span), noise in zip(settings, found, strict=True):
        theirs = spans.span_noise(
            length, torch.Generator().manual_seed(0), density=density, mean_span=mean_span
        )
        runs = [masked._runs(torch.tensor(one, dtype=torch.bool)) for one in (noise, theirs.tolist())]
        assert len(noise) == length
        assert sum(noise) == int(theirs.sum())
        assert len(runs[0]) == len(runs[1])


def test_every_way_to_cut_is_equally_likely(page):
    cuts = page.evaluate(
        "() => { const r = generator(3); return Array.from({ length: 6000 }, () => cutInto(5, 3, r)); }"
    )
    seen = {}
    for cut in map(tuple, cuts):
        seen[cut] = seen.get(cut, 0) + 1
    assert len(seen) == 6
    assert stats.chisquare(list(seen.values())).pvalue > 1e-4


def test_span_lengths_are_geometric_and_poisson(page):
    lengths, poisson = page.evaluate(
        """() => { const r = generator(5); const draw = (one) => Array.from({ length: 20000 }, one);
             return [draw(() => clippedGeometric(0.2, 10, r)), draw(() => poisson(3, r))]; }"""
    )
    odds = [0.2 * 0.8**k for k in range(10)]
    observed = [lengths.count(k) for k in range(1, 11)]
    assert stats.chisquare(observed, [20_000 * p / sum(odds) for p in odds]).pvalue > 1e-4
    observed = [*(poisson.count(k) for k in range(8)), sum(k >= 8 for k in poisson)]
    odds = [*(stats.poisson.pmf(k, 3) for k in range(8)), stats.poisson.sf(7, 3)]
    assert stats.chisquare(observed, [20_000 * p for p in odds]).pvalue > 1e-4


def test_infilling_covers_its_share_and_never_touches(page):
    drawn = page.evaluate(
        "() => Array.from({ length: 300 }, (_, seed) => drawInfilling(1 + seed % 40, generator(seed)))"
    )
    for seed, found in enumerate(drawn):
        length = 1 + seed % 40
        assert sum(size for _, size in found) == round(0.3 * length)
        slots = [slot for slot, _ in found]
        assert slots == sorted(set(slots))
        assert all(0 <= slot <= length - round(0.3 * length) for slot in slots)


def test_orders_are_permutations_and_seeds_repeat(page):
    orders = page.evaluate("() => [1, 1, 2].map((seed) => shuffled(50, generator(seed)))")
    assert sorted(orders[0]) == list(range(50))
    assert orders[0] == orders[1] != orders[2]


def test_halves_are_rounded_as_python_rounds(page):
    numbers = [0, 0.4, 0.5, 0.6, 1.5, 2.5, 3.5, 7.49, 7.51]
    assert page.evaluate("(xs) => xs.map(roundHalfEven)", numbers) == [round(x) for x in numbers]
