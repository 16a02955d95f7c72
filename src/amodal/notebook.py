"""Tables in notebooks: images are shown and sounds have players."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from amodal.errors import UnreadableCell, shorten
from amodal.media import is_media, open_image, open_sound, png_bytes, suffix_of
from amodal.media.formats import AUDIO_SUFFIXES, IMAGE_SUFFIXES
from amodal.pages import data_uri
from amodal.table import read_table

__all__ = ["ShownTable", "show"]

_LONGEST = 200
"""Characters of a cell."""
_STYLE = "max-width:160px;max-height:160px;min-width:56px;image-rendering:pixelated"


@dataclass(frozen=True)
class ShownTable:
    """Rows of a table as a notebook shows them.

    Attributes:
        frame: the rows.
        root: the folder that paths in cells are relative to.
        omitted: number of further rows.
    """

    frame: pd.DataFrame
    root: Path | None
    omitted: int

    def _repr_html_(self) -> str:
        header = "".join(f"<th>{escape(str(name))}</th>" for name in ("", *self.frame.columns))
        body = "".join(
            f"<tr><th>{escape(str(label))}</th>{''.join(f'<td>{_cell(cell, self.root)}</td>' for cell in row)}</tr>"
            for label, row in zip(
                self.frame.index, self.frame.itertuples(index=False, name=None), strict=True
            )
        )
        more = f"<p>and {self.omitted:,} more rows</p>" if self.omitted else ""
        return f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>{more}"

    def __repr__(self) -> str:
        return repr(self.frame)


def show(data: Any, rows: int = 20, *, media_root: str | Path | None = None) -> ShownTable:
    """Show a table in a notebook, with its images, and players for its sounds.

    Args:
        data: a frame of `TableModel.sample` or `complete`, or any other table; see `TableModel.fit`.
        rows: most rows.
        media_root: the folder that paths in cells are relative to.

    Returns:
        An object that Jupyter displays.

    Example:
        >>> "<img" in show({"picture": [[[0, 255], [255, 0]]]})._repr_html_()
        True
    """
    table = read_table(data, media_root)
    frame = data if isinstance(data, pd.DataFrame) else (table.frame if table.cells is None else table.cells)
    return ShownTable(frame.head(rows), table.root, max(0, len(frame) - rows))


def _cell(cell: Any, root: Path | None) -> str:
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return ""
    suffix = suffix_of(cell)
    if is_media(cell) or suffix in (*IMAGE_SUFFIXES, *AUDIO_SUFFIXES) or isinstance(cell, list):
        if suffix not in AUDIO_SUFFIXES:
            try:
                uri = data_uri(png_bytes(open_image(cell, root)), "image/png")
            except UnreadableCell:
                pass
            else:
                return f'<img src="{uri}" style="{_STYLE}">'
        try:
            return open_sound(cell, root)._repr_html_()
        except UnreadableCell:
            pass
    return escape(shorten(str(cell), _LONGEST))
