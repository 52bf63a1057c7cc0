"""General distillation: students imitate the pretrained teacher on unlabeled text, before any task.

Sanh et al. 2019 (the triple loss on masked text) and Jiao et al. 2020 (hidden states layer by layer, through
a projection where the student is narrow). One forward pass of the teacher teaches any number of students.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn

from course_utils.distillation import layer_maps
from course_utils.distillation.corpus import TokenRows
from course_utils.distillation.losses import IGNORE, cosine_loss, soft_target_loss, state_loss
from course_utils.finetuning.classifier import PAD, pad
from course_utils.models.encoder import Encoder, EncoderOutput
from course_utils.models.heads import MaskedLM, MaskedLMHead
from course_utils.objectives.masked import mask_tokens
from course_utils.objectives.tokens import SpecialTokens
from course_utils.training import LossTerms, TrainingConfig, TrainingData, checkpoint, train


@dataclass(frozen=True)
class GeneralLoss:
    """The weight of each loss; a weight of 0 leaves the loss out, and its cost."""

    cosine: float = 1.0  # of the last states
    states: float = 0.0  # mean squared difference of every student layer's states from the teacher's
    soft: float = 0.0  # soft targets at the masked tokens
    masked_lm: float = 0.0  # the masked tokens themselves
    temperature: float = 2.0  # DistilBERT's
    masked_text: bool = False  # mask the text also where nothing is predicted, as DistilBERT's ablation did

    def __post_init__(self) -> None:
        if min(self.cosine, self.states, self.soft, self.masked_lm) < 0 or self.total_weight == 0:
            raise ValueError(f"weights must not be negative, and one must be above 0: {self}")

    @property
    def total_weight(self) -> float:
        """The sum of all weights."""
        return self.cosine + self.states + self.soft + self.masked_lm

    @property
    def predicts(self) -> bool:
        """Whether masked tokens are predicted, so that a student needs a head."""
        return self.soft + self.masked_lm > 0

    @property
    def masks(self) -> bool:
        """Whether the text is masked."""
        return self.masked_text or self.predicts


class Pupil(nn.Module):
    """A student with what it needs during distillation: a projection where narrow, a head where masked."""

    def __init__(self, encoder: Encoder, teacher: Encoder, head: MaskedLMHead | None = None) -> None:
        super().__init__()
        self.encoder = encoder
        narrow = encoder.config.hidden_size != teacher.config.hidden_size
        pairs = layer_maps.even(encoder.config.num_layers, teacher.config.num_layers)
        self.matched = tuple(layer for _, layer in pairs)
        self.projections = nn.ModuleList(
            nn.Linear(encoder.config.hidden_size, teacher.config.hidden_size) if narrow else nn.Identity()
            for _ in self.matched
        )
        self.head = head

    def losses(
        self, batch: Mapping[str, Tensor], taught: EncoderOutput, logits: Tensor | None, weights: GeneralLoss
    ) -> Tensor:
        """The weighted loss of a batch, a scalar; taught, logits: what the teacher said of it."""
        ids, real = batch["input_ids"], taught.attention_mask
        out = self.encoder(ids, attention_mask=real)
        last = self.projections[-1](out.last_hidden_state)
        loss = weights.cosine * cosine_loss(last, taught.last_hidden_state, real)
        if weights.states:
            loss = loss + weights.states * self._states(out, taught)
        if weights.predicts:
            chosen = batch["labels"] != IGNORE
            mine = self._logits(out.last_hidden_state[chosen])
            loss = loss + weights.masked_lm * F.cross_entropy(mine, batch["labels"][chosen])
            if weights.soft and logits is not None:
                loss = loss + weights.soft * soft_target_loss(mine, logits, weights.temperature)
        return loss

    def _states(self, out: EncoderOutput, taught: EncoderOutput) -> Tensor:
        """The mean over layers of the squared differences."""
        pairs = zip(self.projections, out.hidden_states[1:], self.matched, strict=True)
        return torch.stack(
            [
                state_loss(projection(mine), taught.hidden_states[number], taught.attention_mask)
                for projection, mine, number in pairs
            ]
        ).mean()

    def _logits(self, states: Tensor) -> Tensor:
        if self.head is None:
            raise ValueError("losses at masked tokens need a head: give one to Pupil")
        return self.head(states, self.encoder.embeddings.token.weight)


class Classroom(nn.Module):
    """All students, by name: what is trained. The teacher is no part of it, and is never trained."""

    def __init__(self, pupils: Mapping[str, Pupil]) -> None:
        super().__init__()
        self.pupils = nn.ModuleDict(dict(pupils))

    def forward(self, batch: Mapping[str, Tensor], taught: Any, logits: Any, weights: GeneralLoss) -> Tensor:
        """The sum of the students' losses: no student's gradient depends on another's."""
        return torch.stack(
            [pupil.losses(batch, taught, logits, weights) for pupil in self.pupils.values()]  # type: ignore
        ).sum()


class TimeIsUp(Exception):  # noqa: N818
    """The minutes are over; the run goes on from its last checkpoint when it is called again."""


@dataclass(frozen=True)
class Teacher:
    """A frozen encoder, or a masked LM where losses at masked tokens are wanted."""

    model: Encoder | MaskedLM

    def __post_init__(self) -> None:
        self.model.eval().requires_grad_(False)

    @property
    def encoder(self) -> Encoder:
        """The encoder of either."""
        return self.model.encoder if isinstance(self.model, MaskedLM) else self.model

    @torch.no_grad()
    def says(self, batch: Mapping[str, Tensor], weights: GeneralLoss) -> tuple[EncoderOutput, Tensor | None]:
        """Its states of a batch, and its logits at the masked tokens where they are wanted."""
        self.model.eval()
        ids = batch["input_ids"]
        out = self.encoder(ids, attention_mask=ids != PAD)
        if not weights.soft:
            return out, None
        if not isinstance(self.model, MaskedLM):
            raise ValueError("soft targets at masked tokens need a teacher with a masked-LM head")
        states = out.last_hidden_state[batch["labels"] != IGNORE]
        return out, self.model.head(states, self.encoder.embeddings.token.weight)


def collate_rows(rows: Sequence[list[int]], generator: Generator, *, masks: bool) -> dict[str, Tensor]:
    """A padded batch, input_ids (batch, length), with masks drawn and labels (batch, length) if `masks`."""
    ids = pad(rows, PAD)
    if not masks:
        return {"input_ids": ids}
    corrupted = mask_tokens(ids, SpecialTokens(), generator)
    if not (corrupted.labels != IGNORE).any():  # a tiny batch may draw none, and a mean of none is NaN
        corrupted.labels[0, 1] = ids[0, 1]
    return {"input_ids": corrupted.input_ids, "labels": corrupted.labels}


def distil(
    classroom: Classroom,
    teacher: Teacher,
    rows: TokenRows,
    weights: GeneralLoss,
    config: TrainingConfig,
    *,
    folder: Path | None = None,
    minutes: float | None = None,
    held_out: TokenRows | None = None,
    tell: Callable[[dict[str, float]], None] | None = None,
) -> list[dict[str, float]]:
    """Train all students in place on rows of text; returns the lines of metrics.

    folder: checkpoints and metrics; a run found there goes on where it stopped, bit for bit. minutes: CPU
    time of this process after which TimeIsUp is raised; what was done since the last checkpoint is done
    again. held_out: rows on which each line has each student's cosine with the teacher. tell: is given these
    figures when they are new.
    """
    began = time.process_time()

    def loss(network: nn.Module, batch: Mapping[str, Tensor]) -> LossTerms:
        if minutes is not None and time.process_time() - began > 60 * minutes:
            raise TimeIsUp(f"{minutes:g} CPU minutes are over; call again to go on")
        tokens = int((batch["input_ids"] != PAD).sum())
        return LossTerms(network(batch, *teacher.says(batch, weights), weights) * tokens, tokens)

    def make(examples: list[list[int]], generator: Generator) -> dict[str, Tensor]:
        return collate_rows(examples, generator, masks=weights.masks)

    data = TrainingData(rows, make, rows.lengths)
    agreement = None if held_out is None else Agreement(teacher, held_out)

    def evaluate(network: nn.Module) -> dict[str, float]:
        figures = agreement(network) if agreement else {}
        if tell:
            tell(figures)
        return figures

    return train(classroom, loss, data, config, folder=folder, evaluate=evaluate)


class Agreement:
    """How near the students are to the teacher on held-out rows: the mean cosine of the last states."""

    def __init__(self, teacher: Teacher, rows: TokenRows, batch_size: int = 64) -> None:
        ordered = sorted((rows[i] for i in range(len(rows))), key=len)
        self.batches = [
            {"input_ids": pad(ordered[i : i + batch_size], PAD)} for i in range(0, len(ordered), batch_size)
        ]
        self.taught = [teacher.says(batch, GeneralLoss())[0] for batch in self.batches]

    def __call__(self, classroom: nn.Module) -> dict[str, float]:
        """For each student its mean over batches, as cosine_NAME."""
        found: dict[str, float] = {}
        for name, pupil in classroom.pupils.items():  # type: ignore[union-attr, operator]
            losses = [
                pupil.losses(batch, taught, None, GeneralLoss())
                for batch, taught in zip(self.batches, self.taught, strict=True)
            ]
            found[f"cosine_{name}"] = 1 - float(torch.stack(losses).mean())
        return found


def load_classroom(classroom: Classroom, folder: Path) -> int:
    """Give the students the weights of the run's last checkpoint; returns the steps that were done.

    Raises FileNotFoundError when there is none.
    """
    file = folder / checkpoint.NAME
    if not file.is_file():
        raise FileNotFoundError(f"{file} is missing: run the general distillation first")
    state = torch.load(file, map_location="cpu", weights_only=True)
    classroom.load_state_dict(state["model"])
    return int(state["step"])
