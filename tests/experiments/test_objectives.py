"""BERT's shares and the contest's curves: what is counted, the verdict's branches, the sentences."""

import pytest
import torch

from course_utils.objectives import SpecialTokens
from course_utils.objectives.masked import mask_tokens
from experiments import objectives_shares as shares
from experiments.objectives_curves import curve_rows

TOKENS = SpecialTokens(mask=1, special=(0, 2), vocab_size=50)
IDS = torch.tensor([[2, *range(3, 40), 2]]).repeat(300, 1)


def test_fates_are_told_apart_and_special_tokens_not_counted():
    ids = torch.tensor([[2, 10, 11, 12, 13, 2, 0]])
    inputs = torch.tensor([[2, 1, 40, 12, 13, 2, 0]])
    labels = torch.tensor([[-100, 10, 11, 12, -100, -100, -100]])
    assert shares.count_fates(ids, inputs, labels, TOKENS).tolist() == [1, 1, 1, 1]


def test_a_chosen_special_token_is_refused():
    ids = torch.tensor([[2, 10]])
    with pytest.raises(ValueError, match="special token"):
        shares.count_fates(ids, ids, torch.tensor([[2, -100]]), TOKENS)


def test_rows_hold_the_texts_in_order_and_drop_the_rest():
    texts = [[1] * 500, [2] * 300, [3] * 300]
    assert shares.in_rows(texts).flatten().tolist() == [1] * 500 + [2] * 300 + [3] * 224


def test_expected_shares_sum_to_one_and_allow_for_random_hits():
    expected = shares.expected_shares(10)
    assert sum(expected) == pytest.approx(1)
    assert expected == pytest.approx([0.12, 0.0135, 0.0165, 0.85])


def test_right_shares_pass_and_wrong_ones_do_not():
    right = [shares.draw_course(IDS, seed, TOKENS) for seed in shares.SEEDS["course"]]
    rows = shares.seed_rows("course", right, len(TOKENS.ordinary()))
    assert min(row["p"] for row in rows) > 1e-4
    assert sum(sum(row[fate] for fate in shares.FATES) for row in rows) == 5 * 300 * 37
    wrong = []
    for seed in shares.SEEDS["course"]:
        generator = torch.Generator().manual_seed(seed)
        wrong.append(shares.count_fates(IDS, *mask_tokens(IDS, TOKENS, generator, share=0.2), TOKENS))
    assert max(row["p"] for row in shares.seed_rows("transformers", wrong, 47)) < 1e-4
    assert shares.verdict([1.0], [shares.pooled_row("x", wrong)]) == "does not hold"


def pooled(**shifts):
    row = {}
    for name, stated in shares.STATED.items():
        at = stated + shifts.get(name, 0.0)
        row |= {f"{name}_low": at - 0.0004, f"{name}_high": at + 0.0004}
    return row


@pytest.mark.parametrize(
    ("p_holm", "shifts", "expected"),
    [
        ([0.6, 0.2], {}, "holds"),
        ([0.6, 0.05], {}, "cannot tell"),
        ([0.6, 0.2], {"chosen": 0.0018}, "cannot tell"),
        ([0.6, 0.2], {"chosen": 0.003}, "does not hold"),
        ([0.6, 0.2], {"masked": -0.0048}, "cannot tell"),
        ([0.6, 0.2], {"kept": 0.0045}, "holds"),
        ([0.6, 0.2], {"random": 0.006}, "does not hold"),
    ],
)
def test_each_branch_of_the_verdict(p_holm, shifts, expected):
    assert shares.verdict(p_holm, [pooled(), pooled(**shifts)]) == expected


def test_the_ablation_says_which_way_and_how_sure():
    row = {"second": "mlm_mask", "difference": -0.03, "low": -0.04, "high": 0.02, "verdict": "cannot tell"}
    said = shares.ablation_of_pair(row)
    assert said == "80/10/10 minus masking all chosen tokens -0.030 [-0.040, +0.020], cannot tell"


def record(losses, floor=1.0):
    return {"curve": [[10 * (i + 1), loss] for i, loss in enumerate(losses)], "own_task": {"floor": floor}}


def test_curves_are_means_over_seeds_above_each_seeds_floor():
    rows = curve_rows("mlm", [record([3.0, 2.0]), record([5.0, 3.0], floor=2.0)])
    at = {row["compute"]: row for row in rows}
    assert len(rows) == 20
    assert (at[0.5]["above_floor"], at[0.5]["least"], at[0.5]["most"]) == (2.5, 2.0, 3.0)
    assert at[1.0]["above_floor"] == 1.0


def test_curves_of_seeds_with_other_steps_are_interpolated():
    rows = curve_rows("mlm", [record([3.0, 2.0]), record([3.0, 2.5, 2.0, 1.0])])
    at = {row["compute"]: row["above_floor"] for row in rows}
    assert at[0.5] == pytest.approx((2.0 + 1.5) / 2)
    assert at[0.75] == pytest.approx((1.5 + 1.0) / 2)
