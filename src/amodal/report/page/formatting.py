"""Numbers, shares and lists in words."""

from __future__ import annotations

from amodal.metrics import Estimate

MINUS = "−"


def number(value: float) -> str:
    """A number with about three figures.

    Example:
        >>> [number(value) for value in (0.1234, 7.0, -12.345, 1234567.8, 0.00012)]
        ['0.123', '7', '−12.3', '1,234,568', '0.00012']
    """
    size = abs(value)
    # Rounding errors of zero.
    if size < 1e-9:
        return "0"
    if value == round(value) or size >= 1000:
        text = f"{size:,.0f}"
    elif size >= 100:
        text = f"{size:.0f}"
    elif size >= 10:
        text = f"{size:.1f}"
    elif size >= 1:
        text = f"{size:.2f}"
    elif size >= 0.01:
        text = f"{size:.3f}"
    else:
        text = f"{size:.2g}"
    return (MINUS if value < 0 else "") + text


def percent(share: float) -> str:
    """A share as a percentage, 0 % or 100 % only where it is exactly so.

    Example:
        >>> [percent(share) for share in (0.0, 0.001, 0.5, 0.999, 1.0)]
        ['0 %', '< 1 %', '50 %', '> 99 %', '100 %']
    """
    if 0 < share < 0.005:
        return "< 1 %"
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{share * 100:.0f} %".replace("-", MINUS)


def interval(estimate: Estimate) -> str:
    """The ends of a confidence interval; empty where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"{number(estimate.low)} to {number(estimate.high)}"


def signed(value: float) -> str:
    """A difference with its sign.

    Example:
        >>> signed(0.05), signed(-0.05)
        ('+0.050', '−0.050')
    """
    return ("+" if value > 0 else "") + number(value)


def joined(names: list[str]) -> str:
    """Names as a list in words.

    Example:
        >>> joined(["a", "b", "c"])
        'a, b and c'
    """
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
