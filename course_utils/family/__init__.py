"""What each member of the BERT family changed, one change at a time, in the contest's formal language.

A study is a YAML file beside this module: its arms differ in one thing each, and everything else (texts,
seeds, order of batches, compute or tokens) is the same. `design` reads it, `variants` and its neighbors are
the changes themselves, `runs` makes the runs, `report` compares the arms paired by seed, `verdicts` judges
the claims by rules that the study states before it runs.
"""
