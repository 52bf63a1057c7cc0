"""The words of three reviews, weighed in five ways: what chapter 11 draws. No claim is judged here.

The reviews were written for the course. The classifier is that of `experiments.spaces_attention`, where the
ways are measured; there they are explained too. Weights of a way sum to 1 over the words, except those of
"leave out", which are falls of the predicted class's probability and may be below 0. `special` is the share
of the mean attention that goes to [CLS] and [SEP], which the pictures leave out.

Run: python -m experiments.spaces_pictures   (about 10 CPU seconds with the teacher in the cache)
"""

import time

import torch

from course_utils import results
from course_utils.analysis.attention import attention_maps, received, without_special
from course_utils.analysis.explanations import Words, leave_one_out, probabilities
from course_utils.distillation import task
from course_utils.finetuning.classifier import load_tokenizer
from experiments.spaces_attention import batch_of, weights_of
from experiments.spaces_common import LONGEST

NAME = "spaces_pictures"
REVIEWS = (
    "The plot is thin, but the acting is wonderful and I would watch it again.",
    "Not a single joke works, and the ending is as dull as the rest.",
    "A long and quiet film that I admired more than I enjoyed.",
)
WAYS = ("mean", "rollout", "last layer", "gradient")


def main() -> None:
    torch.set_num_threads(1)
    started, model = time.perf_counter(), task.teacher(0)
    tokenizer = load_tokenizer(task.tokenizer_file(), LONGEST)
    chosen = [Words.of(tokenizer, text) for text in REVIEWS]
    ways, _single = weights_of(model, chosen)
    ids, real, words = batch_of(chosen)
    scores = received(attention_maps(model.encoder, ids, real), real)
    kept = (scores * words).sum(dim=1)
    assert torch.allclose(without_special(scores, words) * kept[:, None], scores * words, atol=1e-6)
    positive = probabilities(model, [one.without([]) for one in chosen])[:, 1]
    rows = []
    for number, one in enumerate(chosen):
        head = {"review": number, "words": one.words, "positive": float(positive[number])}
        for way in WAYS:
            weights = ways[way][number]
            rows.append({**head, "way": way, "weights": (weights / weights.sum()).tolist()})
        out = leave_one_out(model, one).tolist()
        rows.append({**head, "way": "leave out", "weights": out, "special": 1 - float(kept[number])})
    results.write(
        NAME,
        command=f"python -m experiments.{NAME}",
        rows=rows,
        seeds=[0],
        seconds=time.perf_counter() - started,
        tolerance={"relative": 0.05, "absolute": 0.01, "ignore": []},
    )


if __name__ == "__main__":
    main()
