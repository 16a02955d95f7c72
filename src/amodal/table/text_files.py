"""Encoding and delimiter of text files, found by looking at them."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

from amodal.errors import DataError, UsageError

__all__ = ["Dialect", "decode", "find_dialect"]

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order mark -> encoding; that of UTF-32 begins with that of UTF-16."""

_DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "','", ";": "';' (semicolon)", "\t": "tab", "|": "'|'"}
_SNIFFED = 200  # lines
_MAX_ISOLATED = 0.5
_SIGNS = "€£°§’‘“”–—…ªº«»¿¡©®µ±²³"
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_SEP = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_COMMA_NUMBER = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class Dialect:
    """Separation of the cells of a file.

    Attributes:
        delimiter: the character between two cells.
        skipped: characters before the header, such as Excel's line `sep=;`.
        note: what was found, in words; empty where the file is as its suffix says.
    """

    delimiter: str
    skipped: int = 0
    note: str = ""


def decode(content: bytes, source: str, encoding: str | None = None) -> tuple[str, str]:
    """The text of a file, and a note where its encoding was guessed.

    UTF-8 and UTF-16 are known by a byte order mark, UTF-8 without one by its bytes. Any other file is taken for
    Windows' Western European encoding (cp1252, of which Latin-1's letters are a part), if its letters look like that.

    Args:
        content: the file's bytes.
        source: the table's name in messages.
        encoding: Python's name of the encoding; found by default.

    Raises:
        DataError: the bytes are not of the encoding, or of none that is found.
        UsageError: there is no such encoding.

    Example:
        >>> decode("größe".encode("cp1252"), "t.csv")
        ('größe', 't.csv: read as cp1252 (Latin-1), as it is not UTF-8.')
    """
    if encoding is not None:
        try:
            return content.decode(encoding).removeprefix("\ufeff"), ""
        except LookupError:
            raise UsageError(
                f"There is no encoding {encoding!r}: write one such as utf-8, utf-16 or cp1252."
            ) from None
        except UnicodeError:
            raise DataError(
                f"{source} is not {encoding}: give another encoding, or none to have it found."
            ) from None
    for mark, name in _MARKS.items():
        if content.startswith(mark):
            try:
                return content.decode(name), ""
            except UnicodeError as problem:
                raise DataError(f"{source} begins as {name}, but is not: {problem}.") from None
    if content[:2_000].count(b"\0") > 0.2 * len(content[:2_000]):
        name = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        try:
            return content.decode(name), f"{source}: read as {name}."
        except UnicodeError:
            raise DataError(f"{source} is not text.") from None
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError as problem:
        return _western(content, source, problem)


def _western(content: bytes, source: str, problem: UnicodeDecodeError) -> tuple[str, str]:
    before = content[: problem.start]
    line, column = before.count(b"\n") + 1, problem.start - before.rfind(b"\n")
    not_utf8 = f"{source} is not UTF-8: byte {column} of line {line} is 0x{content[problem.start]:02x}"
    way = 'Save it as UTF-8, or name its encoding, as in encoding="cp1252".'
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    foreign = [match.group() for match in re.finditer(r"[^\x00-\x7f]+", text)]
    # Western texts have single letters among ASCII; bytes of Chinese, Cyrillic or Greek texts come in runs.
    isolated = sum(
        len(run) <= 2 and any(letter.isalpha() or letter in _SIGNS for letter in run) for run in foreign
    )
    if _CONTROL.search(text) or isolated <= _MAX_ISOLATED * len(foreign):
        raise DataError(f"{not_utf8}. {way}")
    return text, f"{source}: read as cp1252 (Latin-1), as it is not UTF-8."


def find_dialect(text: str, usual: str, source: str) -> Dialect:
    r"""The delimiter by which all of the first lines have the same number of cells, two or more.

    The usual one is kept where it is among several; else the one with the most cells is taken.

    Args:
        text: the file.
        usual: the delimiter by the file's suffix, which is taken where none is found.
        source: the table's name in messages.

    Example:
        >>> find_dialect("size;city\n1,5;Bern\n2,5;Ulm\n", ",", "t.csv").delimiter
        ';'
    """
    named = _SEP.match(text)
    if named:
        return Dialect(named[1], named.end(), _note(named[1], usual, source, text[named.end() :]))
    counts = {delimiter: _cells_a_line(text, delimiter) for delimiter in (usual, *_DELIMITERS)}
    most = max(counts.values())
    delimiter = usual if most < 2 or counts[usual] == most else max(counts, key=counts.__getitem__)
    return Dialect(delimiter, 0, _note(delimiter, usual, source, text))


def _cells_a_line(text: str, delimiter: str) -> int:
    """Cells of each of the first lines; 0 where they differ, or quotes are broken."""
    lines = io.StringIO(text, newline="")
    widths: set[int] = set()
    try:
        for number, row in enumerate(csv.reader(lines, delimiter=delimiter, strict=True)):
            if number == _SNIFFED:
                break
            if row:
                widths.add(len(row))
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def _note(delimiter: str, usual: str, source: str, text: str) -> str:
    if delimiter == usual:
        return ""
    name = _NAMES.get(delimiter, repr(delimiter))
    row = text.splitlines()[1:2]
    has_commas = bool(row) and any(
        _COMMA_NUMBER.fullmatch(cell.strip('" ')) for cell in row[0].split(delimiter)
    )
    mark = ", numbers with a decimal comma" if has_commas and delimiter != "," else ""
    return f"{source}: read with the delimiter {name}{mark}."
