"""BERT-of-Theseus: the ends of the schedule are the two models, and only successors move."""

import copy

import pytest
import torch
from layerwise_models import batch, classifier, examples

from course_utils.distillation import theseus
from course_utils.distillation.theseus import Replacing, Theseus
from course_utils.finetuning.classifier import run_model
from course_utils.training import LossTerms, TrainingConfig, TrainingData, train


def predecessor(**options):
    return classifier(4, dropout=0.0, attention_dropout=0.0, **options).eval()


def without_dropout(model):
    model.head.dropout.p = 0.0
    return model


@pytest.mark.parametrize("pooling", ["cls", "mean"])
@pytest.mark.parametrize("pooler", [True, False])
def test_at_0_it_is_the_predecessor_and_at_1_the_successor(pooling, pooler):
    teacher = without_dropout(predecessor(pooling=pooling, pooler=pooler))
    rows = batch()
    for rate, expected in ((0.0, teacher), (1.0, None)):
        model = Theseus(teacher, 2, Replacing(rate)).train()
        assert (model.successor().encoder.pooler is not None) == (pooler and pooling == "cls")
        expected = expected or model.successor()
        assert torch.equal(run_model(model, rows), run_model(expected.eval(), rows))


def test_evaluation_runs_the_successors():
    model = Theseus(predecessor(), 2, Replacing(0.0)).eval()
    assert torch.equal(run_model(model, batch()), run_model(model.successor().eval(), batch()))
    assert int(model.steps) == 0


def test_a_module_is_replaced_alone():
    """With the first module replaced, what follows are the predecessor's own last two blocks."""
    teacher = predecessor()
    model, ids = Theseus(teacher, 2, Replacing()).eval(), batch()["input_ids"]
    mixed = copy.deepcopy(teacher)
    own = teacher.encoder.stack.blocks
    mixed.encoder.stack.blocks = torch.nn.ModuleList([model.successors[0], own[2], own[3]])
    mixed.encoder.stack.num_layers = 3
    mask = ids != 0
    assert torch.equal(model(ids, mask, replaced=[True, False]), mixed(ids, attention_mask=mask))
    with pytest.raises(ValueError, match="2 modules need as many choices, got 1"):
        model(ids, mask, replaced=[True])


def test_a_successor_starts_as_the_last_block_of_its_module_or_as_chosen():
    teacher = predecessor()
    for start, blocks in ((None, (1, 3)), ((0, 1), (0, 1))):
        model = Theseus(teacher, 2, Replacing(), start=start)
        for successor, number in zip(model.successors, blocks, strict=True):
            expected = teacher.encoder.stack.blocks[number].attention.query.weight
            assert torch.equal(successor.attention.query.weight, expected)


def test_each_module_is_replaced_at_its_rate():
    model = Theseus(predecessor(), 2, Replacing(0.3)).train()
    torch.manual_seed(0)
    draws = torch.tensor([model._draw() for _ in range(4000)]).float()
    assert draws.mean(0).tolist() == pytest.approx([0.3, 0.3], abs=0.03)
    both = draws.prod(1).mean()
    assert float(both) == pytest.approx(0.09, abs=0.02)  # modules are drawn apart


def test_the_schedule_rises_with_training_steps_and_survives_a_checkpoint():
    model = Theseus(predecessor(), 2, Replacing(0.2, full_at=4)).train()
    rates = []
    for _ in range(6):
        rates.append(model.rate)
        run_model(model, batch())
    assert rates == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0, 1.0])
    again = Theseus(predecessor(), 2, Replacing(0.2, full_at=4))
    again.load_state_dict(model.state_dict())
    assert again.rate == 1.0


def test_only_successors_are_trained():
    teacher = predecessor()
    weights = copy.deepcopy(teacher.state_dict())
    model = Theseus(teacher, 2, Replacing(0.5))
    before = copy.deepcopy(model.state_dict())

    def loss(network, rows):
        logits = run_model(network, rows)
        return LossTerms(torch.nn.functional.cross_entropy(logits, rows["labels"], reduction="sum"), 12)

    data = TrainingData(examples(), theseus.collate)
    torch.manual_seed(0)
    train(model, loss, data, TrainingConfig(steps=6, batch_size=12, learning_rate=1e-2))
    for name, tensor in model.state_dict().items():
        moved = not torch.equal(tensor, before[name])
        assert moved == (name.startswith("successors.") or name == "steps"), name
    model.replacing = Replacing(0.0)  # nothing is replaced, nothing learnt, nothing breaks
    before = copy.deepcopy(model.state_dict())
    train(model, loss, data, TrainingConfig(steps=2, batch_size=12, learning_rate=1e-2))
    assert [n for n, x in model.state_dict().items() if not torch.equal(x, before[n])] == ["steps"]
    assert all(torch.equal(weights[name], tensor) for name, tensor in teacher.state_dict().items())


def test_the_successor_learns_the_task_with_its_embeddings_and_head_frozen():
    rows = examples(24)
    start = TrainingConfig(steps=60, batch_size=24, learning_rate=1e-2, log_every=1, warmup=0.0)
    successor, lines = theseus.distill(Theseus(predecessor(), 2, Replacing(0.5, 30)), rows, start, start)
    losses = [line["loss"] for line in lines if line["stage"] == 1]
    assert losses[-1] < 0.5 * lines[0]["loss"]
    trained = {name for name, p in successor.named_parameters() if p.requires_grad}
    assert trained == {name for name, _ in successor.named_parameters() if ".blocks." in name}
    teacher = predecessor()
    assert torch.equal(successor.head.classifier.weight, teacher.head.classifier.weight)
    assert successor.config.num_layers == 2


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            lambda: Theseus(predecessor(), 3, Replacing()),
            "3 modules do not divide the predecessor's 4 layers",
        ),
        (lambda: Theseus(predecessor(), 2, Replacing(), start=[0]), "each of the 2 modules"),
        (lambda: Replacing(1.5), "probability"),
        (lambda: Replacing(0.5, 0), "at least 1"),
    ],
)
def test_what_cannot_be_replaced_is_refused(made, message):
    with pytest.raises(ValueError, match=message):
        made()
