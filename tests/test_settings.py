"""The settings of methods: found by introspection, parsed by their types, kept with a model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from pydantic import Field, PositiveInt
from sklearn.base import clone

from amodal import TableModel, UsageError
from amodal.methods import METHODS, Method, Stage, method_named
from amodal.models.latent_flow import DistillationLoss, LatentFlow
from amodal.settings import configure, flatten, join, resolve, settings_of
from tests.training.test_fit import table


class Model:
    """A model.

    Args:
        modalities: of the columns.
        width: of its layers,
            in numbers.
        rate: of something.
    """

    def __init__(
        self,
        modalities: Any,
        width: PositiveInt = 3,
        rate: Annotated[float, Field(ge=0, le=1)] = 0.5,
        exact: bool = True,
        kind: Literal["a", "b"] = "a",
        limit: PositiveInt | None = None,
    ) -> None:
        self.seen = (width, rate, exact, kind, limit)


@dataclass(frozen=True)
class Loss:
    """A loss.

    Attributes:
        rate: its weight.
    """

    rate: float = 2.0
    nested: tuple[int, ...] = ()


METHOD: Any = Method(
    "toy", "a toy", "nobody", Model, (Stage(Loss()), replace(Stage(Loss(rate=3.0)), name="late"))
)  # type: ignore[arg-type]


def test_settings_are_found_where_they_are_written() -> None:
    settings = settings_of(METHOD)
    own = {name: each.default for name, each in settings.items() if each.owner != "trainer"}
    assert own == {
        "width": 3,
        "model.rate": 0.5,
        "exact": True,
        "kind": "a",
        "limit": None,
        "objective.rate": 2.0,
        "late.rate": 3.0,
    }
    assert settings["width"].description == "of its layers, in numbers."
    assert {"learning_rate", "patience", "batch_size", "precision"} <= set(settings)
    assert not {"seed", "device", "modalities", "nested"} & set(settings)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("width", "8", 8),
        ("width", 8, 8),
        ("model.width", "8", 8),
        ("model.rate", "1e-1", 0.1),
        ("late.rate", "7", 7.0),
        ("exact", "no", False),
        ("exact", "True", True),
        ("kind", "b", "b"),
        ("limit", "5", 5),
        ("limit", "none", None),
        ("devices", "2", 2),
        ("devices", "0,1", "0,1"),
        ("trainer.patience", "4", 4),
    ],
)
def test_values_are_parsed_by_their_types(name: str, given: Any, value: Any) -> None:
    flat = flatten(METHOD, resolve(METHOD, {name: given}))
    found = flat.get(name, flat.get(name.split(".")[-1]))
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("width", 0, "width must be a whole number above 0, not 0."),
        ("width", "2.5", "a whole number above 0, not '2.5'"),
        ("model.rate", 1.5, "model.rate must be a number from 0 to 1, not 1.5"),
        ("model.rate", "nan", "a number from 0 to 1, not 'nan'"),
        ("exact", "perhaps", "true or false"),
        ("kind", "c", "'a' or 'b', not 'c'"),
        ("limit", 0, "a whole number above 0 or none"),
        (
            "widht",
            3,
            "'toy' has no setting 'widht'. Did you mean width? Its settings are width, model.rate, exact",
        ),
        ("late.ratte", 3, "Did you mean late.rate"),
        ("epoch", 3, "Did you mean epochs?"),
        ("zzz", 3, "has no setting 'zzz'. Its settings are"),
        ("rate", 1, "write model.rate or objective.rate or late.rate"),
    ],
)
def test_others_are_refused_with_what_would_do(name: str, given: Any, told: str) -> None:
    with pytest.raises(UsageError) as problem:
        resolve(METHOD, {name: given}, arguments=["epochs"])
    assert told in str(problem.value)


def test_a_method_is_configured() -> None:
    values = resolve(METHOD, {"width": 5, "late.rate": 9})
    method: Any = configure(METHOD, values)
    assert method.model("columns").seen == (5, 0.5, True, "a", None)
    assert [stage.objective.rate for stage in method.stages] == [2.0, 9.0]
    assert resolve(METHOD, join(values)) == values


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_setting_of_every_method_says_what_it_is(method: Method) -> None:
    settings = settings_of(method)
    for setting in settings.values():
        assert setting.description, setting.full_name
        assert setting.domain
    assert resolve(method, {name: each.default for name, each in settings.items()}) == resolve(method, {})
    assert configure(method, resolve(method, {})).stages == method.stages


def test_an_estimator_takes_them_as_arguments() -> None:
    model = TableModel("mvtcae", epochs=3, latent=8, beta=1.5)
    assert model.get_params() == TableModel("mvtcae", epochs=3).get_params() | {"latent": 8, "beta": 1.5}
    other = clone(model.set_params(beta=0.5, epochs=2))
    assert other.get_params() == model.get_params()
    assert (other.get_params()["beta"], other.epochs) == (0.5, 2)
    assert "beta=0.5" in repr(other)
    with pytest.raises(UsageError, match="Did you mean epochs"):
        TableModel(epoch=3)
    with pytest.raises(UsageError, match="Did you mean latent"):
        TableModel(latnet=3)
    with pytest.raises(UsageError, match="epochs must be a whole number above 0 or none, not 0"):
        TableModel(epochs=0).fit(table())
    with pytest.raises(UsageError, match="bad_cells must be 'error' or 'missing', not 'drop'"):
        TableModel(bad_cells="drop").fit(table())  # type: ignore[arg-type]


def test_a_loaded_model_knows_how_it_was_made(tmp_path: Path, bfloat16: bool) -> None:
    given: dict[str, Any] = {"alpha": "0.5", "patience": 2, "latent": 4, "time_limit": "1h"}
    options = {"kind": {"length": np.int64(3)}}
    model = TableModel("mvtcae", epochs=2, types={"kind": "text"}, options=options, random_state=3, **given)
    model.fit(table(60), output=tmp_path / "model")
    loaded = TableModel.load(tmp_path / "model", device="cpu")
    params = loaded.get_params()
    assert params | {"alpha": 0.5, "patience": 2, "latent": 4, "beta": 2.5, "learning_rate": 2e-3} == params
    assert params["types"] == {"kind": "text"}
    assert params["options"] == {"kind": {"length": 3}}
    assert (params["epochs"], params["time_limit"], params["random_state"]) == (2, "1h", 3)
    assert loaded.settings_ == model.settings_ == loaded.settings
    assert loaded.fitted_.model.latent == 4
    again = clone(loaded).fit(table(60))
    # Under a time limit the number of threads may differ, and with it the last bits of sums.
    np.testing.assert_allclose(again.history_["val_loss"], model.history_["val_loss"], rtol=1e-4)
    np.testing.assert_allclose(again.embed(table(60)), model.embed(table(60)), atol=1e-3)


def test_settings_reach_the_objectives_and_the_trainer(bfloat16: bool) -> None:
    losses = [
        TableModel("mvtcae", epochs=1, latent=4, **settings).fit(table(60)).history_["train_loss"][0]
        for settings in ({}, {"alpha": 0.1}, {"learning_rate": 0.1}, {"alpha": 5 / 6})
    ]
    assert losses[0] == losses[3]
    assert len(set(losses)) == 3
    assert (
        TableModel("latent-flow", guidance=3, epochs=1, latent=4).fit(table(60)).fitted_.model.guidance == 3.0
    )


def test_the_models_of_methods_are_of_their_class() -> None:
    assert settings_of(method_named("mvae"))["features"].default == 256
    assert settings_of(method_named("early-fusion"))["dropout"].default == 0.5


def test_settings_that_do_not_go_together_are_refused_before_training() -> None:
    loss = DistillationLoss(num_teacher_steps=4)
    loss.check(LatentFlow({}, num_student_steps=2))
    with pytest.raises(UsageError, match="num_teacher_steps, 4, must be a multiple of num_student_steps, 3"):
        loss.check(LatentFlow({}, num_student_steps=3))
