"""Gaussian mixtures: which groups they find, how many, and whether they find the same ones again.

The mixtures are scikit-learn's (EM, full covariances). A mixture with k components always returns k groups;
whether there are any is another question, and BIC's answer to it is written out here.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
STARTS = 3  # k-means starts, of which the best fit is kept


def fit_mixture(points: ArrayLike, components: int, seed: int = 0) -> GaussianMixture:
    """The mixture of so many Gaussians with the largest likelihood out of a few starts.

    points: (n, dimensions). The axes are brought to one scale first by dividing all by one number, so that
    the small constant on the covariances means the same for every picture. Raises ValueError for more
    components than points.
    """
    array = _points(points)
    if not 1 <= components <= len(array):
        raise ValueError(f"{len(array)} points have 1 to {len(array)} components, asked for {components}")
    return GaussianMixture(components, n_init=STARTS, random_state=seed, reg_covar=1e-4).fit(array)


def cluster(points: ArrayLike, components: int, seed: int = 0) -> Labels:
    """The number of each point's most probable component, (n,)."""
    return fit_mixture(points, components, seed).predict(_points(points)).astype(np.int64)


def parameters(components: int, dimensions: int) -> int:
    """Free numbers of a mixture with full covariances: means, symmetric covariances, weights that sum to 1.

    >>> parameters(9, 2), parameters(9, 10)
    (53, 593)
    """
    return components * (dimensions + dimensions * (dimensions + 1) // 2) + components - 1


def bic(log_likelihood: float, free_parameters: int, samples: int) -> float:
    """Bayesian information criterion (Schwarz 1978): smaller is better.

    log_likelihood: of all samples together, in nats. Another parameter must gain half a log(samples).

    >>> bic(-100.0, 5, 1000) < bic(-99.0, 8, 1000)  # one nat is not worth three parameters
    True
    """
    return free_parameters * float(np.log(samples)) - 2 * log_likelihood


def bics(points: ArrayLike, counts: Iterable[int], seed: int = 0) -> dict[int, float]:
    """Number of components -> BIC of the mixture that has so many."""
    array = _points(points)
    return {k: float(fit_mixture(array, k, seed).bic(array)) for k in counts}


def mean_agreement(clusterings: Sequence[ArrayLike]) -> float:
    """Mean adjusted Rand index over all pairs of clusterings of the same points: 1 the same, 0 chance.

    Names of clusters do not matter. Raises ValueError for fewer than two.

    >>> mean_agreement([[0, 0, 1, 1], [1, 1, 0, 0]])
    1.0
    """
    if len(clusterings) < 2:
        raise ValueError(f"agreement is between at least 2 clusterings, got {len(clusterings)}")
    pairs = combinations([np.asarray(one) for one in clusterings], 2)
    return float(np.mean([adjusted_rand_score(a, b) for a, b in pairs]))


def _points(points: ArrayLike) -> Array:
    array = np.asarray(points, dtype=np.float64)
    if array.ndim != 2 or not np.isfinite(array).all():
        raise ValueError(f"expected finite points (n, dimensions), got shape {array.shape}")
    spread = array.std()
    return array / spread if spread > 0 else array
