"""Static masks are the same at every pass, dynamic ones are not; nothing else differs between the arms."""

import pytest
import torch
from torch import Generator

from course_utils.family.runs import items
from course_utils.family.variants import Masked
from course_utils.objectives import IGNORE

PASSES = 12


def masks(copies, texts, world, seed=5):
    """The chosen places of every text at every pass, (passes, texts, 1 + length); in shuffled batches."""
    every = items(texts, PASSES * len(texts), seed)
    order = torch.randperm(len(every), generator=Generator().manual_seed(1)).tolist()
    variant, found = Masked(copies=copies), [None] * len(every)
    for first in range(0, len(every), 8):
        numbers = order[first : first + 8]
        noise = Generator().manual_seed(first)
        labels = variant.collate([every[i] for i in numbers], world.language.tokens, noise)["labels"]
        for i, row in zip(numbers, labels, strict=True):
            found[i] = row != IGNORE
    return torch.stack(found).view(PASSES, len(texts), -1)


def test_static_masks_are_the_same_at_every_pass(texts, world):
    found = masks(1, texts, world)
    assert (found == found[0]).all()
    assert not (found[0] == found[0, 0]).all(), "texts must have masks of their own"


def test_ten_masks_come_back_after_ten_passes(texts, world):
    found = masks(10, texts, world)
    assert (found[10:] == found[: PASSES - 10]).all()
    assert len({tuple(mask.flatten().tolist()) for mask in found[:10]}) == 10


@pytest.mark.parametrize("copies", [0, PASSES])
def test_dynamic_masks_are_new_at_every_pass(copies, texts, world):
    found = masks(copies, texts, world)
    assert len({tuple(mask.flatten().tolist()) for mask in found}) == PASSES


def test_the_first_pass_is_the_same_with_any_number_of_copies(texts, world):
    """So that the arms differ in nothing but what comes back."""
    assert (masks(1, texts, world)[0] == masks(PASSES, texts, world)[0]).all()


def test_masks_depend_on_the_seed_of_the_run(texts, world):
    assert not (masks(1, texts, world, seed=5) == masks(1, texts, world, seed=6)).all()


def test_items_give_every_text_once_a_turn(texts):
    every = items(texts, 2 * len(texts), seed=0)
    assert [item.number for item in every] == 2 * list(range(len(texts)))
    assert [item.turn for item in every] == [0] * len(texts) + [1] * len(texts)
    assert torch.equal(every[len(texts)].ids, texts[0])
