"""Written forms of durations: "1:23:45", "12:05", "1 days 02:03:04", "2h 30m", "PT1H30M"."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import RejectColumn, examples

_CLOCK = re.compile(
    r"(?P<sign>[+-]?)(?:(?P<days>\d+) (?P<day_word>days?),? \+?)?(?P<first>\d+):(?P<second>[0-5]\d)"
    r"(?::(?P<third>[0-5]\d))?(?:\.(?P<fraction>\d{1,9}))?"
)
_ISO = re.compile(r"-?P(?=\d|T\d)(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?")
_SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0}
_UNITS = re.compile(
    r"(?P<d>\d+) ?d(?:ays?)?(?: |$)|(?P<h>\d+) ?h(?:ours?|rs?)?(?![a-z])|(?P<m>\d+) ?m(?:in(?:ute)?s?)?(?![a-z])"
    r"|(?P<s>\d+(?:\.\d+)?) ?s(?:ec(?:ond)?s?)?(?![a-z])"
)
_WORDS = re.compile(r"\d+(?:\.\d+)?( ?)([a-z]+)( ?)")
_FEWEST = 0.8


@dataclass(frozen=True)
class DurationForm:
    """Written form of the durations of a column of texts.

    Attributes:
        kind: "clock" for 1:23:45, "iso" for PT1H23M45S, "units" for 1h 23m.
        parts: of a clock: 3 with hours, 2 for minutes and seconds.
        width: digits of a clock's first part.
        day_word: word after the number of days; empty where a clock's hours go on.
        fraction: digits of a second's fraction.
        units: words of days, hours, minutes and seconds in `units`, empty for those that texts lack.
        space: between a number and its unit, and between units.
        has_zeros: units of which there are none are written.
    """

    kind: str = "clock"
    parts: int = 3
    width: int = 1
    day_word: str = ""
    fraction: int = 0
    units: tuple[str, ...] = ("d", "h", "m", "s")
    space: tuple[str, ...] = ("", " ")
    has_zeros: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", tuple(self.units))
        object.__setattr__(self, "space", tuple(self.space))

    def parse(self, texts: pd.Series[Any]) -> NDArray[np.float64]:
        """Seconds (N,) of texts, NaN where one is no duration."""
        return np.array([_seconds(text.strip(), self.parts) for text in texts], np.float64)

    def write(self, seconds: float) -> str:
        """The text of seconds."""
        sign, rest = ("-" if seconds < 0 else ""), round(abs(seconds), self.fraction or 0)
        if self.kind == "clock":
            return sign + self._clock(rest)
        counts = _split(
            rest, any_days=self.kind == "iso" or bool(self.units[0]), any_hours=bool(self.units[1])
        )
        numbers = [str(int(count)) for count in counts[:3]] + [f"{counts[3]:.{self.fraction}f}"]
        if self.kind == "iso":
            days, *clock = [
                f"{number}{unit}" if float(number) else ""
                for number, unit in zip(numbers, "DHMS", strict=True)
            ]
            joined = "".join(clock)
            return f"{sign}P{days}{'T' + joined if joined else ''}" if days or joined else "PT0S"
        between, after = self.space
        named = zip(numbers, self.units, strict=True)
        named_parts = [
            f"{number}{between}{unit}" for number, unit in named if unit and (float(number) or self.has_zeros)
        ]
        last = next(unit for unit in reversed(self.units) if unit)
        return sign + (after.join(named_parts) or f"0{between}{last}")

    def _clock(self, seconds: float) -> str:
        total = int(seconds)
        fraction = f"{seconds - total:.{self.fraction}f}"[1:] if self.fraction else ""
        if self.parts == 2:
            return f"{total // 60:0{self.width}}:{total % 60:02}{fraction}"
        days, hours = divmod(total // 3_600, 24) if self.day_word else (0, total // 3_600)
        clock = f"{hours:0{self.width}}:{total // 60 % 60:02}:{total % 60:02}{fraction}"
        return f"{days} {self.day_word} {clock}" if self.day_word else clock


def find_duration_form(texts: pd.Series[Any]) -> DurationForm:
    """The form of most of a column's texts.

    Raises:
        RejectColumn: there is none.
    """
    stripped = [text.strip() for text in texts]
    clocks = [match for text in stripped if (match := _CLOCK.fullmatch(text))]
    if len(clocks) >= _FEWEST * len(stripped):
        return _clock_form(clocks)
    if sum(_ISO.fullmatch(text) is not None for text in stripped) >= _FEWEST * len(stripped):
        fractions = [len(match[1]) for text in stripped if (match := re.search(r"\.(\d+)S", text))]
        return DurationForm("iso", fraction=max(fractions, default=0))
    known = [text for text in stripped if not np.isnan(_seconds(text, 3))]
    words = [_WORDS.findall(text) for text in known]
    # A single unit is that of a number.
    if len(known) < _FEWEST * len(stripped) or max(map(len, words), default=0) < 2:
        raise RejectColumn(f"not durations: {examples([repr(text) for text in stripped])}")
    names = Counter(word for each in words for _, word, _ in each)
    units = tuple(
        next((name for name, _ in names.most_common() if _unit(name) == unit), "") for unit in _SECONDS
    )
    between = Counter(space for each in words for space, _, _ in each).most_common(1)[0][0]
    after = Counter(space for each in words for _, _, space in each[:-1]).most_common(1)[0][0]
    fractions = [len(match[1]) for text in known if (match := re.search(r"\.(\d+)", text))]
    has_zeros = len({len(each) for each in words}) == 1
    return DurationForm(
        "units", units=units, space=(between, after), fraction=max(fractions, default=0), has_zeros=has_zeros
    )


def _unit(word: str) -> str:
    return "m" if word.startswith("m") else word[0]


def _clock_form(matches: list[re.Match[str]]) -> DurationForm:
    parts = 3 if any(match["third"] for match in matches) else 2
    widths = {len(match["first"]) for match in matches}
    days = Counter(match["day_word"] for match in matches if match["day_word"])
    form = DurationForm(
        "clock",
        parts=3 if days else parts,
        width=min(widths),
        fraction=max(len(match["fraction"] or "") for match in matches),
    )
    return replace(form, day_word=days.most_common(1)[0][0], width=2) if days else form


def _seconds(text: str, parts: int) -> float:
    if match := _CLOCK.fullmatch(text):
        if match["third"] is None and parts == 2:
            clock = 60 * int(match["first"]) + int(match["second"])
        else:
            clock = 3_600 * int(match["first"]) + 60 * int(match["second"]) + int(match["third"] or 0)
        seconds = 86_400 * int(match["days"] or 0) + clock + float(f"0.{match['fraction'] or 0}")
        return -seconds if match["sign"] == "-" else seconds
    if _ISO.fullmatch(text):
        found = pd.Timedelta(text.lstrip("-")).total_seconds()
        return -found if text.startswith("-") else found
    total, place, sign = 0.0, 0, text.startswith("-")
    lowered = text.lstrip("-").lower().strip()
    matches = list(_UNITS.finditer(lowered))
    for match in matches:
        if lowered[place : match.start()].strip(" ,"):
            return np.nan
        name = str(match.lastgroup)
        total, place = total + float(match[name]) * _SECONDS[name], match.end()
    if not matches or lowered[place:].strip():
        return np.nan
    return -total if sign else total


def _split(seconds: float, *, any_days: bool, any_hours: bool) -> list[float]:
    """Days, hours, minutes and seconds; greater units that there are not add to the next."""
    days, rest = divmod(seconds, 86_400) if any_days else (0.0, seconds)
    hours, rest = divmod(rest, 3_600) if any_hours else (0.0, rest)
    minutes, rest = divmod(rest, 60)
    return [days, hours, minutes, rest]
