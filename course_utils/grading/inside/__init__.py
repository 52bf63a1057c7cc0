"""What runs inside the sandbox, beside the student's code: the standard library and IPython alone.

Nothing here knows an expected value, another student's answer or a score.
"""
