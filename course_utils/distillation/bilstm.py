"""A student of another kind: one bidirectional LSTM that imitates a fine-tuned BERT (Tang et al. 2019).

    L = mean over the batch of || z_s - z_t ||^2       logits, not probabilities; no temperature

The paper's student reads words (word2vec, 300 wide) through an LSTM of 150 units a direction and a layer of
200 rectified units. This one reads the teacher's own word pieces, which may start as the first principal
components of the teacher's table; `pieces` keeps only the rows that are used, and everything else reads as
[UNK]. The paper adds much unlabelled text made out of the labelled: see `augment`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from course_utils.distillation.students import principal_directions
from course_utils.finetuning.classifier import PAD, Example, collate, run_model
from course_utils.models.encoder import Encoder
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train

UNKNOWN = 100  # [UNK] of bert-base-uncased's vocabulary
ABOUT, WEIGHTS = "bilstm.json", "model.safetensors"


@dataclass(frozen=True)
class BiLSTMConfig:
    """The shape. Raises ValueError for sizes below 1."""

    pieces: int  # rows of the table
    vocab_size: int = 30522  # ids that may come in
    embedding_size: int = 64
    hidden_size: int = 64  # of one direction; 150 in the paper
    inner_size: int = 64  # rectified units before the classifier; 200 in the paper
    num_labels: int = 2
    dropout: float = 0.1

    def __post_init__(self) -> None:
        for name in ("pieces", "vocab_size", "embedding_size", "hidden_size", "inner_size", "num_labels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")


class BiLSTM(nn.Module):
    """Word pieces to logits; called as a classifier is, so that `predict` runs it."""

    row: Tensor

    def __init__(self, config: BiLSTMConfig, pieces: Sequence[int] | None = None) -> None:
        """pieces: the ids that have a row, in the order of the rows; all of them by default.

        Weights are drawn from torch's global generator; see `new_bilstm`. Raises ValueError unless there are
        config.pieces of them, with [UNK] among them if not all ids have a row.
        """
        super().__init__()
        self.config = config
        ids = list(range(config.vocab_size)) if pieces is None else list(pieces)
        if len(set(ids)) != config.pieces:
            raise ValueError(f"the config has {config.pieces} rows, got {len(set(ids))} different pieces")
        self.register_buffer("row", _rows(ids, config.vocab_size))
        self.table = nn.Embedding(config.pieces, config.embedding_size)
        self.lstm = nn.LSTM(config.embedding_size, config.hidden_size, batch_first=True, bidirectional=True)
        self.inner = nn.Linear(2 * config.hidden_size, config.inner_size)
        self.dropout = nn.Dropout(config.dropout)
        self.classifier = nn.Linear(config.inner_size, config.num_labels)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, token_type_ids: Tensor | None = None
    ) -> Tensor:
        """Logits, (batch, classes). input_ids: (batch, length), padded on the right; segments are not read.

        The last state of each direction: after the last real token, and after the first one backwards.
        """
        real = input_ids != PAD if attention_mask is None else attention_mask.bool()
        x = self.dropout(self.table(self.row[input_ids]))
        packed = nn.utils.rnn.pack_padded_sequence(
            x, real.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
        )
        _, (last, _) = self.lstm(packed)  # (2, batch, hidden)
        both = torch.cat([last[0], last[1]], dim=-1)
        return self.classifier(self.dropout(self.inner(both).relu()))


def _rows(pieces: Sequence[int], vocab_size: int) -> Tensor:
    """Which row each id reads, (vocab,): its own, or [UNK]'s."""
    if len(set(pieces)) < vocab_size and UNKNOWN not in pieces:
        raise ValueError(f"pieces must hold {UNKNOWN}, [UNK], for the ids that have no row")
    fallback = list(pieces).index(UNKNOWN) if UNKNOWN in pieces else 0
    rows = torch.full((vocab_size,), fallback, dtype=torch.int32)
    rows[torch.tensor(list(pieces))] = torch.arange(len(pieces), dtype=torch.int32)
    return rows


def new_bilstm(
    seed: int,
    *,
    config: BiLSTMConfig,
    pieces: Sequence[int] | None = None,
    teacher: Encoder | None = None,
) -> BiLSTM:
    """A fresh student, drawn from the seed. teacher: its table's principal components fill the student's,
    scaled to unit variance; the table is trained all the same."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BiLSTM(config, pieces)
    if teacher is not None:
        table = teacher.embeddings.token.weight.detach()
        ids = torch.arange(config.vocab_size) if pieces is None else torch.tensor(list(pieces))
        narrow = (table - table.mean(dim=0)) @ principal_directions(table, config.embedding_size).T
        with torch.no_grad():
            model.table.weight.copy_((narrow / narrow.std())[ids])
    return model


def pieces_of(examples: Sequence[Example]) -> tuple[int, ...]:
    """The ids that occur, and padding, [UNK], [CLS], [SEP] and [MASK], in rising order."""
    found = {PAD, UNKNOWN, 101, 102, 103}.union(*(example.ids for example in examples))
    return tuple(sorted(found))


def logits_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Squared distance of the logits, mean over the batch (a sum over classes).

    student, teacher: (batch, classes). Raises ValueError for unequal shapes.

    >>> logits_loss(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]]))
    tensor(5.)
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f"logits of student {tuple(student.shape)} and teacher {tuple(teacher.shape)} differ"
        )
    return ((student - teacher) ** 2).sum(dim=-1).mean()


def distill(
    model: BiLSTM, examples: Sequence[Example], logits: Tensor, config: TrainingConfig, **options: Any
) -> list[dict[str, float]]:
    """Train in place on the teacher's logits, (examples, classes); labels are not used (the paper's alpha 0).

    options go to `train`. Returns the lines of metrics. Raises ValueError unless each example has a
    row.
    """
    if len(logits) != len(examples):
        raise ValueError(f"{len(examples)} examples need as many rows of logits, got {len(logits)}")

    def batch_of(indices: Sequence[int], _generator: torch.Generator) -> dict[str, Tensor]:
        return collate([examples[i] for i in indices]) | {"teacher": logits[list(indices)]}

    def terms(network: nn.Module, batch: Mapping[str, Tensor]) -> LossTerms:
        count = len(batch["labels"])
        return LossTerms(logits_loss(run_model(network, batch), batch["teacher"]) * count, count)

    data = TrainingData(range(len(examples)), batch_of, [len(example.ids) for example in examples])
    return train(model, terms, data, config, **options)


def _any_pieces(config: BiLSTMConfig) -> Sequence[int] | None:
    """Some pieces of the right number, for a model whose rows are about to be loaded."""
    if config.pieces == config.vocab_size:
        return None
    return sorted({UNKNOWN, *range(config.pieces)})[-config.pieces :]


def save(model: BiLSTM, folder: Path) -> None:
    """Write bilstm.json and model.safetensors; the tokenizer is the teacher's."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ABOUT).unlink(missing_ok=True)
    save_file(model.state_dict(), folder / WEIGHTS)
    (folder / ABOUT).write_text(json.dumps(asdict(model.config), indent=2) + "\n", encoding="utf-8")


def load(folder: Path) -> BiLSTM:
    """What `save` wrote, in evaluation mode. Raises ValueError, saying what is wrong, for anything else."""
    try:
        config = BiLSTMConfig(**json.loads((folder / ABOUT).read_text(encoding="utf-8")))
        state = load_file(folder / WEIGHTS)
        model = BiLSTM(config, _any_pieces(config))
        model.load_state_dict(state)
    except (OSError, SafetensorError, ValueError, TypeError, RuntimeError) as problem:
        raise ValueError(
            f"{folder}: no BiLSTM, or a damaged one ({problem}); expected what `bilstm.save` wrote"
        ) from problem
    return model.eval()
