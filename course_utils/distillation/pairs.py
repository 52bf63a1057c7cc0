"""How far each layer of a student is from each layer of its teacher, by what each method compares.

A training loss tells only the pairs of its map. The table of all pairs tells whether the map was kept:
whether student layer 2 is nearest to the teacher layer that it was to follow.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from course_utils.distillation.internals import Inside, look_inside
from course_utils.distillation.losses import state_loss
from course_utils.distillation.patient import patient_loss, summary
from course_utils.distillation.relations import Relation, log_relation, relation_loss
from course_utils.distillation.tiny import attention_loss
from course_utils.finetuning.classifier import Example, collate
from course_utils.models.heads import EncoderWithHead

Table = list[list[float | None]]  # student layers x teacher layers, None where there is nothing to compare
Measure = Callable[[Inside, int, Inside, int], Tensor]

# What is compared, and the first layer that has it: states begin with the embeddings, attention with block 1.
KINDS = {"states": 0, "summaries": 0, "scores": 1, "attention": 1, "values": 1}


@torch.no_grad()
def pair_losses(
    student: EncoderWithHead,
    teacher: EncoderWithHead,
    examples: Sequence[Example],
    *,
    of_states: nn.Module | None = None,
    batch_size: int = 32,
) -> dict[str, Table]:
    """For every kind a table [student layer][teacher layer], layers from 0.

    states: mean squared error (TinyBERT), after `of_states` if the student has a projection; summaries:
    squared distance of mean-pooled states at length 1 (PKD); scores: mean squared error of attention scores
    (TinyBERT); attention, values: KL divergences in nats (MiniLM). Both models run in evaluation mode and are
    put back. Summaries are left out where the widths differ. Raises ValueError if there are no examples, if
    the heads differ, or if a narrow student comes without its projection.
    """
    if not examples:
        raise ValueError("there are no examples to compare the layers on")
    modes = [(model, model.training) for model in (student, teacher)]
    for model, _ in modes:
        model.eval()
    measures = _measures(of_states or nn.Identity())
    if student.config.hidden_size != teacher.config.hidden_size:
        del measures["summaries"]
    sums: dict[str, Tensor] = {}
    for start in range(0, len(examples), batch_size):
        rows = examples[start : start + batch_size]
        batch = collate(rows)
        mine, seen = look_inside(student.encoder, batch), look_inside(teacher.encoder, batch)
        for kind, measure in measures.items():
            table = _table(measure, KINDS[kind], mine, seen) * len(rows)
            sums[kind] = sums.get(kind, torch.zeros(())) + table
    for model, was_training in modes:
        model.train(was_training)
    return {kind: _listed(table / len(examples)) for kind, table in sums.items()}


def _measures(of_states: nn.Module) -> dict[str, Measure]:
    """The comparison of each kind: (student, its layer, teacher, its layer) -> a scalar."""

    def states(mine: Inside, m: int, seen: Inside, g: int) -> Tensor:
        return state_loss(of_states(mine.state(m)), seen.state(g), seen.real)

    def summaries(mine: Inside, m: int, seen: Inside, g: int) -> Tensor:
        sides = (summary(side.state(layer), side.real, "mean") for side, layer in ((mine, m), (seen, g)))
        return patient_loss(*sides)

    def scores(mine: Inside, m: int, seen: Inside, g: int) -> Tensor:
        return attention_loss(mine.scores(m), seen.scores(g), seen.real)

    def relation(name: Relation) -> Measure:
        def compare(mine: Inside, m: int, seen: Inside, g: int) -> Tensor:
            return relation_loss(_relation(mine, m, name), _relation(seen, g, name), seen.real)

        return compare

    return {
        "states": states,
        "summaries": summaries,
        "scores": scores,
        "attention": relation("qk"),
        "values": relation("vv"),
    }


def _relation(inside: Inside, layer: int, name: Relation) -> Tensor:
    vectors = {"q": inside.queries, "k": inside.keys, "v": inside.values}
    asking, answering = (vectors[letter][layer - 1] for letter in name)
    return log_relation(asking, answering, inside.real)


def _table(measure: Measure, first: int, mine: Inside, seen: Inside) -> Tensor:
    """(student layers + 1, teacher layers + 1); NaN below the first layer that has this kind."""
    table = torch.full((mine.num_layers + 1, seen.num_layers + 1), torch.nan)
    for m in range(first, mine.num_layers + 1):
        for g in range(first, seen.num_layers + 1):
            table[m, g] = measure(mine, m, seen, g)
    return table


def _listed(table: Tensor) -> Table:
    return [[None if value != value else value for value in row] for row in table.tolist()]
