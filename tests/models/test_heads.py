"""Each head against the library's where it has one, and against its definition where it has none."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import transformers
from library_models import (
    ENCODERS,
    assert_close,
    assert_gradients_close,
    batch,
    library_config,
    library_model,
    random_like,
)

from course_utils.models.config import EncoderConfig
from course_utils.models.encoder import Encoder
from course_utils.models.heads import (
    EncoderWithHead,
    NextSentenceHead,
    PairHead,
    ReplacedTokenHead,
    SequenceHead,
    SpanAnswerHead,
    SpanBoundaryHead,
    TokenHead,
    mean_pool,
)
from course_utils.models.weights import load_encoder, load_masked_lm

PAD = {"roberta": 1}


@pytest.fixture
def encoder():
    torch.manual_seed(0)
    sizes = {"vocab_size": 30, "hidden_size": 12, "num_layers": 2, "num_heads": 3, "intermediate_size": 20}
    return Encoder(EncoderConfig(**sizes, embedding_size=7)).eval()


@pytest.fixture
def output(encoder):
    ids, mask = batch(0)
    return encoder(ids % 30, mask)


@pytest.mark.parametrize("family", ENCODERS)
def test_masked_lm_equals_the_librarys(family):
    library = library_model(family, 0, masked_lm=True)
    model = load_masked_lm(library)
    ids, mask = batch(0, pad=PAD.get(family, 0))
    theirs, ours = library(input_ids=ids, attention_mask=mask).logits, model(ids, mask)
    assert_close(ours, theirs)
    for logits in (ours, theirs):
        (logits * random_like(logits, 1)).sum().backward()
    assert_gradients_close(model, library, load_masked_lm)


def test_masked_lm_at_chosen_positions_is_a_selection_of_all():
    model = load_masked_lm(library_model("bert", 0, masked_lm=True))
    ids, mask = batch(0)
    positions = torch.rand(ids.shape) < 0.3
    assert_close(model(ids, mask, positions=positions), model(ids, mask)[positions])
    assert model(ids, mask, positions=torch.zeros_like(positions)).shape == (0, 61)


def library_with(auto, family="bert", **changes):
    """A library model with a task head, and our encoder with the same weights."""
    torch.manual_seed(0)
    library = auto.from_config(library_config(family, **changes)).eval()
    return library, load_encoder(library)


def copy(ours, theirs):
    ours.load_state_dict(theirs.state_dict())


def test_next_sentence_equals_the_librarys():
    library, encoder = library_with(transformers.AutoModelForNextSentencePrediction)
    encoder_with_pooler = load_encoder(library)
    head = NextSentenceHead(encoder_with_pooler.config)
    copy(head.classifier, library.cls.seq_relationship)
    ids, mask = batch(0)
    ours = EncoderWithHead(encoder, head)(ids, mask)
    assert_close(ours, library(input_ids=ids, attention_mask=mask).logits)


def test_next_sentence_needs_a_pooler():
    with pytest.raises(ValueError, match="pooler=True"):
        NextSentenceHead(EncoderConfig(pooler=False))


def test_sequence_token_and_span_answer_equal_the_librarys():
    ids, mask = batch(0)
    library, encoder = library_with(transformers.AutoModelForSequenceClassification, num_labels=3)
    head = SequenceHead(encoder.config, 3).eval()
    copy(head.classifier, library.classifier)
    assert_close(head(encoder(ids, mask)), library(input_ids=ids, attention_mask=mask).logits)

    library, encoder = library_with(transformers.AutoModelForTokenClassification, num_labels=3)
    head = TokenHead(encoder.config, 3).eval()
    copy(head.classifier, library.classifier)
    assert_close(head(encoder(ids, mask)), library(input_ids=ids, attention_mask=mask).logits)

    library, encoder = library_with(transformers.AutoModelForQuestionAnswering)
    head = SpanAnswerHead(encoder.config)
    copy(head.classifier, library.qa_outputs)
    theirs, ours = library(input_ids=ids, attention_mask=mask), head(encoder(ids, mask))
    for row, logits in enumerate((theirs.start_logits, theirs.end_logits)):
        assert_close(ours[:, row][mask.bool()], logits[mask.bool()])
        assert (ours[:, row][~mask.bool()] == -torch.inf).all()


def test_replaced_token_equals_electras(encoder, output):
    from transformers.models.electra.modeling_electra import ElectraDiscriminatorPredictions

    library = ElectraDiscriminatorPredictions(transformers.ElectraConfig(hidden_size=12, hidden_act="gelu"))
    head = ReplacedTokenHead(encoder.config)
    copy(head.dense, library.dense)
    copy(head.classifier, library.dense_prediction)
    assert_close(head(output), library(output.last_hidden_state))


def test_span_boundary_reads_the_two_ends_and_the_place_only(encoder, output):
    head = SpanBoundaryHead(encoder.config, max_span=4, position_size=6)
    rows, left, right, offset = torch.tensor([[0, 0, 1], [1, 1, 0], [4, 4, 3], [0, 1, 1]])
    table = encoder.embeddings.token.weight
    logits = head(output, rows, left, right, offset, table)
    assert logits.shape == (3, 30)
    state = output.last_hidden_state
    x = torch.cat([state[1, 0], state[1, 3], head.position.weight[1]])
    x = head.first_norm(F.gelu(head.first(x)))
    x = head.second_norm(F.gelu(head.second(x)))
    assert torch.allclose(logits[2], table @ x + head.bias, atol=1e-6)
    reached = torch.autograd.grad(logits[0].sum(), state)[0].abs().sum(-1) > 0
    assert reached.nonzero().tolist() == [[0, 1], [0, 4]]


def test_mean_pool_ignores_padding(output):
    for row, real in enumerate(output.attention_mask):
        assert torch.allclose(mean_pool(output)[row], output.last_hidden_state[row][real].mean(0), atol=1e-6)


def test_sequence_head_pools_as_told(encoder, output):
    head = SequenceHead(encoder.config, 2, pooling="mean").eval()
    assert torch.allclose(head(output), head.classifier(mean_pool(output)))
    output.pooled = None
    head = SequenceHead(encoder.config, 2).eval()
    assert torch.allclose(head(output), head.classifier(output.last_hidden_state[:, 0]))
    with pytest.raises(ValueError, match="'cls' or 'mean'"):
        SequenceHead(encoder.config, 2, pooling="max")


def test_pair_head_sees_the_difference_without_its_sign(encoder, output):
    ids, mask = batch(3)
    other = encoder(ids % 30, mask)
    head = PairHead(encoder.config, 2)
    u, v = mean_pool(output), mean_pool(other)
    assert torch.allclose(head(output, other), head.classifier(torch.cat([u, v, (u - v).abs()], dim=-1)))
