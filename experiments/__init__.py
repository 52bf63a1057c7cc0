"""The commands that measure: `python -m experiments.NAME`, run in a checkout, writes `results/NAME.json`."""
