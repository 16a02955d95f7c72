"""Time to gather a batch from the prepared store, compared with a training step.

python -m benchmarks.gather
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from amodal.datasets.digits import make_digits
from amodal.distributions import RowNoise
from amodal.methods import method_named
from amodal.modalities import MODALITIES
from amodal.table import infer_schema, prepare_store, read_table
from benchmarks.provenance import write_figures


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--method", default="mvtcae")
    parser.add_argument("--times", type=int, default=40, help="batches after three warm-up batches")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()

    data = options.folder / f"digits-{options.rows}-0.2-0"
    if not (data / "metadata.csv").is_file():
        make_digits(data, rows=options.rows)
    table = read_table(data / "metadata.csv")
    modalities = infer_schema(table, MODALITIES).used
    method = method_named(options.method)
    torch.manual_seed(0)
    model = method.model(modalities)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    generator = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as temporary:
        store = prepare_store(table, modalities, Path(temporary) / "store")
        gathers, steps = [], []
        for number in range(options.times + 3):
            rows = generator.choice(len(store), options.batch_size, replace=False)
            begun = time.perf_counter()
            batch = store.gather(rows)
            gathered = time.perf_counter()
            loss = method.objective(model, batch, RowNoise(number, batch.rows)).total
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            stepped = time.perf_counter()
            gathers.append(1000 * (gathered - begun))
            steps.append(1000 * (stepped - gathered))
    # The first three warm up caches.
    gather, step = float(np.median(gathers[3:])), float(np.median(steps[3:]))
    share = 100 * gather / (gather + step)
    print(f"gathering {options.batch_size} rows: {gather:.3f} ms (median of {options.times})")
    print(f"{options.method} step: {step:.1f} ms")
    print(f"share of gathering in both: {share:.2f} %")
    figures = {"gather ms": round(gather, 3), "step ms": round(step, 1), "share %": round(share, 2)}
    if options.json:
        write_figures(options.json, "Gathering of batches", {f"{options.batch_size} rows": figures})
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
