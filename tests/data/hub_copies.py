"""Tiny copies of the hub's repositories on disk: their real columns, types and README, made-up texts."""

import csv
from pathlib import Path
from typing import Any

from datasets import ClassLabel, Dataset, Features, Value

LABELED = {"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])}


def write(root: Path, repository: str, config: str, splits: dict[str, Dataset]) -> Path:
    """A repository whose README names a configuration with one Parquet file a split, like the hub's."""
    folder = root / repository / config
    folder.mkdir(parents=True)
    lines = ["---", "configs:", f"- config_name: {config}", "  data_files:"]
    for split, table in splits.items():
        table.to_parquet(str(folder / f"{split}-00000-of-00001.parquet"))
        lines += [f"  - split: {split}", f"    path: {config}/{split}-*"]
    (root / repository / "README.md").write_text("\n".join([*lines, "---", ""]), encoding="utf-8")
    return root / repository


def table(features: dict[str, Any], **columns: list[Any]) -> Dataset:
    """A small table with exactly these types."""
    return Dataset.from_dict(columns, features=Features(features))


def imdb(root: Path, train: int = 10) -> Path:
    """25 + 25 thousand reviews and 50 thousand without a label, in small."""
    texts = [f"Scene {number}.<br /><br />Then it ends." for number in range(train)]
    return write(
        root,
        "stanfordnlp/imdb",
        "plain_text",
        {
            "train": table(LABELED, text=texts, label=[number % 2 for number in range(train)]),
            "test": table(LABELED, text=["Scene 3.<br /><br />Then it ends.", "A new film."], label=[1, 0]),
            "unsupervised": table(LABELED, text=["Who knows?"], label=[-1]),
        },
    )


def sst2(root: Path) -> Path:
    """idx, sentence, label, with hidden test labels."""
    kinds = {
        "idx": Value("int32"),
        "sentence": Value("string"),
        "label": ClassLabel(names=["negative", "positive"]),
    }
    return write(
        root,
        "stanfordnlp/sst2",
        "default",
        {
            "train": table(
                kinds, idx=[0, 1, 2], sentence=["so dull ", "a joy ", "seen before "], label=[0, 1, 0]
            ),
            "validation": table(kinds, idx=[0, 1], sentence=["seen before ", "bright "], label=[0, 1]),
            "test": table(kinds, idx=[0], sentence=["secret "], label=[-1]),
        },
    )


def yelp(root: Path) -> Path:
    """label 0..4 and text with escaped line breaks."""
    stars = ClassLabel(names=["1 star", "2 star", "3 stars", "4 stars", "5 stars"])
    kinds = {"label": stars, "text": Value("string")}
    texts = [f'Visit {number}.\\nThe ""soup"" was there.' for number in range(10)]
    return write(
        root,
        "Yelp/yelp_review_full",
        "yelp_review_full",
        {
            "train": table(kinds, label=[number % 5 for number in range(10)], text=texts),
            "test": table(kinds, label=[4], text=["Fine."]),
        },
    )


def amazon(root: Path) -> Path:
    """label, title and content."""
    kinds = {
        "label": ClassLabel(names=["negative", "positive"]),
        "title": Value("string"),
        "content": Value("string"),
    }
    return write(
        root,
        "fancyzhx/amazon_polarity",
        "amazon_polarity",
        {
            "train": table(
                kinds, label=[0, 1], title=["Broken", "Solid"], content=["It fell apart.", "It holds."]
            ),
            "test": table(kinds, label=[1], title=["Good"], content=["It does what it says."]),
        },
    )


def emotion(root: Path) -> Path:
    """text and one of six classes."""
    kinds = {
        "text": Value("string"),
        "label": ClassLabel(names=["sadness", "joy", "love", "anger", "fear", "surprise"]),
    }
    return write(
        root,
        "dair-ai/emotion",
        "split",
        {
            "train": table(kinds, text=[f"i feel {number}" for number in range(6)], label=list(range(6))),
            "validation": table(kinds, text=["i feel calm"], label=[1]),
            "test": table(kinds, text=["i feel lost"], label=[0]),
        },
    )


def steam(root: Path, games: int = 40, reviews: int = 10) -> Path:
    """One CSV file: app_id, app_name, review_text, review_score -1 or 1, review_votes."""
    folder = root / "ksang/steamreviews"
    folder.mkdir(parents=True)
    with (folder / "dataset.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["app_id", "app_name", "review_text", "review_score", "review_votes"])
        for game in range(games):
            for review in range(reviews):
                score = -1 if review % 5 == 0 else 1
                writer.writerow([game, f"Game {game}", f"Game {game}, take {review}", score, 0])
            writer.writerow([game, f"Game {game}", "Early Access Review", 1, 0])
            writer.writerow([game, f"Game {game}", "", 1, 0])
    return folder
