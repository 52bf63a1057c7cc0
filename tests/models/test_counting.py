"""Parameter counts: known to the last one, and equal to the library's."""

import pytest
import torch
import transformers
from library_models import CLASSES

from course_utils.models.config import PRESETS, TransformerConfig
from course_utils.models.counting import build, count_parameters
from course_utils.models.heads import MaskedLM
from course_utils.models.weights import config_to_library

KNOWN = {
    "bert-base": 109_482_240,
    "bert-large": 335_141_888,
    "minilm-l6": 22_713_216,
    "distilbert-base": 66_362_880,
    "roberta-base": 124_645_632,
    "electra-small": 13_483_008,
    "albert-base": 11_683_584,
    "albert-large": 17_683_968,
    "albert-xlarge": 58_724_864,
    "albert-xxlarge": 222_595_584,
    "gpt2": 124_439_808,
    "bart-base": 139_420_416,
    "bart-large": 406_291_456,
    "t5-small": 60_506_624,
    "t5-base": 222_903_552,
}


def library_on_meta(name):
    fields = config_to_library(PRESETS[name])
    config = transformers.AutoConfig.for_model(**fields)
    auto = CLASSES.get(fields["model_type"])
    with torch.device("meta"):
        return auto(config) if auto else transformers.AutoModel.from_config(config)


@pytest.mark.parametrize("name", PRESETS)
def test_counts_are_known_and_equal_the_librarys(name):
    table = count_parameters(PRESETS[name])
    assert table["total"] == KNOWN[name]
    assert table["total"] == sum(count for part, count in table.items() if part != "total")
    library = library_on_meta(name)
    library.tie_weights()
    assert library.num_parameters() == KNOWN[name]


def test_bert_base_part_by_part():
    """V, P and S rows of width H; 4 H (H + 1) and 2 H F + F + H for each layer; norms of 2 H."""
    v, p, s, h, f, layers = 30522, 512, 2, 768, 3072, 12
    assert count_parameters(PRESETS["bert-base"]) == {
        "norms": 2 * h * (2 * layers + 1),
        "token embeddings": v * h,
        "position embeddings": p * h,
        "segment embeddings": s * h,
        "attention": layers * 4 * h * (h + 1),
        "feed-forward": layers * (2 * h * f + f + h),
        "pooler": h * (h + 1),
        "total": 109_482_240,
    }


def test_a_tied_output_layer_counts_once():
    with torch.device("meta"):
        model = MaskedLM(build(PRESETS["bert-base"], device="meta"))
    h, v = 768, 30522
    table = count_parameters(model)
    assert table["total"] == 109_482_240 + h * (h + 1) + 2 * h + v
    assert table["head"] == h * (h + 1) + v


def test_nothing_is_allocated():
    assert all(p.is_meta for p in build(PRESETS["albert-xxlarge"], device="meta").parameters())


def test_another_config_is_refused():
    with pytest.raises(TypeError, match="no model for TransformerConfig"):
        count_parameters(TransformerConfig())
