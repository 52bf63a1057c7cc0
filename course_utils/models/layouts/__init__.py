"""How each architecture is spelled in the transformers library: names of weights, fields of config.json.

A layout is data only; `weights.py` reads and writes checkpoints with it.
"""

from course_utils.models.layouts.base import Layout
from course_utils.models.layouts.decoders import BART, GPT2, T5
from course_utils.models.layouts.encoders import ALBERT, BERT, DISTILBERT, ELECTRA, ROBERTA

LAYOUTS: dict[str, Layout] = {
    "bert": BERT,
    "roberta": ROBERTA,
    "albert": ALBERT,
    "distilbert": DISTILBERT,
    "electra": ELECTRA,
    "gpt2": GPT2,
    "bart": BART,
    "t5": T5,
}

__all__ = ["LAYOUTS", "Layout"]
