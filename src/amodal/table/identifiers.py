"""Detection of columns of identifiers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["FEWEST", "looks_like_identifiers"]

FEWEST = 21  # different values
INTEGER = re.compile(r"[+-]?\d+")
UUID = re.compile(r"\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
HASH = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w-]{8,}", re.ASCII)
# Chinese, Japanese and Korean write whole sentences without a space.
SPACE_OR_CJK = re.compile(r"[\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LETTERS = re.compile(r"[^\W\d_]+")
DIGITS = re.compile(r"\d+")
QUANTITY = re.compile(r"[+-]?9([.,]9)*a?")  # a shape as `_shape` gives it: 12.5, 80kg, 1,200


def looks_like_identifiers(cells: pd.Series, sample: pd.Series) -> bool:
    """True for a column that only numbers or names its rows.

    All values are different, there are more than 20, and they are integers without a gap (in any order) or at a
    constant step, or strings of one pattern: UUIDs, hashes, codes, letters with a number. Numbers with decimals
    never are, nor strings with spaces or in Chinese, Japanese or Korean.

    Args:
        cells: all present cells of the column.
        sample: some of them, whose patterns are compared.

    Example:
        >>> names = pd.Series([f"user_{number:03}" for number in range(50)])
        >>> looks_like_identifiers(names, names)
        True
        >>> heights = pd.Series([f"{150 + number / 7:.2f}" for number in range(50)])
        >>> looks_like_identifiers(heights, heights)
        False
    """
    if len(cells) < FEWEST or pd.api.types.is_bool_dtype(cells.dtype):
        return False
    if pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.to_numpy(dtype=float)
        return bool(np.isfinite(values).all()) and bool((values % 1 == 0).all()) and _is_sequence(values)
    if not all(isinstance(cell, str) for cell in sample):
        return False
    texts = cells.astype(str)
    if texts.nunique() < len(texts):
        return False
    if texts.str.fullmatch(INTEGER.pattern).all():
        zero_padded = texts.str.len().nunique() == 1 and bool(texts.str.startswith("0").any())
        return zero_padded or _is_sequence(texts.astype(float).to_numpy())
    return _share_a_pattern(list(sample))


def _is_sequence(values: np.ndarray) -> bool:
    # Integers beyond 2**53 collide as floats, and are no sequence then.
    ordered = np.unique(values)
    if len(ordered) < len(values):
        return False
    steps = np.diff(values)
    return bool(ordered[-1] - ordered[0] == len(values) - 1 or (steps[0] > 0 and (steps == steps[0]).all()))


def _share_a_pattern(texts: list[str]) -> bool:
    if any(SPACE_OR_CJK.search(text) for text in texts):
        return False
    if pd.to_numeric(pd.Series(texts), errors="coerce").notna().all():
        return False
    same_length = len({len(text) for text in texts}) == 1
    if all(UUID.fullmatch(text) for text in texts):
        return True
    if same_length and (_all_but_few(HASH, texts) or _all_but_few(CODE, texts)):
        return True
    shapes = {_shape(text) for text in texts}
    shape = shapes.pop()
    return not shapes and "a" in shape and "9" in shape and not QUANTITY.fullmatch(shape)


def _all_but_few(pattern: re.Pattern[str], texts: list[str]) -> bool:
    # A few random codes are all letters or all digits.
    return sum(pattern.fullmatch(text) is not None for text in texts) >= 0.9 * len(texts)


def _shape(text: str) -> str:
    return DIGITS.sub("9", LETTERS.sub("a", text))
