"""A cell as a page shows it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Literal

Kind = Literal["image", "audio", "text", "missing"]
Role = Literal["given", "drawn", "real"]


@dataclass(frozen=True)
class Cell:
    """One cell as the page shows it.

    Attributes:
        column: its column.
        kind: "image", "audio", "text" or "missing".
        value: a data URI for a file, else the text; empty for a missing cell.
        role: "given" to the model, "drawn" by it, or the "real" one to compare with.
        picture: a data URI of a sound's spectrogram; empty where none is shown.
        smooth: whether a picture has so many pixels that none should be seen.
    """

    column: str
    kind: Kind
    value: str
    role: Role
    picture: str = ""
    smooth: bool = False


def data_uri(content: bytes, media_type: str) -> str:
    """A file inside the page itself.

    Example:
        >>> data_uri(b"amodal", "text/plain")
        'data:text/plain;base64,YW1vZGFs'
    """
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"
