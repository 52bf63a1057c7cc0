"""Scores of labels against scikit-learn, correlations against scipy, GLUE's averages by hand."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as sklearn_metrics

from course_utils import metrics

few = settings(max_examples=60)

numbers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30)
names = st.lists(st.tuples(*2 * [st.sampled_from(["O", "PER", "LOC"])]), min_size=1, max_size=30)
reals = st.floats(-1e3, 1e3).map(lambda x: round(x, 2))


@pytest.mark.filterwarnings("ignore:A single label:UserWarning")
@few
@given(numbers | names)
def test_label_scores_equal_scikit_learn(rows):
    true, predicted = (list(side) for side in zip(*rows, strict=True))
    assert metrics.accuracy(true, predicted) == sklearn_metrics.accuracy_score(true, predicted)
    for average, ours in (("macro", metrics.macro_f1), ("micro", metrics.micro_f1)):
        expected = sklearn_metrics.f1_score(true, predicted, average=average, zero_division=0)
        assert ours(true, predicted) == pytest.approx(expected)
    each = sklearn_metrics.f1_score(true, predicted, average=None, zero_division=0)
    assert list(metrics.f1_by_class(true, predicted).values()) == pytest.approx(list(each))
    assert metrics.matthews(true, predicted) == pytest.approx(
        sklearn_metrics.matthews_corrcoef(true, predicted), abs=1e-12
    )


@few
@given(names)
def test_micro_f1_without_a_class_equals_scikit_learn_on_the_other_labels(rows):
    true, predicted = (list(side) for side in zip(*rows, strict=True))
    expected = sklearn_metrics.f1_score(
        true, predicted, labels=["LOC", "PER"], average="micro", zero_division=0
    )
    assert metrics.micro_f1(true, predicted, without=["O"]) == pytest.approx(expected)


@few
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_f1_of_the_positive_class_equals_scikit_learn(rows):
    true, predicted = (np.array(side, dtype=int) for side in zip(*rows, strict=True))
    assume(true.any() or predicted.any())
    assert metrics.f1(true, predicted) == pytest.approx(sklearn_metrics.f1_score(true, predicted))


def test_macro_and_micro_are_not_the_same():
    true, predicted = [0] * 9 + [1], [0] * 10
    assert metrics.micro_f1(true, predicted) == 0.9
    assert metrics.macro_f1(true, predicted) == pytest.approx(0.4737, abs=1e-4)


@few
@given(st.lists(st.tuples(reals, reals), min_size=2, max_size=30))
def test_correlations_equal_scipy(rows):
    x, y = (np.array(side) for side in zip(*rows, strict=True))
    assume(np.ptp(x) > 0.1 and np.ptp(y) > 0.1)
    assert metrics.pearson(x, y) == pytest.approx(stats.pearsonr(x, y).statistic, abs=1e-9)
    assert metrics.spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-9)
    assert metrics.ranks(x).tolist() == stats.rankdata(x).tolist()


def test_what_does_not_vary_has_no_correlation():
    assert np.isnan(metrics.pearson([0.1] * 3, [1, 2, 3]))
    assert np.isnan(metrics.spearman([1, 2, 3], [5] * 3))


@pytest.mark.parametrize("bad", [([1, 2], [1]), ([1], [1]), ([1, np.nan], [1, 2])])
def test_correlations_refuse_what_is_not_paired(bad):
    with pytest.raises(ValueError, match=r"expected two rows|finite"):
        metrics.pearson(*bad)


@pytest.mark.parametrize("bad", [([0, 1], [0]), ([], []), ([0, 1], [[0.1, 0.9], [0.8, 0.2]])])
def test_labels_are_paired(bad):
    with pytest.raises(ValueError, match="must be paired"):
        metrics.accuracy(*bad)


def test_names_against_numbers_are_refused():
    with pytest.raises(ValueError, match="names and the other numbers"):
        metrics.accuracy(["1", "0"], [1, 0])


def test_a_positive_class_that_is_nowhere_is_refused():
    with pytest.raises(ValueError, match="no label 'yes'"):
        metrics.f1(["no", "positive"], ["no", "no"], positive="yes")


SCORES = {"CoLA": 50, "SST-2": 90, "MRPC": (88, 84), "STS-B": (80, 82), "QQP": (70, 90)}
SCORES |= {"MNLI": (84, 83), "QNLI": 90, "RTE": 66, "WNLI": 65.1}


def test_glue_average_is_a_mean_of_means():
    by_hand = (50 + 90 + 86 + 81 + 80 + 83.5 + 90 + 66 + 65.1) / 9
    assert metrics.glue_average(SCORES) == pytest.approx(by_hand)
    assert metrics.glue_average(SCORES, without=["WNLI"]) == pytest.approx((by_hand * 9 - 65.1) / 8)
    without = {task: score for task, score in SCORES.items() if task != "WNLI"}
    assert metrics.glue_average(without, without=["WNLI"]) == pytest.approx((by_hand * 9 - 65.1) / 8)


def test_a_column_average_counts_both_numbers_of_a_task():
    assert metrics.column_average({"MNLI": (84, 83), "RTE": 66}) == pytest.approx(233 / 3)
    assert metrics.task_average({"MNLI": (84, 83), "RTE": 66}) == pytest.approx(74.75)


@pytest.mark.parametrize(
    ("scores", "message"),
    [({"CoLA": 50}, "missing: .'SST-2'"), (SCORES | {"MNLI-m": 84}, "unknown: .'MNLI-m'")],
)
def test_an_average_needs_every_task(scores, message):
    with pytest.raises(ValueError, match=message):
        metrics.glue_average(scores)


@pytest.mark.parametrize("average", [metrics.task_average, metrics.column_average])
def test_no_tasks_have_no_average(average):
    with pytest.raises(ValueError, match="no tasks"):
        average({})
