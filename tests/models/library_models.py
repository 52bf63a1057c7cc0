"""Small random models of the transformers library, and inputs for them."""

import warnings
from typing import Any

import torch
import transformers
from torch import Tensor, nn

warnings.filterwarnings("ignore", module="transformers")
transformers.logging.set_verbosity_error()

ENCODERS = ("bert", "roberta", "albert", "distilbert", "electra")
COMMON = {"vocab_size": 61, "attn_implementation": "eager"}
BERT = {
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 40,
    "max_position_embeddings": 20,
}
SIZES: dict[str, dict[str, Any]] = {
    "bert": BERT,
    "roberta": {**BERT, "type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "albert": {**BERT, "embedding_size": 10},
    "distilbert": {"dim": 24, "n_layers": 3, "n_heads": 4, "hidden_dim": 40, "max_position_embeddings": 20},
    "electra": {**BERT, "embedding_size": 10},
    "gpt2": {"n_embd": 24, "n_layer": 3, "n_head": 4, "n_positions": 40},
    "bart": {
        "d_model": 24,
        "encoder_layers": 2,
        "decoder_layers": 3,
        "encoder_attention_heads": 4,
        "decoder_attention_heads": 4,
        "encoder_ffn_dim": 40,
        "decoder_ffn_dim": 40,
        "max_position_embeddings": 20,
    },
    "t5": {
        "d_model": 24,
        "d_kv": 5,
        "d_ff": 40,
        "num_layers": 2,
        "num_decoder_layers": 3,
        "num_heads": 4,
        "relative_attention_num_buckets": 8,
        "relative_attention_max_distance": 12,
        "decoder_start_token_id": 0,
    },
}
CLASSES = {
    "gpt2": transformers.GPT2LMHeadModel,
    "bart": transformers.BartForConditionalGeneration,
    "t5": transformers.T5ForConditionalGeneration,
}


def library_config(family: str, **changes: Any) -> Any:
    """A small config of the library."""
    return transformers.AutoConfig.for_model(family, **{**COMMON, **SIZES[family], **changes})


def library_model(family: str, seed: int, *, masked_lm: bool = False, **changes: Any) -> Any:
    """A small model of the library whose every weight is random, norms and biases too, in evaluation mode."""
    torch.manual_seed(seed)
    config = library_config(family, **changes)
    auto = transformers.AutoModelForMaskedLM if masked_lm else transformers.AutoModel
    model = CLASSES[family](config) if family in CLASSES else auto.from_config(config)
    with torch.no_grad():  # the usual start (norms 1, biases 0) would hide a forgotten one
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.float().eval()


def batch(seed: int, *, rows: int = 3, length: int = 9, pad: int = 0) -> tuple[Tensor, Tensor]:
    """input_ids without padding or special ids inside, and attention_mask, padded on the right."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(5, 61, (rows, length), generator=generator)
    lengths = torch.randint(2, length + 1, (rows,), generator=generator)
    lengths[0] = length
    mask = (torch.arange(length) < lengths[:, None]).long()
    return ids.masked_fill(mask == 0, pad), mask


def assert_close(ours: Tensor, theirs: Tensor, tolerance: float = 1e-5) -> None:
    """Largest absolute difference at most the tolerance."""
    assert ours.shape == theirs.shape
    difference = (ours - theirs).abs().max().item()
    assert difference <= tolerance, f"largest difference {difference:.2e}, allowed {tolerance:.0e}"


def assert_all_close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    """The same for two tuples of equal length."""
    assert len(ours) == len(theirs)
    for mine, reference in zip(ours, theirs, strict=True):
        assert_close(mine, reference, tolerance)


def assert_gradients_close(model: nn.Module, library: nn.Module, load: Any, relative: float = 1e-4) -> None:
    """Every parameter's gradient equals the library's, relative to that gradient's largest entry.

    The key biases' gradient is zero in exact arithmetic (softmax ignores a shift of all scores of a row), so
    entries below a millionth of the model's largest gradient are rounding and count as zero.
    """
    with (
        torch.no_grad()
    ):  # the library's gradients take the place of its weights, so that `load` renames them
        for parameter in library.parameters():
            parameter.copy_(torch.zeros_like(parameter) if parameter.grad is None else parameter.grad)
    theirs = dict(load(library).named_parameters())
    largest = max(gradient.abs().max().item() for gradient in theirs.values())
    for name, parameter in model.named_parameters():
        mine = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        difference = (mine - theirs[name]).abs().max().item()
        allowed = relative * theirs[name].abs().max().item() + 1e-6 * largest
        assert difference <= allowed, f"{name}: {difference:.2e} > {allowed:.2e}"


def random_like(x: Tensor, seed: int) -> Tensor:
    """Fixed random numbers of the same shape: a loss (x * random).sum() reaches every entry differently."""
    return torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
