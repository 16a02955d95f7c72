"""Written forms of dates and times: "2023-01-05T10:05:00Z", "5.1.2023", "Jan 5, 2023", "10:05 PM"."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from amodal.errors import RejectColumn, examples

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_OTHERS = (
    *("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d.%m.%y"),
    *(
        "%m/%d/%y",
        "%d/%m/%y",
        "%m/%d/%Y %H:%M",
        "%d/%m/%Y %H:%M",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %I:%M:%S %p",
    ),
    *(
        "%m/%Y",
        "%m-%Y",
        "%b %Y",
        "%B %Y",
        "%d %B %Y",
        "%A, %B %d, %Y",
        "%a %b %d %H:%M:%S %Y",
        "%b %d, %Y %H:%M",
    ),
    *("%d-%b-%y", "%b-%y", "%Y年%m月%d日", "%Y年%m月", "%Y%m%dT%H%M%S", "%Y%m%d%H%M%S"),
    *("%H:%M", "%H:%M:%S", "%H:%M:%S.%f", "%I:%M %p", "%I:%M:%S %p", "%I:%M%p"),
)
_DIRECTIVE = re.compile(r"%-?[A-Za-z]")
_OFFSET = re.compile(r"(?:Z|UTC|GMT|[+-]\d\d:?\d\d)$")
_FRACTION = re.compile(r"\.(\d+)")
_UNPADDED = re.compile(r"%([dmHI])")
_TIME_OF_DAY = re.compile(
    r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d+)?)?|(?:0?[1-9]|1[0-2]):[0-5]\d(?::[0-5]\d)? ?[APap]\.?[Mm]\.?"
)
_DIGITS = re.compile(r"(?:1[89]|20)\d\d[01]\d[0-3]\d")
_NUMERIC_DATE = re.compile(rf"{_DIGITS.pattern}(?:\d{{6}})?|\d{{1,2}}\.\d{{1,2}}\.\d{{2,4}}")
_FEWEST = 0.8
_MOST_GUESSES = 20
_MAX_SAMPLE = 2_000


@dataclass(frozen=True)
class DateForm:
    """Written form of the dates or times of a column of texts.

    Attributes:
        pattern: of `strftime`; "%-d" is a day without a zero before it, and "%z" the offset.
        fraction: digits of a second's fraction.
        offset: from UTC as texts have it, as "Z" or "+02:00".
    """

    pattern: str = "%Y-%m-%d"
    fraction: int = 6
    offset: str = ""

    @property
    def is_time(self) -> bool:
        """True for times of a day without a date."""
        return "%Y" not in self.pattern and "%y" not in self.pattern

    def parse(self, texts: pd.Series[Any]) -> pd.Series[Any]:
        """Wall time of texts, datetime64[us], NaT where a text has another form or names no day of a calendar."""
        stripped = texts.map(lambda text: text.strip() if isinstance(text, str) else None).astype(object)
        found = _parsed(stripped, self.pattern.replace("%-", "%"))
        if found.isna().any() and self.pattern.startswith("%Y-%m-%d"):
            found = found.fillna(_parsed(stripped.where(found.isna()), "ISO8601"))
        minutes = _minutes(self.offset)
        return found + pd.Timedelta(minutes=minutes) if minutes else found

    def write(self, stamps: pd.DatetimeIndex) -> list[str]:
        """Texts of wall times."""
        return [self._write(stamp) for stamp in stamps]

    def _write(self, stamp: pd.Timestamp) -> str:
        return _DIRECTIVE.sub(lambda match: self._part(match[0], stamp), self.pattern)

    def _part(self, directive: str, stamp: pd.Timestamp) -> str:
        if directive == "%f":
            return f"{stamp.microsecond:06}"[: self.fraction].ljust(self.fraction, "0")
        if directive in ("%z", "%Z"):
            return self.offset
        return _WRITE[directive](stamp)


_NUMBERS: dict[str, tuple[int, Callable[[pd.Timestamp], int]]] = {
    "Y": (4, lambda stamp: stamp.year),
    "y": (2, lambda stamp: stamp.year % 100),
    "m": (2, lambda stamp: stamp.month),
    "d": (2, lambda stamp: stamp.day),
    "H": (2, lambda stamp: stamp.hour),
    "I": (2, lambda stamp: stamp.hour % 12 or 12),
    "M": (2, lambda stamp: stamp.minute),
    "S": (2, lambda stamp: stamp.second),
    "j": (3, lambda stamp: stamp.dayofyear),
}


def _number(letter: str, *, is_padded: bool) -> Callable[[pd.Timestamp], str]:
    width, read = _NUMBERS[letter]
    return lambda stamp: f"{read(stamp):0{width if is_padded else 1}}"


# Names are English, as those that pandas reads, whatever the locale is.
_WRITE: dict[str, Callable[[pd.Timestamp], str]] = {
    **{f"%{letter}": _number(letter, is_padded=True) for letter in _NUMBERS},
    **{f"%-{letter}": _number(letter, is_padded=False) for letter in _NUMBERS},
    "%B": lambda stamp: _MONTHS[stamp.month - 1],
    "%b": lambda stamp: _MONTHS[stamp.month - 1][:3],
    "%A": lambda stamp: _DAYS[stamp.dayofweek],
    "%a": lambda stamp: _DAYS[stamp.dayofweek][:3],
    "%p": lambda stamp: "AM" if stamp.hour < 12 else "PM",
}


def find_date_form(texts: pd.Series[Any]) -> DateForm:
    """The form of most of a column's texts.

    Of forms that read as many texts, one that writes them as they are goes first, then month before day, but with dots.

    Raises:
        RejectColumn: there is none, or the texts are numbers.
    """
    sample = texts if len(texts) <= _MAX_SAMPLE else texts.sample(_MAX_SAMPLE, random_state=0)
    sample = sample.map(str.strip)
    is_number = sample.str.fullmatch(r"[+-]?[\d.,]*(?:[eE][+-]?\d+)?")
    if (is_number & ~sample.str.fullmatch(_NUMERIC_DATE.pattern)).mean() > 1 - _FEWEST:
        raise RejectColumn("numbers, and no dates")
    best: tuple[int, int, DateForm] | None = None
    for pattern in _candidates(sample):
        read = _parsed(sample, pattern).notna()
        count = int(read.sum())
        if count < _FEWEST * len(sample) or (best and count < best[0]):
            continue
        form, exact = _detailed(pattern, sample[read])
        if best is None or (count, exact) > best[:2]:
            best = count, exact, form
    if best is None:
        raise RejectColumn(f"not dates of one form: {examples([repr(text) for text in sample.unique()])}")
    form = best[2]
    if form.is_time and sample.str.fullmatch(_TIME_OF_DAY.pattern).mean() < _FEWEST:
        raise RejectColumn("not times of day")
    return form


def _candidates(texts: pd.Series[Any]) -> list[str]:
    guesses: dict[str, None] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for text in texts.iloc[:: max(1, len(texts) // _MOST_GUESSES)]:
            first = "." in text.split(" ")[0]
            for day_first in (first, not first):
                guess = pd.tseries.api.guess_datetime_format(text, dayfirst=day_first)
                if guess and guess != "%Y":
                    guesses[guess] = None
    return list(dict.fromkeys([*guesses, *_OTHERS]))


def _parsed(texts: pd.Series[Any], pattern: str) -> pd.Series[Any]:
    """Wall times in UTC; NaT where the pattern does not fit."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pd.to_datetime(texts, format=pattern, errors="coerce", utc=True)
    return found.dt.tz_localize(None).astype("datetime64[us]")


def _detailed(pattern: str, texts: pd.Series[Any]) -> tuple[DateForm, int]:
    """The form with its details, and how many texts it writes as they are."""
    offsets = texts.str.extract(f"({_OFFSET.pattern})")[0].dropna().value_counts()
    has_offset = "%z" in pattern or "%Z" in pattern
    fractions = texts.str.extract(_FRACTION.pattern)[0].dropna().str.len()
    offset = str(offsets.index[0]) if has_offset and len(offsets) else ""
    fraction = int(fractions.mode().iloc[0]) if "%f" in pattern and len(fractions) else 6
    found = []
    for written in dict.fromkeys([pattern, _UNPADDED.sub(r"%-\1", pattern), pattern.replace("%d", "%-d")]):
        form = DateForm(written, fraction, offset)
        some = texts.iloc[:200]
        again = form.write(pd.DatetimeIndex(form.parse(some)))
        found.append((sum(one == other for one, other in zip(again, some, strict=True)), form))
    exact, form = max(found, key=lambda each: each[0])
    return form, exact


def _minutes(offset: str) -> int:
    """Minutes of an offset from UTC."""
    match = re.fullmatch(r"([+-])(\d\d):?(\d\d)", offset)
    return 0 if match is None else int(f"{match[1]}1") * (60 * int(match[2]) + int(match[3]))


def likely_dates(numbers: Sequence[int]) -> bool:
    """True for whole numbers that all are days as YYYYMMDD."""
    texts = pd.Series([str(number) for number in numbers], dtype=object)
    if not texts.str.fullmatch(_DIGITS.pattern).all():
        return False
    return bool(_parsed(texts, "%Y%m%d").notna().all())


def microseconds(stamps: pd.Series[Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Microseconds (N,) since 1970 of wall times, and where there are any."""
    known = stamps.notna().to_numpy()
    return stamps.to_numpy(dtype="datetime64[us]").astype(np.int64), known
