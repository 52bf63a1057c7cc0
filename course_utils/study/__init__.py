"""The generalization study: models fine-tuned on one domain, tested on others.

`design` says what is compared before anything runs, `data` makes the rows that all runs share, `execute`
makes one run, `processes` and `cluster` make many, and `runs` is the format of what a run leaves behind.
Reports are made from those files alone.
"""
