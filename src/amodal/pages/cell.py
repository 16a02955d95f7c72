"""Table cells on a page."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "audio", "text", "missing"]
Role = Literal["given", "drawn", "real"]


@dataclass(frozen=True)
class Cell:
    """One table cell on a page.

    Attributes:
        column: name of the column.
        kind: "image", "audio", "text" or "missing".
        value: data URI of a file, else the text; empty for a missing cell.
        role: "given" to the model, "drawn" by it, or the "real" cell to compare with.
        picture: data URI of a sound's spectrogram; empty for none.
        smooth: true for images large enough to be interpolated instead of shown as pixels.
    """

    column: str
    kind: Kind
    value: str
    role: Role
    picture: str = ""
    smooth: bool = False


def data_uri(content: bytes, media_type: str) -> str:
    """Data URI of a file's content.

    Example:
        >>> data_uri(b"amodal", "text/plain")
        'data:text/plain;base64,YW1vZGFs'
    """
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
