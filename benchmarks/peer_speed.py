"""Rows trained on a second: in amodal's trainer, in MultiVae's, and by the bare networks, which is the limit.

To be imported only after `torchvision_operators.define_missing_operators`.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import Stage, method_named
from amodal.models import Loss, Objective
from amodal.models.base import shown
from amodal.models.vae import MultimodalVAE
from amodal.models.vae.joint_latent import bounded
from amodal.training import Budget, TrainerConfig, train
from benchmarks.multivae_models import Clock, dataset, model_named, quiet, trainer_of
from benchmarks.peer_table import PeerTable

PAIRS = {"mvtcae": "MVTCAE", "mopoe": "MoPoE"}
PRECISIONS = {"fp32": "32-true", "bf16": "bf16-mixed"}
_WARM = 3
_TURN = 30
"""Steps that a contender makes before the next has its turn, at least: memory needs some to settle."""


@dataclass(frozen=True)
class Timed(Objective[Any]):
    """An objective that notes when each step of training came to it; none between epochs."""

    objective: Objective[Any]
    times: list[float]

    def __call__(self, model: Any, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        self.times.append(time.perf_counter() if torch.is_grad_enabled() else np.nan)
        return self.objective(model, batch, noise, progress)


def steps(times: list[float]) -> list[float]:
    """Seconds of each step but the first few, from when it ended (or began) to when the next did.

    Example:
        >>> steps([0.0, 9.0, 10.0, 11.0, 12.0, np.nan, 15.0, 17.0])
        [1.0, 2.0]
    """
    lasted = np.diff(times)
    return [float(seconds) for seconds in lasted[_WARM:] if not np.isnan(seconds)]


def measure(table: PeerTable, rounds: int, seed: int, batch_size: int, device: str = "cpu") -> dict[str, Any]:
    """Rows a second of each method, trainer and precision, and ratios; all take turns, a few epochs at a time.

    Validation and what else happens between epochs is left out, of all alike.
    """
    with tempfile.TemporaryDirectory() as folder:
        contenders = dict(_contenders(table, folder, seed, batch_size, device))
        lasted: dict[tuple[str, str, str], list[float]] = {key: [] for key in contenders}
        for _ in range(rounds):
            for key, turn in contenders.items():
                lasted[key] += steps(turn())
    speeds = {
        "|".join(key): round(batch_size / float(np.median(seconds)), 1) for key, seconds in lasted.items()
    }
    ratios = {}
    for method in PAIRS:
        for precision in PRECISIONS:
            amodal = speeds[f"{method}|{precision}|amodal"]
            for other in ("MultiVae", "bare"):
                ratios[f"{method}|{precision}|amodal / {other}"] = round(
                    amodal / speeds[f"{method}|{precision}|{other}"], 3
                )
        ratios[f"{method}|amodal bf16 / MultiVae fp32"] = round(
            speeds[f"{method}|bf16|amodal"] / speeds[f"{method}|fp32|MultiVae"], 3
        )
    return {
        "rows a second": speeds,
        "ratios": ratios,
        "threads": torch.get_num_threads(),
        "batch size": batch_size,
        "device": device,
    }


def _contenders(
    table: PeerTable, folder: str, seed: int, batch_size: int, device: str
) -> Iterator[tuple[tuple[str, str, str], Callable[[], list[float]]]]:
    """(method, precision, whose) -> trains for some epochs and tells when its steps were."""
    epochs = -(-_TURN // (len(table.training) // batch_size))
    for method, theirs in PAIRS.items():
        for precision in PRECISIONS:
            yield (
                (method, precision, "amodal"),
                _ours(method, table, precision, seed, batch_size, epochs, device),
            )
            yield (
                (method, precision, "MultiVae"),
                _theirs(theirs, table, precision, folder, seed, batch_size, epochs, device),
            )
            yield (
                (method, precision, "bare"),
                _bare(method, table, precision, seed, batch_size, epochs, device),
            )


def _ours(
    name: str, table: PeerTable, precision: str, seed: int, batch_size: int, epochs: int, device: str
) -> Callable[[], list[float]]:
    method = method_named(name)
    torch.manual_seed(seed)
    model = method.model(table.modalities)

    def turn() -> list[float]:
        times: list[float] = []
        plan = TrainerConfig(batch_size=batch_size, seed=seed, device=device, precision=PRECISIONS[precision])
        train(model, [Stage(Timed(method.objective, times))], table.store, Budget(epochs), plan)
        return times

    return turn


def _theirs(
    name: str,
    table: PeerTable,
    precision: str,
    folder: str,
    seed: int,
    batch_size: int,
    epochs: int,
    device: str,
) -> Callable[[], list[float]]:
    torch.manual_seed(seed)
    clock = Clock(1e9)
    trainer = trainer_of(
        model_named(name, table.modalities, scale=0.75),
        dataset(name, table, table.training),
        dataset(name, table, table.held_out),
        clock,
        folder,
        rate=1e-3,
        seed=seed,
        batch_size=batch_size,
        device=device,
    )

    def turn() -> list[float]:
        clock.ends.clear()
        with quiet(), _precision(precision, device):
            for _ in range(epochs):
                trainer.train_step(1)
        return list(clock.ends)

    return turn


def _bare(
    name: str, table: PeerTable, precision: str, seed: int, batch_size: int, epochs: int, device: str
) -> Callable[[], list[float]]:
    """Encoders, the mean of what they say, decoders, likelihoods; backward; Adam. Batches are ready on the device."""
    torch.manual_seed(seed)
    model = method_named(name).model(table.modalities).to(device)
    if not isinstance(model, MultimodalVAE):
        raise TypeError(f"{name} has not the networks of a MultimodalVAE")
    networks = nn.ModuleList([model.encoders, model.experts, model.decoders])
    optimiser = torch.optim.Adam(networks.parameters(), lr=1e-3, fused=True)
    order = np.random.default_rng(seed).permutation(table.training)
    whole = len(order) // batch_size * batch_size
    batches = []
    for rows in order[:whole].reshape(-1, batch_size):
        batch = table.store.gather(rows).to(device)
        batches.append(
            [
                shown(modality.scale(batch.x[column]), batch.present[:, index])
                for index, (column, modality) in enumerate(table.modalities.items())
            ]
        )

    def turn() -> list[float]:
        times = []
        for columns in batches * epochs:
            times.append(time.perf_counter())
            with _precision(precision, device):
                said = [
                    expert(encoder(cells))
                    for encoder, expert, cells in zip(model.encoders, model.experts, columns, strict=True)
                ]
                z = bounded(torch.stack(said, 1)).mean.mean(1)
                scores = [
                    decoder(z).log_prob(cells) for decoder, cells in zip(model.decoders, columns, strict=True)
                ]
                loss = -(torch.stack(scores, 1) @ model.weights).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if device != "cpu":
                torch.cuda.synchronize()
        return [*times, time.perf_counter()]

    return turn


def _precision(name: str, device: str) -> contextlib.AbstractContextManager[Any]:
    return torch.autocast(device, dtype=torch.bfloat16) if name == "bf16" else contextlib.nullcontext()


def show_speed(measured: dict[str, Any]) -> None:
    speeds = pd.Series(measured["rows a second"])
    speeds.index = pd.MultiIndex.from_tuples([tuple(key.split("|")) for key in speeds.index])
    where = f"{measured['threads']} threads" if measured["device"] == "cpu" else measured["device"]
    print(f"\nrows trained on a second, {measured['batch size']} a step, {where}:")
    print(speeds.unstack().to_string(float_format="%.0f"))
    for name, ratio in measured["ratios"].items():
        print(f"{name.replace('|', ', ')}: {ratio:.2f}")
