"""Makes the sample applications' packages importable; their pure parts need nothing but Python."""

from __future__ import annotations

import pathlib
import sys

_SAMPLES = pathlib.Path(__file__).parents[3] / "samples"
sys.path[:0] = [str(_SAMPLES / "backend"), str(_SAMPLES / "frontend")]
