"""GPT-2, BART and T5, as the transformers library spells them."""

from course_utils.models.config import PRESETS
from course_utils.models.layouts.base import Layout, block

GPT2 = Layout(
    defaults=PRESETS["gpt2"],
    architectures={"CausalLM": "GPT2LMHeadModel"},
    prefix="transformer.",
    names={
        "decoder.embeddings.token": "wte",
        "decoder.embeddings.position": "wpe",
        **block(
            {
                "attention.query": "attn.c_attn[0]",
                "attention.key": "attn.c_attn[1]",
                "attention.value": "attn.c_attn[2]",
                "attention.output": "attn.c_proj",
                "attention_norm": "ln_1",
                "feed_forward.inner": "mlp.c_fc",
                "feed_forward.outer": "mlp.c_proj",
                "feed_forward_norm": "ln_2",
            },
            ours="decoder.stack.blocks.{i}.",
            theirs="h.{i}.",
        ),
        "decoder.stack.norm": "ln_f",
    },
    fields=(
        ("vocab_size", "vocab_size"),
        ("n_embd", "hidden_size"),
        ("n_layer", "num_layers"),
        ("n_head", "num_heads"),
        ("n_inner", "intermediate_size"),
        ("activation_function", "activation"),
        ("resid_pdrop", "dropout"),
        ("embd_pdrop", "dropout"),
        ("attn_pdrop", "attention_dropout"),
        ("n_positions", "max_positions"),
        ("layer_norm_epsilon", "norm_eps"),
        ("initializer_range", "initializer_range"),
    ),
    constants={
        "scale_attn_weights": True,
        "scale_attn_by_inverse_layer_idx": False,
        "add_cross_attention": False,
    },
    head={},
    ignored=r"h\.\d+\.attn\.(masked_)?bias$",  # the causal mask, stored as a buffer in old checkpoints
    transposed=True,
    inner_factor=4,
)

_BART_ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
_BART_BLOCK = {
    **block(_BART_ATTENTION, "attention.", "self_attn."),
    "attention_norm": "self_attn_layer_norm",
    "feed_forward.inner": "fc1",
    "feed_forward.outer": "fc2",
    "feed_forward_norm": "final_layer_norm",
}
_BART_CROSS = {
    **block(_BART_ATTENTION, "cross_attention.", "encoder_attn."),
    "cross_norm": "encoder_attn_layer_norm",
}

BART = Layout(
    defaults=PRESETS["bart-large"],
    architectures={"Seq2Seq": "BartForConditionalGeneration"},
    prefix="model.",
    names={
        "token": "shared",
        "encoder.embeddings.position": "encoder.embed_positions",
        "decoder.embeddings.position": "decoder.embed_positions",
        "encoder.embeddings.norm": "encoder.layernorm_embedding",
        "decoder.embeddings.norm": "decoder.layernorm_embedding",
        **block(_BART_BLOCK, "encoder.stack.blocks.{i}.", "encoder.layers.{i}."),
        **block(_BART_BLOCK | _BART_CROSS, "decoder.stack.blocks.{i}.", "decoder.layers.{i}."),
    },
    fields=(
        ("vocab_size", "vocab_size"),
        ("d_model", "hidden_size"),
        ("encoder_layers", "num_layers"),
        ("decoder_layers", "num_decoder_layers"),
        ("encoder_attention_heads", "num_heads"),
        ("decoder_attention_heads", "num_heads"),
        ("encoder_ffn_dim", "intermediate_size"),
        ("decoder_ffn_dim", "intermediate_size"),
        ("activation_function", "activation"),
        ("dropout", "dropout"),
        ("attention_dropout", "attention_dropout"),
        ("activation_dropout", "activation_dropout"),
        ("max_position_embeddings", "max_positions"),
        ("init_std", "initializer_range"),
        ("scale_embedding", "scale_embedding"),
        ("pad_token_id", "pad_token_id"),
        ("eos_token_id", "eos_token_id"),
        ("decoder_start_token_id", "decoder_start_token_id"),
    ),
    constants={},
    head={},
    ignored=r"(encoder|decoder)\.version$",
    tied=r"lm_head\.weight|(encoder|decoder)\.embed_tokens\.weight",
    zeros=r"final_logits_bias",
)

_T5_ATTENTION = {"query": "q", "key": "k", "value": "v", "output": "o"}


def _t5_feed_forward(place: int) -> dict[str, str]:
    """The feed-forward is the last sublayer: number 1 in the encoder, 2 in the decoder."""
    dense = f"layer.{place}.DenseReluDense."
    return {
        "feed_forward.inner": dense + "wi",
        "feed_forward.outer": dense + "wo",
        "feed_forward_norm": f"layer.{place}.layer_norm",
    }


_T5_SELF = {
    **block(_T5_ATTENTION, "attention.", "layer.0.SelfAttention."),
    "attention_norm": "layer.0.layer_norm",
}
_T5_CROSS = {
    **block(_T5_ATTENTION, "cross_attention.", "layer.1.EncDecAttention."),
    "cross_norm": "layer.1.layer_norm",
}

T5 = Layout(
    defaults=PRESETS["t5-small"],
    architectures={"Seq2Seq": "T5ForConditionalGeneration"},
    prefix="",
    names={
        "token": "shared",
        **block(_T5_SELF | _t5_feed_forward(1), "encoder.stack.blocks.{i}.", "encoder.block.{i}."),
        **block(
            _T5_SELF | _T5_CROSS | _t5_feed_forward(2), "decoder.stack.blocks.{i}.", "decoder.block.{i}."
        ),
        **{
            f"{side}.relative.bias": f"{side}.block.0.layer.0.SelfAttention.relative_attention_bias"
            for side in ("encoder", "decoder")
        },
        "encoder.stack.norm": "encoder.final_layer_norm",
        "decoder.stack.norm": "decoder.final_layer_norm",
    },
    fields=(
        ("vocab_size", "vocab_size"),
        ("d_model", "hidden_size"),
        ("num_layers", "num_layers"),
        ("num_decoder_layers", "num_decoder_layers"),
        ("num_heads", "num_heads"),
        ("d_kv", "head_size"),
        ("d_ff", "intermediate_size"),
        ("relative_attention_num_buckets", "relative_buckets"),
        ("relative_attention_max_distance", "relative_max_distance"),
        ("dropout_rate", "dropout"),
        ("dropout_rate", "attention_dropout"),
        ("dropout_rate", "activation_dropout"),
        ("layer_norm_epsilon", "norm_eps"),
        ("feed_forward_proj", "activation"),
        ("pad_token_id", "pad_token_id"),
        ("eos_token_id", "eos_token_id"),
        ("decoder_start_token_id", "decoder_start_token_id"),
    ),
    # False marks version 1.1, which unties the output layer: not one of our models.
    constants={"tie_word_embeddings": True, "scale_decoder_outputs": True},
    head={},
    ignored=r"decoder\.block\.0\.layer\.1\.EncDecAttention\.relative_attention_bias\.weight",
    tied=r"lm_head\.weight|(encoder|decoder)\.embed_tokens\.weight",
)
