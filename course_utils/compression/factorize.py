"""The token table as a product of two smaller ones: ALBERT's form (Lan et al. 2020), for a trained table.

A table (vocab, hidden) of rank r has vocab * r + r * hidden numbers. The best approximation in squared error
is the truncated singular value decomposition; with a weight for each piece, such as how often texts use it,
the best in weighted squared error is the projection on the weighted table's right singular vectors.
ALBERT widens the sum of token, position and segment after the norm; here the token rows alone are widened, so
that positions, segments and norm stay as they were trained.
"""

from dataclasses import replace

import torch
from torch import Tensor

from course_utils.compression.rebuilding import rebuilt
from course_utils.models.heads import EncoderWithHead


def spectrum(table: Tensor, weights: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Singular values, descending, and right singular vectors as rows, of a (weighted) table.

    table: (rows, hidden). weights: (rows,), at least 0; each row counts as if it were there that often.
    Returns (hidden,) and (hidden, hidden), in double precision. Raises ValueError for weights of another
    length, negative ones, or zeros only.
    """
    rows = table.detach().double()
    if weights is not None:
        if weights.shape != rows.shape[:1] or (weights < 0).any() or not weights.any():
            raise ValueError(
                f"weights must be {rows.shape[0]} numbers of at least 0, not all 0, got shape "
                f"{tuple(weights.shape)}"
            )
        rows = rows * weights.double().sqrt()[:, None]
    squares, vectors = torch.linalg.eigh(rows.T @ rows)  # ascending
    return squares.clamp(min=0).flip(0).sqrt(), vectors.T.flip(0)


def rank_errors(table: Tensor, weights: Tensor | None = None) -> Tensor:
    """(hidden + 1,): the relative error, in Frobenius norm, of the best table of each rank from 0 to hidden.

    >>> rank_errors(torch.diag(torch.tensor([4.0, 3.0]))).tolist()
    [1.0, 0.6, 0.0]
    """
    squares = spectrum(table, weights)[0] ** 2
    left = squares.sum() - torch.cat([torch.zeros(1, dtype=torch.float64), squares.cumsum(0)])
    return (left.clamp(min=0) / squares.sum()).sqrt()


def saves_from(tokens: int, width: int) -> int:
    """The largest rank at which the two factors have fewer numbers than the whole table.

    >>> saves_from(30522, 384)
    379
    """
    return (tokens * width - 1) // (tokens + width)


def factorize_table(model: EncoderWithHead, rank: int, weights: Tensor | None = None) -> EncoderWithHead:
    """A new model whose token table is the best product of this rank.

    weights: (vocab,), how much each piece's error counts; default: all alike. Raises ValueError when the rank
    saves nothing, and for a table that is a product already.
    """
    config = model.encoder.config
    if config.token_rank:
        raise ValueError(f"the token table is a product of rank {config.token_rank} already")
    table = model.encoder.embeddings.token.weight
    most = saves_from(*table.shape)
    if not 1 <= rank <= most:
        raise ValueError(
            f"the rank must lie in 1 to {most}: beyond, two factors of this {table.shape[0]} x "
            f"{table.shape[1]} table have more numbers than it has; got {rank}"
        )
    directions = spectrum(table, weights)[1][:rank].to(table.dtype)
    state = dict(model.encoder.state_dict())
    del state["embeddings.token.weight"]
    state["embeddings.token.narrow.weight"] = table @ directions.T
    state["embeddings.token.widen.weight"] = directions.T
    return rebuilt(model, replace(config, token_rank=rank), state)
