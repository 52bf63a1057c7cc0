"""Carry the measured results in the package, so that chapters find them where there is no checkout (Colab).

Everything else stands in pyproject.toml, which cannot map a folder outside the package and find packages too.
"""

from setuptools import find_packages, setup

BUNDLED = "course_utils.bundled_results"

setup(packages=[*find_packages(include=["course_utils*"]), BUNDLED], package_dir={BUNDLED: "results"})
