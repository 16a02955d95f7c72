"""Both READMEs: the code runs, links lead to files, and the translation has the same form."""

import doctest
import re
import shlex
from pathlib import Path

import pytest

from amodal.datasets.digits import make_digits

ROOT = Path(__file__).parents[2]
ENGLISH, CHINESE = ROOT / "README.md", ROOT / "README.zh-CN.md"


def blocks(page: Path) -> list[str]:
    """Code blocks, fenced and indented."""
    return re.findall(
        r"^```\w*\n.*?^```$|^    \S.*?$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def heading_levels(page: Path) -> list[int]:
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8"))


def test_the_readme_fits_on_a_screen() -> None:
    assert len(ENGLISH.read_text(encoding="utf-8").split()) <= 450


def test_the_translation_has_the_same_headings_code_tables_and_links() -> None:
    assert heading_levels(CHINESE) == heading_levels(ENGLISH)
    assert blocks(CHINESE) == blocks(ENGLISH)
    rows = [
        len(re.findall(r"^\|", page.read_text(encoding="utf-8"), re.MULTILINE)) for page in (CHINESE, ENGLISH)
    ]
    assert rows[0] == rows[1]
    assert links(CHINESE)[1:] == links(ENGLISH)[1:], "The first link leads to the other language."


@pytest.mark.slow
def test_the_python_block_gives_output_of_the_form_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_digits(tmp_path / "table", rows=60)
    monkeypatch.chdir(tmp_path)
    python = next(block for block in blocks(ENGLISH) if ">>>" in block)
    names: dict[str, object] = {}
    for example in doctest.DocTestParser().get_examples(python.replace("```", "")):
        source = example.source.replace('time_limit="8m"', "epochs=1")
        value = eval(source, names) if example.want else exec(source, names)  # noqa: S307, S102
        lines, wanted = repr(value).splitlines(), example.want.splitlines()
        if example.want:
            assert len(lines) == len(wanted)
            assert lines[0].split() == wanted[0].split() or wanted[0].startswith("[")


@pytest.mark.slow
def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, amodal) -> None:
    monkeypatch.chdir(tmp_path)
    commands = next(block for block in blocks(ENGLISH) if block.startswith("```sh")).splitlines()[1:-1]
    for command in commands:
        words = shlex.split(command, comments=True)[1:]
        if words[0] == "demo":
            words += ["--rows", "60"]
        amodal(*["--epochs=1" if word == "--time-limit" else word for word in words if word != "8m"])
    assert (tmp_path / "report" / "report.html").is_file()
