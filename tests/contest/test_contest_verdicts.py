"""The rules on claims, on rows whose right verdict is plain."""

from itertools import combinations

import pytest

from course_utils.contest import design, verdicts

FORMAL = design.load("formal")
MASKING = design.load("masking")


def pairs(scores, *, spread=0.01, unresolved=()):
    """Rows of every pair as the report writes them, from mean scores (low is better)."""
    return [
        {
            "kind": "pair",
            "measure": FORMAL.primary,
            "first": first,
            "second": second,
            "difference": scores[first] - scores[second],
            "low": scores[first] - scores[second] - spread,
            "high": scores[first] - scores[second] + spread,
            "verdict": "cannot tell" if {first, second} & set(unresolved) else "resolved",
        }
        for first, second in combinations(FORMAL.entrants, 2)
    ]


def scores(**changed):
    return {name: 1.0 + 0.1 * i for i, name in enumerate(FORMAL.entrants)} | changed


def electra(unresolved=(), **changed):
    return verdicts.claims(FORMAL, pairs(scores(**changed), unresolved=unresolved))["electra-efficient"]


def test_electra_that_is_resolved_better_holds():
    found = electra(electra=0.2, mlm=0.5)
    assert found["verdict"] == "holds here only"
    assert found["estimate"] == pytest.approx(-0.3)
    assert found["interval"] == pytest.approx([-0.31, -0.29])
    assert found["seeds"] == len(FORMAL.seeds)
    assert "-0.30 nats [-0.31, -0.29]" in found["sentence"]


def test_electra_that_is_resolved_worse_does_not_hold():
    assert electra(electra=0.9, mlm=0.5)["verdict"] == "does not hold"


def test_electra_unresolved_cannot_be_told():
    assert electra(["electra"], electra=0.2, mlm=0.5)["verdict"] == "cannot tell"


def test_only_one_contest_judges():
    assert set(verdicts.claims(FORMAL, pairs(scores()))) == {"t5-objectives", "electra-efficient"}
    assert verdicts.claims(MASKING, []) == {}


def test_one_rival_ahead_refutes_replaced_spans():
    found = verdicts.claims(FORMAL, pairs(scores(t5_spans=0.5, prefix=0.2)))["t5-objectives"]
    assert found["verdict"] == "does not hold"
    assert "better than replaced spans: prefix;" in found["sentence"]
    assert found["estimate"] == pytest.approx(0.3)
    assert "minus prefix" in found["unit"]


def test_best_spans_with_like_denoisers_hold():
    rows = pairs(scores(t5_spans=0.1))
    for row in rows:
        if {row["first"], row["second"]} <= set(verdicts.DENOISING):
            row["verdict"] = "too small to matter"
    assert verdicts.claims(FORMAL, rows)["t5-objectives"]["verdict"] == "holds here only"


def test_best_spans_with_unlike_denoisers_cannot_be_told():
    assert verdicts.claims(FORMAL, pairs(scores(t5_spans=0.1)))["t5-objectives"]["verdict"] == "cannot tell"


def test_nothing_settled_cannot_be_told():
    rows = pairs(scores(t5_spans=0.1), unresolved=["t5_spans"])
    assert verdicts.claims(FORMAL, rows)["t5-objectives"]["verdict"] == "cannot tell"


def test_a_pair_is_turned_around():
    rows = pairs(scores(mlm=0.5, electra=0.9))
    forth, back = (
        verdicts.of_pair(rows, FORMAL.primary, *p) for p in [("mlm", "electra"), ("electra", "mlm")]
    )
    assert forth["difference"] == -back["difference"]
    assert (forth["low"], forth["high"]) == (-back["high"], -back["low"])
    with pytest.raises(KeyError, match="nobody"):
        verdicts.of_pair(rows, FORMAL.primary, "mlm", "nobody")
