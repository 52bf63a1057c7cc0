"""The small package behind the course: what the chapters import, built and tested once."""

__version__ = "0.1.0"
