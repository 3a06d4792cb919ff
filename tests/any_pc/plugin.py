"""Tests of the host without what only Unix has, here and in every `ccdmon` that they start."""

import os
from pathlib import Path

from tests.any_pc import sitecustomize  # noqa: F401  it acts when it is loaded

_FOLDER = str(Path(__file__).parent)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [_FOLDER, os.environ.get("PYTHONPATH")]))
