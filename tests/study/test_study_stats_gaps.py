"""Gaps, views and effective robustness: against loops, and on studies whose truth is known."""

import numpy as np
import pytest
from made_up import study
from scipy.stats import linregress, norm
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from course_utils.stats import mean_estimate
from course_utils.study import gaps, hierarchy, robustness
from course_utils.study.runs import Key


@pytest.fixture
def rng():
    return np.random.default_rng(1203)


@pytest.fixture
def two(rng):
    """A strong and a weak system, alike in what they lose."""
    return study(rng, {"strong": 2.0, "weak": 1.2}, seed_sd=0.1, group_size=2)


@pytest.mark.parametrize("seed", range(4))
def test_row_values_average_to_the_metric_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    labels = (rng.random(120) < 0.3).astype(int)
    scores = (rng.normal(size=120) + labels - 0.5).round(1)
    for metric, expected in (
        ("accuracy", ((scores > 0) == labels).mean()),
        ("balanced_accuracy", balanced_accuracy_score(labels, scores > 0)),
        ("auc", roc_auc_score(labels, scores)),
    ):
        assert gaps.row_values(metric, labels, scores).mean() == pytest.approx(expected, abs=1e-12)


def test_row_values_vary_as_the_auc_does(rng):
    """DeLong's error against many test sets."""
    found, errors = [], []
    for _ in range(400):
        labels = np.repeat([0, 1], [150, 50])
        values = gaps.row_values("auc", labels, rng.normal(size=200) + labels)
        found.append(values.mean())
        errors.append(values.std(ddof=1) / np.sqrt(200))
    assert np.mean(errors) == pytest.approx(np.std(found), rel=0.1)


def test_a_gap_is_what_a_loop_says(two):
    found = gaps.pair(two, "weak", "strong", "balanced_accuracy").estimate("gap")
    by_seed = []
    for seed in range(5):
        gap = {}
        for name in ("weak", "strong"):
            run = two.runs[Key(name, "films", seed)]
            score = {
                d: balanced_accuracy_score(two.rows[d, "test"].labels, run.scores[d, "test"] > 0)
                for d in ("films", "games", "shops")
            }
            gap[name] = score["films"] - (score["games"] + score["shops"]) / 2
        by_seed.append(gap["weak"] - gap["strong"])
    assert found.value == pytest.approx(np.mean(by_seed), abs=1e-12)
    pair = gaps.pair(two, "weak", "strong", "balanced_accuracy")
    assert pair.by_seed("gap", "films") == pytest.approx(by_seed)
    assert found.error > mean_estimate(by_seed).error * 0.99


def test_the_difference_of_a_gap_is_the_gap_of_the_difference(two):
    pair = gaps.pair(two, "weak", "strong", "auc")
    inside, outside = pair.estimate("in_domain"), pair.estimate("out_of_domain")
    assert pair.estimate("gap").value == pytest.approx(inside.value - outside.value)
    assert inside.value == pytest.approx(pair.on("films", "films").value)
    alone = [gaps.system_estimate(two, name, "films", "auc", "gap").value for name in ("weak", "strong")]
    assert pair.estimate("gap").value == pytest.approx(alone[0] - alone[1])


def test_pairing_pays(two):
    paired = gaps.pair(two, "weak", "strong", "accuracy").estimate("in_domain").error
    alone = [
        gaps.system_estimate(two, name, "films", "accuracy", "in_domain").error for name in ("weak", "strong")
    ]
    assert paired < 0.9 * np.hypot(*alone)


def test_a_row_without_a_label_is_left_out(rng):
    with_threes = study(rng, {"a": 2.0, "b": 1.0}, unlabeled=0.2)
    told = with_threes.rows["films", "test"].labeled
    found = gaps.tables(with_threes, "a", "films", "accuracy", [0])["films"]
    assert found.shape == (1, told.sum())
    right = (with_threes.runs[Key("a", "films", 0)].scores["films", "test"] > 0) == (
        with_threes.rows["films", "test"].labels == 1
    )
    assert found.mean() == pytest.approx(right[told].mean())


def test_refusals(two, rng):
    with pytest.raises(ValueError, match="both classes"):
        gaps.row_values("auc", [1, 1], [0.1, 0.2])
    with pytest.raises(ValueError, match="needs 'films' and another domain"):
        gaps.weights("gap", "films", ["films"])
    alone = study(rng, {"a": 2.0}, seeds=2)
    with pytest.raises(ValueError, match="no seed in common"):
        gaps.pair(alone, "a", "b", "accuracy")


def test_views_take_more_and_more_as_drawn(two):
    pair = gaps.pair(two, "weak", "strong", "accuracy")
    these, new = hierarchy.views(pair, "gap", "films")
    assert (these.drawn, new.drawn) == ("seeds and sentences", "seeds and test domains")
    assert these.estimate.value == pytest.approx(new.estimate.value)
    assert hierarchy.by_domain(pair, "gap", "films").shape == (5, 2)
    assert len(hierarchy.views(pair, "in_domain", "films")) == 1


def test_the_view_of_new_domains_has_the_home_sentences_error_in_it(rng):
    """What the home sentences favor is the same whatever the other domain: more of those do not help."""
    places = ("films", *"abcdefgh")
    values = {("films", d): rng.normal(0, 1, 200) + rng.normal(0, 0.01, (5, 200)) for d in places}
    pair = gaps.Pair("accuracy", {"films": range(5)}, values, dict.fromkeys(places))
    home, new = pair.on("films", "films"), hierarchy.views(pair, "gap", "films")[1].estimate
    assert new.error > home.error > 0.05
    assert new.value == pytest.approx(pair.estimate("gap", "films").value)


def test_the_view_of_new_domains_sees_domains_that_differ(rng):
    """A student that loses in one of three other domains: sure for these, not for others like them."""
    skill = {"films": 2.0, "games": 2.0, "shops": 2.0, "tweets": 2.0}
    found = study(
        rng, {"teacher": skill, "student": {**skill, "tweets": 0.3}}, domains=tuple(skill), count=1500
    )
    these, new = hierarchy.views(gaps.pair(found, "student", "teacher", "accuracy"), "gap", "films")
    assert these.estimate.interval().low > 0
    assert new.estimate.interval().low < 0
    assert new.domain_sd > 5 * max(new.seed_sd, 1e-3)


def test_the_line_is_scipys_on_probit_axes(rng):
    inside, outside = rng.uniform(0.6, 0.9, 6), rng.uniform(0.5, 0.8, 6)
    line = robustness.fit_line(inside, outside)
    theirs = linregress(norm.ppf(inside), norm.ppf(outside))
    assert (line.slope, line.intercept) == pytest.approx((theirs.slope, theirs.intercept))


@pytest.mark.parametrize(
    ("inside", "outside"), [([0.6, 0.7], [0.6, 0.7]), ([0.7] * 3, [0.6] * 3), ([0.6, 0.7, 1.0], [0.5] * 3)]
)
def test_a_line_refuses(inside, outside):
    with pytest.raises(ValueError, match=r"a line needs|scores must lie"):
        robustness.fit_line(inside, outside)


BASELINES = {"bag": 0.4, "frozen": 0.8, "small": 1.5}


def test_a_weaker_model_on_the_line_is_not_less_robust(rng):
    """Harder domains: the weak system's gap differs, and yet both lie on the line of the baselines."""

    def on(skill):
        return {"films": skill, "games": 0.5 * skill, "shops": 0.4 * skill}

    skills = {name: on(skill) for name, skill in {**BASELINES, "strong": 2.2, "weak": 0.6}.items()}
    found = study(rng, skills, count=3000, one_seed=tuple(BASELINES))
    gap = gaps.pair(found, "weak", "strong", "accuracy").estimate("gap")
    gain = robustness.effective_robustness(found, "weak", "strong", list(BASELINES), "films", "accuracy")
    assert gap.interval().high < -0.005
    assert abs(gain.value) < 0.03
    assert 0 < gain.error < 0.05


def test_effective_robustness_finds_what_a_system_loses_beyond_the_line(rng):
    skills = dict(BASELINES) | {"even": 1.5, "fragile": {"films": 1.5, "games": 0.5, "shops": 0.5}}
    found = study(rng, skills, count=2000, one_seed=tuple(BASELINES))
    gain = robustness.effective_robustness(found, "fragile", "even", list(BASELINES), "films", "accuracy")
    assert gain.interval().high < -0.05


def test_the_error_of_effective_robustness_is_what_repetition_shows():
    values, errors = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        found = study(rng, {**BASELINES, "a": 1.4, "b": 1.2}, count=300, seeds=3, seed_sd=0.1)
        gain = robustness.effective_robustness(found, "a", "b", list(BASELINES), "films", "accuracy")
        values.append(gain.value)
        errors.append(gain.error)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.3)
