"""Written forms of numbers: "1,234.50 €", "12 %", "1.234,5", "007" not among them."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import RejectColumn, examples

_CURRENCY = "$¢£¤¥฿\u20a0-\u20cf"
_CODES = (
    "USD EUR GBP JPY CHF CNY RMB INR AUD CAD NZD SEK NOK DKK PLN CZK HUF RON BGN RUB UAH TRY BRL MXN ARS CLP COP "
    "ZAR NGN KES EGP KRW SGD HKD TWD THB IDR MYR PHP VND ILS AED SAR QAR PKR BTC ETH"
).replace(" ", "|")
_SPACES = " \u00a0\u202f\u2009"
_NUMBER = rf"(?:\d(?:[\d.,'’{_SPACES}]*\d)?|[.,]\d+)(?:\.(?!\d))?"
_WRITTEN = re.compile(
    rf"\s*(?P<sign>[+\-−]?)(?P<prefix>(?:(?:[A-Z]{{1,2}})?[{_CURRENCY}]|{_CODES}|Rs\.?|kr\.?)[{_SPACES}]?)?"
    rf"(?P<inner>[+\-−]?)(?P<number>{_NUMBER})(?P<exponent>[eE][+-]?\d+)?"
    rf"(?P<suffix>[{_SPACES}]?(?:[%‰°{_CURRENCY}]|[^\W\d_])[^\d\n]{{0,14}}[23]?)?\s*"
)
_CONVENTIONS = (("", "."), (",", "."), ("", ","), (".", ","), (" ", ","), (" ", "."), ("'", "."), ("'", ","))
"""Marks of thousands and of decimals, the likeliest first; " " and "'" stand for their variants."""
_VARIANTS = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'"})
_LEADING_ZERO = re.compile(r"\s*[+\-−]?0\d")
_LIKE_AN_EXPONENT = re.compile(r"\d+[eE]\d+")
_PHONE = re.compile(r"\+\d{7,}")
_MAX_EXACT = 2**53
_MAX_SAMPLE = 20_000
_MOST_LABELS = 50
_LEAST_DIGITS = 9
_FEWEST = 0.8
"""Least share of cells that are numbers of one form."""


@dataclass(frozen=True)
class NumberForm:
    """Written form of the numbers of a column of texts.

    Attributes:
        prefix: before the number, as "$".
        suffix: after it, as " kg".
        thousands: mark between groups of three digits.
        point: mark before the decimals.
        padding: decimals that every number has at least.
        has_zero: a whole number ends with ".0".
        has_exponent: very small and large numbers are as 1e-05.
        has_plus: positive numbers have a sign.
    """

    prefix: str = ""
    suffix: str = ""
    thousands: str = ""
    point: str = "."
    padding: int = 0
    has_zero: bool = False
    has_exponent: bool = False
    has_plus: bool = False

    @property
    def is_plain(self) -> bool:
        """True where a text is as Python writes a number."""
        return not (self.prefix or self.suffix or self.thousands) and self.point == "."

    @property
    def description(self) -> str:
        """The form in a few words; empty where it is plain."""
        return (
            "" if self.is_plain else f"written as {self.prefix}1{self.thousands}000{self.point}5{self.suffix}"
        )

    def parse(self, cells: pd.Series[Any]) -> NDArray[np.float64]:
        """Numbers (N,) of cells, NaN where one is no number of this form or without prefix and suffix."""
        if self.is_plain:
            return plain_numbers(cells)
        pattern = _pattern(self.thousands.translate(_VARIANTS), self.point)
        return np.array([self._parse(cell, pattern) for cell in cells], np.float64)

    def _parse(self, cell: Any, pattern: re.Pattern[str]) -> float:
        if not isinstance(cell, str):
            return float(plain_numbers(pd.Series([cell], dtype=object))[0])
        match = _WRITTEN.fullmatch(cell)
        if match is None:
            return np.nan
        affixes = (match["prefix"] or "").strip(), (match["suffix"] or "").strip()
        if affixes not in ((self.prefix.strip(), self.suffix.strip()), ("", "")):
            return np.nan
        number = match["number"].translate(_VARIANTS)
        if not pattern.fullmatch(number):
            return np.nan
        mark = self.thousands.translate(_VARIANTS)
        digits = (number.replace(mark, "") if mark else number).replace(self.point, ".")
        value = float(digits + (match["exponent"] or ""))
        return -value if (match["sign"] or match["inner"]) in ("-", "−") else value

    def write(self, values: NDArray[np.float64], decimals: int | None) -> list[str]:
        """Texts of numbers (N,) rounded to `decimals`, None for all digits."""
        return [self._write(float(value), decimals) for value in values]

    def _write(self, value: float, decimals: int | None) -> str:
        magnitude = abs(value)
        if decimals is None or (self.has_exponent and 0 < magnitude < 1e-4) or magnitude >= 1e22:
            digits = repr(magnitude)
            digits = digits.removesuffix(".0") if not self.has_zero else digits
        else:
            digits = f"{magnitude:.{max(decimals, self.padding)}f}"
            if not self.padding and "." in digits:
                digits = digits.rstrip("0").rstrip(".")
                digits += ".0" if self.has_zero and "." not in digits else ""
        integer, point, rest = digits.partition(".")
        if self.thousands and integer.isdigit():
            integer = f"{int(integer):,}".replace(",", self.thousands)
        sign = "-" if value < 0 else "+" if self.has_plus and value > 0 else ""
        return f"{sign}{self.prefix}{integer}{point and self.point}{rest}{self.suffix}"


def plain_numbers(cells: pd.Series[Any]) -> NDArray[np.float64]:
    """Numbers (N,) of cells that are numbers or written as Python writes them, NaN for others.

    float32 numbers are those of their shortest texts: 0.1, and not 0.10000000149.
    """
    dtype = str(cells.dtype).lower()
    if dtype.startswith(("float32", "float16", "float[")) or dtype == "halffloat[pyarrow]":
        narrow = np.float16 if "16" in dtype or "half" in dtype else np.float32
        numbers = cells.to_numpy(dtype=narrow, na_value=np.nan)
        return numbers.astype(str).astype(np.float64)
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    return pd.to_numeric(cells.map(_plain_cell), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _plain_cell(cell: Any) -> Any:
    if isinstance(cell, str) and (not cell.isascii() or "_" in cell):
        return None  # Python reads "1_000" too
    if isinstance(cell, (bool, np.bool_)):
        return None
    if isinstance(cell, np.float32):
        return float(str(cell))
    try:
        return float(cell)
    except (TypeError, ValueError, OverflowError):
        return None


def find_form(texts: pd.Series[Any]) -> NumberForm:
    """The form of most of a column's texts.

    Raises:
        RejectColumn: they are no numbers of one form.
    """
    texts = texts if len(texts) <= _MAX_SAMPLE else texts.sample(_MAX_SAMPLE, random_state=0)
    plain = pd.to_numeric(texts.map(_plain_cell), errors="coerce").notna().to_numpy()
    matches = [_WRITTEN.fullmatch(text) for text in texts]
    found = [(match, text) for match, text in zip(matches, texts, strict=True) if match is not None]
    if len(found) < _FEWEST * len(texts):
        wrong = [repr(text) for match, text in zip(matches, texts, strict=True) if match is None]
        raise RejectColumn(f"not numbers: {examples(wrong)}")
    affixes = Counter((match["prefix"] or "", match["suffix"] or "") for match, _ in found)
    (prefix, suffix), _ = affixes.most_common(1)[0]
    same = [match for match, _ in found if (match["prefix"] or "", match["suffix"] or "") == (prefix, suffix)]
    same += (
        [match for match, _ in found if not (match["prefix"] or match["suffix"])] if prefix or suffix else []
    )
    numbers = [match["number"].translate(_VARIANTS) for match in same]
    counts = {
        marks: sum(_pattern(*marks).fullmatch(number) is not None for number in numbers)
        for marks in _CONVENTIONS
    }
    thousands, point = max(counts, key=lambda marks: counts[marks])
    if counts[thousands, point] < _FEWEST * len(texts):
        raise RejectColumn(f"not numbers of one form: {examples([repr(text) for text in texts.unique()])}")
    read = [
        match
        for match, number in zip(same, numbers, strict=True)
        if _pattern(thousands, point).fullmatch(number)
    ]
    form = NumberForm(prefix, suffix, _variant(thousands, read), point)
    if form.is_plain and not plain.sum() >= _FEWEST * len(texts):
        raise RejectColumn(f"not numbers: {examples([repr(text) for text in texts[~plain]])}")
    return _with_digits(form, read)


def _with_digits(form: NumberForm, matches: list[re.Match[str]]) -> NumberForm:
    """The form with what its numbers' signs and decimals are like."""
    decimals = [len(match["number"].partition(form.point)[2]) for match in matches if not match["exponent"]]
    zeros = [match for match in matches if match["number"].endswith(f"{form.point}0")]
    signs = Counter(match["sign"] or match["inner"] for match in matches)
    return replace(
        form,
        padding=decimals[0] if len(set(decimals)) == 1 else 0,
        has_zero=bool(zeros),
        has_exponent=any(match["exponent"] for match in matches),
        has_plus=signs["+"] > signs[""],
    )


def _variant(thousands: str, matches: list[re.Match[str]]) -> str:
    """The mark of thousands as it is written: a space may be a narrow one."""
    if not thousands:
        return ""
    for match in matches:
        for character in match["number"]:
            if character.translate(_VARIANTS) == thousands:
                return character
    return thousands


def _pattern(thousands: str, point: str) -> re.Pattern[str]:
    integer = rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})*" if thousands else r"\d*"
    return re.compile(rf"(?=.*\d){integer}(?:{re.escape(point)}\d*)?")


def _are_of_one_length(texts: list[str]) -> bool:
    """True for digits of one length of 9 or more that begin with any digit: amounts have different lengths."""
    if not texts or len(texts[0]) < _LEAST_DIGITS or len({len(text) for text in texts}) > 1:
        return False
    if not all(text.isascii() and text.isdigit() for text in texts):
        return False
    return max(texts)[0] >= "6" and min(texts)[0] <= "3"


def reject_codes(cells: pd.Series[Any]) -> None:
    """Refuse texts that are codes made of digits.

    These are numbers with leading zeros or more digits than a float has, telephone numbers, "12E5", and versions as 1.1
    and 1.10.

    Raises:
        RejectColumn: they are codes; the message says by what.
    """
    texts = [cell for cell in cells if isinstance(cell, str)]
    count = len(texts)
    zeros = [text for text in texts if _LEADING_ZERO.match(text)]
    if zeros and (len(zeros) > 0.01 * count or len({len(text) for text in texts}) == 1):
        raise RejectColumn(f"codes with leading zeros: {examples([repr(text) for text in zeros])}")
    for pattern, name in ((_PHONE, "telephone numbers"), (_LIKE_AN_EXPONENT, "codes of digits and E")):
        like = [text for text in texts if pattern.fullmatch(text)]
        if len(like) > (1 - _FEWEST) * count:
            raise RejectColumn(f"{name}: {examples([repr(text) for text in like])}")
    long = [text for text in texts if text.strip("+- ").isdigit() and abs(int(text)) > _MAX_EXACT]
    if long:
        raise RejectColumn(f"whole numbers of more digits than a float has: {examples(long)}")
    if _are_of_one_length(texts):
        raise RejectColumn(f"codes of {len(texts[0])} digits each: {examples(texts)}")
    distinct = set(texts)
    if (
        2 <= len(distinct) <= _MOST_LABELS
        and len(distinct) < 0.5 * count
        and all("." in text for text in distinct)
    ):
        values = Counter(text.rstrip("0").rstrip(".") for text in distinct)
        versions = [text for text in sorted(distinct) if values[text.rstrip("0").rstrip(".")] > 1]
        if versions:
            raise RejectColumn(f"labels that differ by a zero at their ends: {examples(versions)}")
