"""The three figures on the inside of BERT: their scripts compute what the package does, by keyboard too."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import HOSTILE, page_of
from inside_bert import TOKENS, WORDS, attention, builder, counter
from playwright.sync_api import expect
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from course_utils.explorables import attention_steps, input_builder, parameter_counter
from course_utils.explorables.input_builder import build_input
from course_utils.explorables.packing import pack, unpack
from course_utils.explorables.parameter_counter import KNOBS, MODELS, count, settings
from course_utils.models.config import PRESETS
from course_utils.models.counting import count_parameters
from course_utils.models.layers import attention_weights
from course_utils.subword.wordpiece import WordPiece


def part(page, name):
    return page.locator(f'[data-part="{name}"]')


def random_config(rng):
    """An encoder of values that the sliders have."""
    sizes = {name: rng.choice(values) for name, (_, values) in KNOBS.items()}
    return replace(
        PRESETS["bert-base"],
        num_layers=sizes["layers"],
        hidden_size=sizes["width"],
        num_heads=1,
        intermediate_size=sizes["inner"],
        vocab_size=sizes["vocabulary"],
        embedding_size=sizes["factor"] or None,
        type_vocab_size=rng.choice([0, 2]),
        share_layers=rng.random() < 0.5,
        pooler=rng.random() < 0.5,
    )


def counted(config):
    return {part: number for part, number in count_parameters(config).items() if part != "total"}


def test_counts_are_those_of_the_package():
    rng = random.Random(0)
    configs = [*(PRESETS[name] for name in MODELS.values()), *(random_config(rng) for _ in range(12))]
    for config in configs:
        assert count(settings(config)) == counted(config), config


@pytest.mark.browser
def test_the_page_counts_as_the_package(scripts):
    rng = random.Random(1)
    sizes = [settings(PRESETS[name]) for name in MODELS.values()]
    sizes += [settings(random_config(rng)) for _ in range(100)]
    found = scripts("parameter_counter.js").evaluate("(all) => all.map(countParameters)", sizes)
    assert found == [count(one) for one in sizes]


def test_every_preset_stands_on_the_sliders():
    for name, preset in MODELS.items():
        sizes = settings(PRESETS[preset])
        for knob, (_, values) in KNOBS.items():
            assert sizes[knob] in values, f"{name}: no place for {knob} = {sizes[knob]}"
            assert list(values) == sorted(set(values))


def test_an_unknown_model_is_refused():
    with pytest.raises(ValueError, match="one of BERT base, BERT large"):
        parameter_counter("GPT-2")


@pytest.mark.browser
def test_counter_by_keyboard(open_page):
    tab = open_page(page_of(counter()))
    page, total = tab.page, part(tab.page, "total")
    expect(total).to_have_text("109,482,240")
    page.get_by_label("Layers", exact=True).press("ArrowLeft")
    expect(total).to_have_text(f"{count_parameters(replace(PRESETS['bert-base'], num_layers=10))['total']:,}")
    expect(page.get_by_label("Start from")).to_have_value("your own")
    page.get_by_label("Start from").select_option("ALBERT base")
    expect(total).to_have_text("11,683,584")
    expect(page.get_by_label("One block for all layers")).to_be_checked()
    page.get_by_label("Pooler").press("Space")
    expect(total).to_have_text("11,092,992")
    expect(part(page, "rows").locator("th", has_text="pooler")).to_have_count(0)
    page.get_by_label("Heads").press("End")
    expect(part(page, "heads")).to_contain_text("64 heads of 12 features")
    expect(total).to_have_text("11,092,992")
    tab.check()


@pytest.mark.parametrize("bits", [8, 16])
def test_packed_numbers_are_off_by_half_a_step(bits):
    values = np.random.default_rng(0).normal(size=(7, 5))
    packed = pack(values, bits)
    assert np.abs(unpack(packed, (7, 5)) - values).max() <= packed["step"] / 2 * 1.0001
    assert unpack(pack(np.zeros(3), bits), (3,)).tolist() == [0, 0, 0]


@pytest.mark.browser
@pytest.mark.parametrize("bits", [8, 16])
def test_the_page_unpacks_what_python_packed(scripts, bits):
    values = np.random.default_rng(1).normal(size=40)
    found = scripts("vectors.js").evaluate("(packed) => [...unpack(packed)]", pack(values, bits))
    assert found == pytest.approx(unpack(pack(values, bits), (40,)).tolist())


@pytest.mark.parametrize(("values", "bits", "message"), [([1.0], 4, "8 or 16"), ([np.nan], 8, "finite")])
def test_what_cannot_be_packed_is_refused(values, bits, message):
    with pytest.raises(ValueError, match=message):
        pack(values, bits)


def library_tokenizer():
    """BERT's own rules over the small vocabulary, from the tokenizers library."""
    ids = {word: number for number, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"]))
    return tokenizer


def random_texts(count=60):
    rng = random.Random(2)
    words = ["the", "bank", "rose", "Flooded", "water", "x", "é", ",", "", "中"]
    return [[" ".join(rng.choices(words, k=rng.randint(0, 7))) for _ in range(2)] for _ in range(count)]


def test_inputs_are_those_of_the_library():
    tokenizer, wordpiece = library_tokenizer(), WordPiece(WORDS)
    for first, second in random_texts():
        rows = build_input(wordpiece, first, second, length=16)
        pair = second if wordpiece.tokenize(second) else None
        tokenizer.enable_padding(length=16, pad_id=WORDS.index("[PAD]"))
        theirs = tokenizer.encode(first, pair)
        assert [row["id"] for row in rows] == theirs.ids
        assert [row["segment"] for row in rows] == theirs.type_ids
        assert [row["mask"] for row in rows] == theirs.attention_mask
        assert [row["position"] for row in rows] == list(range(len(rows)))


@pytest.mark.browser
def test_the_page_builds_the_input_of_the_package(scripts):
    texts, wordpiece = random_texts(), WordPiece(WORDS)
    rules = {
        "specials": {"first": "[CLS]", "between": "[SEP]", "padding": "[PAD]"},
        "lowercase": True,
        "unknown": "[UNK]",
        "longest": 100,
    }
    found = scripts("wordpiece.js", "vectors.js", "input_builder.js").evaluate(
        """([texts, words, rules]) => {
             const vocab = new Map(words.map((word, id) => [word, id]));
             return texts.map((pair) => buildInput(pair, 12, { ...rules, vocab }));
           }""",
        [texts, WORDS, rules],
    )
    assert found == [build_input(wordpiece, *pair, length=12) for pair in texts]


@pytest.mark.browser
def test_builder_by_keyboard(open_page):
    tab = open_page(page_of(builder()))
    page = tab.page
    expect(part(page, "types")).to_have_text("[0, 0, 0, 0, 0, 1, 1, 1]")
    page.get_by_label("Second text").fill("")
    expect(part(page, "ids")).to_have_text(
        str([row["id"] for row in build_input(WordPiece(WORDS), "The bank rose")])
    )
    page.get_by_label("Padding").select_option("16")
    expect(part(page, "mask")).to_have_text(str([1] * 5 + [0] * 11))
    expect(part(page, "rows").locator("tr")).to_have_count(16)
    expect(part(page, "caption")).to_contain_text("16 tokens, 11 of them padding")
    sums = part(page, "rows").locator("tr").first.locator("svg")
    assert sums.count() == 4
    numbers = [
        [float(x) for x in s.get_attribute("aria-label").split(": ")[1].split(", ")] for s in sums.all()
    ]
    assert numbers[3] == pytest.approx(np.sum(numbers[:3], axis=0).tolist(), abs=0.02)
    tab.check()


ROWS = len(WORDS)


def tables(rows=ROWS, positions=300, segments=2, width=3):
    return np.zeros((rows, width)), np.zeros((positions, width)), np.zeros((segments, width))


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"rows": 3}, "a row for each"),
        ({"segments": 1}, "2 segments"),
        ({"positions": 9}, "give that many positions"),
        ({"width": 17}, "1 to 16"),
    ],
)
def test_tables_that_do_not_fit_are_refused(sizes, message):
    with pytest.raises(ValueError, match=message):
        input_builder(WordPiece(WORDS), *tables(**sizes))


def test_texts_and_vocabularies_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="120 characters"):
        input_builder(WordPiece(WORDS), *tables(), "a" * 121)
    with pytest.raises(ValueError, match=r"lacks \['\[CLS\]'"):
        input_builder(WordPiece(["[UNK]"]), *tables(rows=1))


@pytest.mark.browser
@pytest.mark.parametrize("hide", ["none", "future", "special"])
def test_the_page_attends_as_the_package(scripts, hide):
    generator = torch.Generator().manual_seed(3)
    query, key, value = (torch.randn(len(TOKENS), 8, generator=generator) for _ in range(3))
    found = scripts("vectors.js", "attention_steps.js").evaluate(
        """([q, k, v, tokens, hide]) => q.map((query, i) =>
             attend(query, k, v, divisorOf("root", 8), visibleTo(i, tokens, hide)))""",
        [query.tolist(), key.tolist(), value.tolist(), TOKENS, hide],
    )
    square = torch.ones(len(TOKENS), len(TOKENS), dtype=torch.bool)
    special = torch.tensor([token in ("[CLS]", "[SEP]") for token in TOKENS])
    mask = {"none": square, "future": square.tril(), "special": square & ~special}[hide]
    weights = attention_weights(query[None, None], key[None, None], mask, scale=8**-0.5)[0, 0]
    assert torch.allclose(torch.tensor([run["weights"] for run in found]), weights, atol=1e-6)
    assert torch.allclose(torch.tensor([run["sum"] for run in found]), weights @ value, atol=1e-5)
    scores = torch.tensor([run["scores"] for run in found])
    assert torch.allclose(scores, query @ key.T, atol=1e-5)


@pytest.mark.browser
def test_nothing_to_look_at_gives_nothing(scripts):
    run = scripts("vectors.js", "attention_steps.js").evaluate(
        "attend([1, 2], [[3, 4]], [[5, 6]], 1, [false])"
    )
    assert (run["weights"], run["sum"]) == ([0], [0, 0])


@pytest.mark.browser
def test_attention_by_keyboard(open_page):
    tab = open_page(page_of(attention()))
    page, story = tab.page, part(tab.page, "story")
    expect(part(page, "position")).to_have_text("Step 1 of 6: query")
    page.locator("[data-go=next]").focus()
    page.keyboard.press("ArrowRight")
    expect(story).to_contain_text("Its query times each key")
    expect(part(page, "head-row").locator("th")).to_have_count(2)
    page.keyboard.press("End")
    expect(story).to_contain_text("this is what bank takes")
    expect(part(page, "rows").locator("svg")).to_have_count(len(TOKENS))
    page.get_by_label("Hide").select_option("special")
    expect(part(page, "rows").locator("td", has_text="hidden")).to_have_count(3)
    page.get_by_role("button", name="rose").press("Enter")
    expect(page.get_by_role("button", name="rose")).to_be_focused()
    expect(part(page, "caption")).to_contain_text("rose asks (position 3)")
    before = part(page, "rows").inner_text()
    page.get_by_label("Head").select_option("2")
    assert part(page, "rows").inner_text() != before
    tab.check()


@pytest.mark.browser
def test_the_scale_makes_attention_sharp_or_flat(open_page):
    page = open_page(page_of(attention())).page
    page.locator("[data-go=last]").press("Enter")
    largest = {}
    for scale in ("one", "root", "size"):
        page.get_by_label("Divide by").select_option(scale)
        cells = part(page, "rows").locator("td:nth-child(5)").all_text_contents()
        largest[scale] = max(map(float, cells))
        assert sum(map(float, cells)) == pytest.approx(1, abs=0.005)
    assert largest["one"] > largest["root"] > largest["size"]


@pytest.mark.parametrize(
    ("shapes", "options", "message"),
    [
        ([(1, 1, 2, 3)] * 2 + [(1, 1, 2, 4)], {}, "one shape"),
        ([(1, 1, 3, 3)] * 3, {}, "2 tokens do not fit"),
        ([(2, 1, 2, 3)] * 3, {}, "1 layers"),
        ([(1, 1, 2, 3)] * 3, {"ask": 2}, "place of a token"),
    ],
)
def test_attention_refuses(shapes, options, message):
    with pytest.raises(ValueError, match=message):
        attention_steps(["a", "b"], *map(np.zeros, shapes), **options)


def test_too_many_tokens_are_refused():
    with pytest.raises(ValueError, match="1 to 24"):
        attention_steps(["a"] * 25, *[np.zeros((1, 1, 25, 2))] * 3)


@pytest.mark.browser
def test_hostile_text_stays_text_here_too(open_page):
    broken = HOSTILE.replace("\u2028", "")
    vectors = [np.ones((1, 1, 1, 2))] * 3
    shown = [
        attention_steps([HOSTILE], *vectors, title=HOSTILE),
        input_builder(WordPiece([*WORDS, HOSTILE]), *tables(len(WORDS) + 1), broken, broken, title=HOSTILE),
    ]
    tab = open_page(page_of(*shown))
    tab.page.locator("[data-go=last]").click()
    assert tab.page.locator("img").count() == 0
    assert tab.page.locator(".cw[data-ready]").count() == 2
    tab.check()
