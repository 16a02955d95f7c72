"""Generated rows under conditions, with shares of labels and with holes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal import DataError, TableModel, UsageError


@pytest.mark.parametrize("name", ["model", "vae"])
def test_all_rows_meet_a_condition(name: str, request: pytest.FixtureRequest) -> None:
    rows = request.getfixturevalue(name).sample(
        300, where="price > 50 and kind in ['x', 'y'] and note is not null"
    )
    assert (rows["price"] > 50).all()
    assert set(rows["kind"]) == {"x", "y"}
    assert rows["note"].notna().all()
    assert rows.attrs["tries"] >= 1


def test_the_same_seed_gives_the_same_rows(model: TableModel) -> None:
    one, two = (model.sample(50, where="price > 50 or kind == 'z'", seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)


def test_a_text_that_is_equal_to_another_is_given(model: TableModel) -> None:
    rows = model.sample(200, where="note == 'an order of z for 90'")
    assert (rows["note"] == "an order of z for 90").all()
    assert (rows["kind"] == "z").mean() > 0.5


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("price > 1e7", "no cell of column 'price' meets 'price > 10000000.0': its cells go from"),
        ("price > 30 and price < 20", "no cell of column 'price'"),
        ("kind == 'x' and kind == 'y'", "no cell of column 'kind'"),
        ("note is null", "asks for a missing cell"),
        ("size > 3", "no column 'size'"),
        ("kind > 3", "has no order"),
    ],
)
def test_conditions_that_no_row_can_meet_are_refused_at_once(
    model: TableModel, where: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        model.sample(3, where=where)


def test_shares_are_exact(model: TableModel) -> None:
    assert model.sample(300, balance="kind")["kind"].value_counts().to_dict() == {
        "x": 100,
        "y": 100,
        "z": 100,
    }
    rows = model.sample(200, shares={"kind": {"x": 0.25, "y": 0.5, "z": 0.25}})
    assert rows["kind"].value_counts().to_dict() == {"y": 100, "x": 50, "z": 50}
    rows = model.sample(101, balance="kind", where="kind != 'z' and price > 20")
    assert sorted(rows["kind"].value_counts()) == [50, 51]
    assert (rows["price"] > 20).all()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"balance": "price"}, "has no labels"),
        ({"balance": "colour"}, "no column 'colour'"),
        ({"shares": {"kind": {"x": 0.5}}}, "sum to 0.5"),
        ({"shares": {"kind": {"x": 1.5, "y": -0.5}}}, "from 0 up"),
        ({"shares": {"kind": {"w": 1.0}}}, "was not seen"),
        ({"shares": {"kind": {"x": 1.0}}, "balance": "kind"}, "both"),
    ],
)
def test_wrong_shares_are_refused(model: TableModel, arguments: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        model.sample(3, **arguments)


def test_holes_have_the_tables_joint_pattern() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "u": rng.normal(size=300).round(3),
            "v": rng.normal(size=300).round(3),
            "w": rng.choice(list("pq"), 300),
        }
    )
    both = rng.random(300) < 0.4  # u and v are missing together, or not at all
    frame.loc[both, ["u", "v"]] = np.nan
    model = TableModel(epochs=1, latent=4).fit(frame)
    rows = model.sample(2_000, holes=True)
    missing = rows.isna()
    assert (missing["u"] == missing["v"]).all()
    assert not missing["w"].any()
    assert missing["u"].mean() == pytest.approx(both.mean(), abs=4 * np.sqrt(0.24 / 2_000))
    assert not model.sample(200).isna().any().any()
    seen = model.sample(200, holes=True, where="u is null and w == 'p'")
    assert seen["u"].isna().all()
    assert (seen["w"] == "p").all()
    assert model.sample(100, holes=True, where="u > 0")["u"].min() > 0
    with pytest.raises(UsageError, match="no row of the fitted table has such missing"):
        model.sample(3, holes=True, where="u is null and v is not null")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"kind": "w"}, r'given=\{"kind": "w"\}: .w. was not seen in training'),
        ({"price": 1e9}, "the cells of 'price' in training go from"),
        ({"price": "much"}, "is not a"),
    ],
)
def test_given_cells_that_cannot_be_are_told_in_the_callers_words(
    model: TableModel, given: dict, said: str
) -> None:
    with pytest.raises(DataError, match=said) as caught:
        model.sample(2, given=given)
    assert "bad_cells" not in str(caught.value)


def test_dates_truth_values_and_amounts_are_compared_in_their_written_form() -> None:
    rng = np.random.default_rng(0)
    start = pd.Series(pd.date_range("2024-01-01", periods=200))
    end = start + pd.to_timedelta(rng.integers(0, 9, 200), unit="D")
    frame = pd.DataFrame(
        {
            "start": start.dt.strftime("%d.%m.%Y"),
            "end": end.dt.strftime("%d.%m.%Y"),
            "paid": rng.choice(["yes", "no"], 200),
            "cost": [f"{amount:.2f} €" for amount in rng.gamma(2, 10, 200)],
        }
    )
    model = TableModel(epochs=1, latent=4, rules="start <= end").fit(frame)
    where = "start between '01.02.2024' and '2024-03-31' and paid == 'yes' and cost > 20"
    rows = model.sample(60, where=where)
    first, last = (pd.to_datetime(rows[name], format="%d.%m.%Y") for name in ("start", "end"))
    assert (first <= last).all()
    assert first.between("2024-02-01", "2024-03-31").all()
    assert (rows["paid"] == "yes").all()
    assert (rows["cost"].str.removesuffix(" €").astype(float) > 20).all()
    with pytest.raises(UsageError, match=r"'31\.02\.2024' is not a date"):
        model.sample(1, where="start > '31.02.2024'")
