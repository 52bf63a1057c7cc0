#!/usr/bin/env bash
# Gradescope runs this, as root, for every submission; it leaves results/results.json, whatever happens.
set -uo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
results="$root/results/results.json"
export PYTHONPATH="$root/source" PYTHONDONTWRITEBYTECODE=1
mkdir -p "$root/results"
rm -f "$results"
cd "$root/source" || exit 1
"${AUTOGRADER_PYTHON:-$root/python/bin/python}" -m course_utils.grading.gradescope "$root"
status=$?
if [ ! -e "$results" ]; then
  said="This submission was not graded: the autograder could not start. Please tell your instructor."
  printf '{"score": 0, "output": "%s", "stdout_visibility": "hidden"}\n' "$said" >"$results"
fi
exit "$status"
