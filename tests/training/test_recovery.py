"""Losses that are no number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from amodal import DataError
from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import Stage, method_named
from amodal.modalities import MODALITIES
from amodal.models import Loss, Objective
from amodal.models.vae.objectives import ELBO
from amodal.table import infer_schema, prepare_store, read_table
from amodal.training import Budget, TrainerConfig, train

TABLE = pd.DataFrame({"size": [0.5, 1.5, 2.25, 3.0] * 20, "kind": ["a", "b"] * 40})


@dataclass(frozen=True)
class Diverging(Objective[Any]):
    """Becomes no number in the training steps that `when` names, after which the weights are none either."""

    when: Callable[[int], bool]
    steps: list[int] = field(default_factory=list)

    def __call__(self, model: Any, batch: Batch, noise: RowNoise, progress: float = 1.0) -> Loss:
        loss = ELBO()(model, batch, noise, progress)
        if not model.training:
            return loss
        self.steps.append(len(self.steps))
        if not self.when(self.steps[-1]):
            return loss
        return Loss(loss.total * float("nan"), loss.terms | {"size": loss.terms["size"] * float("nan")})


def trained(objective: Objective[Any], folder: Path, epochs: int = 4) -> tuple[Any, pd.DataFrame]:
    table = read_table(TABLE, None)
    modalities: dict[str, Any] = infer_schema(table, MODALITIES).used
    store = prepare_store(table, modalities, folder / "store")
    model = method_named("mopoe").model(modalities, latent=2)
    plan = TrainerConfig(batch_size=8, device="cpu", precision="32-true")
    return model, train(model, [Stage(objective)], store, Budget(epochs), plan).history


def test_training_goes_on_from_the_last_good_weights(tmp_path: Path) -> None:
    with pytest.warns(ConvergenceWarning, match=r"of size.*half the learning rate, 0\.001"):
        model, history = trained(Diverging(lambda step: step == 12), tmp_path)
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert torch.tensor(history["val_loss"].to_numpy()).isfinite().all()
    assert len(history) == 4
    assert history["val_loss"].iloc[-1] < history["val_loss"].iloc[0]


def test_it_ends_after_three_returns(tmp_path: Path) -> None:
    objective = Diverging(lambda step: step >= 5)
    with (
        pytest.warns(ConvergenceWarning) as caught,
        pytest.raises(DataError, match=r"of size.*4 times"),
    ):
        trained(objective, tmp_path)
    assert len([one for one in caught if one.category is ConvergenceWarning]) == 3
    assert len(objective.steps) == 5 + 4
