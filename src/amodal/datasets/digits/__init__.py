"""The demo table: handwritten digits, spoken by synthetic voices, with captions."""

from amodal.datasets.digits.table import make_digits

__all__ = ["make_digits"]
