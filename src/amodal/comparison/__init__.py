"""Which method to take for a table: each fitted under the same budget, judged by the same rows.

Each method is fitted and judged in a process of its own, so that its peak memory is its own and that its end,
whatever it is, does not end the others.
"""

from amodal.comparison.compare_methods import compare

__all__ = ["compare"]
