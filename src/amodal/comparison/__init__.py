"""Comparison of methods on one table: each fitted under the same budget and scored on the same held-out rows.

Each method runs in a process of its own, so that peak memory is measured per method and a crash stops only that method.
"""

from amodal.comparison.compare_methods import compare

__all__ = ["compare"]
