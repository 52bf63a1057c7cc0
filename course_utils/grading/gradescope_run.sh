#!/usr/bin/env bash
# Gradescope runs this, as root, for every submission; it leaves results/results.json.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
export PYTHONPATH="$root/source" PYTHONDONTWRITEBYTECODE=1
cd "$root/source"
exec "${AUTOGRADER_PYTHON:-$root/python/bin/python}" -m course_utils.grading.gradescope "$root"
