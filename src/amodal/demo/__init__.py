"""Tables to try amodal on, made here and now."""

from amodal.demo.digits import make_digits

__all__ = ["make_digits"]
