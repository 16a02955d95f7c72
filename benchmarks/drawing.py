"""How many whole rows are drawn a second, by default and fast.

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
from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.table import encode, read_table

AT_ONCE = 256


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--model", type=Path, required=True, help="a fitted latent-flow model of the demo table"
    )
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=7, help="how often each is timed, in turn")
    options = parser.parse_args()
    fitted = TableModel.load(options.model)
    model = fitted.fitted_.model
    nothing = read_table(fitted.sample(1).head(0).reindex(range(options.rows)), None)
    whole = encode(nothing, model.modalities)

    def tensors(fast: bool) -> Callable[[], object]:
        def draw() -> None:
            for start in range(0, options.rows, AT_ONCE):
                rows = slice(start, start + AT_ONCE)
                x = {name: values[rows] for name, values in whole.x.items()}
                batch = Batch(x, whole.present[rows], whole.rows[rows])
                model.complete(batch, list(model.modalities), RowNoise(0, batch.rows), fast=fast)

        return draw

    ways = {
        "rows": tensors(fast=False),
        "rows, fast": tensors(fast=True),
        "rows as pictures and sounds": lambda: fitted.sample(options.rows),
        "rows as pictures and sounds, fast": lambda: fitted.sample(options.rows, fast=True),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(options.rounds + 1):
        for name, draw in ways.items():
            started = time.perf_counter()
            draw()
            seconds[name].append(time.perf_counter() - started)
    rates = {name: options.rows / statistics.median(times[1:]) for name, times in seconds.items()}
    ratios = {
        name: statistics.median(
            plain / quick
            for plain, quick in zip(seconds[name][1:], seconds[f"{name}, fast"][1:], strict=True)
        )
        for name in ("rows", "rows as pictures and sounds")
    }
    for name, rate in rates.items():
        print(f"{name:40} {rate:8.0f} a second")
    for name, ratio in ratios.items():
        print(f"{name}: fast is {ratio:.1f} times as fast")
    record = {"threads": torch.get_num_threads(), "a second": rates, "fast, times": ratios}
    print(json.dumps({key: _rounded(value) for key, value in record.items()}))


def _rounded(value: object) -> object:
    if isinstance(value, dict):
        return {key: round(number, 2) for key, number in value.items()}
    return value


if __name__ == "__main__":
    main()
