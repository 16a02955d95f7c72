"""`amodal evaluate` on real pictures and speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amodal import TableModel
from amodal.report import Report

COLUMNS = ["image", "speech", "caption", "thickness", "slant", "seconds", "digit", "voice"]


@pytest.fixture(scope="module")
def heldout(digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("heldout") / "some.csv"
    pd.read_csv(digits / "heldout.csv").head(110).to_csv(path, index=False)
    return path


def test_a_model_is_judged_and_a_low_score_fails(
    amodal, saved: Path, digits: Path, heldout: Path, tmp_path: Path
) -> None:
    words = ("evaluate", saved, heldout, "-o", tmp_path / "out", "--media-root", digits)
    done = amodal(*words, "--training", digits, "--target", "digit", "--fail-under", 0.999, code=4)
    report = Report.model_validate_json((tmp_path / "out" / "report.json").read_bytes())
    overall = report.summary.overall
    assert overall is not None
    assert f"overall score {overall.value:.2f}" in done.stdout
    assert all(sentence in done.stdout for sentence in report.summary.sentences)
    assert "below the 0.999 asked for" in done.stderr
    assert [column.column for column in report.sections["fidelity"]] == COLUMNS
    assert len(report.sections["pairs"]) == len(COLUMNS) * (len(COLUMNS) - 1)
    assert [column.column for column in report.sections["completion"]] == COLUMNS
    assert [column.column for column in report.sections["likelihood"]] == COLUMNS
    pairs = {(pair.given, pair.target): pair for pair in report.sections["pairs"]}
    # Matchers that see real rows know what belongs together, whatever a model of three epochs makes of it.
    assert pairs["caption", "digit"].is_informative
    assert pairs["speech", "digit"].is_informative
    assert report.sections["privacy"].duplicates.value == 0.0
    assert report.provenance.training is not None
    assert report.provenance.training.fingerprint == report.provenance.fit_fingerprint
    classified = {column.column for column in report.sections["coherence"].columns}
    assert classified == set(COLUMNS) - {"digit"}
    predictions = report.sections["target"].predictions
    by_features = {each.given: each.score.value for each in predictions if each.predictor == "features"}
    assert by_features["caption",] > 0.9
    history = report.sections["training"]
    assert [epoch["epoch"] for epoch in history] == list(range(1, len(history) + 1))

    assert "--overwrite" in amodal(*words, code=2).stderr


def test_columns_drawn_one_after_another_are_judged_too(digits: Path, heldout: Path) -> None:
    model = TableModel("latent-flow", epochs=2, latent=16, random_state=1).fit(digits)
    report = model.evaluate(heldout, media_root=digits)
    assert [column.column for column in report.sections["fidelity"]] == COLUMNS
    assert report.sections["detection"].value > 0.9
    assert [column.column for column in report.sections["likelihood"]] == COLUMNS
    assert all(np.isfinite(column.bits.value) for column in report.sections["likelihood"])
    assert report.provenance.method == "latent-flow"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--fail-under", "2"), 2, "0 to 1"),
        (("--target", "digits"), 2, "no column 'digits'"),
        (("--training", "nowhere.csv"), 3, "nowhere.csv"),
    ],
)
def test_wrong_calls_write_nothing(amodal, saved, digits, heldout, tmp_path, words, code, said) -> None:
    out = tmp_path / "out"
    assert (
        said
        in amodal("evaluate", saved, heldout, "-o", out, "--media-root", digits, *words, code=code).stderr
    )
    assert not out.exists()
