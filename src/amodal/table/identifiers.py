"""Detection of columns of identifiers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

__all__ = ["FEWEST", "looks_like_identifiers"]

FEWEST = 21  # different values
INTEGER = re.compile(r"[+-]?\d{1,15}")
UUID = re.compile(r"\{?[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\}?", re.IGNORECASE)
HASH = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
CODE = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w-]{8,}", re.ASCII)
# Chinese, Japanese and Korean write whole sentences without a space.
SPACE_OR_CJK = re.compile(r"[\s\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
LETTERS = re.compile(r"[^\W\d_]+")
DIGITS = re.compile(r"\d+")
QUANTITY = re.compile(r"[+-]?\d+(?:[.,]\d+)*(\D*)")  # 12.5, 80kg, 1,200 km/h
MOST_CELLS = 50_000  # whose patterns are compared
MOST_REPEATED = 0.01  # share of cells of identifiers that repeat another
REPEATS_OF_CHANCE = (
    8.0  # numbers drawn at random that repeat others, above which a column without is numbered
)
SHARE_OF_CHANCE = 0.1


def looks_like_identifiers(cells: pd.Series) -> bool:
    """True for a column that only numbers or names its rows.

    Its more than 20 values all differ, but for a few. They are whole numbers, of which so many from the same range
    would repeat if they were random, or at a constant step, or strings of one pattern: UUIDs, hashes, codes, letters
    with a number. Numbers with decimals never are, nor strings with spaces or in Chinese, Japanese or Korean. A random
    part of a column's rows looks like the column.

    Args:
        cells: all present cells of the column.

    Example:
        >>> looks_like_identifiers(pd.Series([f"user_{number:03}" for number in range(50)]))
        True
        >>> looks_like_identifiers(pd.Series([f"{150 + number / 7:.2f}" for number in range(50)]))
        False
    """
    if len(cells) < FEWEST or pd.api.types.is_bool_dtype(cells.dtype):
        return False
    if pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.to_numpy(dtype=float)
        return bool(np.isfinite(values).all()) and bool((values % 1 == 0).all()) and _is_numbering(values)
    types = {type(cell).__name__ for cell in cells}
    if types == {"UUID"}:
        return bool(cells.nunique() >= (1 - MOST_REPEATED) * len(cells))
    if types == {"int"}:
        return _is_numbering(cells.astype(float).to_numpy())
    if types != {"str"}:
        return False
    texts = cells.astype(str)
    if texts.str.fullmatch(INTEGER.pattern).all():
        zero_padded = texts.str.len().nunique() == 1 and bool(texts.str.startswith("0").any())
        if zero_padded:
            return bool(texts.nunique() >= (1 - MOST_REPEATED) * len(texts))
        return _is_numbering(texts.astype(float).to_numpy())
    if texts.nunique() < (1 - MOST_REPEATED) * len(texts):
        return False
    return _share_a_pattern(texts.iloc[:MOST_CELLS].tolist())


def _is_numbering(values: np.ndarray) -> bool:
    """True for whole numbers that repeat less than random ones of their range would, or are at a constant step."""
    distinct = np.unique(values)
    if len(distinct) < 2:
        return False
    steps = np.diff(values)
    if steps[0] > 0 and (steps == steps[0]).all():
        return True
    # Numbers at a step of ten, say, are numbered by it. Beyond 2**53, integers collide as floats.
    step = np.gcd.reduce(np.diff(distinct).astype(np.int64)) if distinct[-1] - distinct[0] < 2**53 else 1
    places = (distinct[-1] - distinct[0]) / max(step, 1) + 1
    if step > 1 and (steps < 0).all():
        return False
    expected = len(values) - places * -np.expm1(len(values) * np.log1p(-1.0 / places))
    repeated = len(values) - len(distinct)
    most = min(SHARE_OF_CHANCE * expected, MOST_REPEATED * len(values))
    return bool(expected > REPEATS_OF_CHANCE and repeated <= most)


def _share_a_pattern(texts: list[str]) -> bool:
    if any(SPACE_OR_CJK.search(text) for text in texts):
        return False
    if pd.to_numeric(pd.Series(texts), errors="coerce").notna().all():
        return False
    quantities = [QUANTITY.fullmatch(text) for text in texts]
    if all(quantities) and len({match[1] for match in quantities if match}) == 1:
        return False
    same_length = len({len(text) for text in texts}) == 1
    if all(UUID.fullmatch(text) for text in texts):
        return True
    if same_length and (_all_but_few(HASH, texts) or _all_but_few(CODE, texts)):
        return True
    shapes = {_shape(text) for text in texts}
    shape = shapes.pop()
    return not shapes and "a" in shape and "9" in shape


def _all_but_few(pattern: re.Pattern[str], texts: list[str]) -> bool:
    # A few random codes are all letters or all digits.
    return sum(pattern.fullmatch(text) is not None for text in texts) >= 0.9 * len(texts)


def _shape(text: str) -> str:
    return DIGITS.sub("9", LETTERS.sub("a", text))
