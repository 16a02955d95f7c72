"""scikit-learn's manners."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amodal import TableModel, UsageError

FRAME = pd.DataFrame(
    {"a": np.random.default_rng(0).normal(size=40).round(2), "b": list("xy") * 20},
    index=[f"row{number}" for number in range(40)],
)
quick = partial(TableModel, epochs=1, latent=4)


@pytest.mark.parametrize(
    "seed",
    [np.int64(3), 3.0, np.uint8(7), None, np.random.RandomState(0), np.random.default_rng(0)],
    ids=["int64", "float", "uint8", "None", "RandomState", "Generator"],
)
def test_seeds_of_any_kind_work_and_the_model_can_be_saved(seed: object, tmp_path) -> None:
    model = quick(random_state=seed).fit(FRAME)
    model.save(tmp_path / "model")
    assert isinstance(TableModel.load(tmp_path / "model").random_state, int)
    model.sample(2, seed=np.int64(4))
    clone(model)


@pytest.mark.parametrize("seed", [-1, 2**32, 99_999_999_999, 1.5, "one"])
def test_seeds_that_are_none_are_refused(seed: object) -> None:
    with pytest.raises(UsageError, match="random_state must be a whole number from 0 to 4,294,967,295"):
        quick(random_state=seed).fit(FRAME)
    with pytest.raises(UsageError, match="seed must be a whole number"):
        quick().fit(FRAME).sample(1, seed=seed)


def test_equal_seeds_of_any_type_give_equal_models() -> None:
    one, two = (quick(random_state=seed).fit(FRAME).sample(5) for seed in (5, np.float64(5)))
    pd.testing.assert_frame_equal(one, two)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"epochs": 0}, "epochs must be a whole number above 0"),
        ({"batch_size": -1}, "batch_size must be"),
        ({"latent": 0}, "latent must be"),
        ({"device": "gpu"}, "Choose from auto, cpu, cuda, mps"),
        ({"time_limit": -3}, "time_limit must be"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TableModel(**{"epochs": 1, "latent": 4} | arguments).fit(FRAME)


def test_numpy_scalars_are_numbers() -> None:
    model = TableModel(epochs=np.int32(1), latent=np.int64(4), learning_rate=np.float32(1e-3)).fit(FRAME)
    assert model.settings_["latent"] == 4
    assert len(model.sample(np.int64(3))) == 3
    assert len(model.complete(FRAME, draws=np.int8(2))) == 80


def test_output_is_a_frame_where_it_is_set_so() -> None:
    model = quick().set_output(transform="pandas").fit(FRAME)
    vectors = model.transform(FRAME)
    assert vectors.index.equals(FRAME.index)
    assert (
        list(vectors) == list(model.get_feature_names_out()) == [f"tablemodel{number}" for number in range(4)]
    )
    scaled = make_pipeline(quick(), StandardScaler()).set_output(transform="pandas").fit_transform(FRAME)
    assert scaled.index.equals(FRAME.index)
    columns = make_column_transformer((quick(), ["a", "b"]), verbose_feature_names_out=False).fit(FRAME)
    assert columns.get_feature_names_out().tolist() == list(vectors)


def test_names_of_features_are_those_of_the_table() -> None:
    model = quick().fit(FRAME)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    assert model.n_features_in_ == 2


def test_a_grid_search_uses_score() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        search = GridSearchCV(quick(), {"latent": np.arange(3, 5)}, cv=2, error_score="raise").fit(FRAME)
    assert np.isfinite(search.best_score_)
    assert search.best_params_["latent"] in (3, 4)
