"""Cells of columns that are not modelled: a constant, and new identifiers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Self
from zlib import crc32

import numpy as np
import pandas as pd

from amodal.modalities.cell_types import CELL_TYPES, cell_type_of, parse_cell

__all__ = [
    "FILLERS",
    "Constant",
    "Filler",
    "NewCodes",
    "NewNumbers",
    "NewUuids",
    "filler_from_dict",
    "fit_identifiers",
]

NUMBERED = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
RUNS = re.compile(r"[^\W\d_]+|\d+|[\W_]")
ATTEMPTS = 50  # at a code that no other row has
MOST_CELLS = 20_000
ALPHABETS = (
    "0123456789",
    "0123456789abcdef",
    "0123456789ABCDEF",
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789abcdefghijklmnopqrstuvwxyz",
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-",
)


class Filler:
    """Cells of a column that is not modelled.

    Attributes:
        kind: its name in a model.
    """

    kind: ClassVar[str]

    def cells(self, count: int, present: Iterable[Any], rng: np.random.Generator) -> list[Any]:
        """New cells of `count` rows, beside a table's present ones."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """The filler as JSON."""
        return {"kind": self.kind, **asdict(self)}  # type: ignore[call-overload]


@dataclass(frozen=True)
class Constant(Filler):
    """The same cell in each row.

    Attributes:
        text: the cell's.
        cell_type: its type, see `amodal.modalities.cell_types`.
    """

    kind: ClassVar[str] = "constant"

    text: str
    cell_type: str

    @classmethod
    def fit(cls, cells: pd.Series) -> Self | None:
        """The filler of equal cells; None for cells that are no single value."""
        cell = cells.iloc[0]
        kind = cell_type_of([cell])
        known = next((each for each in CELL_TYPES if each.name == kind), None)
        if known is None or not isinstance(cell, known.types):
            return None
        return cls(str(cell), kind)

    def cells(self, count: int, present: Iterable[Any], rng: np.random.Generator) -> list[Any]:
        """The cell, as the table has it if it does."""
        own = next(iter(present), None)
        return [parse_cell(self.cell_type, self.text) if own is None else own] * count


@dataclass(frozen=True)
class NewNumbers(Filler):
    """The numbers after the greatest one of a numbering, with the text around them.

    Attributes:
        last: the greatest number.
        step: between two numbers.
        prefix: text before the number.
        suffix: text after it.
        width: digits of a number, with zeros before it.
        cell_type: "integer", "number" or "text".
    """

    kind: ClassVar[str] = "numbers"

    last: int
    step: int
    prefix: str = ""
    suffix: str = ""
    width: int = 0
    cell_type: str = "integer"

    def cells(self, count: int, present: Iterable[Any], rng: np.random.Generator) -> list[Any]:
        """The next numbers, after the table's own too."""
        last = max([self.last, *(number for cell in present if (number := self._number(cell)) is not None)])
        numbers = [last + self.step * (place + 1) for place in range(count)]
        if self.cell_type == "text":
            return [f"{self.prefix}{number:0{self.width}}{self.suffix}" for number in numbers]
        return [parse_cell(self.cell_type, str(number)) for number in numbers]

    def _number(self, cell: Any) -> int | None:
        text = str(cell)
        if not (text.startswith(self.prefix) and text.endswith(self.suffix)):
            return None
        text = text[len(self.prefix) : len(text) - len(self.suffix)]
        try:
            return int(float(text)) if "." in text else int(text)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class NewUuids(Filler):
    """Random UUIDs.

    Attributes:
        template: one as the column writes them, of zeros.
        is_upper: digits above 9 are capitals.
        is_text: cells are texts.
    """

    kind: ClassVar[str] = "uuids"

    template: str
    is_upper: bool
    is_text: bool

    def cells(self, count: int, present: Iterable[Any], rng: np.random.Generator) -> list[Any]:
        """Random ones of version 4."""
        found: list[Any] = [uuid.UUID(bytes=rng.bytes(16), version=4) for _ in range(count)]
        return [self._written(each) for each in found] if self.is_text else found

    def _written(self, value: uuid.UUID) -> str:
        digits = iter(value.hex.upper() if self.is_upper else value.hex)
        return "".join(next(digits) if mark == "0" else mark for mark in self.template)


@dataclass(frozen=True)
class NewCodes(Filler):
    """Random codes of a pattern, none twice.

    Attributes:
        parts: characters to choose from, and least and most of them, for each part of a code.
    """

    kind: ClassVar[str] = "codes"

    parts: tuple[tuple[str, int, int], ...]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "parts", tuple((str(each), int(low), int(high)) for each, low, high in self.parts)
        )

    def cells(self, count: int, present: Iterable[Any], rng: np.random.Generator) -> list[Any]:
        """Random ones that the table has not."""
        taken, found = {str(cell) for cell in present}, []
        for _ in range(count):
            for trial in range(ATTEMPTS + count):
                code = self._draw(rng, longer=max(0, trial - ATTEMPTS))
                if code not in taken:
                    break
            taken.add(code)
            found.append(code)
        return found

    def _draw(self, rng: np.random.Generator, longer: int) -> str:
        """A random code; `longer` characters more where its pattern has no free one."""
        letters = [
            "".join(rng.choice(list(characters), rng.integers(low, high + 1)))
            for characters, low, high in self.parts
        ]
        return "".join(letters) + "".join(rng.choice(list("0123456789"), longer))


FILLERS: tuple[type[Filler], ...] = (Constant, NewNumbers, NewUuids, NewCodes)


def filler_from_dict(state: Mapping[str, Any]) -> Filler:
    """Restore the filler that `to_dict` gave.

    Raises:
        ValueError: there is no such filler.
    """
    found = next((each for each in FILLERS if each.kind == state.get("kind")), None)
    if found is None:
        raise ValueError(f"no filler {state.get('kind')!r}")
    return found(**{name: value for name, value in state.items() if name != "kind"})


def fit_identifiers(cells: pd.Series) -> Filler:
    """The filler of a column of identifiers."""
    kind = cell_type_of(cells)
    if kind == "uuid":
        return NewUuids("", is_upper=False, is_text=False)
    if kind in ("integer", "number"):
        return _numbering([int(cell) for cell in cells], cell_type=kind)
    texts = cells.astype(str).tolist()
    if all(len(text) >= 32 and set(text.lower()) <= set("0123456789abcdef-{}") for text in texts):
        template = re.sub("[0-9a-fA-F]", "0", texts[0])
        if template.count("0") == 32 and template.count("-") in (0, 4):
            return NewUuids(template, is_upper=texts[0] != texts[0].lower(), is_text=True)
    return _numbered_texts(texts) or NewCodes(_parts(texts[:MOST_CELLS]))


def _numbering(numbers: list[int], **options: Any) -> NewNumbers:
    ordered = np.unique(np.array(numbers, dtype=object))
    step = int(np.gcd.reduce(np.diff(ordered))) if len(ordered) > 1 else 1
    return NewNumbers(int(ordered[-1]), max(step, 1), **options)


def _numbered_texts(texts: list[str]) -> NewNumbers | None:
    """Texts that differ by a number of at most 15 digits alone; None for others, or where these are scattered."""
    matches = [NUMBERED.fullmatch(text) for text in texts]
    if any(match is None for match in matches):
        return None
    found = [match.groups() for match in matches if match is not None]
    prefixes, suffixes = {prefix for prefix, _, _ in found}, {suffix for _, _, suffix in found}
    widths = {len(number) for _, number, _ in found}
    if len(prefixes) > 1 or len(suffixes) > 1 or max(widths) > 15:
        return None
    numbers = [int(number) for _, number, _ in found]
    if max(numbers) - min(numbers) > 100 * len(numbers):
        return None
    width = widths.pop() if len(widths) == 1 else 0
    return _numbering(numbers, prefix=prefixes.pop(), suffix=suffixes.pop(), width=width, cell_type="text")


def _parts(texts: list[str]) -> tuple[tuple[str, int, int], ...]:
    """Characters of each place of texts of one length; else of each run of letters or digits."""
    if len({len(text) for text in texts}) == 1:
        return tuple((_alphabet(set(place)), 1, 1) for place in zip(*texts, strict=True))
    runs = [RUNS.findall(text) for text in texts]
    count = max(map(len, runs))
    longest = [each for each in runs if len(each) == count]
    parts = []
    for place in zip(*longest, strict=True):
        if len(set(place)) == 1:
            parts += [(mark, 1, 1) for mark in place[0]]
        else:
            parts.append((_alphabet(set("".join(place))), min(map(len, place)), max(map(len, place))))
    return tuple(parts)


def _alphabet(characters: set[str]) -> str:
    """The least usual alphabet of characters; a place of few characters has no others."""
    if len(characters) <= 2:
        return "".join(sorted(characters))
    return next((each for each in ALPHABETS if characters <= set(each)), "".join(sorted(characters)))


def column_rng(seed: int, name: str) -> np.random.Generator:
    """Random numbers of a column."""
    return np.random.default_rng([abs(seed), crc32(name.encode())])
