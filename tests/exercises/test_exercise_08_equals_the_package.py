"""The solutions of exercise 8 equal course_utils.compression, and brute force, on random inputs."""

import itertools

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece

from course_utils.compression import factorize, heads, quantize, vocabulary
from course_utils.grading import exercise
from course_utils.grading.exercise import source
from course_utils.grading.release import solution
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import EncoderWithHead, SequenceHead

SEEDS = range(5)
CONFIG = EncoderConfig(
    vocab_size=60, hidden_size=12, num_heads=4, num_layers=1, intermediate_size=8, max_positions=9
)


@pytest.fixture(scope="module")
def solved():
    """The functions of the solution cells, with what the set-up and the given cells define."""
    space = {}
    for cell in exercise.load("08").cells("setup", "given", "answer"):
        exec(solution(source(cell)), space)
    return space


def normal(seed, *shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def random_model(seed):
    """A classifier whose biases are not zero, or a lost one would go unseen."""
    encoder = Encoder(CONFIG)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return EncoderWithHead(encoder, SequenceHead(CONFIG, 2)).eval()


@pytest.mark.parametrize("seed", SEEDS)
def test_quantize_rows(solved, seed):
    weight = normal(seed, 20, 30) * torch.logspace(-5, 5, 20, dtype=torch.float64)[:, None]
    weight[3] = 0.0
    q, scale = solved["quantize_rows"](weight)
    grid = quantize.choose_grid(weight, keep=(0,))
    torch.testing.assert_close(scale, grid.scale)
    expected = quantize.quantize(weight, grid)
    torch.testing.assert_close(q, expected, rtol=0, atol=0)
    torch.testing.assert_close(solved["dequantize"](q, scale), quantize.dequantize(expected, grid))
    assert ((solved["dequantize"](q, scale) - weight).abs() <= scale / 2 * (1 + 1e-9)).all()


def test_every_pair_of_four_bit_integers_is_packed_as_the_package_does_and_comes_back(solved):
    pairs = torch.tensor(list(itertools.product(range(-8, 8), repeat=2)), dtype=torch.int8).reshape(4, 16, 8)
    packed = solved["pack4"](pairs)
    assert packed.dtype == torch.uint8
    assert packed.flatten().unique().numel() == 256
    assert packed.tolist() == quantize.pack4(pairs).tolist()
    back = solved["unpack4"](packed)
    assert back.dtype == torch.int8
    assert back.tolist() == quantize.unpack4(packed).tolist() == pairs.tolist()


@pytest.mark.parametrize("keep", [[2, 0], [1], [3, 1, 0], [0, 1, 2, 3]])
def test_remove_heads(solved, keep):
    """The names are those of the course's attention block."""
    model = random_model(1)
    prefix = "stack.blocks.0.attention."
    block = {
        name.removeprefix(prefix): value
        for name, value in model.encoder.state_dict().items()
        if name.startswith(prefix)
    }
    found = solved["remove_heads"](block, keep, 3)
    expected = heads.remove_heads(model, [keep]).encoder.state_dict()
    assert found.keys() == block.keys()
    for name, value in found.items():
        torch.testing.assert_close(value, expected[prefix + name], rtol=0, atol=0)


@pytest.mark.parametrize("seed", SEEDS)
def test_trim(solved, seed):
    letters = list("abcdefgh")
    pieces = [*solved["SPECIAL"], *letters, *(f"##{letter}" for letter in letters)]
    pieces += [f"{first}{last}" for first in letters[:6] for last in letters[:6]] + ["##ab", "#", "##"]
    generator = torch.Generator().manual_seed(seed)
    places = torch.randperm(len(pieces), generator=generator).tolist()
    numbers = dict(zip(pieces, places, strict=True))  # in no order at all
    drawn = torch.randint(0, 4, (len(pieces),), generator=generator).tolist()
    counts = {number: count for number, count in enumerate(drawn) if count}
    table = normal(seed, len(pieces), 4)
    trimmed, rows = solved["trim"](numbers, table, counts, 2)
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(solved["SPECIAL"]))
    kept = vocabulary.kept_pieces(tokenizer, counts, min_count=2)
    assert trimmed == vocabulary.trim_tokenizer(tokenizer, kept).get_vocab()
    torch.testing.assert_close(rows, table[kept], rtol=0, atol=0)
    ids = torch.randperm(len(pieces), generator=generator).tolist()
    new = solved["new_ids"](ids, numbers, trimmed)
    gone = [old not in kept for old in ids]
    assert [number == trimmed["[UNK]"] for number in new] == [
        lost or old == numbers["[UNK]"] for lost, old in zip(gone, ids, strict=True)
    ]
    same = [(old, number) for old, number, lost in zip(ids, new, gone, strict=True) if not lost]
    assert all(torch.equal(table[old], rows[number]) for old, number in same)


def test_largest_rank(solved):
    for tokens, width in itertools.product(range(2, 40), range(2, 40)):
        found = solved["largest_rank"](tokens, width)
        assert found == factorize.saves_from(tokens, width)
        assert found * (tokens + width) < tokens * width <= (found + 1) * (tokens + width)


@pytest.mark.parametrize("rank", [1, 4, 9])
@pytest.mark.parametrize("weighted", [False, True])
def test_factorize(solved, rank, weighted):
    model = random_model(rank).double()
    table = model.encoder.embeddings.token.weight.detach()
    weights = normal(7, len(table)).abs() * (torch.arange(len(table)) % 9 > 0) if weighted else None
    state = factorize.factorize_table(model, rank, weights).encoder.state_dict()
    expected = state["embeddings.token.narrow.weight"] @ state["embeddings.token.widen.weight"].T
    ones = torch.ones(len(table), dtype=torch.float64)
    narrow, widen = solved["factorize"](table, rank, ones if weights is None else weights)
    torch.testing.assert_close(narrow @ widen.T, expected)
