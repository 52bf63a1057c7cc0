"""The four kinds of task of `finetuning_tasks`: data, learning, scores and baselines of each."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from tokenizers import Tokenizer

from course_utils import data, metrics
from course_utils.data import task_sets
from course_utils.data.task_sets import Labeled, Pair, Question, Tagged
from course_utils.finetuning import answering, classifier, tagging
from course_utils.finetuning.alignment import tag_set
from course_utils.models.encoder import Encoder
from course_utils.training import TrainingConfig

Scores = dict[str, float]  # in percent
BATCH = 16
LONGEST = 128  # tokens of a sentence or a pair; both sets have hardly a longer one
HIGHEST = 5.0  # STS-B's similarity goes from 0 to it
SENTENCE_END = r"(?<=[.!?])\s+"
ARTICLE = 5  # passages that XQuAD has of each article, in a row
HELD_OUT_ARTICLES = 24  # of 48


@dataclass(frozen=True)
class Kind:
    """One kind of task. main: the score that the rule is about."""

    name: str
    training: int  # examples of one seed
    passes: int
    testing: int
    main: str
    pool: Callable[[], tuple[list[Any], list[Any]]]
    learn: Callable[[Encoder, Sequence[Any], Sequence[Any], TrainingConfig], Scores]
    baselines: Callable[[Sequence[Any], Sequence[Any]], dict[str, Scores]]

    def drawn(self, seed: int) -> tuple[list[Any], list[Any]]:
        """The training examples of one seed, and the test examples, the same for all seeds."""
        training, testing = _pool(self)
        return _draw(training, self.training, seed), _draw(testing, self.testing, 2026)


def _draw(pool: Sequence[Any], count: int, seed: int) -> list[Any]:
    return [pool[i] for i in np.random.default_rng([seed, 6]).permutation(len(pool))[:count]]


@cache
def _pool(kind: Kind) -> tuple[list[Any], list[Any]]:
    return kind.pool()


@cache
def tokenizer(longest: int | None) -> Tokenizer:
    """The small real encoder's WordPiece."""
    return classifier.load_tokenizer(data.small_model_dir() / "tokenizer.json", longest)


def _percent(**scores: float) -> Scores:
    return {name: 100 * score for name, score in scores.items()}


# ---------------------------------------------------------------------- sentences


def _sentence_pool() -> tuple[list[Labeled], list[Labeled]]:
    return task_sets.sentences("sst2", "train"), task_sets.sentences("sst2", "validation")


def _encoded(rows: Sequence[Labeled]) -> list[classifier.Example]:
    return classifier.encode(tokenizer(LONGEST), [row.text for row in rows], [row.label for row in rows])


def _learn_classes(
    encoder: Encoder, training: Sequence[Labeled], testing: Sequence[Labeled], config: TrainingConfig
) -> Scores:
    model = classifier.new_classifier(encoder, 2, config.seed)
    classifier.fine_tune(model, _encoded(training), config)
    predicted = classifier.predict(model, _encoded(testing)).argmax(-1).tolist()
    return _class_scores(testing, predicted)


def _class_scores(rows: Sequence[Labeled], predicted: Sequence[int]) -> Scores:
    return {"accuracy": 100 * metrics.accuracy([row.label for row in rows], predicted)}


def _class_baselines(training: Sequence[Labeled], testing: Sequence[Labeled]) -> dict[str, Scores]:
    """The most frequent class, and logistic regression on words and pairs of words."""
    labels = [row.label for row in training]
    vectorizer = CountVectorizer(ngram_range=(1, 2), binary=True)
    bag = LogisticRegression(max_iter=2000)
    bag.fit(vectorizer.fit_transform([row.text for row in training]), labels)
    predicted = bag.predict(vectorizer.transform([row.text for row in testing])).tolist()
    return {
        "majority": _class_scores(testing, [Counter(labels).most_common(1)[0][0]] * len(testing)),
        "bag of words": _class_scores(testing, predicted),
    }


# ---------------------------------------------------------------------- pairs


def _pair_pool() -> tuple[list[Pair], list[Pair]]:
    return task_sets.pairs("stsb", "train"), task_sets.pairs("stsb", "validation")


def _encoded_pairs(rows: Sequence[Pair]) -> list[classifier.Example]:
    labels = [row.label / HIGHEST for row in rows]
    cutter = tokenizer(LONGEST)
    return classifier.encode_pairs(cutter, [row.first for row in rows], [row.second for row in rows], labels)


def _learn_similarity(
    encoder: Encoder, training: Sequence[Pair], testing: Sequence[Pair], config: TrainingConfig
) -> Scores:
    model = classifier.new_classifier(encoder, 1, config.seed)
    classifier.fine_tune(model, _encoded_pairs(training), config, loss=classifier.squared_error)
    return _similarity_scores(testing, classifier.predict(model, _encoded_pairs(testing))[:, 0].tolist())


def _similarity_scores(rows: Sequence[Pair], predicted: Sequence[float]) -> Scores:
    true = [row.label for row in rows]
    return {
        "spearman": 100 * metrics.spearman(true, predicted),
        "pearson": 100 * metrics.pearson(true, predicted),
    }


def _pair_baselines(training: Sequence[Pair], testing: Sequence[Pair]) -> dict[str, Scores]:
    """The share of words in common, without learning; and ridge regression on words, with that share."""
    vectorizer = CountVectorizer(binary=True).fit([text for row in training for text in row[:2]])
    bag = Ridge(alpha=10.0).fit(_counts(vectorizer, training), [row.label for row in training])
    return {
        "words in common": _similarity_scores(testing, [shared_words(row) for row in testing]),
        "bag of words": _similarity_scores(testing, bag.predict(_counts(vectorizer, testing)).tolist()),
    }


def shared_words(pair: Pair) -> float:
    """The share of different words that both sentences have.

    >>> shared_words(Pair("A man plays.", "A man sings.", 2.0))
    0.5
    """
    first, second = (set(re.findall(r"\w+", text.lower())) for text in pair[:2])
    return len(first & second) / max(1, len(first | second))


def _counts(vectorizer: CountVectorizer, rows: Sequence[Pair]) -> sparse.csr_matrix:
    """Words that both have, words that only one has, and the share in common, weighted so that it counts."""
    first, second = (vectorizer.transform([row[side] for row in rows]) for side in (0, 1))
    common = first.multiply(second)
    share = sparse.csr_matrix([[10 * shared_words(row)] for row in rows])
    return sparse.hstack([common, first + second - 2 * common, share]).tocsr()


# ---------------------------------------------------------------------- tags


def _tag_pool() -> tuple[list[Tagged], list[Tagged]]:
    sets = (task_sets.tagged_sentences("conll2003", split) for split in ("train", "test"))
    training, testing = ([row for row in rows if len(row.words) > 1] for rows in sets)
    return training, testing


def _learn_tags(
    encoder: Encoder, training: Sequence[Tagged], testing: Sequence[Tagged], config: TrainingConfig
) -> Scores:
    numbers = tag_set([row.tags for row in training])
    cutter = tokenizer(None)
    learned = tagging.encode_tagged(cutter, [r.words for r in training], [r.tags for r in training], numbers)
    # The truth of the test sentences is kept apart: a tag that training has not seen has no number.
    asked = tagging.encode_tagged(
        cutter, [r.words for r in testing], [["O"] * len(r.words) for r in testing], numbers
    )
    model = tagging.new_tagger(encoder, len(numbers), config.seed)
    tagging.fine_tune_tagger(model, learned, config)
    return tag_scores([row.tags for row in testing], tagging.predict_tags(model, asked, numbers))


def tag_scores(true: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> Scores:
    """Precision, recall and F1 of entities, and the accuracy over words that flatters."""
    found = metrics.entity_scores(true, predicted)
    words = metrics.accuracy([t for row in true for t in row], [t for row in predicted for t in row])
    return _percent(f1=found.f1, precision=found.precision, recall=found.recall, accuracy=words)


def _tag_baselines(training: Sequence[Tagged], testing: Sequence[Tagged]) -> dict[str, Scores]:
    """No entity at all, and each word's most frequent tag (O for a new word)."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in training:
        for word, tag in zip(row.words, row.tags, strict=True):
            seen[word][tag] += 1
    usual = {word: tags.most_common(1)[0][0] for word, tags in seen.items()}
    true = [row.tags for row in testing]
    return {
        "majority": tag_scores(true, [["O"] * len(row.words) for row in testing]),
        "most frequent tag": tag_scores(true, [[usual.get(w, "O") for w in row.words] for row in testing]),
    }


# ---------------------------------------------------------------------- answers


def _question_pool() -> tuple[list[Question], list[Question]]:
    """Questions, each with the sentence that holds its answer; no article is in both parts."""
    everything = task_sets.questions("xquad")
    place = {passage: i for i, passage in enumerate(dict.fromkeys(q.passage for q in everything))}
    held_out = set(np.random.default_rng(48).permutation(len(place) // ARTICLE)[:HELD_OUT_ARTICLES].tolist())
    parts: tuple[list[Question], list[Question]] = ([], [])
    for question in everything:
        parts[place[question.passage] // ARTICLE in held_out].append(only_sentence(question))
    return parts


def only_sentence(question: Question) -> Question:
    """The same question, its passage cut to the sentence of the first answer, or the sentences it lies in.

    >>> only_sentence(Question("1", "Who won?", "It rained. Then Rollo won.", ("Rollo",), (16,)))[2:]
    ('Then Rollo won.', ('Rollo',), (5,))
    """
    begin, end = question.starts[0], question.starts[0] + len(question.answers[0])
    borders = [0, *(gap.end() for gap in re.finditer(SENTENCE_END, question.passage)), len(question.passage)]
    left = max(border for border in borders if border <= begin)
    right = min(border for border in borders if border >= end)
    passage = question.passage[left:right].rstrip()
    return question._replace(passage=passage, answers=question.answers[:1], starts=(begin - left,))


def _learn_answers(
    encoder: Encoder, training: Sequence[Question], testing: Sequence[Question], config: TrainingConfig
) -> Scores:
    cutter = tokenizer(None)
    learned = [example for question in training for example in answering.encode_question(cutter, question)]
    model = answering.new_answerer(encoder, config.seed)
    answering.fine_tune_answerer(model, learned, config)
    answers = answering.predict_answers(model, cutter, testing)
    return _answer_scores(testing, [answer.text for answer in answers])


def _answer_scores(questions: Sequence[Question], answers: Sequence[str]) -> Scores:
    given = {question.id: answer for question, answer in zip(questions, answers, strict=True)}
    scores = metrics.answer_scores(given, {question.id: question.answers for question in questions})
    return {"f1": scores["f1"], "exact match": scores["exact_match"]}


def _answer_baselines(training: Sequence[Question], testing: Sequence[Question]) -> dict[str, Scores]:
    """Nothing is learned: the whole sentence, and its first name or number that the question has not."""
    return {
        "whole sentence": _answer_scores(testing, [question.passage for question in testing]),
        "first name": _answer_scores(testing, [first_name(q.question, q.passage) for q in testing]),
    }


def first_name(question: str, sentence: str) -> str:
    """The first run of capitalized words or numbers behind the sentence's first word and not in the question.

    >>> first_name("Who won the cup?", "The cup was won by King Rollo in 911.")
    'King Rollo'
    """
    for found in re.finditer(
        r"(?<=\s)(?:[A-Z]\w*|\d[\d.,]*\d|\d)(?:\s(?:[A-Z]\w*|\d[\d.,]*\d|\d))*", sentence
    ):
        if found.group().lower() not in question.lower():
            return found.group()
    return sentence


KINDS = (
    Kind("sentence", 600, 2, 300, "accuracy", _sentence_pool, _learn_classes, _class_baselines),
    Kind("pair", 320, 2, 300, "spearman", _pair_pool, _learn_similarity, _pair_baselines),
    Kind("tagging", 300, 3, 300, "f1", _tag_pool, _learn_tags, _tag_baselines),
    Kind("answers", 320, 2, 200, "f1", _question_pool, _learn_answers, _answer_baselines),
)
