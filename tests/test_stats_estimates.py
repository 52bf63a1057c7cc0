"""Estimates, crossed effects, proportions and power: equal to scipy and statsmodels where they have them."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import power_proportions_2indep, proportions_ztest
from statsmodels.stats.weightstats import ttost_paired

from course_utils import stats
from course_utils.stats import Estimate


@pytest.fixture
def rng():
    return np.random.default_rng(611)


def table(rng, seeds, rows, seed_sd=1.0, row_sd=1.0, mean=0.0):
    """(seeds, rows) with crossed effects and a rest of standard deviation 1."""
    effects = seed_sd * rng.normal(size=(seeds, 1)) + row_sd * rng.normal(size=(1, rows))
    return mean + effects + rng.normal(size=(seeds, rows))


def test_a_mean_is_scipys_t_test(rng):
    values = rng.normal(0.3, 1, size=9)
    ours, theirs = stats.mean_estimate(values), ttest_1samp(values, 0.1)
    assert ours.p_value(0.1) == pytest.approx(theirs.pvalue, rel=1e-10)
    assert ours.p_at_most(0.1) == pytest.approx(ttest_1samp(values, 0.1, alternative="greater").pvalue)
    assert (ours.interval(0.9).low, ours.interval(0.9).high) == pytest.approx(theirs.confidence_interval(0.9))


def test_equivalence_is_that_of_statsmodels(rng):
    for center in (0.0, 0.2, 0.6):
        a, b = rng.normal(center, 0.5, size=12), rng.normal(0, 0.5, size=12)
        theirs = ttost_paired(a, b, -0.5, 0.5)[0]
        assert stats.mean_estimate(a - b).p_equivalence(0.5) == pytest.approx(theirs, rel=1e-10)


def test_equivalence_agrees_with_the_narrower_interval(rng):
    for _ in range(50):
        found = stats.mean_estimate(rng.normal(0, 1, size=6))
        inside = found.interval(0.9).low > -0.8 and found.interval(0.9).high < 0.8
        assert inside == (found.p_equivalence(0.8) < 0.05)


def test_values_that_never_vary_are_certain():
    found = stats.mean_estimate([0.1] * 3)
    assert (found.error, found.p_value(), found.p_value(found.value)) == (0.0, 0.0, 1.0)
    assert found.p_equivalence(0.2) == 0.0
    assert found.p_equivalence(0.05) == 1.0


def test_crossed_effects_are_those_of_a_mixed_model(rng):
    """Restricted maximum likelihood and analysis of variance agree on complete tables."""
    values = table(rng, 7, 12, seed_sd=0.8, row_sd=1.2, mean=2.0)
    long = pd.DataFrame(
        {"y": values.ravel(), "seed": np.repeat(np.arange(7), 12), "row": np.tile(np.arange(12), 7)}
    )
    kinds = {"seed": "0 + C(seed)", "row": "0 + C(row)"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of its own starting values
        model = MixedLM.from_formula("y ~ 1", long, groups=np.zeros(len(long)), vc_formula=kinds)
        theirs = model.fit(reml=True)
    ours, found = stats.crossed_estimate([values]), stats.components(values)
    assert ours.value == pytest.approx(theirs.fe_params["Intercept"], abs=1e-6)
    assert ours.error == pytest.approx(theirs.bse_fe["Intercept"], rel=1e-3)
    by_name = dict(zip(model.exog_vc.names, theirs.vcomp, strict=True))
    assert found.seeds**2 == pytest.approx(by_name["seed"], rel=2e-3)
    assert found.rows**2 == pytest.approx(by_name["row"], rel=2e-3)
    assert found.rest**2 == pytest.approx(theirs.scale, rel=1e-3)


def test_rows_that_never_vary_leave_the_t_test_over_seeds(rng):
    by_seed = rng.normal(size=(5, 1))
    crossed = stats.crossed_estimate([np.repeat(by_seed, 40, axis=1)])
    plain = stats.mean_estimate(by_seed.ravel())
    assert (crossed.value, crossed.error, crossed.df) == pytest.approx((plain.value, plain.error, plain.df))


def test_weighted_tables_add_up_and_share_their_seeds(rng):
    """A gap from two tables; a seed effect that both have is in neither the gap nor its error."""
    one, other = table(rng, 6, 400, seed_sd=0), table(rng, 6, 300, seed_sd=0)
    shared = 10 * rng.normal(size=(6, 1))
    gap = stats.crossed_estimate([one, other], [1, -1])
    with_shared = stats.crossed_estimate([one + shared, other + shared], [1, -1])
    assert gap.value == pytest.approx(one.mean() - other.mean())
    assert with_shared.error == pytest.approx(gap.error)


def test_one_seed_has_the_error_of_its_rows(rng):
    values = rng.normal(size=(1, 50))
    found, plain = stats.crossed_estimate([values]), stats.mean_estimate(values[0])
    assert (found.value, found.error, found.df) == pytest.approx((plain.value, plain.error, plain.df))


def test_blocks_share_rows_but_no_seeds(rng):
    """What two blocks have in common by row is counted once in their difference: not at all."""
    one, other = table(rng, 4, 200, row_sd=0), table(rng, 4, 200, row_sd=0)
    common = 50 * rng.normal(size=(1, 200))
    keys, rows = [("a", "d"), ("b", "d")], {"d": None}
    weights = {keys[0]: 1.0, keys[1]: -1.0}
    plain = stats.pooled_estimate({keys[0]: one, keys[1]: other}, weights, rows)
    shared = stats.pooled_estimate({keys[0]: one + common, keys[1]: other + common}, weights, rows)
    assert (shared.value, shared.error) == pytest.approx((plain.value, plain.error))
    apart = np.hypot(*(stats.crossed_estimate([values]).error for values in (one, other)))
    assert plain.error == pytest.approx(apart, rel=0.2)


def test_groups_of_one_are_no_groups_and_larger_ones_widen(rng):
    values = table(rng, 5, 60, seed_sd=0)
    plain = stats.crossed_estimate([values])
    alone = stats.crossed_estimate([values], groups=[np.arange(60)])
    assert (plain.value, plain.error, plain.df) == pytest.approx((alone.value, alone.error, alone.df))
    repeated, labels = np.repeat(values, 4, axis=1), np.repeat(np.arange(60), 4)
    together = stats.crossed_estimate([repeated], groups=[labels])
    assert (together.value, together.error) == pytest.approx((plain.value, plain.error))
    assert together.error > 1.3 * stats.crossed_estimate([repeated]).error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stats.mean_estimate([1.0]), "at least 2 values"),
        (lambda: stats.crossed_estimate([[[1.0], [2.0]]]), "at least 2 rows"),
        (lambda: stats.crossed_estimate([np.eye(2)], [1, -1]), "one weight a table"),
        (lambda: stats.components([[1.0, 2.0]]), "give at least 2"),
        (lambda: stats.crossed_estimate([np.eye(2), np.eye(3)], [1, -1]), "same seeds in each"),
        (lambda: stats.crossed_estimate([np.eye(2)], groups=[["a"]]), "one label a row"),
        (lambda: Estimate(0, 1, 3).p_equivalence(0), "must be > 0"),
        (lambda: Estimate(0, 1, 3).interval(95), "between 0 and 1"),
        (lambda: stats.paired_difference(0.9, 0.8, 100, 0.05), "disagree on 0.1000 to 0.3000"),
        (lambda: stats.unpaired_difference(90, 0.8, 100, 100), "divide percentages by 100"),
        (lambda: stats.samples_paired(0.02, 0.01), "discordance must lie"),
        (lambda: stats.samples_unpaired(0.9, 0.9), "smallest that matters"),
        (lambda: stats.smallest_detectable(0.1, 3, power=1.0), "between alpha and 1"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_unpaired_is_statsmodels_z_test():
    theirs = proportions_ztest([4305, 26430], [5000, 30000])[1]
    ours = stats.unpaired_difference(4305 / 5000, 26430 / 30000, 5000, 30000)
    assert ours.p_value == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("only_a", "only_b"), [(30, 55), (200, 190)])
def test_paired_is_mcnemars_chi_square(only_a, only_b):
    both, neither = 800, 100
    n = both + only_a + only_b + neither
    theirs = mcnemar([[both, only_a], [only_b, neither]], exact=False, correction=False).pvalue
    ours = stats.paired_difference((both + only_a) / n, (both + only_b) / n, n, (only_a + only_b) / n)
    assert ours.p_value == pytest.approx(theirs, rel=1e-9)


def test_mid_p_lies_between_half_of_the_exact_p_and_all_of_it():
    right = np.array([True] * 9 + [False] * 3)
    exact, mid = stats.mcnemar_exact(right, ~right), stats.mcnemar_mid_p(right, ~right)
    assert exact / 2 < mid < exact
    assert stats.mcnemar_mid_p(right, right) == 1.0


def test_bounds_of_the_discordance_are_reached(rng):
    for _ in range(200):
        a, b = rng.random(500) < rng.random(), rng.random(500) < rng.random()
        least, most = stats.discordance_bounds(a.mean(), b.mean())
        assert least - 1e-9 <= (a != b).mean() <= most + 1e-9


def test_power_is_statsmodels(rng):
    for effect, seeds in ((0.5, 5), (1.2, 10), (2.0, 3)):
        theirs = TTestPower().power(effect_size=effect, nobs=seeds, alpha=0.05)
        ours = stats.power_of_test(effect, 1 / np.sqrt(seeds), seeds - 1)
        assert ours == pytest.approx(theirs, abs=1e-7)
        found = stats.smallest_detectable(1 / np.sqrt(seeds), seeds - 1, power=0.8)
        assert TTestPower().power(effect_size=found, nobs=seeds, alpha=0.05) == pytest.approx(0.8, abs=1e-6)
    size = stats.samples_unpaired(0.861, 0.881)
    assert power_proportions_2indep(0.02, 0.861, size).power == pytest.approx(0.8, abs=2e-4)


def test_power_of_equivalence_is_what_simulation_finds(rng):
    values = rng.normal(0.1, 1, size=(4000, 8))
    shown = [stats.mean_estimate(drawn).p_equivalence(0.9) <= 0.05 for drawn in values]
    said = stats.power_of_equivalence(0.9, 1 / np.sqrt(8), 7, effect=0.1)
    assert np.mean(shown) == pytest.approx(said, abs=0.025)


def test_the_samples_of_a_paired_test_give_its_power(rng):
    samples, found = stats.samples_paired(0.05, 0.2), 0
    for _ in range(600):
        only_a, only_b, _ = rng.multinomial(samples, [0.125, 0.075, 0.8])
        found += mcnemar([[0, only_a], [only_b, 0]], exact=False, correction=False).pvalue <= 0.05
    assert found / 600 == pytest.approx(0.8, abs=0.05)


def test_more_rows_cannot_replace_seeds():
    few = stats.planned_error(seed_sd=0.01, row_sd=0.4, rest_sd=0.3, seeds=5, rows=10**9)
    assert few == pytest.approx(0.01 / np.sqrt(5), rel=1e-3)
