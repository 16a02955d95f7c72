"""Tables in every form that people hold them: fitted, completed, and given back as they went in."""

import datetime
import gc
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from amodal import DataError, TableModel, UsageError
from amodal.media import Sound
from amodal.table import (
    fill_holes,
    in_form_of,
    infer_schema,
    read_table,
    to_arrow,
    to_dataset,
    to_parquet,
    write_table,
)
from tests.cell_cases import TABLES, CellCase

ROWS = 40


def plain_frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "kind": rng.choice(["a", "b"], ROWS),
            "height": rng.normal(170, 9, ROWS).round(1),
            "grade": rng.integers(1, 5, ROWS),
        }
    )


@pytest.fixture(scope="module")
def model() -> TableModel:
    return TableModel(epochs=1, latent=4).fit(plain_frame())


def with_holes() -> pd.DataFrame:
    frame = plain_frame().astype({"grade": "Int64"})
    frame.loc[:4, "kind"] = None
    frame.loc[3:6, "grade"] = pd.NA
    return frame


def as_pandas(table: Any) -> pd.DataFrame:
    return table if isinstance(table, pd.DataFrame) else table.to_pandas()


@pytest.mark.parametrize("case", TABLES, ids=str)
def test_a_table_in_any_form_is_completed_in_that_form(model: TableModel, case: CellCase) -> None:
    data = case.make(with_holes())
    completed = model.complete(data)
    if not isinstance(data, dict | list):
        assert type(completed) is type(data)
    frame = as_pandas(completed)
    assert frame.columns.tolist() == ["kind", "height", "grade"]
    assert not frame.isna().any().any()
    before = with_holes()
    assert frame["height"].tolist() == before["height"].tolist()
    assert frame["kind"].tolist()[5:] == before["kind"].tolist()[5:]
    assert frame["grade"].drop(range(3, 7)).tolist() == before["grade"].drop(range(3, 7)).tolist()
    assert set(frame["grade"]) <= {1, 2, 3, 4}
    assert np.isfinite(model.embed(data)).all()


def test_types_are_kept_where_holes_are_filled(model: TableModel) -> None:
    frame = with_holes()
    polars = model.complete(pl.from_pandas(frame).with_columns(pl.col("kind").cast(pl.Categorical)))
    assert dict(polars.schema) == {"kind": pl.Categorical, "height": pl.Float64, "grade": pl.Int64}
    features = datasets.Dataset.from_pandas(frame).features
    assert model.complete(datasets.Dataset.from_pandas(frame)).features == features
    for dtypes in (
        {"kind": "category"},
        {"grade": "float32"},
        {"grade": "int8[pyarrow]"},
        {"kind": "string"},
    ):
        typed = frame.astype(dtypes)
        completed = model.complete(typed)
        assert completed.dtypes.to_dict() == typed.dtypes.to_dict()
        assert not completed.isna().any().any()


def test_ordered_categories_and_their_order_are_kept() -> None:
    sizes = pd.Categorical(np.resize(["l", "m", "s"], ROWS), categories=["s", "m", "l"], ordered=True)
    frame = plain_frame().assign(size=sizes)
    hole = frame.assign(size=frame["size"].mask(frame.index < 5))
    assert TableModel(epochs=1, latent=4).fit(frame).complete(hole)["size"].dtype == frame["size"].dtype


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([f"p{n}" for n in range(ROWS)], name="person"),
        pd.MultiIndex.from_product([range(8), list("abcde")], names=["u", "v"]),
        pd.date_range("2024-01-01", periods=ROWS, freq="D"),
        pd.Index([7] * ROWS),
    ],
    ids=["text", "levels", "dates", "repeated"],
)
def test_the_index_and_attrs_are_kept(model: TableModel, index: pd.Index) -> None:
    frame = with_holes().set_axis(index).sample(frac=1, random_state=0)
    frame.attrs["source"] = "a survey"
    completed = model.complete(frame)
    assert completed.index.equals(frame.index)
    assert completed.index.names == frame.index.names
    assert completed.attrs["source"] == "a survey"
    assert completed["height"].tolist() == frame["height"].tolist()
    twice = model.complete(frame, draws=2)
    assert twice.index.equals(frame.index.repeat(2))


@pytest.mark.parametrize(
    "labels", [[0, 1, 2], [("x", 1), ("x", 2), ("y", 1)], [1.5, "b", 3], [np.int64(4), "5", 2.5]]
)
def test_column_names_of_any_kind(labels: list[Any], tmp_path: Path) -> None:
    frame = plain_frame().set_axis(pd.Index(labels), axis="columns")
    model = TableModel(epochs=1, latent=4, types={frame.columns[0]: "category"}).fit(frame)
    first, second, _ = frame.columns
    drawn = model.sample(3, given={first: "a"})
    assert drawn.columns.tolist() == frame.columns.tolist()
    assert drawn[first].tolist() == ["a"] * 3
    completed = model.complete(frame, columns=[second], given=[first])
    assert completed.columns.equals(frame.columns)
    model.save(tmp_path / "m")
    assert TableModel.load(tmp_path / "m").sample(2)[first].shape == (2,)


def test_columns_of_the_user_s_own_named_row_and_draw() -> None:
    frame = plain_frame().rename(columns={"kind": "row", "height": "draw"})
    model = TableModel(epochs=1, latent=4).fit(frame)
    part = frame.head(3).assign(grade=None)
    drawn = model.complete(part, draws=2)
    assert drawn["row"].tolist() == part["row"].repeat(2).tolist()
    assert drawn["row_2"].tolist() == [1, 1, 2, 2, 3, 3]
    assert drawn["draw_2"].tolist() == [1, 2] * 3


def test_numbers_of_a_csv_are_numbers_and_stay_as_written_on_the_command_line(
    model: TableModel, tmp_path: Path
) -> None:
    (tmp_path / "t.csv").write_text("kind,height,grade\na,150.50,1\n,160.00,\nb,,3\n")
    completed = model.complete(tmp_path / "t.csv")
    assert completed["grade"].dtype == "int64"
    assert completed["height"].dtype == "float64"
    assert completed["height"].tolist()[:2] == [150.5, 160.0]
    rows = model._complete(read_table(tmp_path / "t.csv"), model._conditions(None))
    write_table(rows.frame, tmp_path / "out", model.schema_.used)
    assert [line.split(",")[1] for line in (tmp_path / "out" / "metadata.csv").read_text().splitlines()][
        1:3
    ] == [
        "150.50",
        "160.00",
    ]


def test_cells_that_are_there_everywhere_are_not_drawn(
    model: TableModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[str], int]] = []
    usual = model.fitted_.model.complete

    def complete(batch: Any, targets: Any, noise: Any, **options: Any) -> Any:
        asked.append((list(targets), len(batch)))
        return usual(batch, targets, noise, **options)

    monkeypatch.setattr(model.fitted_.model, "complete", complete)
    frame = plain_frame()
    assert model.complete(frame).equals(frame)
    assert asked == []
    frame.loc[[2, 9], "kind"] = None
    model.complete(frame)
    assert asked == [(["kind"], 2)]


CELLS = {
    "text": st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)),
    "whole": st.one_of(st.none(), st.integers(-(2**40), 2**40)),
    "number": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False, width=32)),
    "flag": st.one_of(st.none(), st.booleans()),
    "day": st.one_of(st.none(), st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))),
    "tags": st.one_of(st.none(), st.lists(st.sampled_from("abc"), min_size=1, max_size=3)),
}
SCHEMA = pa.schema(
    {
        "text": pa.string(),
        "whole": pa.int64(),
        "number": pa.float64(),
        "flag": pa.bool_(),
        "day": pa.timestamp("us"),
        "tags": pa.list_(pa.string()),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=6))
def test_a_table_whose_holes_are_not_filled_comes_back_the_same(
    rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    frame = table.to_pandas().set_axis([f"r{n}" for n in range(len(rows))])
    forms = {
        "pandas": frame,
        "Arrow dtypes": table.to_pandas(types_mapper=pd.ArrowDtype),
        "nullable": frame.convert_dtypes(),
        "polars": pl.from_arrow(table),
        "Arrow": table,
        "datasets": datasets.Dataset(table),
    }
    for name, data in forms.items():
        read = read_table(data)
        same = in_form_of(read, fill_holes(read, {}, {}, 1), {}, 1, {})
        if isinstance(data, pd.DataFrame):
            pd.testing.assert_frame_equal(same, data)
        elif name == "datasets":
            assert same.features == data.features
            assert same.data.table.equals(data.data.table)
        else:
            assert same.equals(data)
    scalars = table.drop_columns(["tags"]).to_pandas().drop(columns="day")
    scalars.to_parquet(tmp_path / "t.parquet")
    scalars.to_csv(tmp_path / "t.csv", index=False)
    for path in (tmp_path / "t.parquet", tmp_path / "t.csv"):
        read = read_table(path)
        completed = fill_holes(read, {}, {}, 1).frame
        completed.to_csv(tmp_path / "again.csv", index=False)
        written = pd.read_csv(tmp_path / "again.csv", dtype=str, keep_default_na=False)
        expected = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
        if path.suffix == ".csv":
            pd.testing.assert_frame_equal(written, expected)
        else:
            assert (
                read.frame["whole"].dropna().astype(int).tolist()
                == scalars["whole"].dropna().astype(int).tolist()
            )


@pytest.fixture(scope="module")
def media_rows() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "image": [rng.integers(0, 255, (8, 8), dtype=np.uint8) for _ in range(24)],
            "sound": [(8000, (rng.normal(size=800) * 0.1).astype(np.float32)) for _ in range(24)],
            "label": list("ab") * 12,
        }
    )


@pytest.fixture(scope="module")
def media_model(media_rows: pd.DataFrame) -> TableModel:
    return TableModel(epochs=1, latent=4).fit(media_rows)


def media_forms(rows: pd.DataFrame, folder: Path) -> dict[str, Any]:
    write_table(rows, folder / "t", infer_schema(read_table(rows), TableModel.modalities).used)
    paths = pd.read_csv(folder / "t" / "metadata.csv")
    struct = to_arrow(rows)
    return {
        "folder": folder / "t",
        "absolute paths": paths.assign(
            **{n: [str(folder / "t" / c) for c in paths[n]] for n in ("image", "sound")}
        ),
        "bytes": paths.assign(
            **{n: [(folder / "t" / c).read_bytes() for c in paths[n]] for n in ("image", "sound")}
        ),
        "Pillow images": rows.assign(image=[Image.fromarray(cell) for cell in rows["image"]]),
        "Sound": rows.assign(sound=[Sound(samples, rate) for rate, samples in rows["sound"]]),
        "dict of arrays": {
            "image": np.stack(rows["image"].to_list()),
            "sound": rows["sound"].tolist(),
            "label": rows["label"].tolist(),
        },
        "Arrow": struct,
        "polars": pl.from_arrow(struct),
        "datasets": to_dataset(rows),
    }


def test_media_in_any_form_embed_alike_and_are_completed(
    media_model: TableModel, media_rows: pd.DataFrame, tmp_path: Path
) -> None:
    expected = media_model.embed(media_rows)
    for form, data in media_forms(media_rows, tmp_path).items():
        root = tmp_path if form == "absolute paths" else None
        found = media_model.embed(data, media_root=root)
        np.testing.assert_allclose(found, expected, atol=2e-2, err_msg=form)
        completed = media_model.complete(data, columns=["label", "image"], media_root=root)
        assert len(completed) == 24, form
        assert np.isfinite(media_model.embed(completed, media_root=root)).all(), form


def test_drawn_cells_go_in_again(media_model: TableModel, tmp_path: Path) -> None:
    drawn = media_model.sample(3)
    assert media_model.complete(drawn.assign(label=None))["label"].notna().all()
    assert np.isfinite(media_model.score_samples(drawn, samples=2)).all()
    given = media_model.sample(2, given={"image": drawn["image"][0], "sound": drawn["sound"][0]})
    assert given["image"][1] is drawn["image"][0]
    to_parquet(drawn, tmp_path / "t.parquet")
    np.testing.assert_allclose(media_model.embed(tmp_path / "t.parquet"), media_model.embed(drawn), atol=2e-2)
    dataset = to_dataset(drawn)
    assert isinstance(dataset.features["image"], datasets.Image)
    assert isinstance(dataset.features["sound"], datasets.Audio)
    assert dataset.select_columns("image")[0]["image"].size == (8, 8)


def test_media_that_do_not_open_are_no_silent_loss() -> None:
    rows = plain_frame().assign(photo=[{"bytes": b"broken", "path": None}] * ROWS)
    with pytest.raises(DataError, match="column 'photo' holds images or sounds that do not open"):
        TableModel(epochs=1, latent=4).fit(rows)


def test_media_in_a_pipeline(media_rows: pd.DataFrame) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = media_rows.assign(image=[Image.fromarray(cell) for cell in media_rows["image"]])
    pipeline = make_pipeline(TableModel(epochs=1, latent=4), LogisticRegression())
    labels = rows["label"]
    assert pipeline.fit(rows.drop(columns="label"), labels).predict(rows.drop(columns="label")).shape == (24,)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (None, UsageError, "None is no table. Pass a DataFrame"),
        (pd.Series([1, 2], name="a"), UsageError, "series.to_frame"),
        (np.zeros(3), UsageError, "needs rows and columns"),
        (["a", "b"], UsageError, "A list of str is no table"),
        ({"a": 1}, UsageError, "each of which is a list of cells"),
        ({"a": [1, 2], "b": [1]}, DataError, "different numbers of cells: 'a' has 2, 'b' has 1"),
        (7, UsageError, "An object of type int is no table"),
        (pl.LazyFrame({"a": [1]}), UsageError, r"frame.collect\(\)"),
        (
            datasets.DatasetDict({"train": datasets.Dataset.from_dict({"a": [1]})}),
            UsageError,
            r"dataset\['train'\]",
        ),
        (pd.DataFrame({"a": [1 + 2j, 2]}), DataError, "complex numbers"),
    ],
)
def test_what_is_no_table(data: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        read_table(data)


def test_arrays_and_sparse_columns(model: TableModel) -> None:
    rng = np.random.default_rng(0)
    array = TableModel(epochs=1, latent=4).fit(rng.normal(size=(40, 2)))
    assert array.sample(2).columns.tolist() == [0, 1]
    sparse = pd.DataFrame(
        {"x": pd.arrays.SparseArray((rng.random(60) < 0.3).astype(int)), "n": rng.normal(size=60)}
    )
    fitted = TableModel(epochs=1, latent=4).fit(sparse)
    pd.testing.assert_frame_equal(fitted.complete(sparse), sparse)


# The library leaves the files of the folder open.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_written_folder_is_an_image_folder_of_datasets(media_rows: pd.DataFrame, tmp_path: Path) -> None:
    modalities = infer_schema(read_table(media_rows), TableModel.modalities).used
    write_table(media_rows, tmp_path / "t", modalities)
    dataset = datasets.load_dataset(
        "imagefolder", data_dir=str(tmp_path / "t"), split="train", cache_dir=str(tmp_path / "cache")
    )
    assert isinstance(dataset.features["image"], datasets.Image)
    np.testing.assert_array_equal(np.asarray(dataset[3]["image"]), media_rows["image"][3])
    assert dataset["label"][:4] == list("abab")
    assert read_table(tmp_path / "t").columns == ("image", "sound", "label")
    del dataset
    gc.collect()
