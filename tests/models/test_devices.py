"""No tensor is made on the wrong device: on the meta device any tensor left on the CPU is an error."""

import pytest
import torch

from course_utils.models import masks
from course_utils.models.config import PRESETS
from course_utils.models.counting import build
from course_utils.models.encoder import Encoder
from course_utils.models.seq2seq import Seq2Seq, shift_right


@pytest.mark.parametrize("return_maps", [False, True])
@pytest.mark.parametrize(
    "name", ["bert-base", "roberta-base", "albert-base", "gpt2", "bart-base", "t5-small"]
)
def test_models_stay_on_their_device(name, return_maps):
    model = build(PRESETS[name], device="meta")
    ids = torch.zeros(2, 7, dtype=torch.long, device="meta")
    mask = torch.ones_like(ids)
    if isinstance(model, Seq2Seq):
        model(ids, shift_right(ids, model.config), mask, mask, return_maps=return_maps)
    elif isinstance(model, Encoder):
        model(ids, mask, mask=masks.sliding_window(7, 2, device=ids.device), return_maps=return_maps)
    else:
        model.decoder(ids, mask, return_maps=return_maps)
        model.decoder(ids, mask, mask=masks.prefix(7, torch.ones(2, device="meta")))
