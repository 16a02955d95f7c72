"""What is learned of columns, and what comes back of their cells, as a process on some kind of processor has it.

Run as `python -m tests.contracts.fitted_states COLUMNS ROOT RESULT`, with files of JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from amodal.media import Sound
from amodal.modalities import MODALITIES
from amodal.models.vae.priors import AggregatePosterior

_BACK = {"audio": 2}
"""How many cells come back, 40 of other types: a sound takes half a second."""


def fitted_states(columns: dict[str, list[Any]], root: Path) -> dict[str, Any]:
    """The state of each representation of each column, by the column's type before a dash, and its cells again."""
    found: dict[str, Any] = {}
    for name, cells in columns.items():
        for kind in MODALITIES:
            if kind.type != name.partition("-")[0]:
                continue
            series = pd.Series(cells)
            modality = kind.fit(series, root)
            tensor = modality.to_tensor(series, root)
            modality = modality.refit(tensor)
            back = modality.to_cells(modality.scale(tensor[: _BACK.get(kind.type, 40)]))
            found[f"{name} {kind.representation}"] = {
                "state": modality.to_dict(),
                "features": modality.features(tensor[:20]).tolist(),
                "back": [_plain(cell) for cell in back],
            }
    posterior = AggregatePosterior(8)
    posterior.fit(torch.from_numpy(_latents()))
    found["aggregate posterior"] = {
        "state": {name: weights.tolist() for name, weights in posterior.state_dict().items()},
        "features": [],
        "back": [],
    }
    return found


def _latents() -> np.ndarray:
    """Latents without clouds that are apart, of which a mixture has to make twenty all the same."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(2_500, 8)) * rng.uniform(0.5, 2.0, (2_500, 1))


def _plain(cell: Any) -> Any:
    if isinstance(cell, Sound):
        return cell.samples.tolist()
    return cell.tolist() if isinstance(cell, np.ndarray) else cell


if __name__ == "__main__":
    given, place, result = map(Path, sys.argv[1:])
    states = fitted_states(json.loads(given.read_text()), place)
    result.write_text(json.dumps(states))
