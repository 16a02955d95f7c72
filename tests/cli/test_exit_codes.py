"""Messages at the end of a command: the library's, in the command line's words."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from typer.main import get_command

from amodal import TableModel
from amodal.cli import app
from amodal.cli.exit_codes import in_options, options
from amodal.errors import DataError
from tests.training.test_fit import table

Command = Callable[..., CompletedProcess[str]]
OPTIONS = options(get_command(app))  # type: ignore[arg-type]


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


def test_a_model_of_an_earlier_format_says_how_to_fit_it_again(amodal: Command, tmp_path: Path) -> None:
    data, folder = tmp_path / "table.csv", tmp_path / "model"
    table(60).to_csv(data, index=False)
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
        f"{folder} has format 3, and this version of amodal reads format 6: fit it again, by "
        "TableModel(method='mvtcae', random_state=2, latent=4, epochs=5, batch_size=32)"
        f".fit(DATA, output='{folder}', overwrite=True)."
    )
    told = amodal("sample", folder, "-n", 1, "-o", tmp_path / "rows", code=3).stderr
    again = "--overwrite --method mvtcae --seed 2 --set latent=4 --epochs 5 --batch-size 32"
    command = f"amodal fit DATA -o {folder} {again}"
    assert f"fit it again, by `{command}`." in told
    amodal(*command.replace("DATA", str(data)).split()[1:])


def test_a_model_of_format_4_is_fitted_again_with_its_own_arguments(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    TableModel(epochs=1, latent=4, random_state=3).fit(table(60), output=folder)
    description = json.loads((folder / "model.json").read_text())
    settings = description["settings"]
    # What format 4 had by default is no choice of the user's, nor is what it did not have.
    settings["conditionals"] |= {"num_text_masks": 3, "num_times": 2, "flow_weight": 0.125}
    settings["conditionals"] |= {"contrastive_weight": 0.0, "removed": 7}
    del settings["conditionals"]["num_rest_masks"]
    (folder / "model.json").write_text(json.dumps(description | {"format": 4, "settings": settings}))
    with pytest.raises(DataError) as problem:
        TableModel.load(folder)
    assert str(problem.value) == (
        f"{folder} has format 4, and this version of amodal reads format 6: fit it again, by "
        "TableModel(method='latent-flow', epochs=1, random_state=3, latent=4)"
        f".fit(DATA, output='{folder}', overwrite=True)."
    )
    again = TableModel(method="latent-flow", epochs=1, random_state=3, latent=4)
    again.fit(table(60), output=folder, overwrite=True)
    assert TableModel.load(folder).get_params()["latent"] == 4
