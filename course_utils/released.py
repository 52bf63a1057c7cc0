"""The course's own small models: fill in masks, continue a text, repair a text, without a network or a GPU.

`weights/NAME/` holds model.safetensors (half precision), config.json, the vocabulary and card.md, which says
what the model was trained on and how good it is:

  masked_lm  all-MiniLM-L6-v2 with adapters and a masked-LM head; the encoder comes from `small_model_dir`
  causal_lm  a GPT-2 of four thin layers
  denoiser   a BART of three and three thin layers
  multilingual  a BERT of four thin layers that has read eight languages

All folders but the first also open with transformers' from_pretrained. Beside them lie encoders that learnt
from all-MiniLM-L6-v2 by general distillation, without its embedding tables; `distillation.shipped` reads
them.

  student_halved  three layers of the same width
  student_quick   two thin layers
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeVar, overload

import torch
from tokenizers import Tokenizer
from torch import Generator, Tensor

from course_utils.data import small_model_dir
from course_utils.models import weights
from course_utils.models.adapters import add_adapters, load_adapted, merge_adapters
from course_utils.models.decoder import CausalLM
from course_utils.models.heads import MaskedLM
from course_utils.models.seq2seq import Seq2Seq
from course_utils.paths import project_root
from course_utils.subword import BPE

NAMES = ("masked_lm", "causal_lm", "denoiser", "multilingual")
STUDENTS = ("student_halved", "student_quick")
MASK, BLANK = "[MASK]", "<mask>"  # BERT's and BART's name for what is missing
_CLOSING = tuple(".,;:!?)'")
_FILES = dict.fromkeys(NAMES, ("model.safetensors", "config.json", "card.md")) | dict.fromkeys(
    STUDENTS, ("student.safetensors", "student.json", "card.md")
)

Model = TypeVar("Model", MaskedLM, CausalLM, Seq2Seq)
Words = TypeVar("Words", Tokenizer, BPE)


@dataclass(frozen=True)
class Released(Generic[Model, Words]):
    """A model in evaluation mode, what cuts a text into its tokens, and its card (Markdown)."""

    model: Model
    tokenizer: Words
    card: str


class Guess(NamedTuple):
    """A token for a masked place, and the probability that the model gives it."""

    token: str
    probability: float


@overload
def load_released(name: Literal["masked_lm"]) -> Released[MaskedLM, Tokenizer]: ...
@overload
def load_released(name: Literal["causal_lm"]) -> Released[CausalLM, BPE]: ...
@overload
def load_released(name: Literal["denoiser"]) -> Released[Seq2Seq, BPE]: ...
@overload
def load_released(name: Literal["multilingual"]) -> Released[MaskedLM, Tokenizer]: ...
def load_released(name: str) -> Released:
    """A fresh copy of one of the course's models: "masked_lm", "causal_lm", "denoiser" or "multilingual".

    Raises ValueError for another name, FileNotFoundError when its files are missing, and SourceUnavailable
    when the masked LM's encoder cannot be had.
    """
    folder = released_dir(name)
    card = (folder / "card.md").read_text(encoding="utf-8")
    if name == "masked_lm":
        tokenizer = Tokenizer.from_file(str(small_model_dir() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return Released(_masked_lm(folder), tokenizer, card)
    if name == "multilingual":
        masked_lm = weights.load_masked_lm(folder).requires_grad_(False)
        return Released(masked_lm, Tokenizer.from_file(str(folder / "tokenizer.json")), card)
    load = weights.load_causal_lm if name == "causal_lm" else weights.load_seq2seq
    model = load(folder).requires_grad_(False)
    return Released(model, BPE.load(folder / "tokenizer.json"), card)


def released_dir(name: str) -> Path:
    """The folder with the weights of a model: in the checkout, or in the installed package.

    Raises ValueError for an unknown name, and FileNotFoundError when a file is not there.
    """
    if name not in _FILES:
        raise ValueError(f"there is no released model {name!r}; there are {', '.join(_FILES)}")
    root = project_root()
    place = (
        Path(str(resources.files("course_utils"))) / "bundled_weights" if root is None else root / "weights"
    )
    missing = [file for file in _FILES[name] if not (place / name / file).is_file()]
    if missing:
        raise FileNotFoundError(
            f"{place / name} lacks {', '.join(missing)}: install the course again, or in a checkout run "
            f"`git checkout -- weights/{name}`"
        )
    return place / name


def _masked_lm(folder: Path) -> MaskedLM:
    """The small encoder with the corrections of the adapters added in, and the head."""
    shape = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    model = MaskedLM(weights.load_encoder(small_model_dir()))
    add_adapters(model.encoder, rank=shape["rank"], scale=shape["scale"])
    load_adapted(model, folder / "model.safetensors")
    merge_adapters(model)
    return model.requires_grad_(False).eval()


# One copy of each model for the three functions below; nobody else holds it.
@cache
def _filler() -> Released[MaskedLM, Tokenizer]:
    return load_released("masked_lm")


@cache
def _writer() -> Released[CausalLM, BPE]:
    return load_released("causal_lm")


@cache
def _repairer() -> Released[Seq2Seq, BPE]:
    return load_released("denoiser")


@torch.no_grad()
def fill_mask(text: str, k: int = 5) -> list[list[Guess]]:
    """The k most probable tokens for each [MASK] of a text, best first.

    Raises ValueError when there is no [MASK], or the text has more than 512 tokens.
    """
    masked_lm = _filler()
    ids = torch.tensor([masked_lm.tokenizer.encode(text).ids])
    masked = torch.isin(ids, torch.tensor(masked_lm.tokenizer.token_to_id(MASK)))
    if not masked.any():
        raise ValueError(f"there is nothing to fill in {text!r}: write {MASK} where a word is missing")
    _check_length(ids, masked_lm.model.config.max_positions)
    best = masked_lm.model(ids, positions=masked).softmax(dim=-1).topk(k)
    return [
        [Guess(str(masked_lm.tokenizer.id_to_token(i)), p) for p, i in zip(chances, row, strict=True)]
        for chances, row in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]


def continue_text(
    prompt: str,
    max_new_tokens: int = 30,
    *,
    temperature: float = 0.0,
    top_k: int | None = None,
    generator: Generator | None = None,
) -> str:
    """The prompt and what the causal LM writes after it, up to the end of the text.

    temperature, top_k, generator: as in `models.generation.pick`; 0 takes the most probable token each time.
    Raises ValueError when prompt and new tokens do not fit into the model's 128 positions.
    """
    causal_lm = _writer()
    end = causal_lm.tokenizer.vocab["</s>"]
    ids = torch.tensor([[end, *causal_lm.tokenizer.encode(f" {prompt.strip()}")]])
    _check_length(ids, causal_lm.model.config.max_positions - max_new_tokens)
    written = causal_lm.model.generate(
        ids, max_new_tokens, eos_token_id=end, temperature=temperature, top_k=top_k, generator=generator
    )
    return _text(causal_lm.tokenizer, written[0, 1:])


def reconstruct(
    text: str, *, temperature: float = 0.0, top_k: int | None = None, generator: Generator | None = None
) -> str:
    """What the denoiser takes for the original of a text with a <mask> for each missing span.

    A span may be of any length, also empty; sentences may stand in any order. The other
    arguments are as in `continue_text`.
    Raises ValueError when the text is empty or does not fit into the model's 128 positions.
    """
    denoiser = _repairer()
    start, end = (denoiser.tokenizer.vocab[token] for token in ("<s>", "</s>"))
    ids = torch.tensor([[start, *blank_ids(text, denoiser.tokenizer), end]])
    if ids.shape[1] == 2:
        raise ValueError("there is no text to reconstruct")
    _check_length(ids, denoiser.model.config.max_positions)
    longest = denoiser.model.config.max_positions - 1
    written = denoiser.model.generate(ids, longest, temperature=temperature, top_k=top_k, generator=generator)
    return _text(denoiser.tokenizer, written[0, 1:])


def blank_ids(text: str, tokenizer: BPE) -> list[int]:
    """The ids of a text with <mask> in it: a word keeps the space before it, a <mask> has none."""
    ids: list[int] = []
    for number, piece in enumerate(text.split(BLANK)):
        words = " ".join(piece.split())
        glued = number and piece[:1] in _CLOSING  # "<mask>." has no space before the mark
        ids += [tokenizer.vocab[BLANK]] if number else []
        ids += tokenizer.encode(words if glued else f" {words}") if words else []
    return ids


def _text(tokenizer: BPE, ids: Tensor) -> str:
    """The text of ids, without special tokens and outer spaces."""
    special = set(tokenizer.special.ids.values())
    return tokenizer.decode([i for i in ids.tolist() if i not in special]).strip()


def _check_length(ids: Tensor, room: int) -> None:
    if ids.shape[1] > room:
        raise ValueError(f"the text has {ids.shape[1]} tokens and there is room for {room}: shorten it")


def total_size(names: Sequence[str] = (*NAMES, *STUDENTS)) -> int:
    """Bytes of all files of some released models."""
    return sum(file.stat().st_size for name in names for file in released_dir(name).iterdir())
