"""Figures as files: every format, the same bytes for the same history, all or nothing."""

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from metalab import __version__
from metalab.figures.base import FigureChoices, FigureError, FigureSpec
from metalab.figures.drawing import Drawing
from metalab.figures.formats import DPI_RANGE, FORMATS
from metalab.figures.paint import paint, styled
from metalab.figures.registry import figure_named
from metalab.figures.script import script
from metalab.figures.sizes import FigureSize, size_named
from metalab.runs.history import RunHistory
