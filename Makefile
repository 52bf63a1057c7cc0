# The two commands of README.md, which also lists the plain commands behind them.
# Another Python: make book PYTHON=python3.12
PYTHON ?= python3

.PHONY: help setup book test clean

help:
	@echo "make book   set up .venv, fetch the data, execute the chapters, build _build/html"
	@echo "make test   set up .venv, then lint, type-check and test everything"
	@echo "make clean  remove the built book (packages and data stay)"

setup:
	@command -v $(PYTHON) >/dev/null || { echo "[setup] $(PYTHON) is not installed: install Python 3.11 or newer, or run make book PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) tools/setup.py

book: setup
	@.venv/bin/python tools/book.py

test: setup
	@.venv/bin/python tools/check.py

clean:
	rm -rf _build
