#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image: bubblewrap, Python 3.11 or newer, packages.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
export DEBIAN_FRONTEND=noninteractive

apt-get install -y --no-install-recommends bubblewrap python3 python3-venv util-linux
python=python3
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  # Ubuntu 22.04 comes with Python 3.10, and has 3.11 beside it.
  apt-get install -y --no-install-recommends python3.11 python3.11-venv
  python=python3.11
fi
"$python" -m venv "$root/python"
"$root/python/bin/pip" install --quiet --requirement "$root/source/requirements.txt"

# Whoever is not root has no business here: the solution is among these files.
chmod 700 "$root/source"
if bwrap --ro-bind / / --unshare-pid --unshare-net true; then
  echo "The sandbox works in this container."
else
  echo "The sandbox does NOT work in this container: submissions will not be graded, and the results will say so." >&2
fi
