"""Columns in the forms that people write them in, and what is to come back of them."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

ROWS = 120


@dataclass(frozen=True)
class Column:
    """A column's cells.

    Attributes:
        name: in words.
        type: that is inferred.
        cells: the column.
        pattern: of the text of each drawn cell, where cells are texts.
    """

    name: str
    type: str
    cells: pd.Series[Any]
    pattern: str = ""


class Size(enum.Enum):
    """A user's own labels."""

    SMALL = 1
    LARGE = 2


_RNG = np.random.default_rng(0)
_DAYS = pd.Series(pd.Timestamp("2021-03-01") + pd.to_timedelta(_RNG.integers(0, 700, ROWS), unit="D"))
_SECONDS = _RNG.integers(0, 86_400, ROWS)
_TIMES = _DAYS + pd.to_timedelta(_SECONDS, unit="s")
_NUMBERS = np.abs(_RNG.normal(2_000, 800, ROWS)).round(2) + 0.01
_CHOICE = _RNG.integers(0, 4, ROWS)
_GENRES = ("Action", "Comedy", "Drama", "Horror")
_TAGS = [
    [genre for genre, has in zip(_GENRES, row, strict=True) if has] or ["Drama"]
    for row in _RNG.random((ROWS, 4)) < 0.4
]


def _text(cells: Iterable[str]) -> pd.Series[Any]:
    return pd.Series(list(cells), dtype="str")


def _grouped(value: float, thousands: str, point: str) -> str:
    return f"{value:,.2f}".replace(",", "_").replace(".", point).replace("_", thousands)


NUMBERS = (
    Column("whole", "number", pd.Series(_RNG.integers(18, 90, ROWS))),
    Column("spike of 92 % zeros", "number", pd.Series(np.where(np.arange(ROWS) % 12, 0, _SECONDS))),
    Column("float32", "number", pd.Series(_NUMBERS.astype("float32"))),
    Column("nullable", "number", pd.Series(_SECONDS, dtype="Int64")),
    Column("Arrow", "number", pd.Series(_NUMBERS).astype("double[pyarrow]")),
    Column("unsigned", "number", pd.Series(_SECONDS.astype("uint32"))),
    Column("p-values", "number", pd.Series(10 ** _RNG.uniform(-12, 0, ROWS))),
    Column("Unix milliseconds", "number", pd.Series((1.7e9 + _RNG.random(ROWS) * 1e6).round(3))),
    Column("Decimal", "number", pd.Series([Decimal(f"{value:.2f}") for value in _NUMBERS])),
    Column("floats among objects", "number", pd.Series(_CHOICE / 2).astype(object)),
    Column("text", "number", _text(f"{value:.1f}" for value in _NUMBERS), r"\d+\.\d"),
    Column("text with zeros", "number", _text(f"{value:.2f}0" for value in _NUMBERS), r"\d+\.\d{3}"),
    Column("text of whole ones", "number", _text(map(str, _SECONDS)), r"\d+"),
    Column("exponents", "number", _text(repr(float(value)) for value in 10 ** _RNG.uniform(-9, 0, ROWS))),
    Column("euro", "number", _text(f"{value:,.2f} €" for value in _NUMBERS), r"(\d,)?\d{1,3}\.\d\d €"),
    Column("dollar", "number", _text(f"${value:,.2f}" for value in _NUMBERS), r"\$(\d,)?\d{1,3}\.\d\d"),
    Column("currency code", "number", _text(f"USD {value:.0f}" for value in _NUMBERS), r"USD \d+"),
    Column(
        "German", "number", _text(_grouped(value, ".", ",") for value in _NUMBERS), r"(\d\.)?\d{1,3},\d\d"
    ),
    Column(
        "French",
        "number",
        _text(_grouped(value, "\u202f", ",") for value in _NUMBERS),
        r"(\d\u202f)?\d{1,3},\d\d",
    ),
    Column("Swiss", "number", _text(_grouped(value, "’", ".") for value in _NUMBERS), r"(\d’)?\d{1,3}\.\d\d"),
    Column(
        "decimal comma", "number", _text(f"{value:.1f}".replace(".", ",") for value in _NUMBERS), r"\d+,\d"
    ),
    Column("per cent", "number", _text(f"{value % 100:.0f} %" for value in _NUMBERS), r"\d+ %"),
    Column(
        "per cent without space", "number", _text(f"{value % 100:.1f}%" for value in _NUMBERS), r"\d+\.\d%"
    ),
    Column("pounds", "number", _text(f"{value:.0f} lbs" for value in _NUMBERS), r"\d+ lbs"),
    Column("speed", "number", _text(f"{value:.1f}km/h" for value in _NUMBERS), r"\d+\.\dkm/h"),
    Column("degrees", "number", _text(f"{value / 100 - 15:.1f} °C" for value in _NUMBERS), r"-?\d+\.\d °C"),
)

CODES = (
    Column("zip", "category", _text(f"{501 + 7 * (row % 40):05}" for row in range(ROWS))),
    Column("telephone", "category", _text(f"+49{369613904 + 977 * (row % 40)}" for row in range(ROWS))),
    Column(
        "telephone with zero", "category", _text(f"0{369613904 + 977 * (row % 40)}" for row in range(ROWS))
    ),
    Column("version", "category", _text(("1.1", "1.10", "1.2", "2.0")[row] for row in _CHOICE)),
    Column("12E5", "category", _text(f"{row % 40}E{row % 40 % 7}" for row in range(ROWS))),
    Column("account", "category", _text(str(10**17 + 977 * (row % 40)) for row in range(ROWS))),
)

DATES = (
    Column("datetime64", "datetime", _TIMES),
    Column("datetime64[ns]", "datetime", _TIMES.astype("datetime64[ns]")),
    Column("datetime64[s]", "datetime", _DAYS.astype("datetime64[s]")),
    Column("zone", "datetime", _TIMES.dt.tz_localize("UTC").dt.tz_convert("Europe/Paris")),
    Column("Arrow timestamp", "datetime", _TIMES.astype("timestamp[us][pyarrow]")),
    Column("Arrow date", "datetime", _DAYS.astype("date32[pyarrow]")),
    Column("period", "datetime", _DAYS.dt.to_period("M")),
    Column("dates", "datetime", _DAYS.dt.date.astype(object)),
    Column("datetimes", "datetime", pd.Series([each.to_pydatetime() for each in _TIMES], dtype=object)),
    Column("times", "datetime", pd.Series([each.time() for each in _TIMES], dtype=object)),
    Column("ISO", "datetime", _text(_DAYS.dt.strftime("%Y-%m-%d")), r"202\d-[01]\d-[0-3]\d"),
    Column(
        "ISO with time",
        "datetime",
        _text(_TIMES.dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
        r"202\d-.*T[012]\d:\d\d:\d\dZ",
    ),
    Column(
        "ISO with offset",
        "datetime",
        _text(_TIMES.dt.strftime("%Y-%m-%d %H:%M:%S+02:00")),
        r"202\d-.*\+02:00",
    ),
    Column(
        "milliseconds",
        "datetime",
        _text(f"{each:%Y-%m-%d %H:%M:%S}.{row:03}" for row, each in enumerate(_TIMES)),
        r".*\.\d{3}",
    ),
    Column("German day", "datetime", _text(_DAYS.dt.strftime("%d.%m.%Y")), r"[0-3]\d\.[01]\d\.202\d"),
    Column("American day", "datetime", _text(_DAYS.dt.strftime("%m/%d/%Y")), r"[01]\d/[0-3]\d/202\d"),
    Column(
        "without zeros",
        "datetime",
        _text(f"{each.month}/{each.day}/{each.year}" for each in _DAYS),
        r"1?\d/[1-3]?\d/202\d",
    ),
    Column("day before month", "datetime", _text(_DAYS.dt.strftime("%d/%m/%Y")), r"[0-3]\d/[01]\d/202\d"),
    Column(
        "month's name", "datetime", _text(_DAYS.dt.strftime("%b %d, %Y")), r"[A-Z][a-z]{2} [0-3]\d, 202\d"
    ),
    Column("Oracle", "datetime", _text(_DAYS.dt.strftime("%d-%b-%Y")), r"[0-3]\d-[A-Z][a-z]{2}-202\d"),
    Column("month", "datetime", _text(_DAYS.dt.strftime("%Y-%m")), r"202\d-[01]\d"),
    Column("digits", "datetime", pd.Series(_DAYS.dt.strftime("%Y%m%d").astype(int)), r"202\d{5}"),
    Column(
        "afternoon", "datetime", _text(_TIMES.dt.strftime("%m/%d/%Y %I:%M %p")), r".* [01]\d:[0-5]\d [AP]M"
    ),
    Column("time of day", "datetime", _text(_TIMES.dt.strftime("%H:%M")), r"[0-2]\d:[0-5]\d"),
    Column(
        "before the first nanosecond",
        "datetime",
        _text(f"{1500 + row}-06-{1 + row % 28:02}" for row in range(ROWS)),
        r"1[56]\d\d-[01]\d-[0-3]\d",
    ),
)

DURATIONS = (
    Column("timedelta64", "duration", pd.Series(pd.to_timedelta(_SECONDS, unit="s"))),
    Column(
        "timedelta",
        "duration",
        pd.Series([datetime.timedelta(seconds=int(each)) for each in _SECONDS], dtype=object),
    ),
    Column(
        "Arrow duration",
        "duration",
        pd.Series(pd.to_timedelta(_SECONDS, unit="s")).astype("duration[us][pyarrow]"),
    ),
    Column(
        "clock",
        "duration",
        _text(f"{each // 2_000}:{each // 60 % 60:02}:{each % 60:02}" for each in _SECONDS),
        r"\d+:\d\d:\d\d",
    ),
    Column(
        "minutes and seconds",
        "duration",
        _text(f"{each // 1_400}:{each % 60:02}" for each in _SECONDS),
        r"\d+:\d\d",
    ),
    Column(
        "pandas' text",
        "duration",
        _text(map(str, pd.to_timedelta(_SECONDS, unit="s"))),
        r"\d days \d\d:\d\d:\d\d",
    ),
    Column(
        "hours and minutes",
        "duration",
        _text(f"{each // 3_600}h {each // 60 % 60}m" for each in _SECONDS),
        r"\d+h \d+m",
    ),
)

LABELS = (
    Column("text label", "category", _text(_GENRES[each] for each in _CHOICE)),
    Column("category of whole numbers", "category", pd.Series(pd.Categorical(_CHOICE))),
    Column(
        "ordered",
        "category",
        pd.Series(pd.Categorical.from_codes(_CHOICE, ["l", "m", "h", "x"], ordered=True)),
    ),
    Column("whole numbers among objects", "category", pd.Series(_CHOICE.tolist(), dtype=object)),
    Column("category of dates", "category", pd.Series(pd.Categorical(_DAYS.iloc[:4].to_numpy()[_CHOICE]))),
    Column("intervals", "category", pd.cut(pd.Series(_NUMBERS), 4)),
    Column("bytes", "category", pd.Series([b"a", b"b"] * (ROWS // 2))),
    Column("enumeration", "category", pd.Series([Size.SMALL, Size.LARGE] * (ROWS // 2))),
    Column("tuples", "category", pd.Series([(1, "a"), (2, "b")] * (ROWS // 2))),
    Column("strings", "category", pd.Series([_GENRES[each] for each in _CHOICE], dtype="string")),
    Column(
        "Arrow strings", "category", pd.Series([_GENRES[each] for each in _CHOICE], dtype="string[pyarrow]")
    ),
)

BOOLEANS = (
    Column("bool", "boolean", pd.Series(_CHOICE > 1)),
    Column("nullable", "boolean", pd.Series(_CHOICE > 1, dtype="boolean")),
    Column("objects", "boolean", pd.Series((_CHOICE > 1).tolist(), dtype=object)),
    Column("Arrow", "boolean", pd.Series(_CHOICE > 1).astype("bool[pyarrow]")),
    Column("yes and no", "boolean", _text("yes" if each else "no" for each in _CHOICE > 1), "yes|no"),
    Column("True and False", "boolean", _text(map(str, (_CHOICE > 1).tolist())), "True|False"),
    Column("Y and N", "boolean", _text("Y" if each else "N" for each in _CHOICE > 1), "Y|N"),
)

TAGS = (
    Column("lists", "tags", pd.Series(_TAGS)),
    Column("tuples of labels", "tags", pd.Series([tuple(each) for each in _TAGS])),
    Column("sets", "tags", pd.Series([set(each) for each in _TAGS])),
    Column("arrays", "tags", pd.Series([np.array(each) for each in _TAGS])),
    Column("JSON", "tags", _text(json.dumps(each) for each in _TAGS), r'\["\w+"(, "\w+")*\]'),
    Column("commas", "tags", _text(", ".join(each) for each in _TAGS), r"\w+(, \w+)*"),
    Column("semicolons", "tags", _text("; ".join(each) for each in _TAGS), r"\w+(; \w+)*"),
    Column("bars", "tags", _text("|".join(each) for each in _TAGS), r"\w+(\|\w+)*"),
)

IDENTIFIERS = (
    Column("counted", "ignored", pd.Series(np.random.default_rng(1).permutation(ROWS) + 1_000)),
    Column("by tens", "ignored", pd.Series(np.arange(ROWS) * 10)),
    Column("name and number", "ignored", _text(f"user_{row:04}" for row in range(ROWS)), r"user_\d{4}"),
    Column("zero padded", "ignored", _text(f"{row:06}" for row in range(ROWS)), r"\d{6}"),
    Column(
        "UUIDs",
        "ignored",
        _text(str(uuid.UUID(int=row**9 + 7, version=4)) for row in range(ROWS)),
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    ),
    Column(
        "UUID objects", "ignored", pd.Series([uuid.UUID(int=row**9 + 7, version=4) for row in range(ROWS)])
    ),
    Column(
        "codes",
        "ignored",
        _text(f"{chr(65 + row % 26)}{chr(65 + row % 25)}-{row * 7919 % 10_000:04}" for row in range(ROWS)),
        r"[A-Z]{2}-\d{4}",
    ),
    Column(
        "hashes",
        "ignored",
        _text(f"{row * 0x9E3779B97F4A7C15 % 2**64:016x}" for row in range(1, ROWS + 1)),
        r"[0-9a-f]{16}",
    ),
)

MODELLED = (*NUMBERS, *CODES, *DATES, *DURATIONS, *LABELS, *BOOLEANS, *TAGS)
