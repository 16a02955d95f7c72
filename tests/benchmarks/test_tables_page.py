from typing import Any

import numpy as np

from amodal.media import Sound
from benchmarks.sheets import contact_sheet, spectrogram
from benchmarks.tables_page import mean_of_seeds, tables_section


def record(table: str, score: float) -> dict[str, Any]:
    columns = {
        "colour": {"kind": "label", "cells": 30, "amodal": score, "base": 0.2, "share": 0.5, "as good": True},
        "price": {"kind": "number", "cells": 30, "amodal": 0.3, "coverage": 0.75},
    }
    figures = {
        "epochs": 7,
        "columns": columns,
        "completion": {"columns": 2, "mean share": 0.5},
        "judged": {"pairs": {"a > b": 0.25}, "AUC": None},
    }
    return {
        "provenance": {
            "command": "python -m ...",
            "machine": "two cores",
            "amodal": "0.1.0",
            "date": "2026-11-27",
        },
        "options": {"method": "latent-flow", "time limit": "4m"},
        "tables": {table: {"rows": 300, "seeds": [figures], "mean": mean_of_seeds([figures])}},
    }


def test_means_of_seeds_are_taken_of_every_number() -> None:
    seeds = [{"a": 1, "of": {"b": 0.5, "good": True, "name": "x"}, "none": None}] * 1
    seeds.append({"a": 2, "of": {"b": 1.5, "good": False, "name": "y"}, "none": 3.0})
    assert mean_of_seeds(seeds) == {"a": 1.5, "of": {"b": 1.0, "good": 0.5, "name": "x"}, "none": None}


def test_a_section_has_a_table_of_columns_and_the_judges_figures() -> None:
    section = tables_section(record("adult", 0.789))
    assert section.startswith("## Real tables: latent-flow, time limit 4m\n")
    assert "| colour | label | 30 | 0.789 |" in section
    assert "\n### adult\n" in section
    assert "- pairs: a > b: 0.250" in section
    assert "- AUC: none" in section


def test_a_sheet_has_real_cells_above_drawn_ones() -> None:
    real = [np.full((20, 20), 10, np.uint8)] * 5
    drawn = [np.full((10, 10, 3), 200, np.uint8)] * 5
    sheet = contact_sheet(real, drawn, across=4)
    assert (sheet[0, 0] == 10).all()
    assert (sheet[12, 0] == 200).all()
    # The second line has one cell of each; the rest of it is white.
    half = len(sheet) // 2
    assert (sheet[half, 0] == 10).all()
    assert (sheet[half:, 12:] == 255).all()


def test_a_spectrogram_shows_a_tone_at_its_height() -> None:
    low, high = (
        Sound(np.sin(2 * np.pi * hertz * np.arange(8000) / 16_000).astype(np.float32) * 0.5, 16_000)
        for hertz in (300, 3000)
    )
    heights = [spectrogram(sound)[:, 10].argmax() for sound in (low, high)]
    assert heights[0] > heights[1]
    assert spectrogram(low).shape == spectrogram(Sound(np.zeros(20, np.float32), 8000)).shape
