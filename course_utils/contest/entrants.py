"""The entrants: how each objective turns texts into a batch, a loss, and a cost.

Three kinds of entrant cover them all: those that predict tokens on the encoder itself (`OnEncoder`), those
whose decoder writes (`Writing`), and ELECTRA (`Replacing`). Every encoder reads [CLS] and the text.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Generator, Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from course_utils.contest import tasks
from course_utils.contest.grammar import CLS, PAD, FormalLanguage
from course_utils.contest.models import Electra, Sizes
from course_utils.models import masks
from course_utils.models.encoder import Encoder
from course_utils.models.flops import masked_lm_flops, replaced_token_flops, seq2seq_flops
from course_utils.models.heads import MaskedLM
from course_utils.models.seq2seq import Seq2Seq
from course_utils.objectives import IGNORE, Corrupted, SpecialTokens
from course_utils.objectives.causal import shift_right
from course_utils.objectives.masked import mask_tokens
from course_utils.objectives.replaced import replaced_labels, sample_replacements
from course_utils.training import LossTerms

Batch = Mapping[str, Tensor]


class Entrant(Protocol):
    """What the contest asks of an objective."""

    @property
    def title(self) -> str:
        """The objective in words."""

    @property
    def causal(self) -> bool:
        """Whether the shared encoder only ever looks back."""

    def build(self, sizes: Sizes) -> nn.Module:
        """An untrained model that holds the shared encoder."""

    def collate(self, texts: list[Tensor], tokens: SpecialTokens, generator: Generator) -> Batch:
        """Texts, each (length,), to the tensors of a batch; all noise comes from the generator."""

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """What training minimizes."""

    def forward_flops(self, sizes: Sizes, batch: Batch) -> int:
        """Cost of one forward pass over the batch; training costs three times as much."""

    def processed_tokens(self, batch: Batch) -> int:
        """Places that some stack reads, padding included: a stack pays for padding as for any token."""

    def own_task(self, model: nn.Module, language: FormalLanguage, texts: Tensor, batch: Batch) -> Any:
        """Distance from the floor in the objective's own task, or None where the floor is not known."""


@dataclass(frozen=True)
class OnEncoder:
    """Tokens predicted by the encoder and a masked-LM head, under some attention mask.

    corrupt: (batch, length) ids framed by [CLS] -> Corrupted, and prefix lengths (batch,) or None.
    truth: exact distribution of each labeled token, in reading order: (labels, vocab).
    """

    title: str
    corrupt: Callable[[Tensor, SpecialTokens, Generator], tuple[Corrupted, Tensor | None]]
    truth: Callable[[FormalLanguage, Tensor, Batch], Tensor]
    causal: bool = False

    def build(self, sizes: Sizes) -> nn.Module:
        """The encoder under its head."""
        return MaskedLM(Encoder(sizes.encoder()))

    def collate(self, texts: list[Tensor], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids and labels, (batch, length); prefix_lengths, (batch,), for a prefix LM."""
        corrupted, prefix_lengths = self.corrupt(frame(torch.stack(texts)), tokens, generator)
        batch = {"input_ids": corrupted.input_ids, "labels": corrupted.labels}
        return batch if prefix_lengths is None else {**batch, "prefix_lengths": prefix_lengths}

    def logits(self, model: nn.Module, batch: Batch) -> Tensor:
        """(labels, vocab), in reading order."""
        ids, mask = batch["input_ids"], None
        if self.causal:
            mask = masks.causal(ids.shape[1], device=ids.device)
        elif "prefix_lengths" in batch:
            mask = masks.prefix(ids.shape[1], batch["prefix_lengths"])
        return model(ids, mask=mask, positions=batch["labels"] != IGNORE)

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Cross-entropy, summed over the labels."""
        labels = batch["labels"][batch["labels"] != IGNORE]
        return LossTerms(F.cross_entropy(self.logits(model, batch), labels, reduction="sum"), len(labels))

    def forward_flops(self, sizes: Sizes, batch: Batch) -> int:
        """Encoder on every place, head on the labeled ones."""
        rows, length = batch["input_ids"].shape
        labels = int((batch["labels"] != IGNORE).sum())
        without_head = rows * masked_lm_flops(sizes.encoder(), length, 0)
        return without_head + masked_lm_flops(sizes.encoder(), 0, labels)

    def processed_tokens(self, batch: Batch) -> int:
        """Places of the encoder."""
        return batch["input_ids"].numel()

    def own_task(
        self, model: nn.Module, language: FormalLanguage, texts: Tensor, batch: Batch
    ) -> tasks.OwnTask:
        """Mean exact KL from the true conditional at the labeled places."""
        truth = self.truth(language, texts, batch)
        return tasks.from_distributions(truth, self.logits(model, batch).log_softmax(-1))


@dataclass(frozen=True)
class Writing:
    """An encoder reads a damaged text, a decoder writes the target.

    corrupt: one text, (length,), to inputs and target, (any length,) each.
    log_posterior: exact log P(target | inputs) of one pair, nats; None where it cannot be computed.
    """

    title: str
    corrupt: Callable[[Tensor, SpecialTokens, Generator], Corrupted]
    log_posterior: Callable[[FormalLanguage, Tensor, Corrupted], float] | None = None
    causal: bool = False  # the shared encoder looks both ways; only the decoder is causal

    def build(self, sizes: Sizes) -> nn.Module:
        """Encoder and decoder with one table of embeddings."""
        return Seq2Seq(sizes.seq2seq())

    def collate(self, texts: list[Tensor], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids, (batch, source); labels, (batch, target): padded, at least one target place."""
        pairs = [self.corrupt(text, tokens, generator) for text in texts]
        inputs = pad_sequence([frame(pair.input_ids) for pair in pairs], True, PAD)
        labels = pad_sequence([pair.labels for pair in pairs], True, IGNORE)
        if not labels.shape[1]:
            labels = labels.new_full((len(texts), 1), IGNORE)
        return {"input_ids": inputs, "labels": labels}

    def logits(self, model: nn.Module, batch: Batch) -> Tensor:
        """(batch, target, vocab)."""
        written = shift_right(batch["labels"], CLS)
        return model(batch["input_ids"], written, batch["input_ids"] != PAD).logits

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Cross-entropy, summed over the target."""
        logits, labels = self.logits(model, batch).flatten(0, 1), batch["labels"].flatten()
        total = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="sum")
        return LossTerms(total, (labels != IGNORE).sum())

    def forward_flops(self, sizes: Sizes, batch: Batch) -> int:
        """Both stacks, padding included, and the output layer at every target place."""
        rows, source = batch["input_ids"].shape
        return rows * seq2seq_flops(sizes.seq2seq(), source, batch["labels"].shape[1])

    def processed_tokens(self, batch: Batch) -> int:
        """Places of both stacks."""
        return batch["input_ids"].numel() + batch["labels"].numel()

    def own_task(
        self, model: nn.Module, language: FormalLanguage, texts: Tensor, batch: Batch
    ) -> tasks.OwnTask | None:
        """Mean excess of the target's negative log-likelihood over the exact one; its expectation is a KL."""
        if self.log_posterior is None:
            return None
        log_q = self.logits(model, batch).log_softmax(-1)
        labels = batch["labels"]
        spent = -log_q.gather(-1, labels.clamp(min=0)[..., None]).squeeze(-1)
        nats = (spent * (labels != IGNORE)).sum(-1)
        pairs = [
            Corrupted(inputs[inputs != PAD][1:], target[target != IGNORE])
            for inputs, target in zip(batch["input_ids"], labels, strict=True)
        ]
        best = [-self.log_posterior(language, x, pair) for x, pair in zip(texts, pairs, strict=True)]
        return tasks.from_likelihoods(nats, torch.tensor(best), int((labels != IGNORE).sum()))


@dataclass(frozen=True)
class Replacing:
    """ELECTRA: a generator fills masks, the encoder says of every token whether it was replaced."""

    title: str
    weight: float = 50.0  # of the discriminator's mean loss beside the generator's, as in the paper
    share: float = 0.15
    ignored: tuple[int, ...] = (PAD, CLS)  # never replaced, so never judged
    causal: bool = False

    def build(self, sizes: Sizes) -> nn.Module:
        """Discriminator and generator."""
        return Electra(sizes)

    def collate(self, texts: list[Tensor], tokens: SpecialTokens, generator: Generator) -> Batch:
        """input_ids with masks, labels at the masks, and the original text, all (batch, length)."""
        ids = frame(torch.stack(texts))
        inputs, labels = tasks.mask_only(ids, tokens, generator, share=self.share)
        return {"input_ids": inputs, "labels": labels, "original": ids}

    def loss(self, model: nn.Module, batch: Batch) -> LossTerms:
        """Generator's mean loss plus the weighted mean of the discriminator's, once for each text.

        The sampling draws from torch's global generator, which the training loop seeds for each step.
        """
        assert isinstance(model, Electra)
        chosen, original = batch["labels"] != IGNORE, batch["original"]
        fill = model.generate(batch["input_ids"], chosen)
        generating = F.cross_entropy(fill, original[chosen], reduction="sum") / chosen.sum().clamp(min=1)
        full = fill.new_zeros(*chosen.shape, fill.shape[-1])
        full[chosen] = fill.detach()
        replaced = sample_replacements(full, original, chosen, torch.default_generator)
        judged = ~torch.isin(original, torch.tensor(self.ignored, device=original.device))
        is_replaced = replaced_labels(original, replaced)[judged].float()
        judging = F.binary_cross_entropy_with_logits(model(replaced)[judged], is_replaced)
        return LossTerms((generating + self.weight * judging) * len(original), len(original))

    def forward_flops(self, sizes: Sizes, batch: Batch) -> int:
        """Generator with its head at the masks, and discriminator at every place."""
        rows, length = batch["input_ids"].shape
        chosen = int((batch["labels"] != IGNORE).sum())
        generator = rows * masked_lm_flops(sizes.generator(), length, 0)
        head = masked_lm_flops(sizes.generator(), 0, chosen)
        return generator + head + rows * replaced_token_flops(sizes.encoder(), length)

    def processed_tokens(self, batch: Batch) -> int:
        """Places of both encoders."""
        return 2 * batch["input_ids"].numel()

    def own_task(self, model: nn.Module, language: FormalLanguage, texts: Tensor, batch: Batch) -> None:
        """Not defined: what is optimal depends on the generator that was learnt on the way."""


def frame(ids: Tensor) -> Tensor:
    """[CLS] before the text; (..., length) -> (..., length + 1)."""
    return F.pad(ids, (1, 0), value=CLS)


ENTRANTS: dict[str, Entrant] = {
    "mlm": OnEncoder(
        "masked LM, 80/10/10 (BERT)",
        lambda ids, tokens, generator: (mask_tokens(ids, tokens, generator), None),
        tasks.bert_truth,
    ),
    "mlm_mask": OnEncoder(
        "masked LM, every chosen token masked",
        lambda ids, tokens, generator: (tasks.mask_only(ids, tokens, generator), None),
        tasks.masked_truth,
    ),
    "mlm_keep": OnEncoder(
        "masked LM, 80% masked, 20% left as they are",
        lambda ids, tokens, generator: (tasks.mask_and_keep(ids, tokens, generator), None),
        tasks.kept_truth,
    ),
    "mlm_all": OnEncoder(
        "masked LM that predicts every token",
        lambda ids, tokens, generator: (tasks.predict_all(ids, tokens, generator), None),
        tasks.predict_all_truth,
    ),
    "mlm_spans": OnEncoder(
        "masked LM, spans masked (SpanBERT's choice)",
        lambda ids, tokens, generator: (tasks.mask_spans(ids, tokens, generator), None),
        tasks.masked_truth,
    ),
    "causal": OnEncoder(
        "causal LM (GPT)",
        lambda ids, tokens, generator: (tasks.causal(ids), None),
        tasks.next_token_truth,
        causal=True,
    ),
    "prefix": OnEncoder("prefix LM", tasks.prefix, tasks.next_token_truth),
    "t5_spans": Writing(
        "replace spans by sentinels (T5)", tasks.replace_spans, tasks.replaced_spans_posterior
    ),
    "t5_drop": Writing("drop tokens (T5)", tasks.drop_tokens, tasks.dropped_tokens_posterior),
    "mass": Writing("mask a fragment, write it (MASS)", tasks.mass, tasks.fragment_posterior),
    "deshuffle": Writing("deshuffle (T5)", lambda ids, tokens, generator: tasks.deshuffle(ids, generator)),
    "bart": Writing("text infilling (BART)", tasks.infill, tasks.infilled_posterior),
    "electra": Replacing("replaced-token detection (ELECTRA)"),
}
"""By the name that a design calls them by."""
