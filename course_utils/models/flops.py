"""Floating-point operations by formula: what a forward and a backward pass cost for a config.

Counts the matrix products, a multiplication and an addition as two operations; everything else (norms,
activations, softmax, lookups) is a few percent at any size used here. A mask saves nothing: a score
that is masked away has been computed. The backward pass costs twice the forward pass: one product for
the gradient of each input, one for that of each weight.
"""

from course_utils.models.config import DecoderConfig, EncoderConfig, Seq2SeqConfig, TransformerConfig


def attention_flops(config: TransformerConfig, queries: int, keys: int) -> int:
    """One attention: four projections, the scores, and the weighted sum of values."""
    width = config.num_heads * config.width_of_head
    projections = 2 * config.hidden_size * width * (2 * queries + 2 * keys)
    return projections + 2 * 2 * queries * keys * width


def feed_forward_flops(config: TransformerConfig, length: int) -> int:
    """One feed-forward: in and out."""
    return 2 * 2 * length * config.hidden_size * config.intermediate_size


def block_flops(config: TransformerConfig, length: int, memory: int = 0) -> int:
    """One block over one sequence; memory: the length of what its cross-attention reads."""
    cross = attention_flops(config, length, memory) if memory else 0
    return attention_flops(config, length, length) + cross + feed_forward_flops(config, length)


def encoder_flops(config: EncoderConfig, length: int) -> int:
    """Widening of a factorized token table, embedding projection, blocks, pooler, over one sequence."""
    projection = 2 * length * (config.embedding_size or 0) * config.hidden_size
    widening = 2 * length * (config.token_rank or 0) * (config.embedding_size or config.hidden_size)
    pooler = 2 * config.hidden_size**2 if config.pooler else 0
    blocks = sum(block_flops(config.at_layer(layer), length) for layer in range(config.num_layers))
    return widening + projection + blocks + pooler


def masked_lm_flops(config: EncoderConfig, length: int, predictions: int) -> int:
    """An encoder and its masked-LM head on `predictions` of the `length` positions."""
    size = config.embedding_size or config.hidden_size
    head = 2 * predictions * size * (config.hidden_size + config.vocab_size)
    return encoder_flops(config, length) + head


def replaced_token_flops(config: EncoderConfig, length: int) -> int:
    """ELECTRA's discriminator alone; its generator is a `masked_lm_flops` of its own."""
    return encoder_flops(config, length) + 2 * length * config.hidden_size * (config.hidden_size + 1)


def causal_lm_flops(config: DecoderConfig, length: int) -> int:
    """A decoder and its output layer at every position."""
    output = 2 * length * config.hidden_size * config.vocab_size
    return config.num_layers * block_flops(config, length) + output


def seq2seq_flops(config: Seq2SeqConfig, source: int, target: int) -> int:
    """Both stacks and the output layer at every target position."""
    encoder = config.num_layers * block_flops(config, source)
    decoder = config.num_decoder_layers * block_flops(config, target, source)
    return encoder + decoder + 2 * target * config.hidden_size * config.vocab_size


def training_flops(forward: int) -> int:
    """Forward and backward, every weight trained.

    >>> training_flops(masked_lm_flops(EncoderConfig(), length=128, predictions=19)) // 10**9
    69
    """
    return 3 * forward
