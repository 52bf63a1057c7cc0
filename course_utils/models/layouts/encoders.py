"""BERT, RoBERTa, ALBERT, DistilBERT and ELECTRA, as the transformers library spells them."""

from dataclasses import replace

from course_utils.models.config import PRESETS
from course_utils.models.layouts.base import Layout, block

_BERT_EMBEDDINGS = {
    "embeddings.token": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.segment": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
}
_BERT_FIELDS = (
    ("vocab_size", "vocab_size"),
    ("hidden_size", "hidden_size"),
    ("num_hidden_layers", "num_layers"),
    ("num_attention_heads", "num_heads"),
    ("intermediate_size", "intermediate_size"),
    ("hidden_act", "activation"),
    ("hidden_dropout_prob", "dropout"),
    ("attention_probs_dropout_prob", "attention_dropout"),
    ("max_position_embeddings", "max_positions"),
    ("type_vocab_size", "type_vocab_size"),
    ("layer_norm_eps", "norm_eps"),
    ("initializer_range", "initializer_range"),
    ("pad_token_id", "pad_token_id"),
)

BERT = Layout(
    defaults=PRESETS["bert-base"],
    architectures={"Encoder": "BertModel", "MaskedLM": "BertForMaskedLM"},
    prefix="bert.",
    names={
        **_BERT_EMBEDDINGS,
        **block(
            {
                "attention.query": "attention.self.query",
                "attention.key": "attention.self.key",
                "attention.value": "attention.self.value",
                "attention.output": "attention.output.dense",
                "attention_norm": "attention.output.LayerNorm",
                "feed_forward.inner": "intermediate.dense",
                "feed_forward.outer": "output.dense",
                "feed_forward_norm": "output.LayerNorm",
            },
            theirs="encoder.layer.{i}.",
        ),
        "pooler.dense": "pooler.dense",
    },
    fields=_BERT_FIELDS,
    constants={"is_decoder": False, "add_cross_attention": False, "position_embedding_type": "absolute"},
    head={
        "head.dense": "cls.predictions.transform.dense",
        "head.norm": "cls.predictions.transform.LayerNorm",
        "head": "cls.predictions",
    },
    ignored=r"embeddings\.position_ids|cls\.(predictions|seq_relationship)\.|(classifier|qa_outputs)\.",
    tied=r"cls\.predictions\.decoder\.weight",
)

ROBERTA = replace(
    BERT,
    # The library's defaults are not roberta-base: 512 rows of positions, two segments, BERT's epsilon.
    defaults=replace(PRESETS["roberta-base"], max_positions=510, type_vocab_size=2, norm_eps=1e-12),
    architectures={"Encoder": "RobertaModel", "MaskedLM": "RobertaForMaskedLM"},
    prefix="roberta.",
    head={"head.dense": "lm_head.dense", "head.norm": "lm_head.layer_norm", "head": "lm_head"},
    ignored=r"embeddings\.position_ids|(lm_head|classifier|qa_outputs)\.",
    tied=r"lm_head\.decoder\.weight",
    # Positions start after the padding id, so the offset of 2 asks for this one.
    constants={**BERT.constants, "pad_token_id": 1},
    reserved_positions=2,
)

ALBERT = replace(
    BERT,
    defaults=PRESETS["albert-xxlarge"],
    architectures={"Encoder": "AlbertModel", "MaskedLM": "AlbertForMaskedLM"},
    prefix="albert.",
    names={
        **_BERT_EMBEDDINGS,
        "embeddings.projection": "encoder.embedding_hidden_mapping_in",
        **block(
            {
                "attention.query": "attention.query",
                "attention.key": "attention.key",
                "attention.value": "attention.value",
                "attention.output": "attention.dense",
                "attention_norm": "attention.LayerNorm",
                "feed_forward.inner": "ffn",
                "feed_forward.outer": "ffn_output",
                "feed_forward_norm": "full_layer_layer_norm",
            },
            theirs="encoder.albert_layer_groups.0.albert_layers.{i}.",
        ),
        "pooler.dense": "pooler",
    },
    fields=(*_BERT_FIELDS, ("embedding_size", "embedding_size")),
    constants={"num_hidden_groups": 1, "inner_group_num": 1},
    head={"head.dense": "predictions.dense", "head.norm": "predictions.LayerNorm", "head": "predictions"},
    ignored=r"embeddings\.position_ids|(predictions|sop_classifier|classifier|qa_outputs)\.",
    tied=r"predictions\.decoder\.weight",
)

DISTILBERT = replace(
    BERT,
    defaults=PRESETS["distilbert-base"],
    architectures={"Encoder": "DistilBertModel", "MaskedLM": "DistilBertForMaskedLM"},
    prefix="distilbert.",
    names={
        **{ours: theirs for ours, theirs in _BERT_EMBEDDINGS.items() if "segment" not in ours},
        **block(
            {
                "attention.query": "attention.q_lin",
                "attention.key": "attention.k_lin",
                "attention.value": "attention.v_lin",
                "attention.output": "attention.out_lin",
                "attention_norm": "sa_layer_norm",
                "feed_forward.inner": "ffn.lin1",
                "feed_forward.outer": "ffn.lin2",
                "feed_forward_norm": "output_layer_norm",
            },
            theirs="transformer.layer.{i}.",
        ),
    },
    fields=(
        ("vocab_size", "vocab_size"),
        ("dim", "hidden_size"),
        ("n_layers", "num_layers"),
        ("n_heads", "num_heads"),
        ("hidden_dim", "intermediate_size"),
        ("activation", "activation"),
        ("dropout", "dropout"),
        ("attention_dropout", "attention_dropout"),
        ("max_position_embeddings", "max_positions"),
        ("initializer_range", "initializer_range"),
        ("pad_token_id", "pad_token_id"),
    ),
    constants={},
    head={
        "head.dense": "vocab_transform",
        "head.norm": "vocab_layer_norm",
        "head": "vocab_projector",
    },
    ignored=r"embeddings\.position_ids|vocab_\w+\.|(pre_classifier|classifier|qa_outputs)\.",
    tied=r"vocab_projector\.weight",
)

ELECTRA = replace(
    BERT,
    defaults=PRESETS["electra-small"],
    architectures={
        "Encoder": "ElectraModel",
        "MaskedLM": "ElectraForMaskedLM",  # the generator
        "EncoderWithHead": "ElectraForPreTraining",  # the discriminator
    },
    prefix="electra.",
    names={
        **{ours: theirs for ours, theirs in BERT.names.items() if "pooler" not in ours},
        "embeddings.projection": "embeddings_project",
    },
    fields=(*_BERT_FIELDS, ("embedding_size", "embedding_size")),
    constants={"is_decoder": False, "add_cross_attention": False},
    head={
        "head.dense": "generator_predictions.dense",
        "head.norm": "generator_predictions.LayerNorm",
        "head": "generator_lm_head",
    },
    judge={
        "head.dense": "discriminator_predictions.dense",
        "head.classifier": "discriminator_predictions.dense_prediction",
    },
    ignored=(
        r"embeddings\.position_ids|(discriminator_predictions|generator_predictions|generator_lm_head|"
        r"sequence_summary|classifier|qa_outputs)\."
    ),
    tied=r"generator_lm_head\.weight",
    square_projection=False,
)
