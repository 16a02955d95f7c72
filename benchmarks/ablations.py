"""What each part of latent-flow buys: one run each on the demo table.

python -m benchmarks.ablations --seconds 120
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import Method, method_named
from amodal.models import GenerativeModel
from amodal.models.latent_flow import AnyOrderLoss, LatentFlow
from benchmarks.provenance import write_figures
from benchmarks.trials import Trial, trial

TITLE = "latent-flow: choices of sampling and of training"
METHOD = method_named("latent-flow")


class LastFirst(LatentFlow):
    """Draws flows first, and labels and words last."""

    @property
    def draw_order(self) -> tuple[int, ...]:
        return super().draw_order[::-1]


class AtOnce(LatentFlow):
    """Draws each target given what is given alone, and not the targets drawn before it."""

    def complete(
        self, batch: Batch, targets: Iterable[str], noise: RowNoise, **how: Any
    ) -> dict[str, Tensor]:
        drawn = {}
        for target in targets:
            drawn |= super().complete(batch, [target], noise, **how)
        return drawn


def drawing_as(model: GenerativeModel, kind: type[LatentFlow]) -> GenerativeModel:
    """The same weights, drawn from in another way."""
    other = kind.__new__(kind)
    other.__dict__.update(model.__dict__)
    return other


def with_flow(**settings: Any) -> Method:
    """Latent-flow with other settings of its main objective."""
    stages = [
        replace(stage, objective=replace(stage.objective, **settings))
        if isinstance(stage.objective, AnyOrderLoss)
        else stage
        for stage in METHOD.stages
    ]
    return replace(METHOD, stages=tuple(stages))


def of_one_model(ready: Trial, seconds: float) -> dict[str, dict[str, Any]]:
    """All that is a choice of how a fitted model draws."""
    model, _ = ready.fit(METHOD, seconds)
    found = {"as it is": ready.judge(model)}
    found["fast"] = ready.judge(model, fast=True)
    found["flows first, labels last"] = ready.judge(drawing_as(model, LastFirst))
    found["all targets at once"] = ready.judge(drawing_as(model, AtOnce))
    for guidance in (0.5, 1.0, 2.0, 3.0):
        found[f"guidance {guidance:g}"] = ready.judge(model, guidance=guidance)
    usual = model.num_steps
    for steps in (1, 2, 4, 16):
        model.num_steps = steps
        found[f"{steps} steps"] = ready.judge(model)
    model.num_steps = usual
    return found


TRAINED: dict[str, tuple[Method, dict[str, Any]]] = {
    "as it is": (METHOD, {}),
    "one noise draw": (with_flow(num_times=1), {}),
    "four noise draws": (with_flow(num_times=4), {}),
    "cells shown unchanged": (with_flow(augment=False), {}),
    "contrast 1": (with_flow(contrastive_weight=1.0), {}),
    "nothing missing": (METHOD, {"missing": 0.0}),
    "a quarter missing": (METHOD, {"missing": 0.25}),
    "half missing": (METHOD, {"missing": 0.5}),
    "three quarters missing": (METHOD, {"missing": 0.75}),
    "1000 rows": (METHOD, {"rows": 1000}),
    "4500 rows": (METHOD, {"rows": 4500}),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--missing", type=float, default=0.2)
    parser.add_argument("--seconds", type=float, default=120, help="of training, for each")
    parser.add_argument("--only", help="these of the settings that are trained, with commas between")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--json", type=Path, help="write the figures to this file, after each")
    options = parser.parse_args()
    chosen = options.only.split(",") if options.only else [*TRAINED]
    if unknown := set(chosen) - {*TRAINED}:
        parser.error(f"unknown settings {', '.join(sorted(unknown))}: choose from {', '.join(TRAINED)}")

    usual = {"rows": options.rows, "missing": options.missing}
    found: dict[str, dict[str, Any]] = {}
    if not options.only:
        found |= of_one_model(trial(options.folder, **usual), options.seconds)
    for name, (method, setting) in TRAINED.items():
        if name in found or name not in chosen:
            continue
        ready = trial(options.folder, **(usual | setting))
        found[name] = ready.judge(ready.fit(method, options.seconds)[0])
        print(name, found[name], flush=True)
        if options.json:
            write_figures(options.json, TITLE, found)
    print(pd.DataFrame(found).T.to_string())
    print(json.dumps(found))


if __name__ == "__main__":
    main()
