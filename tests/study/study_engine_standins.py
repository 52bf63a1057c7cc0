"""Stand-ins that make a study cheap: checkpoints of two thin layers, files of made-up reviews, small designs.

A made-up review has two words of praise or of blame among words that say nothing, so that a model can learn.
"""

import csv
import random
from pathlib import Path

import pandas as pd
import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from course_utils.study import design

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PRAISE, BLAME = ["good", "great", "lovely", "fine"], ["bad", "awful", "dull", "poor"]
FILLER = [f"{letter}{number}" for letter in "abcdefghij" for number in range(10)]
CONFIGS = {
    "bert": {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24},
    "distilbert": {"dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 24},
}


def checkpoint(folder: Path, family: str = "bert") -> Path:
    """A checkpoint of random weights that transformers wrote, and its tokenizer."""
    pieces = [*SPECIAL, *PRAISE, *BLAME, *FILLER]
    torch.manual_seed(1)
    config = transformers.AutoConfig.for_model(
        family, vocab_size=len(pieces), max_position_embeddings=256, **CONFIGS[family]
    )
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    vocab = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def text(label: int, rng: random.Random) -> str:
    """One review."""
    words = rng.choices(PRAISE if label else BLAME, k=2) + rng.choices(FILLER, k=rng.randint(4, 12))
    rng.shuffle(words)
    return " ".join(words)


def file(path: Path, rows: int, seed: int, **more: str) -> Path:
    """A CSV file: text, label, stars (3 for every eighth row), shop (five rows each)."""
    rng = random.Random(seed)
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        writer.writerow(["text", "label", "stars", "shop", *more])
        for row in range(rows):
            label = row % 2
            writer.writerow([text(label, rng), label, 5 if label else 1, f"shop{row // 5}", *more.values()])
    return path


DESIGN = """
question: Does it work?
hypotheses:
  - {{id: worse, statement: The thin one is worse., first: thin, second: whole, quantity: gap,
     metric: auc, direction: greater, smallest_effect: 0.02}}
systems:
  whole: {{method: fine-tune, title: whole, encoder: {{kind: folder, name: {model}}}}}
  thin:
    {{method: fine-tune, title: thin, encoder: {{kind: folder, name: {model}, random: true}},
      training: {{learning_rate: 0.002}}}}
  frozen: {{method: probe, title: frozen, encoder: {{kind: folder, name: {model}}}, seeds: 1}}
  words: {{method: tfidf, title: words, seeds: 1}}
  majority: {{method: majority, title: majority, seeds: 1}}
domains:
  food: {{source: file, name: {food}, title: food, columns: {{rating: stars, group: shop}}}}
  games: {{source: file, name: {games}, title: games, columns: {{rating: stars, group: shop}}}}
seeds: {{food: 2, games: 1}}
rows: {{train: 64, validation: 16, test: 40}}
training: {{epochs: {epochs}, batch_size: 8, learning_rate: 0.001, max_length: 16, checkpoint_every: 4}}
metrics: [accuracy, balanced_accuracy, auc]
primary: balanced_accuracy
alpha: 0.05
exclusions: {{least_validation_accuracy: 0.6, least_rows_of_class: 5}}
power: {{wanted: 0.8, seed_sd: 0.02, source: none}}
"""


def design_text(folder: Path, epochs: float = 2) -> str:
    """The text of a small design, with its checkpoint and its two files in `folder`."""
    return DESIGN.format(
        model=checkpoint(folder / "model"),
        food=file(folder / "food.csv", 300, 1),
        games=file(folder / "games.csv", 300, 2),
        epochs=epochs,
    )


def small_design(folder: Path, epochs: float = 2) -> design.Design:
    """The same, read."""
    return design.parse(design_text(folder, epochs), "small")


def _table(rows: int, seed: int, columns: dict[str, str], labels: list[int]) -> pd.DataFrame:
    """Rows with the labels in turn; the sentiment of a label is whether it is in the upper half."""
    rng = random.Random(seed)
    label = [labels[row % len(labels)] for row in range(rows)]
    words = [text(int(one > (labels[0] + labels[-1]) / 2), rng) for one in label]
    return pd.DataFrame({columns["text"]: words, columns["label"]: label})


def _parquet(root: Path, repository: str, config: str, splits: dict[str, pd.DataFrame]) -> None:
    folder = root / repository / config
    folder.mkdir(parents=True)
    lines = ["---", "configs:", f"- config_name: {config}", "  data_files:"]
    for split, table in splits.items():
        table.to_parquet(folder / f"{split}-00000-of-00001.parquet", index=False)
        lines += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (root / repository / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")


def hub(root: Path) -> Path:
    """A folder of hub repositories: the five review sets and the two models, all made up."""
    plain = {"text": "text", "label": "label"}
    sst = {"text": "sentence", "label": "label"}
    amazon = {"text": "content", "label": "label"}
    folder = root / "ksang/steamreviews"
    folder.mkdir(parents=True)
    games = _table(400, 1, {"text": "review_text", "label": "review_score"}, [-1, 1])
    games.insert(0, "app_id", [row // 10 for row in range(len(games))])
    games.to_csv(folder / "dataset.csv", index=False)
    _parquet(
        root,
        "stanfordnlp/imdb",
        "plain_text",
        {"train": _table(120, 2, plain, [0, 1]), "test": _table(120, 3, plain, [0, 1])},
    )
    _parquet(
        root,
        "stanfordnlp/sst2",
        "default",
        {"train": _table(120, 4, sst, [0, 1]), "validation": _table(40, 5, sst, [0, 1])},
    )
    _parquet(
        root,
        "Yelp/yelp_review_full",
        "yelp_review_full",
        {"train": _table(150, 6, plain, [0, 1, 2, 3, 4]), "test": _table(150, 7, plain, [0, 1, 2, 3, 4])},
    )
    tables = {
        split: _table(120, seed, amazon, [0, 1]).assign(title="")
        for split, seed in (("train", 8), ("test", 9))
    }
    _parquet(root, "fancyzhx/amazon_polarity", "amazon_polarity", tables)
    checkpoint(root / "google-bert/bert-base-uncased", "bert")
    checkpoint(root / "distilbert/distilbert-base-uncased", "distilbert")
    return root
