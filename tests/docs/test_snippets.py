"""Code in the documentation: Python parses, and commands and their options exist."""

import ast
import doctest
import re
import shlex
from pathlib import Path

import pytest
import typer

from amodal.cli import app

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(ROOT.glob("docs/**/*.md")))
    if page.name != "command-line.md"  # made of the commands by `make docs`
]
COMMANDS = typer.main.get_command(app).commands


def fences(language: str) -> list[str]:
    """Fenced blocks of all pages in a language."""
    pattern = rf"^```{language}\n(.*?)^```$"
    return [
        code
        for page in PAGES
        for code in re.findall(pattern, page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    ]


def command_lines() -> set[str]:
    """Calls of the command line, at the beginning of a line or in inline code."""
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    lines = re.findall(r"^(?:\$ )?(amodal [a-z].*)$", text, re.MULTILINE)
    return {*lines, *re.findall(r"`(amodal [a-z][^`]*)`", text)}


@pytest.mark.parametrize("code", fences("python"))
def test_python_parses(code: str) -> None:
    examples = doctest.DocTestParser().get_examples(code)
    ast.parse("".join(example.source for example in examples) or code)


@pytest.mark.parametrize("line", sorted(command_lines()))
def test_commands_and_options_exist(line: str) -> None:
    words = shlex.split(line, comments=True)[1:]
    assert words[0] in COMMANDS, line
    options = {name for option in COMMANDS[words[0]].params for name in option.opts}
    used = {word.partition("=")[0] for word in words if re.match(r"-+[a-z]", word)}
    assert used <= options | {"--help"}, line
