"""Layer vectors, projections, mixtures, anisotropy and languages, on made-up vectors whose truth is known."""

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture

from course_utils.analysis import anisotropy, embeddings, languages, mixtures, projections
from course_utils.analysis.similarity import self_similarity
from course_utils.finetuning.classifier import Example
from course_utils.finetuning.features import mean_states
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder

CONFIG = EncoderConfig(
    vocab_size=30, hidden_size=8, num_layers=2, num_heads=2, intermediate_size=16, max_positions=16
)
TEXTS = [Example(ids, 0) for ids in ([2, 7, 3], [2, 5, 6, 7, 8, 9, 3], [2, 11, 12, 3])]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    torch.manual_seed(0)
    return Encoder(CONFIG).eval()


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def blobs(rng: np.random.Generator, count: int = 40, groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    centers = 12 * np.eye(groups, 6)
    labels = np.repeat(np.arange(groups), count)
    return centers[labels] + rng.normal(size=(count * groups, 6)), labels


def test_layer_vectors_are_means_of_real_tokens(encoder: Encoder) -> None:
    found = embeddings.layer_vectors(encoder, TEXTS, batch_size=2)
    assert found.shape == (3, 3, 8)
    assert np.abs(found[-1] - mean_states(encoder, TEXTS)).max() < 1e-6
    alone = encoder(torch.tensor([TEXTS[0].ids])).hidden_states
    for layer in range(3):
        assert found[layer, 0] == pytest.approx(alone[layer][0].mean(dim=0).detach().numpy(), abs=1e-5)


def test_token_vectors_are_never_of_cls_or_sep(encoder: Encoder, rng: np.random.Generator) -> None:
    found = embeddings.token_vectors(encoder, TEXTS[:1] * 5, rng)
    word = encoder(torch.tensor([TEXTS[0].ids])).last_hidden_state[0, 1].detach().numpy()
    assert found.shape == (3, 5, 8)
    assert np.abs(found[-1] - word).max() < 1e-5
    with pytest.raises(ValueError, match=r"examples \[0\] hold no token"):
        embeddings.token_vectors(encoder, [Example([2, 3], 0)], rng)


def test_nothing_to_encode_is_refused(encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="no examples"):
        embeddings.layer_vectors(encoder, [])


def test_a_twin_has_mean_and_covariance_and_no_groups(rng: np.random.Generator) -> None:
    vectors, labels = blobs(rng, count=1500)
    twin = projections.gaussian_twin(vectors, rng)
    assert np.abs(twin.mean(axis=0) - vectors.mean(axis=0)).max() < 0.4
    assert np.abs(np.cov(twin.T) - np.cov(vectors.T)).max() < 3
    groups = mixtures.cluster(twin, 3)
    assert mixtures.mean_agreement([groups, labels]) < 0.05
    assert mixtures.mean_agreement([mixtures.cluster(vectors, 3), labels]) == pytest.approx(1)


def test_projections_keep_what_they_promise(rng: np.random.Generator) -> None:
    vectors, labels = blobs(rng, count=20)
    points = projections.tsne(vectors, perplexity=10, seed=1)
    assert np.array_equal(points, projections.tsne(vectors, perplexity=10, seed=1))
    assert mixtures.mean_agreement([mixtures.cluster(points, 3), labels]) == pytest.approx(1)
    near = projections.trustworthiness(vectors, points)
    apart = projections.trustworthiness(vectors, rng.normal(size=points.shape))
    assert near > 0.85 > 0.65 > apart
    assert projections.continuity(vectors, points) == projections.trustworthiness(points, vectors)
    flat = projections.principal_components(vectors, 2)
    assert np.cov(flat.T)[0, 1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: projections.tsne(np.zeros((5, 3)), perplexity=5), r"\[1, 5\)"),
        (lambda: projections.principal_components(np.zeros((5, 3)), 4), "1 to 3 components"),
        (lambda: projections.gaussian_twin([[np.nan], [1.0]], np.random.default_rng(0)), "NaN"),
        (lambda: mixtures.fit_mixture(np.zeros((5, 3)), 6), "1 to 5 components"),
        (lambda: mixtures.mean_agreement([[0, 1]]), "at least 2"),
        (lambda: anisotropy.contributions([[1.0, 2.0]]), "at least 2"),
        (lambda: languages.centroids(np.zeros((1, 4, 2))), "at least two"),
        (lambda: languages.variance_shares(np.ones((2, 2, 1))), "all vectors are equal"),
    ],
)
def test_bad_input_is_refused(call, message) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_bic_is_the_librarys_and_finds_the_number(rng: np.random.Generator) -> None:
    vectors, _ = blobs(rng)
    points = projections.principal_components(vectors, 2)
    points = points / points.std()
    fitted = GaussianMixture(3, random_state=0).fit(points)
    ours = mixtures.bic(fitted.score(points) * len(points), mixtures.parameters(3, 2), len(points))
    assert ours == pytest.approx(fitted.bic(points))
    found = mixtures.bics(points, range(1, 7))
    assert min(found, key=found.get) == 3


def test_groups_do_not_depend_on_the_scale_of_the_picture(rng: np.random.Generator) -> None:
    points = rng.normal(size=(60, 2))
    assert np.array_equal(mixtures.cluster(points, 4), mixtures.cluster(points * 1e-6, 4))


def test_contributions_sum_to_the_mean_cosine(rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(30, 6))
    vectors[:, 4] += 9
    found = anisotropy.contributions(vectors)
    assert found.sum() == pytest.approx(self_similarity(vectors))
    assert anisotropy.rogue_dimensions(vectors, 1) == [4]
    assert self_similarity(anisotropy.without_dimensions(vectors, [4])) < 0.1 < self_similarity(vectors)


def test_centering_and_standardizing_work_on_dimensions(rng: np.random.Generator) -> None:
    vectors = rng.normal(size=(50, 4)) * [1, 5, 1, 1] + [0, 0, 7, 0]
    assert anisotropy.centered(vectors).mean(axis=0) == pytest.approx(np.zeros(4), abs=1e-12)
    assert anisotropy.standardized(vectors).std(axis=0) == pytest.approx(np.ones(4))
    first, second = vectors[:25], vectors[25:]
    assert anisotropy.centered(second, first.mean(axis=0))[0] == pytest.approx(second[0] - first.mean(axis=0))
    assert anisotropy.standardized(second, first)[0] == pytest.approx(
        (second[0] - first.mean(axis=0)) / first.std(axis=0)
    )


def parallel_states(rng: np.random.Generator, of_language: float, of_message: float) -> np.ndarray:
    language, message = rng.normal(size=(4, 1, 10)), rng.normal(size=(1, 30, 10))
    return of_language * language + of_message * message + 0.1 * rng.normal(size=(4, 30, 10))


def test_variance_is_split_between_language_and_message(rng: np.random.Generator) -> None:
    spoken = languages.variance_shares(parallel_states(rng, 3, 0.5))
    said = languages.variance_shares(parallel_states(rng, 0.5, 3))
    assert sum(spoken) == pytest.approx(1)
    assert spoken.language > 0.8
    assert said.message > 0.8


def test_translations_appear_once_the_language_is_taken_off(rng: np.random.Generator) -> None:
    states = parallel_states(rng, 8, 0.3)
    first, second = states[:, :15], states[:, 15:]
    centers = languages.centroids(first)
    assert (languages.nearest_centroid(second, centers) == np.arange(4)[:, None]).all()
    raw = languages.translations_found(second)
    after = languages.translations_found(languages.without_language(second, centers))
    assert raw.shape == (3, 15)
    assert after.mean() > 0.9 > raw.mean()
    left = languages.nearest_centroid(languages.without_language(second, centers), np.zeros((4, 10)))
    assert (left == 0).all()
