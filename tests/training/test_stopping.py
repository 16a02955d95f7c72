"""Time limits, by a clock that the test moves."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from torch import Tensor

from amodal import TableModel, UsageError
from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import Stage, method_named
from amodal.modalities import MODALITIES
from amodal.models import GenerativeModel, Loss, Objective
from amodal.models.vae.objectives import ELBO
from amodal.table import Store, infer_schema, prepare_store, read_table
from amodal.training import Budget, TrainerConfig, train

ROWS = 2_000
TABLE = pd.DataFrame(
    {"size": np.random.default_rng(0).normal(size=ROWS).round(3), "kind": ["large", "small"] * (ROWS // 2)}
)


@dataclass
class Machine:
    """A clock, and how long the work takes on a machine that becomes busy.

    Attributes:
        step: seconds of a training step while it is quiet.
        load: how many times as long all takes from half of the time limit on.
        limit: seconds.
    """

    step: float
    load: float
    limit: float
    now: float = 1_000.0

    def __post_init__(self) -> None:
        self.started = self.now

    def clock(self) -> float:
        return self.now

    def work(self, steps: float) -> None:
        busy = self.now - self.started > self.limit / 2
        self.now += steps * self.step * (self.load if busy else 1.0)

    @property
    def elapsed(self) -> float:
        return self.now - self.started


@dataclass(frozen=True)
class Timed(Objective[Any]):
    machine: Machine

    def __call__(self, model: Any, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        self.machine.work(1.0 if model.training else 0.4)
        return ELBO()(model, batch, noise, progress)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    table = read_table(TABLE, None)
    modalities: dict[str, Any] = infer_schema(table, MODALITIES).used
    return prepare_store(table, modalities, tmp_path_factory.mktemp("time_limit") / "store")


def model() -> GenerativeModel:
    modalities: dict[str, Any] = infer_schema(read_table(TABLE, None), MODALITIES).used
    return method_named("mopoe").model(modalities, latent=2)


def stages(machine: Machine) -> list[Stage]:
    """Three, with work before and after each."""

    @contextmanager
    def during(
        model: Any, batches: Iterable[Batch], rows: int, held_out: Tensor, stop: Callable[[], bool]
    ) -> Iterator[None]:
        end(model, batches)
        yield

    def end(model: Any, batches: Iterable[Batch]) -> None:
        for _ in batches:
            machine.work(0.6)

    return [Stage(Timed(machine), share, context=during, on_end=end) for share in (0.35, 0.9, 1.0)]


@pytest.mark.parametrize("load", [1.0, 5.0])
@pytest.mark.parametrize(("limit", "step"), [(30.0, 0.1), (60.0, 0.5), (60.0, 2.0), (300.0, 1.0)])
@pytest.mark.filterwarnings("ignore:The time limit:sklearn.exceptions.ConvergenceWarning")
def test_a_limit_is_kept_within_a_tenth_or_ten_seconds(
    store: Store, limit: float, step: float, load: float
) -> None:
    machine = Machine(step, load, limit)
    budget = Budget(1000, limit, clock=machine.clock)
    plan = TrainerConfig(batch_size=100, device="cpu", precision="32-true")
    training = train(model(), stages(machine), store, budget, plan)
    # Seconds of the test's own clock, which moves with the work that is done.
    assert machine.elapsed <= limit + max(10.0, limit / 10)
    assert machine.elapsed >= limit * 0.8
    assert len(training.history) >= (3 if load * step < 2.0 else 2), (
        "where steps take seconds, a stage is left out"
    )


def test_reading_takes_from_all_stages_alike(store: Store) -> None:
    machine = Machine(0.05, 1.0, 60.0)
    budget = Budget(1000, 60.0, clock=machine.clock)
    machine.now += 40.0
    plan = TrainerConfig(batch_size=100, device="cpu", precision="32-true")
    ends: list[float] = []

    @contextmanager
    def noted(
        model: Any, batches: Iterable[Batch], rows: int, held_out: Tensor, stop: Callable[[], bool]
    ) -> Iterator[None]:
        yield
        ends.append(machine.elapsed)

    three = [Stage(Timed(machine), share, context=noted) for share in (0.35, 0.9, 1.0)]
    train(model(), three, store, budget, plan)
    np.testing.assert_allclose(ends, [47.0, 58.7, 60.0], atol=1.5)


def test_what_a_limit_leaves_out_is_said(store: Store) -> None:
    machine = Machine(10.0, 1.0, 60.0)
    budget = Budget(1000, 60.0, clock=machine.clock)
    plan = TrainerConfig(batch_size=100, device="cpu", precision="32-true")
    with pytest.warns(ConvergenceWarning) as caught:
        train(model(), stages(machine), store, budget, plan)
    assert "ended stage 1 of 3 in its first epoch" in str(caught[0].message)
    assert "give more time" in str(caught[0].message)
    machine.now += 60.0
    with pytest.warns(ConvergenceWarning) as caught:
        assert train(model(), stages(machine), store, budget, plan).history.empty
    left_out = [str(warning.message).split(":")[0] for warning in caught]
    assert left_out == [f"The time limit left nothing for stage {number} of 3" for number in (1, 2, 3)]


def test_no_limit_thins_nothing_out(store: Store) -> None:
    machine = Machine(100.0, 1.0, 60.0)
    validated: list[int] = []

    @dataclass(frozen=True)
    class Counted(Timed):
        def __call__(self, model: Any, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
            if not model.training:
                validated.append(len(batch))
            return super().__call__(model, batch, noise, progress)

    plan = TrainerConfig(batch_size=100, device="cpu", precision="32-true")
    train(model(), [Stage(Counted(machine))], store, Budget(1, clock=machine.clock), plan)
    assert sum(validated) == ROWS // 10


def test_work_that_ends_early_goes_on_without_kept_latents(tmp_path: Path) -> None:
    from amodal.models.latent_flow import prepare_conditionals
    from tests.models.latent_flow.test_model import NAMES, batch, moving_model

    flow, rows = moving_model(), batch()
    with prepare_conditionals(flow, [rows], len(rows) + 1):
        latents = flow.latents(NAMES.index("picture"), rows)
        assert latents.mean.isfinite().all()
        assert not flow.latent_cache
    with prepare_conditionals(flow, [rows], len(rows)):
        assert flow.latent_cache


def test_a_limit_that_reading_uses_up_is_said(tmp_path: Path) -> None:
    long_ago = time.monotonic() - 100.0
    with pytest.raises(UsageError, match="limit of 90 s ended while the table was read: give more time"):
        TableModel(time_limit="90s")._fit(TABLE, long_ago, output=tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_preparing_ends_with_the_limit(tmp_path: Path) -> None:
    budget = Budget(1, 60.0, started=time.monotonic() - 100.0)
    table = read_table(TABLE, None)
    modalities: dict[str, Any] = infer_schema(table, MODALITIES).used
    with pytest.raises(UsageError, match="while the table was prepared"):
        prepare_store(
            table, modalities, tmp_path / "store", check=lambda: budget.check("the table was prepared")
        )
    assert not list(tmp_path.iterdir())


def test_the_command_prints_what_a_limit_left_out(
    amodal: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TABLE.to_csv(tmp_path / "table.csv", index=False)
    monkeypatch.setattr(Budget, "check", lambda *_: None)
    monkeypatch.setattr(Budget, "expired", lambda *_, **__: True)
    done = amodal("fit", tmp_path / "table.csv", "-o", tmp_path / "model", "--time-limit", "60s")
    assert "Warning: The time limit left nothing for training: give more time" in done.stderr
    assert "0 epochs" in done.stdout
    assert amodal("sample", tmp_path / "model", "-n", 2, "-o", tmp_path / "rows").stdout
