"""Training and its time limits on a busy machine, beside other programs that never rest.

python -m benchmarks.contention
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from amodal.methods import method_named
from amodal.training import Budget, TrainerConfig, train
from benchmarks.provenance import provenance
from benchmarks.trials import Trial, trial

_BUSY = "while True: pass"


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Run so many processes of one thread each that only compute."""
    processes = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def fair_share(busy: int) -> float:
    """What a program that uses all cores keeps of them where each thread of all programs gets as much."""
    cores = len(os.sched_getaffinity(0))
    return min(1.0, cores / (cores + busy))


def epochs(table: Trial, seconds: float) -> float:
    """Epochs of the stage that trains contexts and conditionals, in so many seconds."""
    method = method_named("latent-flow")
    stage = max(method.stages, key=lambda each: each.joins)
    torch.manual_seed(0)
    model = method.model(table.modalities)
    steps = 0

    def counted(*_: Any) -> None:
        nonlocal steps
        steps += 1

    handle = model.context_network.register_forward_hook(
        lambda module, *_: counted() if module.training else None
    )
    train(model, [stage], table.store, Budget(1_000_000, seconds), TrainerConfig())
    handle.remove()
    rows = len(table.store) * 9 // 10
    return steps * 128 / rows


def fitted_in(data: Path, limit: str) -> tuple[float, int]:
    """Seconds from the start to the end of `amodal fit --time-limit`, and the epochs that it did."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        words = [sys.executable, "-m", "amodal.cli", "fit", data, "-o", model, "--time-limit", limit]
        started = time.monotonic()
        subprocess.run(
            [str(word) for word in words], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        seconds = time.monotonic() - started
        return seconds, len((model / "history.csv").read_text(encoding="utf-8").splitlines()) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each run of the context stage")
    parser.add_argument("--busy", default="0,1,2,4", help="processes to run beside training")
    parser.add_argument("--limits", default="30s,60s,300s", help="of `amodal fit`; none where empty")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    table = trial(options.folder, options.rows, 0.2)
    counts = [int(count) for count in options.busy.split(",")]
    print(f"{platform.processor() or platform.machine()}, {len(os.sched_getaffinity(0))} cores")
    stage = {}
    for count in counts:
        with busy_processes(count):
            stage[count] = epochs(table, options.seconds)
    alone = stage[counts[0]]
    print("busy processes  epochs  kept  fair  kept of the fair share")
    for count, done in stage.items():
        kept, fair = done / alone, fair_share(count)
        print(f"{count:14d}  {done:6.1f}  {kept:4.2f}  {fair:4.2f}  {kept / fair:22.2f}")
    limits: dict[str, dict[int, tuple[float, int]]] = {}
    data = options.folder / f"digits-{options.rows}-0.2-0"
    for limit in filter(None, options.limits.split(",")):
        for count in (0, 4):
            with busy_processes(count):
                limits.setdefault(limit, {})[count] = fitted_in(data, limit)
            seconds, done = limits[limit][count]
            print(
                f"--time-limit {limit} beside {count} busy processes: {seconds:.0f} s, {done} epochs",
                flush=True,
            )
    figures = {
        "provenance": provenance(),
        "epochs": stage,
        "fair": {count: fair_share(count) for count in counts},
        "limits": limits,
    }
    if options.json:
        options.json.write_text(json.dumps(figures) + "\n", encoding="utf-8")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
