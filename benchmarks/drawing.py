"""Speed of generating rows, by default and with `fast`.

python -m benchmarks.drawing --model MODEL
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from amodal import TableModel
from amodal.distributions import RowNoise
from amodal.table import encode, read_table
from benchmarks.provenance import write_figures

BATCH_SIZE = 256


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="a fitted latent-flow model of the demo table"
    )
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7, help="rounds after one warm-up round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()
    fitted = TableModel.load(options.model)
    model = fitted.fitted_.model
    empty = read_table(fitted.sample(1).head(0).reindex(range(options.rows)), None)
    rows = encode(empty, model.modalities)

    def draw_tensors(fast: bool) -> Callable[[], object]:
        def draw() -> None:
            for batch in rows.split(BATCH_SIZE):
                model.complete(batch, list(model.modalities), RowNoise(0, batch.rows), fast=fast)

        return draw

    variants = {
        "rows": draw_tensors(fast=False),
        "rows, fast": draw_tensors(fast=True),
        "rows as pictures and sounds": lambda: fitted.sample(options.rows),
        "rows as pictures and sounds, fast": lambda: fitted.sample(options.rows, fast=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(options.rounds + 1):
        for name, draw in variants.items():
            started = time.perf_counter()
            draw()
            seconds[name].append(time.perf_counter() - started)
    rates = {name: round(options.rows / statistics.median(times[1:]), 2) for name, times in seconds.items()}
    ratios = {
        name: round(
            statistics.median(
                slow / fast
                for slow, fast in zip(seconds[name][1:], seconds[f"{name}, fast"][1:], strict=True)
            ),
            2,
        )
        for name in ("rows", "rows as pictures and sounds")
    }
    for name, rate in rates.items():
        print(f"{name:40} {rate:8.0f} a second")
    for name, ratio in ratios.items():
        print(f"{name}: fast is {ratio:.1f} times as fast")
    if options.json:
        figures = {
            name: {"default": rates[name], "fast": rates[f"{name}, fast"], "ratio": ratio}
            for name, ratio in ratios.items()
        }
        write_figures(options.json, "Speed of sampling: rows a second", figures)
    print(json.dumps({"threads": torch.get_num_threads(), "a second": rates, "fast, times": ratios}))


if __name__ == "__main__":
    main()
