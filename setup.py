"""Carry what was measured and trained in the package: chapters find it where there is no checkout (Colab).

Everything else stands in pyproject.toml, which cannot map a folder outside the package and find packages too.
"""

from setuptools import find_packages, setup

BUNDLED = {"course_utils.bundled_results": "results", "course_utils.bundled_weights": "weights"}

setup(packages=[*find_packages(include=["course_utils*"]), *BUNDLED], package_dir=BUNDLED)
