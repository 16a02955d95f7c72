"""Methods on harder tables (most cells missing, a column of noise), and their cost as columns grow.

python -m benchmarks.fusions --seconds 45
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import METHODS, Method
from amodal.modalities import NumberQuantile
from benchmarks.provenance import write_figures
from benchmarks.trials import trial

TITLE = "Methods under harder conditions"
COLUMNS = (2, 4, 8, 16)


def with_noise(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with a column of other rows' images, which carry no information."""
    order = np.random.default_rng(0).permutation(len(frame))
    return frame.assign(unrelated=frame["image"].to_numpy()[order])


SETTINGS = {
    "a fifth missing": {"missing": 0.2},
    "three fifths missing": {"missing": 0.6},
    "a column of noise": {"missing": 0.2, "change": with_noise, "name": "noise"},
}


def step_milliseconds(method: Method, columns: int, rows: int = 128, times: int = 15) -> float:
    """Median time of a training step with this many number columns, whose own networks cost little."""
    torch.manual_seed(0)
    model = method.model({str(column): NumberQuantile((0.0, 1.0), decimals=2) for column in range(columns)})
    x = {name: torch.randn(rows) for name in model.modalities}
    batch = Batch(x, torch.rand(rows, columns) < 0.8, torch.arange(rows))
    batch.present[:, 0] |= ~batch.present.any(1)
    optimiser = torch.optim.Adam(model.parameters(), fused=True)
    taken = []
    for number in range(times + 2):
        started = time.perf_counter()
        optimiser.zero_grad()
        method.objective(model, batch, RowNoise(number, batch.rows)).total.backward()
        optimiser.step()
        taken.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(taken[2:]), 1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", default=",".join(method.name for method in METHODS))
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=45, help="of training, for each method and setting")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--json", type=Path, help="write the figures to this file, after each")
    options = parser.parse_args()
    chosen = [method for method in METHODS if method.name in options.methods.split(",")]

    found: dict[str, dict[str, float]] = {method.name: {} for method in chosen}
    for name, setting in SETTINGS.items():
        ready = trial(options.folder, options.rows, **setting)
        for method in chosen:
            model, _ = ready.fit(method, options.seconds)
            judged = ready.judge(model)
            for kind in ("one given", "two given", "whole rows"):
                found[method.name][f"{name}: {kind}"] = judged[kind]
            print(name, method.name, judged, flush=True)
            if options.json:
                write_figures(options.json, TITLE, found)
    for method in chosen:
        for columns in COLUMNS:
            found[method.name][f"ms a step, {columns} columns"] = step_milliseconds(method, columns)
    print(pd.DataFrame(found).T.to_string())
    if options.json:
        write_figures(options.json, TITLE, found)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
