"""Pretraining objectives as plain functions: from token ids to inputs and targets.

Every function takes ids and a `torch.Generator`, and never touches a model, so that an objective can be
read, printed and tested on one sentence. Two shapes occur, and each docstring says which:

- `(batch, length)` objectives keep the length: masked, causal, replaced token. Their `labels` have the
  shape of the inputs and hold -100 (`IGNORE`) wherever nothing is predicted.
- `(length,)` objectives change it: spans, denoising, sentence pairs. They map one sequence without
  special tokens to an `(inputs, targets)` pair, which the caller frames and pads.

Special and padding tokens are never corrupted, and are never drawn as a random replacement.
"""

from course_utils.objectives.tokens import IGNORE, Corrupted, SpecialTokens

__all__ = ["IGNORE", "Corrupted", "SpecialTokens"]
