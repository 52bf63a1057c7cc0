"""tools/ is a folder of scripts and no package: put it where its tests can import it from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
