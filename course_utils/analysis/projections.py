"""Many dimensions on a flat page: principal components, t-SNE, and what a picture keeps.

t-SNE (van der Maaten and Hinton 2008) is scikit-learn's. It places points so that those which were near stay
near; distances between groups, their sizes and their densities mean nothing (Wattenberg et al. 2016).
Perplexity is about the number of neighbors that each point tries to keep.
Leaves out UMAP: it answers the same question with the same caveats, and would bring a compiler along.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import manifold
from sklearn.decomposition import PCA

Array = NDArray[np.float64]
Start = Literal["random", "pca"]


def principal_components(vectors: ArrayLike, count: int) -> Array:
    """The centered vectors along their `count` directions of largest variance: (n, count).

    vectors: (n, hidden). Raises ValueError unless 1 <= count <= min(n, hidden).
    """
    array = _table(vectors)
    if not 1 <= count <= min(array.shape):
        raise ValueError(f"{array.shape} vectors have 1 to {min(array.shape)} components, asked for {count}")
    return PCA(count, svd_solver="full").fit_transform(array)


def tsne(vectors: ArrayLike, *, perplexity: float = 30, seed: int = 0, start: Start = "random") -> Array:
    """Points in the plane, (n, 2), by t-SNE with 1,000 steps.

    vectors: (n, hidden). start: where the points begin; "random" is the original, drawn from the seed,
    "pca" begins with the first two components and does not depend on the seed.
    Raises ValueError unless 1 <= perplexity < n.
    """
    array = _table(vectors)
    if not 1 <= perplexity < len(array):
        raise ValueError(
            f"perplexity counts neighbors: for {len(array)} points it lies in [1, {len(array)}), got "
            f"{perplexity}"
        )
    model = manifold.TSNE(2, perplexity=perplexity, init=start, random_state=seed)
    return model.fit_transform(array).astype(np.float64)


def trustworthiness(vectors: ArrayLike, points: ArrayLike, neighbors: int = 10) -> float:
    """Are neighbors in the picture neighbors in fact? 1 if all are (Venna and Kaski 2001).

    vectors: (n, hidden), points: (n, 2). Of every point's neighbors in the picture, it counts how far down
    the list of true neighbors the false ones stand. About 0.5 for points put down at random.
    """
    return float(manifold.trustworthiness(_table(vectors), _table(points), n_neighbors=neighbors))


def continuity(vectors: ArrayLike, points: ArrayLike, neighbors: int = 10) -> float:
    """Are neighbors in fact neighbors in the picture? 1 if all are: trustworthiness the other way round."""
    return trustworthiness(points, vectors, neighbors)


def gaussian_twin(vectors: ArrayLike, rng: np.random.Generator) -> Array:
    """As many vectors as given, drawn from one normal distribution with their mean and covariance.

    It keeps how the cloud is stretched and throws away all else: whatever groups it shows are not there.

    >>> twin = gaussian_twin([[0.0, 5.0], [2.0, 5.0]], np.random.default_rng(0))
    >>> twin.shape, twin[:, 1].tolist()
    ((2, 2), [5.0, 5.0])
    """
    array = _table(vectors)
    mean = array.mean(axis=0)
    # Given the vectors, each drawn row g @ C / sqrt(n - 1) has covariance C^T C / (n - 1): theirs.
    draws = rng.normal(size=(len(array), len(array)))
    return mean + draws @ (array - mean) / np.sqrt(len(array) - 1)


def _table(vectors: ArrayLike) -> Array:
    array = np.asarray(vectors, dtype=np.float64)
    if array.ndim != 2 or len(array) < 2:
        raise ValueError(f"expected at least two vectors, (n, hidden), got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError("the vectors hold NaN or infinity")
    return array
