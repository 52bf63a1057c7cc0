"""Distillation: a small network learns from what a large one says (Hinton et al. 2015)."""
