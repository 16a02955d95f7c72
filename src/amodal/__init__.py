"""Complete tables of pictures, sounds, texts, numbers and categories with one multimodal generative model."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from amodal.errors import BadCells, DataError, UsageError

if TYPE_CHECKING:
    from amodal.answers import pool, split
    from amodal.comparison import compare
    from amodal.estimator import TableModel

__version__ = "0.1.0"
__all__ = ["BadCells", "DataError", "TableModel", "UsageError", "__version__", "compare", "pool", "split"]

_RENAMED = {"DataProblem": "DataError", "UsageProblem": "UsageError"}
"""Earlier names of public classes."""


def __getattr__(name: str) -> Any:
    # Importing torch takes a second: it waits until something of it is asked for.
    if name == "TableModel":
        from amodal.estimator import TableModel

        return TableModel
    if name == "compare":
        from amodal.comparison import compare

        return compare
    if name in ("pool", "split"):
        from amodal import answers

        return getattr(answers, name)
    if name in _RENAMED:
        warnings.warn(f"amodal.{name} is now amodal.{_RENAMED[name]}.", DeprecationWarning, stacklevel=2)
        return globals()[_RENAMED[name]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
