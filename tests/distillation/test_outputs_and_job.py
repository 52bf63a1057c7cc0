"""What a teacher said is cached until anything changes; one run of task distillation, also interrupted."""

import pytest
import torch

from course_utils.distillation import outputs as cached
from course_utils.distillation.job import Lesson, distil_task, learn, without_labels
from course_utils.distillation.losses import UNLABELED
from course_utils.distillation.outputs import DamagedOutputs, teacher_logits, teacher_states, texts_hash
from course_utils.distillation.students import from_layers
from course_utils.finetuning.classifier import Example, new_classifier, predict
from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.training import TrainingConfig

CONFIG = EncoderConfig(
    vocab_size=60, hidden_size=8, num_layers=4, num_heads=2, intermediate_size=16, pooler=False
)


def new_teacher():
    torch.manual_seed(0)
    return new_classifier(Encoder(CONFIG), 2, seed=0)


def examples(count=24):
    """The class is whether token 7 is there."""
    draw = torch.Generator().manual_seed(1)
    made = []
    for number in range(count):
        ids = torch.randint(10, 60, (3 + number % 4,), generator=draw).tolist()
        made.append(Example([1, *ids, *([7] if number % 2 else []), 2], number % 2))
    return made


def settings(**changes):
    fields = {"steps": 8, "batch_size": 4, "learning_rate": 3e-3, "log_every": 2, "checkpoint_every": 2}
    return TrainingConfig(**fields | changes)


@pytest.fixture
def asked(monkeypatch):
    """Counts how often the teacher really computes."""
    calls = []

    def counting(*arguments):
        calls.append(1)
        return predict(*arguments)

    monkeypatch.setattr(cached, "predict", counting)
    return calls


def test_logits_are_computed_once_and_equal_the_teachers(tmp_path, asked):
    teacher = new_teacher().train()
    first = teacher_logits(teacher, examples(), folder=tmp_path)
    again = teacher_logits(teacher, examples(), folder=tmp_path)
    assert len(asked) == 1
    assert torch.equal(first, again)
    assert torch.allclose(first, predict(teacher.eval(), examples()))
    assert not first.requires_grad


def change_weight(teacher, rows):
    with torch.no_grad():
        teacher.encoder.stack.blocks[3].feed_forward.outer.bias[0] += 1e-6
    return teacher, rows


def change_head(teacher, rows):
    with torch.no_grad():
        teacher.head.classifier.weight[0, 0] += 1e-6
    return teacher, rows


def change_pooling(teacher, rows):
    teacher.head.pooling = "cls"
    return teacher, rows


def change_token(teacher, rows):  # another text, tokenizer or longest text shows in the ids
    return teacher, [*rows[:-1], rows[-1]._replace(ids=[*rows[-1].ids[:-1], 9])]


def change_order(teacher, rows):
    return teacher, rows[::-1]


def move_border(teacher, rows):  # the same ids in a row, divided elsewhere
    first, second = rows[0], rows[1]
    moved = [first._replace(ids=[*first.ids, second.ids[0]]), second._replace(ids=second.ids[1:])]
    return teacher, [*moved, *rows[2:]]


@pytest.mark.parametrize(
    "change", [change_weight, change_head, change_pooling, change_token, change_order, move_border]
)
def test_the_cache_notices_any_change(tmp_path, asked, change):
    teacher_logits(new_teacher(), examples(), folder=tmp_path)
    changed, rows = change(new_teacher(), examples())
    found = teacher_logits(changed, rows, folder=tmp_path)
    assert len(asked) == 2
    assert torch.allclose(found, predict(changed.eval(), rows))


def test_labels_and_dropout_do_not_count(tmp_path, asked):
    teacher_logits(new_teacher(), examples(), folder=tmp_path)
    relabeled = [row._replace(label=UNLABELED) for row in examples()]
    teacher_logits(new_teacher(), relabeled, folder=tmp_path)
    assert len(asked) == 1
    pairs = [row._replace(segments=[0] * len(row.ids)) for row in examples()]
    assert texts_hash(pairs) != texts_hash(examples())


@pytest.mark.parametrize("damage", [lambda b: b[:-3], lambda b: b"", lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_a_damaged_file_is_noticed_and_made_again(tmp_path, asked, damage):
    first = teacher_logits(new_teacher(), examples(), folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(DamagedOutputs, match="made again"):
        again = teacher_logits(new_teacher(), examples(), folder=tmp_path)
    assert torch.equal(first, again)
    assert len(asked) == 2
    teacher_logits(new_teacher(), examples(), folder=tmp_path)
    assert len(asked) == 2


def test_states_of_chosen_layers(tmp_path):
    teacher = new_teacher().eval()
    rows = examples(5)
    found = teacher_states(teacher, rows, [0, 4], folder=tmp_path)
    again = teacher_states(teacher, rows, [0, 4], folder=tmp_path)
    for row, states, same in zip(rows, found, again, strict=True):
        expected = teacher.encoder(torch.tensor([row.ids])).hidden_states
        assert states.shape == (2, len(row.ids), 8)
        assert torch.allclose(states[0].float(), expected[0][0], atol=2e-3)
        assert torch.allclose(states[1].float(), expected[4][0], atol=2e-3)
        assert torch.equal(states, same)
    assert not teacher.encoder.training


def test_a_student_learns_from_the_teacher_alone(tmp_path):
    teacher = new_teacher()
    learn(teacher, examples(), None, Lesson(soft_weight=0.0), settings(steps=150))
    said = teacher_logits(teacher, examples(), folder=tmp_path)
    unlabeled = [row._replace(label=UNLABELED) for row in examples()]
    student, outcome = distil_task(
        from_layers(teacher.encoder, (1, 3)), unlabeled, said, Lesson(), settings(steps=150), test=examples()
    )
    agree = predict(student, examples()).argmax(dim=1) == said.argmax(dim=1)
    assert agree.float().mean() > 0.9
    assert outcome.losses[-1] < outcome.losses[0]
    assert len(outcome.record["positive"]) == 24
    assert outcome.accuracy == pytest.approx(
        sum((p >= 0.5) == row.label for p, row in zip(outcome.positive, examples(), strict=True)) / 24
    )


def test_an_interrupted_run_goes_on_to_the_same_weights(tmp_path):
    said = predict(new_teacher(), examples())

    def student():
        return new_classifier(from_layers(new_teacher().encoder, (0, 3)), 2, seed=1)

    whole, part = student(), student()
    learn(whole, examples(), said, Lesson(), settings())

    def stop(network):
        stop.calls += 1
        if stop.calls == 3:
            raise KeyboardInterrupt
        return {}

    stop.calls = 0
    with pytest.raises(KeyboardInterrupt):
        learn(part, examples(), said, Lesson(), settings(), folder=tmp_path, evaluate=stop)
    resumed = student()
    learn(resumed, examples(), said, Lesson(), settings(), folder=tmp_path)
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, resumed.state_dict()[name]), name
    assert any(not torch.equal(t, part.state_dict()[n]) for n, t in whole.state_dict().items())


def test_embeddings_are_frozen_and_the_teachers_head_can_be_kept():
    teacher = new_teacher()
    table = teacher.encoder.embeddings.token.weight.clone()
    student, _ = distil_task(
        from_layers(teacher.encoder, (0, 3)), examples(), None, Lesson(soft_weight=0.0, smoothing=0.1),
        settings(steps=1, learning_rate=1e-9), test=examples(), head=teacher.head,
    )  # fmt: skip
    assert torch.equal(student.encoder.embeddings.token.weight, table)
    assert torch.allclose(student.head.classifier.weight, teacher.head.classifier.weight, atol=1e-6)


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(ValueError, match="soft_weight in"):
        Lesson(soft_weight=1.5)
    with pytest.raises(ValueError, match="takes the place of a teacher"):
        Lesson(smoothing=0.1)
    with pytest.raises(ValueError, match="give the teacher's logits"):
        learn(new_teacher(), examples(), None, Lesson(), settings())
    with pytest.raises(ValueError, match="as many rows of logits"):
        learn(new_teacher(), examples(), torch.zeros(3, 2), Lesson(), settings())


def test_texts_without_labels(tmp_path):
    from course_utils.distillation.task import LONGEST, tokenizer_file

    (row,) = without_labels(["a good film"], tokenizer_file(), LONGEST)
    assert row.label == UNLABELED
    assert row.ids[0] == 101
