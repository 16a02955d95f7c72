"""Each example runs by itself, with few rows and one epoch."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PRINTED = {
    "pictures_with_csv": "report.html: overall",
    "speech_and_text": "text to speech:",
    "imputer_in_a_pipeline": "TableImputer: error",
    "new_fusion_rule": "pairs: size drawn",
}


def test_every_example_is_run_and_listed() -> None:
    assert {file.stem for file in EXAMPLES.glob("*.py")} == {*PRINTED}
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"]({name}.py)" in index for name in PRINTED)


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTED)
def test_an_example_runs(name: str, tmp_path: Path) -> None:
    folder = [] if name in ("imputer_in_a_pipeline", "new_fusion_rule") else ["output"]
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *folder, "--rows", "120", "--epochs", "1"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert PRINTED[name] in done.stdout
