"""Complete tables of pictures, sounds, texts, numbers and categories with one multimodal generative model."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING, Any

from amodal.errors import BadCells, DataError, UsageError

if TYPE_CHECKING:
    from amodal.answers import pool, split
    from amodal.comparison import compare
    from amodal.estimator import TableModel
    from amodal.media import Sound
    from amodal.notebook import show
    from amodal.table import read_table, to_dataset, to_parquet

__version__ = "0.1.0"
__all__ = [
    "BadCells",
    "DataError",
    "Sound",
    "TableModel",
    "UsageError",
    "__version__",
    "compare",
    "pool",
    "read_table",
    "show",
    "split",
    "to_dataset",
    "to_parquet",
]

_HOMES = {
    "Sound": "amodal.media",
    "TableModel": "amodal.estimator",
    "compare": "amodal.comparison",
    "pool": "amodal.answers",
    "read_table": "amodal.table",
    "show": "amodal.notebook",
    "split": "amodal.answers",
    "to_dataset": "amodal.table",
    "to_parquet": "amodal.table",
}
"""Public name -> its module."""

_RENAMED = {"DataProblem": "DataError", "UsageProblem": "UsageError"}
"""Earlier names of public classes."""


def __getattr__(name: str) -> Any:
    # Importing torch takes a second: it waits until something of it is asked for.
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _RENAMED:
        warnings.warn(f"amodal.{name} is now amodal.{_RENAMED[name]}.", DeprecationWarning, stacklevel=2)
        return globals()[_RENAMED[name]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
