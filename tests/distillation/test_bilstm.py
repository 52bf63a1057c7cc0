"""The BiLSTM student and the text it learns from."""

import copy

import numpy as np
import pytest
import torch
from layerwise_models import batch, classifier, examples

from course_utils.distillation import bilstm
from course_utils.distillation.augment import (
    CLS,
    MASK,
    SEP,
    Rates,
    augment,
    change,
    word_classes,
    words_of,
)
from course_utils.distillation.bilstm import BiLSTMConfig, new_bilstm, pieces_of
from course_utils.finetuning.classifier import Example, predict, run_model
from course_utils.training import TrainingConfig

SMALL = BiLSTMConfig(pieces=60, vocab_size=60, embedding_size=4, hidden_size=5, inner_size=6)
VOCABULARY = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
VOCABULARY += ["a", "the", "film", "plot", "actor", "boring", "moving", "dull", "bright", "1984", "2001", "!"]
VOCABULARY += ["bor", "##ing", "?", "played", "filmed"]
PIECES = {piece: number for number, piece in enumerate(VOCABULARY)}


def sentence(text, label=0):
    return Example([CLS, *(PIECES[piece] for piece in text.split()), SEP], label)


TEXTS = [
    sentence("the film bor ##ing !"),
    sentence("a dull plot 1984"),
    sentence("the actor moving ?", 1),
    sentence("a bright film 2001 the plot !", 1),
    sentence("the actor played the film filmed a plot"),
] * 3


def written_out(model, ids):
    """The logits of one unpadded sentence, gate by gate."""
    x = model.table.weight[model.row[ids]]
    ends = []
    for suffix, order in (("", range(len(ids))), ("_reverse", reversed(range(len(ids))))):
        w, u, b, c = (
            getattr(model.lstm, f"{name}_l0{suffix}")
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        hidden = cell = torch.zeros(model.config.hidden_size)
        for t in order:
            i, f, g, o = (w @ x[t] + b + u @ hidden + c).chunk(4)
            cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
            hidden = o.sigmoid() * cell.tanh()
        ends.append(hidden)
    return model.classifier(model.inner(torch.cat(ends)).relu())


def test_the_network_is_an_lstm_in_both_directions_and_never_reads_padding():
    model = new_bilstm(0, config=SMALL).eval()
    for columns in (0, 5):
        rows = batch(more_padding=columns)
        logits = run_model(model, rows)
        for row, ids in enumerate(rows["input_ids"]):
            torch.testing.assert_close(logits[row], written_out(model, ids[ids != 0]))


def test_it_is_drawn_from_its_seed_or_starts_at_the_teachers_table():
    first, again, other = (new_bilstm(seed, config=SMALL).table.weight for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    teacher = classifier(1, 8).encoder
    table = new_bilstm(1, config=SMALL, teacher=teacher).table.weight.detach()
    wide = teacher.embeddings.token.weight.detach()
    left, sizes, _ = np.linalg.svd(wide.numpy() - wide.numpy().mean(0), full_matrices=False)
    expected = left[:, :4] * sizes[:4]
    cosines = [np.corrcoef(table[:, i].numpy(), expected[:, i])[0, 1] for i in range(4)]
    assert np.abs(cosines) == pytest.approx(1, abs=1e-3)
    assert float(table.std()) == pytest.approx(1, abs=1e-4)


def test_pieces_without_a_row_read_as_unknown():
    pieces = pieces_of(TEXTS[:1])
    assert pieces == (0, *sorted([100, CLS, SEP, MASK, *TEXTS[0].ids[1:-1]]))
    config = BiLSTMConfig(pieces=len(pieces), vocab_size=200, embedding_size=4, hidden_size=5)
    model = new_bilstm(0, config=config, pieces=pieces).eval()
    known, unseen = Example([CLS, 100, SEP], 0), Example([CLS, 150, SEP], 0)
    a, b = predict(model, [known, unseen])
    assert torch.equal(a, b)
    with pytest.raises(ValueError, match=r"pieces must hold 100, \[UNK\]"):
        new_bilstm(0, config=BiLSTMConfig(pieces=2, vocab_size=200), pieces=[3, 4])
    with pytest.raises(ValueError, match="the config has 2 rows, got 3"):
        new_bilstm(0, config=BiLSTMConfig(pieces=2, vocab_size=200), pieces=[3, 4, 100])


def test_it_learns_the_teachers_logits_and_leaves_the_teacher_alone():
    teacher, rows = classifier(2).eval(), examples(16)
    before = copy.deepcopy(teacher.state_dict())
    logits = predict(teacher, rows)
    model = new_bilstm(0, config=SMALL, teacher=teacher.encoder)
    config = TrainingConfig(steps=120, batch_size=16, learning_rate=2e-2, log_every=1)
    lines = bilstm.distill(model, rows, logits, config)
    assert lines[-1]["loss"] < 0.3 * lines[0]["loss"]
    # In evaluation mode the squared error is that of the logits of the right rows, not of shuffled ones.
    error = ((predict(model, rows) - logits) ** 2).sum(-1).mean()
    assert float(error) < 0.5 * float(((predict(model, rows) - logits.flip(0)) ** 2).sum(-1).mean())
    assert all(torch.equal(before[name], tensor) for name, tensor in teacher.state_dict().items())
    with pytest.raises(ValueError, match="16 examples need as many rows of logits, got 15"):
        bilstm.distill(model, rows, logits[:15], config)


def test_the_logits_loss_has_the_gradient_of_its_formula():
    student, teacher = torch.randn(5, 2, dtype=torch.double, requires_grad=True), torch.randn(5, 2).double()
    assert torch.autograd.gradcheck(lambda x: bilstm.logits_loss(x, teacher), student)
    expected = sum(float((student[i] - teacher[i]).pow(2).sum()) for i in range(5)) / 5
    assert float(bilstm.logits_loss(student, teacher)) == pytest.approx(expected)
    with pytest.raises(ValueError, match="differ"):
        bilstm.logits_loss(student, teacher[:4])


@pytest.mark.parametrize("kept", [None, (0, 7, 100, 101, 102, 103)])
def test_it_comes_back_from_disk(tmp_path, kept):
    config = SMALL if kept is None else BiLSTMConfig(pieces=6, vocab_size=200, embedding_size=4)
    model = new_bilstm(0, config=config, pieces=kept).eval()
    bilstm.save(model, tmp_path)
    again = bilstm.load(tmp_path)
    assert not again.training
    assert torch.equal(run_model(model, batch()), run_model(again, batch()))
    file = tmp_path / bilstm.WEIGHTS
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(ValueError, match="no BiLSTM, or a damaged one"):
        bilstm.load(tmp_path)
    with pytest.raises(ValueError, match=r"expected what `bilstm\.save` wrote"):
        bilstm.load(tmp_path / "nowhere")


@pytest.fixture(scope="module")
def classes():
    return word_classes(TEXTS, PIECES)


def test_words_are_whole_and_classes_go_by_spelling(classes, monkeypatch):
    assert [len(word) for word in words_of(TEXTS[0], classes.continues)] == [1, 1, 2, 1]
    monkeypatch.setattr("course_utils.distillation.augment.FREQUENT", 1)
    few = word_classes(TEXTS, PIECES)
    names = {"the": "frequent", "film": "other", "moving": "-ing", "1984": "number", "!": "punctuation"}
    assert {text: few.class_of[(PIECES[text],)] for text in names} == names
    assert few.class_of[(PIECES["bor"], PIECES["##ing"])] == "-ing"
    assert few.class_of[(PIECES["played"],)] == "-ed"
    with pytest.raises(ValueError, match="single texts"):
        words_of(Example([CLS, 5, SEP], 0, [0, 0, 0]), few.continues)


def test_it_changes_what_it_says_at_its_rates(classes, monkeypatch):
    text = sentence("the actor played the film filmed a plot")
    rng = np.random.default_rng(0)
    made = [change(text, classes, Rates(0.1, 0.0, 0.0), rng).ids for _ in range(2000)]
    assert {len(ids) for ids in made} == {len(text.ids)}
    flat = np.array(made)
    assert (flat[:, 0] == CLS).all()
    assert (flat[:, -1] == SEP).all()
    assert (flat[:, 1:-1] == MASK).mean() == pytest.approx(0.1, abs=0.01)
    assert set(np.unique(flat)) == {*text.ids, MASK}
    assert change(text, classes, Rates(0, 0, 0), rng) == text
    monkeypatch.setattr(type(classes), "draw", lambda *_: (99,))
    both = np.array([change(text, classes, Rates(0.2, 0.3, 0.0), rng).ids[1:-1] for _ in range(2000)])
    assert [(both == piece).mean() for piece in (MASK, 99)] == pytest.approx([0.2, 0.3], abs=0.015)


def test_replacements_keep_the_class_and_its_frequencies(monkeypatch):
    monkeypatch.setattr("course_utils.distillation.augment.FREQUENT", 0)
    few = word_classes(TEXTS, PIECES)
    rng = np.random.default_rng(0)
    drawn = [few.draw((PIECES["!"],), rng) for _ in range(3000)]
    assert set(drawn) == {(PIECES["!"],), (PIECES["?"],)}
    assert drawn.count((PIECES["!"],)) / 3000 == pytest.approx(2 / 3, abs=0.03)  # "!" twice, "?" once
    assert few.draw((PIECES["bright"], 5), rng) == (PIECES["bright"], 5)  # a word never seen stays
    changed = [change(TEXTS[1], few, Rates(0, 1, 0), rng) for _ in range(50)]
    assert {few.class_of[words_of(one, few.continues)[-1]] for one in changed} == {"number"}


def test_an_ngram_is_a_piece_of_the_sentence(classes):
    rng, text = np.random.default_rng(0), TEXTS[3]
    lengths = set()
    for _ in range(300):
        words = words_of(change(text, classes, Rates(0, 0, 1), rng), classes.continues)
        whole = words_of(text, classes.continues)
        assert any(whole[i : i + len(words)] == words for i in range(len(whole)))
        lengths.add(len(words))
    assert lengths == {1, 2, 3, 4, 5}


def test_augmentation_is_seeded_new_and_labelled_as_its_source(classes):
    first, again, other = (augment(TEXTS, classes, 3, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    texts = [tuple(example.ids) for example in first]
    assert len(set(texts)) == len(texts)
    assert not set(texts) & {tuple(example.ids) for example in TEXTS}
    assert all(len(example.ids) <= 4 for example in augment(TEXTS, classes, 3, 1, longest=4))
    with pytest.raises(ValueError, match="copies must be at least 1"):
        augment(TEXTS, classes, 0, 1)
    with pytest.raises(ValueError, match="probabilities"):
        Rates(0.6, 0.6, 0)
