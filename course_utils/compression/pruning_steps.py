"""The steps of recipes that take weights away: heads, neurons, width, layers, pieces, ranks."""

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from course_utils.compression import drop_layers as layers
from course_utils.compression import factorize, vocabulary
from course_utils.compression.heads import head_importance, remove_heads
from course_utils.compression.importance import least_important
from course_utils.compression.rebuilding import plain
from course_utils.compression.registry import Context, Parameter, RecipeError, step
from course_utils.compression.width import hidden_importance, neuron_importance, remove_neurons, slice_hidden
from course_utils.finetuning.classifier import Example

ROWS = Parameter("rows", int, "how many rows importance is measured on", default=1000, low=1, high=10**7)


def _share(of: str) -> Parameter:
    return Parameter("share", float, f"of all {of}, to remove", required=True, low=0.001, high=0.95)


def _drawn(context: Context, rows: int) -> list[Example]:
    """So many examples of the context, without replacement; all if there are fewer."""
    examples = context.examples()
    order = torch.randperm(len(examples), generator=context.generator)[:rows]
    return [examples[i] for i in order.tolist()]


@step(
    "heads",
    stage="shape",
    help="remove the attention heads that the loss depends on least",
    parameters=[_share("heads"), ROWS],
    needs="labels",
    source="Michel et al. 2019",
)
def heads(model: nn.Module, context: Context, share: float, rows: int) -> nn.Module:
    """Heads of all layers compete; a layer may lose all of its own."""
    whole = plain(model)
    keep = least_important(head_importance(whole, _drawn(context, rows)), share)
    context.notes.append(f"heads left in each layer: {[len(kept) for kept in keep]}")
    return remove_heads(whole, keep)


@step(
    "ffn",
    stage="shape",
    help="remove the neurons of the feed-forward layers that the loss depends on least",
    parameters=[_share("neurons"), ROWS],
    needs="labels",
    source="Molchanov et al. 2017",
)
def ffn(model: nn.Module, context: Context, share: float, rows: int) -> nn.Module:
    """Neurons of all layers compete; each layer keeps at least one."""
    whole = plain(model)
    keep = least_important(neuron_importance(whole, _drawn(context, rows)), share, keep_one=True)
    context.notes.append(f"neurons left in each layer: {[len(kept) for kept in keep]}")
    return remove_neurons(whole, keep)


@step(
    "width",
    stage="shape",
    help="keep so many coordinates of the hidden states; train afterwards (tune)",
    parameters=[Parameter("keep", int, "coordinates", required=True, low=1, high=10**5), ROWS],
    needs="labels",
    source="Muralidharan et al. 2024",
)
def width(model: nn.Module, context: Context, keep: int, rows: int) -> nn.Module:
    """The most important coordinates, the same in every layer."""
    whole = plain(model)
    size = whole.encoder.config.hidden_size
    if keep >= size:
        raise RecipeError(f"step 'width': the hidden states have {size} coordinates; keep fewer, got {keep}")
    importance = hidden_importance(whole, _drawn(context, rows))
    return slice_hidden(whole, importance.topk(keep).indices.tolist())


@step(
    "drop-layers",
    stage="shape",
    help="take out whole layers; train afterwards (tune)",
    parameters=[
        Parameter("drop", int, "how many", required=True, low=1, high=1000),
        Parameter("which", str, "where", default="top", choices=("top", "bottom", "alternate", "middle")),
    ],
    source="Sajjad et al. 2023",
)
def drop_layers(model: nn.Module, context: Context, drop: int, which: layers.Which) -> nn.Module:
    """Layers out of a model whose other layers stay as they are."""
    whole = plain(model)
    try:
        keep = layers.layers_left(whole.encoder.config.num_layers, drop, which)
    except ValueError as problem:
        raise RecipeError(f"step 'drop-layers': {problem}") from problem
    context.notes.append(f"layers left, from 1: {[layer + 1 for layer in keep]}")
    return layers.keep_layers(whole, keep)


@step(
    "vocabulary",
    stage="shape",
    help="keep the pieces that the texts use, and single characters to spell the rest",
    parameters=[
        Parameter("min_count", int, "uses that keep a piece", default=1, low=1, high=10**9),
        Parameter("characters", str, "which single characters stay", default="all", choices=("all", "used")),
    ],
    needs="texts",
)
def trim_vocabulary(
    model: nn.Module, context: Context, min_count: int, characters: vocabulary.Characters
) -> nn.Module:
    """Trim table and tokenizer alike."""
    whole = plain(model)
    _check_rows(whole.encoder.config.vocab_size, context.tokenizer)
    before = context.tokenizer
    counts = vocabulary.piece_counts(before, context.texts)
    kept = vocabulary.kept_pieces(before, counts, min_count=min_count, characters=characters)
    context.tokenizer = vocabulary.trim_tokenizer(before, kept)
    cut = vocabulary.changed(before, context.tokenizer, context.texts)
    context.notes.append(
        f"{len(kept):,} of {before.get_vocab_size():,} pieces are left; {sum(cut):,} of {len(cut):,} texts "
        "are cut into other pieces than before"
    )
    return vocabulary.trim_table(whole, kept)


@step(
    "factorize",
    stage="shape",
    help="the token table as a product of this rank, its error weighted by how often the texts use a piece",
    parameters=[
        Parameter("rank", int, "rank of the product", required=True, low=1, high=10**5),
        Parameter("weighted", str, "by use in the texts", default="yes", choices=("yes", "no")),
    ],
    needs="texts",
    source="Lan et al. 2020",
)
def factorize_table(model: nn.Module, context: Context, rank: int, weighted: str) -> nn.Module:
    """Every piece counts once, and once more for each of its uses."""
    whole = plain(model)
    size = whole.encoder.config.vocab_size
    _check_rows(size, context.tokenizer)
    weights = _uses(context, size) if weighted == "yes" else None
    try:
        made = factorize.factorize_table(whole, rank, weights)
    except ValueError as problem:
        raise RecipeError(f"step 'factorize': {problem}") from problem
    error = float(factorize.rank_errors(whole.encoder.embeddings.token.weight, weights)[rank])
    context.notes.append(f"the token table of rank {rank} has a relative error of {error:.3f}")
    return made


@step(
    "unused",
    stage="shape",
    help="remove positions beyond the longest text, and a pooler that is not read; the outputs stay",
)
def unused(model: nn.Module, context: Context) -> nn.Module:
    """What no text can reach."""
    return layers.without_unused(plain(model), context.max_length)


def _uses(context: Context, rows: int) -> Tensor:
    """(rows,): 1 for each piece and 1 for each of its uses in the texts."""
    weights = torch.ones(rows)
    for number, count in vocabulary.piece_counts(context.tokenizer, context.texts).items():
        weights[number] += count
    return weights


def _check_rows(rows: int, tokenizer: Tokenizer) -> None:
    if tokenizer.get_vocab_size() > rows:
        raise RecipeError(
            f"the tokenizer has {tokenizer.get_vocab_size():,} pieces, the model's table {rows:,} rows: they "
            "do not belong together"
        )
