"""The metrics of the tasks in chapters 6 and 12, each equal to its reference implementation on random inputs.

=================================  =========================================  =======================
function                           what                                       equal to
=================================  =========================================  =======================
answer_scores                      exact match and token F1, in percent       SQuAD's script, v1.1
exact_match, token_f1              the same for one question                  SQuAD's script, v1.1
entity_scores                      span F1 of tagged entities                 seqeval
accuracy, f1, macro_f1, micro_f1   labels                                     scikit-learn
matthews                           labels, CoLA's metric                      scikit-learn
balanced_accuracy                  labels of skewed classes                   scikit-learn
auc, best_threshold                scores of two classes                      scikit-learn, a loop
quadratic_kappa                    ordered classes                            scikit-learn
mean_absolute_error                ordered classes, in classes                scikit-learn
pearson, spearman                  numbers, STS-B's metrics                   scipy
glue_average                       mean over tasks of means over metrics      GLUE's leaderboard
=================================  =========================================  =======================

All but `answer_scores` and `mean_absolute_error` go from 0 to 1, correlations and kappa from -1 to 1.
"""

from course_utils.metrics.answers import answer_scores, exact_match, normalize_answer, token_f1
from course_utils.metrics.correlation import pearson, ranks, spearman
from course_utils.metrics.entities import (
    Entity,
    Scores,
    entities,
    entity_scores,
    entity_scores_by_kind,
    split_tag,
)
from course_utils.metrics.glue import TASKS, column_average, glue_average, task_average
from course_utils.metrics.labels import accuracy, f1, f1_by_class, macro_f1, matthews, micro_f1
from course_utils.metrics.ordinal import mean_absolute_error, quadratic_kappa
from course_utils.metrics.thresholds import auc, balanced_accuracy, best_threshold

__all__ = [
    "TASKS",
    "Entity",
    "Scores",
    "accuracy",
    "answer_scores",
    "auc",
    "balanced_accuracy",
    "best_threshold",
    "column_average",
    "entities",
    "entity_scores",
    "entity_scores_by_kind",
    "exact_match",
    "f1",
    "f1_by_class",
    "glue_average",
    "macro_f1",
    "matthews",
    "mean_absolute_error",
    "micro_f1",
    "normalize_answer",
    "pearson",
    "quadratic_kappa",
    "ranks",
    "spearman",
    "split_tag",
    "task_average",
    "token_f1",
]
