"""Transformers and their forerunners, written out in PyTorch and proven equal to the reference library."""
