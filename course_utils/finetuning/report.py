"""What a fine-tuned classifier is worth, on rows that it has not seen: numbers, and a page to read."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.pipeline import make_pipeline

from course_utils.calibration import expected_calibration_error, reliability_bins
from course_utils.finetuning.job import Table
from course_utils.stats import Interval, bootstrap_interval

MOST_WRONG = 20
SHOWN = 400  # characters of a text
Probabilities = NDArray[np.float64]


def evaluate(table: Table, probabilities: Probabilities, seed: int = 0) -> dict[str, Any]:
    """Everything that the report tells of the test rows, as JSON values.

    probabilities: (test rows, classes). Intervals are 95% bootstrap intervals over test rows: they say how
    far another draw of test rows would move a number, not another training.
    """
    truth = np.array(table.labels["test"])
    answers = probabilities.argmax(1)
    right, confidence = (answers == truth).astype(float), probabilities.max(1)
    bag = _bag_of_words(table, seed)
    bag_right = (bag == truth).astype(float)
    majority = np.bincount(table.labels["train"]).argmax()
    rng = np.random.default_rng(seed)
    both = np.stack([confidence, right], axis=1)
    return {
        "classes": list(table.classes),
        "rows": {split: len(labels) for split, labels in table.labels.items()},
        "accuracy": _fields(bootstrap_interval(right, rng=rng)),
        "macro_f1": _fields(bootstrap_interval(np.stack([truth, answers], 1), _macro_f1, rng=rng)),
        "majority_accuracy": float((truth == majority).mean()),
        "bag_of_words_accuracy": _fields(bootstrap_interval(bag_right, rng=rng)),
        "gain_over_bag_of_words": _fields(bootstrap_interval(right - bag_right, rng=rng)),
        "calibration_error": _fields(
            bootstrap_interval(both, lambda x: expected_calibration_error(x[:, 0], x[:, 1]), rng=rng)
        ),
        "mean_confidence": float(confidence.mean()),
        "reliability": [asdict(b) for b in reliability_bins(confidence, right) if b.count],
        "confusion": confusion_matrix(truth, answers, labels=range(len(table.classes))).tolist(),
        "most_wrong": most_wrong(table, probabilities),
    }


def most_wrong(table: Table, probabilities: Probabilities, count: int = MOST_WRONG) -> list[dict[str, Any]]:
    """The test rows whose right class got the smallest probability, smallest first: often a wrong label."""
    truth = np.array(table.labels["test"])
    of_truth = probabilities[np.arange(len(truth)), truth]
    wrong = [i for i in np.argsort(of_truth, kind="stable") if probabilities[i].argmax() != truth[i]]
    return [
        {
            "line": table.places["test"][i],
            "text": table.texts["test"][i],
            "label": table.classes[truth[i]],
            "predicted": table.classes[int(probabilities[i].argmax())],
            "probability": float(probabilities[i].max()),
        }
        for i in wrong[:count]
    ]


def page(found: Mapping[str, Any], about: Sequence[tuple[str, str]]) -> str:
    """The report as one HTML page that needs nothing else. about: what was done, as (what, value)."""
    template = Template(resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8"))
    return template.substitute(
        about="".join(f"<tr><th scope=row>{_e(k)}</th><td>{_e(v)}</td></tr>" for k, v in about),
        scores=_scores(found),
        verdict=_e(_verdict(found)),
        reliability=_reliability(found["reliability"]),
        calibration=_e(_calibrated(found)),
        confusion=_confusion(found["classes"], found["confusion"]),
        wrong=_wrong(found["most_wrong"]),
    )


def _bag_of_words(table: Table, seed: int) -> NDArray[np.int64]:
    """The answers of the baseline that costs a second: TF-IDF and logistic regression."""
    baseline = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\S+"),
        LogisticRegression(max_iter=1000, C=10, random_state=seed),
    )
    return baseline.fit(table.texts["train"], table.labels["train"]).predict(table.texts["test"])


def _macro_f1(pairs: Probabilities) -> float:
    """The mean over the classes that occur of 2 hits / (labeled + predicted).

    Written out, since scikit-learn's takes a millisecond and a bootstrap needs thousands of them. pairs:
    (rows, 2), label and prediction.
    """
    truth, answers = pairs.astype(np.int64).T
    size = int(pairs.max()) + 1
    hits = np.bincount(truth[truth == answers], minlength=size)
    total = np.bincount(truth, minlength=size) + np.bincount(answers, minlength=size)
    return float((2 * hits[total > 0] / total[total > 0]).mean())


def _fields(interval: Interval) -> dict[str, float]:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _verdict(found: Mapping[str, Any]) -> str:
    gain, rows = found["gain_over_bag_of_words"], found["rows"]["test"]
    if gain["low"] > 0:
        return f"On these {rows} test rows it is better than a bag of words, beyond the chance of the draw."
    if gain["high"] < 0:
        return f"On these {rows} test rows it is worse than a bag of words: do not use it as it is."
    return (
        f"These {rows} test rows cannot tell it from a bag of words. More test rows, or more training, may."
    )


def _calibrated(found: Mapping[str, Any]) -> str:
    return (
        f"Its mean confidence is {found['mean_confidence']:.3f}, its accuracy "
        f"{found['accuracy']['estimate']:.3f}; the expected calibration error is "
        f"{_interval(found['calibration_error'])} (few rows make it look larger than it is)."
    )


def _scores(found: Mapping[str, Any]) -> str:
    majority = found["majority_accuracy"]
    rows = [
        ("Accuracy", _interval(found["accuracy"])),
        ("Macro F1", _interval(found["macro_f1"])),
        ("Accuracy of TF-IDF and logistic regression", _interval(found["bag_of_words_accuracy"])),
        ("Gain over it, on the same rows", _interval(found["gain_over_bag_of_words"])),
        ("Accuracy of always the most frequent class", f"{majority:.3f}"),
    ]
    return "".join(f"<tr><th scope=row>{_e(k)}</th><td>{_e(v)}</td></tr>" for k, v in rows)


def _interval(found: Mapping[str, float]) -> str:
    return f"{found['estimate']:.3f} [{found['low']:.3f}, {found['high']:.3f}]"


def _reliability(bins: Sequence[Mapping[str, Any]]) -> str:
    """A reliability diagram as SVG: a dot for each bin, its area the number of rows in it."""
    size = 240
    most = max(b["count"] for b in bins)
    dots = "".join(
        f'<circle cx="{b["confidence"] * size:.1f}" cy="{(1 - b["accuracy"]) * size:.1f}" '
        f'r="{3 + 9 * (b["count"] / most) ** 0.5:.1f}"><title>{b["count"]} rows: confidence '
        f"{b['confidence']:.2f}, right {b['accuracy']:.2f}</title></circle>"
        for b in bins
    )
    text = "; ".join(f"{b['count']} rows at {b['confidence']:.2f}: {b['accuracy']:.2f} right" for b in bins)
    return (
        f'<svg viewBox="-40 -10 300 290" role="img" aria-label="Accuracy against confidence: {_e(text)}">'
        f'<rect width="{size}" height="{size}" class="frame"/>'
        f'<line x1="0" y1="{size}" x2="{size}" y2="0"/>{dots}'
        f'<text x="{size / 2}" y="{size + 30}">confidence</text>'
        f'<text x="{-size / 2}" y="-22" transform="rotate(-90)">share that is right</text></svg>'
    )


def _confusion(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    head = "".join(f"<th scope=col>{_e(name)}</th>" for name in classes)
    rows = "".join(
        f"<tr><th scope=row>{_e(name)}</th>{''.join(f'<td>{n}</td>' for n in row)}</tr>"
        for name, row in zip(classes, counts, strict=True)
    )
    return f"<tr><td></td>{head}</tr>{rows}"


def _wrong(examples: Sequence[Mapping[str, Any]]) -> str:
    return "".join(
        f"<tr><td>{_e(x['line'])}</td><td>{_e(x['label'])}</td><td>{_e(x['predicted'])} "
        f"({x['probability']:.2f})</td><td>{_e(x['text'][:SHOWN])}{'…' * (len(x['text']) > SHOWN)}</td></tr>"
        for x in examples
    )


def _e(text: object) -> str:
    return html.escape(str(text))
