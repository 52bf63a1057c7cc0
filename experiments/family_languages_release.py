"""The release of the model that `experiments.family_languages` trained: weights/multilingual and its card."""

from pathlib import Path

from tokenizers import Tokenizer, decoders
from tokenizers import models as library_models
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing

from course_utils import results
from course_utils.data.translations import LANGUAGES
from course_utils.models.heads import MaskedLM
from course_utils.models.weights import save
from course_utils.paths import project_root
from course_utils.subword import WordPiece
from course_utils.subword.wordpiece import SPECIAL_TOKENS
from experiments import laptop_cards
from experiments.family_languages import NAME, SEEDS, TRAINING, training_texts, vocabulary


def as_library_tokenizer(words: WordPiece) -> Tokenizer:
    """The same vocabulary for the tokenizers library, so that the folder opens as any other BERT's does."""
    made = Tokenizer(library_models.WordPiece(words.vocab, unk_token="[UNK]"))
    made.normalizer = BertNormalizer(lowercase=True)
    made.pre_tokenizer = BertPreTokenizer()
    ends = [(token, words.vocab[token]) for token in ("[CLS]", "[SEP]")]
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(list(SPECIAL_TOKENS))
    return made


def release(model: MaskedLM) -> Path:
    """Write weights/multilingual: half precision, vocabulary, card; returns the folder."""
    root = project_root()
    if root is None:
        raise FileNotFoundError("a model is released into a checkout of the course, and there is none")
    folder = root / "weights" / "multilingual"
    facts = {
        "Use": '`course_utils.released.load_released("multilingual")`; short messages of programs',
        "Languages": ", ".join(LANGUAGES),
        "Architecture": "BERT of 4 layers, 128 wide, 4 heads, with its masked-LM head",
        "Weights": f"{sum(p.numel() for p in model.parameters()):,} in half precision",
        "Vocabulary": "8,000 word pieces for all languages, uncased and without accents; tokenizer.json",
        "Training text": "the translated messages of Home Assistant 2024.3.3 (Apache-2.0), four fifths of "
        f"them: {sum(map(len, training_texts().values())):,} texts; no language labels, no aligned pairs",
        "Training": f"{TRAINING.steps} steps of {TRAINING.batch_size} messages, seed {SEEDS[0]}, float32 on "
        "one thread of a laptop-class CPU, no GPU",
        "Command": f"`python -m experiments.{NAME}`",
        "Licence": "MIT, as the course",
    }
    table = results.load(NAME)
    rows = [
        {
            "messages": row["source"],
            "language": row["language"],
            "nats a masked token": row["nats"],
            "first guess right": row["first"],
            "nats, frequencies": row["frequency_nats"],
            "first guess, frequencies": row["frequency_first"],
        }
        for row in table.rows(kind="loss")
    ]
    note = (
        "Means over the three seeds of the experiment, of which the first is released; beside them, the\n"
        "frequencies of tokens in the language's training text. `django` are messages of other software.\n"
        "Language identity and alignment by layer are in `results/family_languages.json`."
    )
    save(model.half(), folder)
    as_library_tokenizer(vocabulary()).save(str(folder / "tokenizer.json"))
    laptop_cards.write(folder, "A small multilingual BERT", facts, rows, note)
    return folder
