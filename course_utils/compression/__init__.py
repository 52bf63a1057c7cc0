"""A fine-tuned classifier made smaller and faster: fewer weights, fewer bits, another engine.

`recipe` chains named steps, `saved` puts the result into a folder, `quantize` holds the arithmetic.
"""
