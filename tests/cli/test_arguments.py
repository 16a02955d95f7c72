"""Settings and messages at the command line's edge."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from typer.main import get_command

from amodal import TableModel
from amodal.cli import app
from amodal.cli.edge import in_options, options
from amodal.cli.fit import fit
from amodal.errors import DataError
from tests.training.test_fit import table

Command = Callable[..., CompletedProcess[str]]
OPTIONS = options(get_command(app))  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    table(60).to_csv(path, index=False)
    return path


def settings(model: Path) -> dict[str, Any]:
    return json.loads((model / "model.json").read_text())["settings"]


def test_settings_come_from_flags_and_from_files(amodal: Command, data: Path, tmp_path: Path) -> None:
    config, model = tmp_path / "fit.yaml", tmp_path / "model"
    config.write_text(
        "method: mvtcae\nepochs: 1\nlatent: 4\nmodel:\n  features: 32\nobjective.alpha: 0.25\n"
        "trainer: {patience: 7}\nlearning_rate: 1e-3\n"
    )
    amodal(
        *("fit", data, "-o", model, "--config", config, "--set", "latent=8", "--set", "beta=1e0"),
        *("--set", "trainer.learning_rate=0.5", "--set", "precision=32-true", "--set", "random_state=4"),
    )
    found = settings(model)
    assert found["model"] == {"latent": 8, "features": 32, "likelihood_weight": 100.0}
    assert found["objective"] == {"alpha": 0.25, "beta": 1.0}
    assert (
        found["trainer"] | {"patience": 7, "learning_rate": 0.5, "precision": "32-true"} == found["trainer"]
    )
    assert json.loads((model / "model.json").read_text())["arguments"]["random_state"] == 4


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--set", "latnet=8"), "Did you mean latent"),
        (("--set", "latent"), "--set 'latent' is not understood: write NAME=VALUE."),
        (("--set", "latent=many"), "latent must be a whole number"),
        (("--set", "learning_rate=-1"), "learning_rate must be a number above 0, not '-1'"),
        (("--method", "mvae", "--set", "alpha=1"), "Method 'mvae' has no setting 'alpha'"),
    ],
)
def test_wrong_settings_are_refused_before_any_work(
    amodal: Command, data: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    assert told in amodal("fit", data, "-o", tmp_path / "model", *words, code=2).stderr
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("latnet: 8", "Did you mean latent"),
        ("model: {latnet: 8}", "Did you mean model.latent"),
        ("- latent", "write NAME: VALUE"),
        ("a: [", "is not YAML"),
        ("epochs: many", "epochs must be a whole number above 0 or none, not 'many'"),
    ],
)
def test_wrong_files_are_refused(
    amodal: Command, data: Path, tmp_path: Path, content: str, told: str
) -> None:
    (tmp_path / "fit.yaml").write_text(content)
    words = ("fit", data, "-o", tmp_path / "model", "--config", tmp_path / "fit.yaml")
    assert told in amodal(*words, code=2).stderr


def test_help_shows_defaults_where_they_are_written(amodal: Command) -> None:
    shown = " ".join(amodal("fit", "--help").stdout.replace("│", " ").split())
    assert "One of latent-flow, mvtcae" in shown
    assert "[default: latent-flow]" in shown
    assert "auto, 32-true or bf16-mixed. [default: auto]" in shown
    assert "Same seed, same result. [default: 0]" in shown
    parameters = {option.name for option in get_command(app).commands["fit"].params}  # type: ignore[attr-defined]
    assert parameters >= {"settings", "config", "batch_size"}
    assert fit.__defaults__ is not None


def test_methods_lists_methods_and_their_settings(amodal: Command) -> None:
    assert "barycenter" in amodal("methods").stdout
    shown = amodal("methods", "mvtcae").stdout
    assert "alpha" in shown
    assert "learning_rate" in shown
    assert "Choose from latent-flow" in amodal("methods", "vae", code=2).stderr


@pytest.mark.parametrize(
    ("python", "command_line"),
    [
        ("or pass overwrite=True.", "or pass --overwrite."),
        ('Pass bad_cells="missing" to go on', "Pass --bad-cells missing to go on"),
        ('types={"COLUMN": "text"} takes', "--type COLUMN=text takes"),
        ("or pass media_root=FOLDER", "or pass --media-root FOLDER"),
        ("leave out resume=True to", "leave out --resume to"),
        ('pass device="cpu" or', "pass --device cpu or"),
        ("random_state=3 stays, as y=True does", "random_state=3 stays, as y=True does"),
    ],
)
def test_messages_speak_in_options(python: str, command_line: str) -> None:
    assert in_options(python, OPTIONS) == command_line


def test_a_problem_has_two_faces(amodal: Command, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("photo,size\n" + "/a.png,1.5\n" * 20)
    with pytest.raises(DataError) as problem:
        TableModel(types={"photo": "image"}).fit(path)
    assert "media_root=FOLDER" in str(problem.value)
    assert "--" not in str(problem.value)
    told = amodal("fit", path, "-o", tmp_path / "model", "--type", "photo=image", code=3).stderr
    assert "--media-root FOLDER" in told
    assert "media_root" not in told


def test_a_model_of_an_earlier_format_says_how_to_fit_it_again(
    amodal: Command, data: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    amodal("fit", data, "-o", folder, "--epochs", 1, "--method", "mvtcae", "--set", "latent=4")
    description = json.loads((folder / "model.json").read_text())
    earlier = {
        "format": 3,
        "method": "mvtcae",
        "model": {"latent": 4},
        "seed": 2,
        "settings": {"epochs": 5, "time_limit": None, "batch_size": 32, "learning_rate": 2e-3},
    }
    (folder / "model.json").write_text(json.dumps(earlier | {"table": description["table"]}))
    with pytest.raises(DataError) as problem:
        TableModel.load(folder)
    assert str(problem.value) == (
        f"{folder} has format 3, and this version of amodal reads format 4: fit it again, by "
        "TableModel(method='mvtcae', random_state=2, latent=4, epochs=5, batch_size=32)"
        f".fit(DATA, output='{folder}', overwrite=True)."
    )
    told = amodal("sample", folder, "-n", 1, "-o", tmp_path / "rows", code=3).stderr
    again = "--overwrite --method mvtcae --seed 2 --set latent=4 --epochs 5 --batch-size 32"
    command = f"amodal fit DATA -o {folder} {again}"
    assert f"fit it again, by `{command}`." in told
    amodal(*command.replace("DATA", str(data)).split()[1:])
    assert settings(folder)["model"]["latent"] == 4
