"""The generated parts of the documentation are what the generator gives now."""

from pathlib import Path

import pytest

from amodal.methods import METHODS
from docs.generate import generated

ROOT = Path(__file__).parents[2]
FILES = generated()


@pytest.mark.parametrize("path", sorted(FILES), ids=str)
def test_a_page_is_what_the_generator_gives(path: Path) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == FILES[path], "Run `python -m docs.generate`."


def test_every_kind_of_generated_block_is_used() -> None:
    assert {path.name for path in FILES} >= {"benchmarks.md", "layers.svg", "README.md", "architecture.md"}
    guide = FILES[Path("docs/guides/choosing-a-fusion.md")]
    assert f"| `{METHODS[-1].name}` | {METHODS[-1].summary} | {METHODS[-1].source} |" in guide


def test_the_guide_says_of_each_method_when_it_fails() -> None:
    guide = FILES[Path("docs/guides/choosing-a-fusion.md")].split("## What each rule assumes")[1]
    rows = {line.split("`")[1] for line in guide.splitlines() if line.startswith("| `")}
    assert {method.name for method in METHODS} <= rows
