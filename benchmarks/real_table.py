"""Real tables in a folder: their rows, and the kind that each column is scored as."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Self

import pandas as pd

from amodal.errors import DataError
from amodal.modalities import MODALITIES
from amodal.table import infer_schema, read_table

Kind = Literal["label", "number", "text", "image", "audio"]
_KIND_OF: Mapping[str, Kind] = {
    "category": "label",
    "boolean": "label",
    "number": "number",
    "image": "image",
    "audio": "audio",
}
"""Column type -> what it is scored as; others as texts."""

KINDS: Mapping[str, Mapping[Kind, tuple[str, ...]]] = {
    "adult": {
        "number": ("age", "fnlwgt", "hours_per_week"),
        "label": (
            *("workclass", "education", "education_num", "marital_status", "occupation", "relationship"),
            *("race", "sex", "capital_gain", "capital_loss", "native_country", "income"),
        ),
    },
    "baby_products": {
        "number": ("price",),
        "label": (
            *("is_discounted", "category", "company_struct", "company_free"),
            *("length", "width", "height", "fabrics", "colors", "materials"),
        ),
        "text": ("title", "weight"),
    },
    "digits": {
        "image": ("image",),
        "audio": ("speech",),
        "label": ("phrase", "speaker"),
        "number": ("seconds",),
    },
    "emoji": {
        "image": ("picture",),
        "text": ("name",),
        "label": ("category", "subcategory"),
        "number": ("added_in",),
    },
    "movies": {
        "text": ("Title", "Release Date", "Director"),
        "number": (
            *("US Gross", "Worldwide Gross", "US DVD Sales", "Production Budget", "Running Time min"),
            *("Rotten Tomatoes Rating", "IMDB Rating", "IMDB Votes"),
        ),
        "label": ("MPAA Rating", "Distributor", "Source", "Major Genre", "Creative Type"),
    },
    "orchestra": {
        "audio": ("sound",),
        "label": ("instrument", "family", "octave", "dynamic", "technique"),
        "number": ("midi", "length"),
        "text": ("description",),
    },
    "used_bikes": {
        "text": ("bike_name",),
        "label": ("city_posted", "color", "model_year", "owner_type"),
        "number": ("km_driven", "price"),
    },
}
"""What columns are scored as, whatever a model takes them for, so that figures of two versions compare."""


@dataclass(frozen=True)
class RealTable:
    """A table that is fitted and judged.

    Attributes:
        name: its folder's name.
        folder: holds metadata.csv, heldout.csv and the files that they name.
        training: the rows to fit; every cell is text, a missing one NaN.
        heldout: the rows to judge by.
        kinds: column -> what it is scored as; columns of no use are not there.
        content: a hash of all rows, by which results are kept.
    """

    name: str
    folder: Path
    training: pd.DataFrame
    heldout: pd.DataFrame
    kinds: Mapping[str, Kind]
    content: str

    @classmethod
    def read(cls, name: str, folder: Path, archives: Path) -> Self:
        """Read a table, unpacked from `archives` first where it is not in `folder` yet.

        Raises:
            DataError: it is in neither.
        """
        place = folder / name
        if not (place / "metadata.csv").is_file():
            archive = archives / f"{name}.tar.gz"
            if not archive.is_file():
                raise DataError(
                    f"There is no table {name!r}: neither {place / 'metadata.csv'} nor {archive} exists. "
                    "--folder and --archives name other places."
                )
            with tarfile.open(archive) as packed:
                packed.extractall(folder, filter="data")
        files = [place / "metadata.csv", place / "heldout.csv"]
        content = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
        training, heldout = (
            pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""]) for file in files
        )
        return cls(name, place, training, heldout, _kinds(name, place), content)

    def first(self, rows: int | None, judged: int | None) -> Self:
        """Only the first rows of both parts, all of them where None; kinds stay those of the whole table."""
        return replace(self, training=self.training.head(rows or None), heldout=self.heldout.head(judged))

    def columns(self, *kinds: Kind) -> list[str]:
        """The columns of these kinds, in the table's order."""
        return [name for name in self.training.columns if self.kinds.get(name) in kinds]


def _kinds(name: str, folder: Path) -> dict[str, Kind]:
    if name in KINDS:
        return {column: kind for kind, columns in KINDS[name].items() for column in columns}
    used = infer_schema(read_table(folder), MODALITIES).used
    return {column: _KIND_OF.get(modality.type, "text") for column, modality in used.items()}
