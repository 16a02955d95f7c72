"""The best epoch of a stage, and how a stage ends that no longer gets better."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch

from amodal.methods import method_named
from amodal.models.latent_flow import LatentFlow
from amodal.training.best_weights import BestWeights
from amodal.training.module import TrainingModule
from amodal.training.schedule import LRDecay
from tests.modalities.vector import LatentVector

PATIENCE = 4


class Weights(TrainingModule):
    """A stage whose model is two numbers, a and b."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.model = torch.nn.ParameterDict({"a": torch.zeros(()), "b": torch.zeros(())})
        self.lr_decay = None
        self.done = 0.0

    def epochs_done(self) -> float:
        return self.done


def validated(best: BestWeights, module: Weights, epoch: int, **metrics: float) -> bool:
    """Tell of an epoch after which both weights are its number; gives whether the stage ends."""
    trainer: Any = SimpleNamespace(callback_metrics=metrics, current_epoch=epoch, should_stop=False)
    module.done = epoch + 1.0
    with torch.no_grad():
        module.model["a"].fill_(epoch)
        module.model["b"].fill_(epoch)
    best.on_validation_end(trainer, module)
    return trainer.should_stop


def test_each_column_keeps_its_own_best_epoch() -> None:
    best, module = BestWeights(PATIENCE, {"one": "a", "other": "b"}), Weights()
    for epoch, (one, other) in enumerate([(1.0, 1.0), (3.0, 2.0), (2.0, 5.0), (0.0, 4.0)]):
        assert not validated(best, module, epoch, val_score=9.0 + epoch, val_one=one, val_other=other)
    assert {name: weight.item() for name, weight in best.weights.items()} == {"a": 1.0, "b": 2.0}


def test_a_stage_that_gets_no_better_goes_on_from_its_best_weights_and_ends_when_the_rate_has_fallen() -> (
    None
):
    best, module = BestWeights(PATIENCE, {}), Weights()
    losses = [3.0, 1.0, *[2.0] * PATIENCE]
    for epoch, loss in enumerate(losses[:-1]):
        assert not validated(best, module, epoch, val_score=loss)
        assert module.lr_decay is None
    last = len(losses) - 1
    assert not validated(best, module, last, val_score=losses[-1])
    assert module.lr_decay == LRDecay(last + 1.0, PATIENCE)
    assert module.model["a"].item() == 1.0, "it is back at the best epoch"
    ends = [validated(best, module, last + 1 + epoch, val_score=0.5) for epoch in range(PATIENCE)]
    assert ends == [False] * (PATIENCE - 1) + [True]
    assert best.weights["a"].item() == last + 1.0, "what gets better while the rate falls is kept"


def test_a_rate_falls_from_all_of_it_to_its_end() -> None:
    decay = LRDecay(10.0, 5)
    assert [decay.fraction(epochs) for epochs in (10.0, 12.5, 15.0, 20.0)] == [0.0, 0.5, 1.0, 1.0]


def test_what_is_kept_and_begun_survives_a_checkpoint() -> None:
    best, module = BestWeights(PATIENCE, {}), Weights()
    for epoch in range(PATIENCE + 1):
        validated(best, module, epoch, val_score=1.0)
    checkpoint: dict[str, Any] = {}
    module.on_save_checkpoint(checkpoint)
    other, again = BestWeights(PATIENCE, {}), Weights()
    again.on_load_checkpoint(checkpoint)
    other.load_state_dict(best.state_dict())
    assert again.lr_decay == module.lr_decay == LRDecay(PATIENCE + 1.0, PATIENCE)
    assert other.state_dict() == best.state_dict()


def test_autoencoders_are_kept_column_by_column() -> None:
    model = LatentFlow({"one": LatentVector(2), "other": LatentVector(3)}, latent=4, features=8)
    stage = method_named("latent-flow").stages[0]
    starts = stage.parameter_groups(model)
    assert set(starts) == {"one", "other"}
    trained = {name for name, _ in model.named_parameters() if name.startswith("autoencoders.")}
    for start in starts.values():
        of_one = {name for name in trained if name.startswith(start)}
        assert of_one
        trained -= of_one
    assert not trained, "every weight of the stage is some column's"
