"""The encoders that a study starts from, each with its tokenizer and the sha256 of its weights."""

from dataclasses import dataclass, replace
from pathlib import Path

from tokenizers import Tokenizer

from course_utils import data
from course_utils.data.errors import SourceUnavailable
from course_utils.data.hub_table import copy_on_disk, remedy
from course_utils.data.store import sha256_of
from course_utils.distillation.shipped import WEIGHTS, load_student
from course_utils.distillation.students import from_layers
from course_utils.finetuning.classifier import PAD, load_tokenizer
from course_utils.finetuning.starts import random_like
from course_utils.models.encoder import Encoder
from course_utils.models.weights import load_encoder
from course_utils.released import released_dir
from course_utils.study.design import DesignError, EncoderChoice

FILES = ("config.json", "model.safetensors", "tokenizer.json")


@dataclass(frozen=True)
class Start:
    """An encoder, how texts become its ids, and which weights it was."""

    encoder: Encoder
    tokenizer_file: Path
    sha256: str  # of the file that its weights came from

    def tokenizer(self, max_length: int) -> Tokenizer:
        """Cuts texts at `max_length` tokens. Raises DesignError when the encoder has no such place, or when
        the tokenizer is not made for it."""
        places, entries = self.encoder.config.max_positions, self.encoder.config.vocab_size
        if max_length > places:
            raise DesignError(f"training.max_length is {max_length}, and the encoder has {places} positions")
        tokenizer = load_tokenizer(self.tokenizer_file, max_length)
        if tokenizer.token_to_id("[PAD]") != PAD or tokenizer.get_vocab_size() > entries:
            raise DesignError(
                f"{self.tokenizer_file} does not fit: it needs [PAD] as number {PAD} and at most {entries} "
                f"entries, and has {tokenizer.token_to_id('[PAD]')} and {tokenizer.get_vocab_size()}"
            )
        return tokenizer


def start(choice: EncoderChoice, seed: int) -> Start:
    """The encoder of a design's choice; the seed draws the weights of a random one.

    Raises SourceUnavailable when it cannot be had, and what `load_encoder` and `load_student` raise when it
    is damaged.
    """
    folder = _folder(choice)
    if choice.kind == "released":
        teacher_folder = data.small_model_dir()
        encoder = load_student(folder, load_encoder(teacher_folder))
        found = Start(encoder, teacher_folder / "tokenizer.json", sha256_of(folder / WEIGHTS))
    else:
        encoder = load_encoder(folder)
        encoder = from_layers(encoder, choice.layers) if choice.layers else encoder
        found = Start(encoder, folder / "tokenizer.json", sha256_of(folder / "model.safetensors"))
    return replace(found, encoder=random_like(encoder, seed)) if choice.random else found


def _folder(choice: EncoderChoice) -> Path:
    """Where the files of an encoder are; fetched from the hub where they have to be."""
    if choice.kind in ("small", "small-layers"):
        return data.small_model_dir()
    assert choice.name is not None
    if choice.kind == "released":
        return released_dir(choice.name)
    if choice.kind == "folder":
        folder = Path(choice.name)
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise SourceUnavailable(f"{folder} has no {', '.join(missing)}; it needs {', '.join(FILES)}")
        return folder
    return copy_on_disk(choice.name) or _download(choice.name)


def _download(repository: str) -> Path:
    """The three files of a hub repository, in the library's own cache."""
    from course_utils.scale import go_offline

    go_offline()  # before the library reads the setting
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(repository, allow_patterns=list(FILES)))
    except (OSError, ValueError) as problem:
        raise SourceUnavailable(
            f"{repository} could not be read from the hub: {remedy(repository)}"
        ) from problem
