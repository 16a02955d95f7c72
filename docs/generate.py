"""The generated parts of the documentation: `python -m docs.generate` writes them again.

A page keeps what is written by hand around its generated blocks, which stand between two comments:

    <!-- generated: NAME -->
    <!-- end -->
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path

from amodal.methods import DEFAULT_METHOD, METHODS
from benchmarks.page import PAGE, page
from benchmarks.tables_page import markdown_table
from tests.cell_cases import CASES

ROOT = Path(__file__).parents[1]
DECISIONS = Path("docs/decisions")
LAYERS = Path("docs/pictures/layers.svg")


def generated() -> dict[Path, str]:
    """Every generated file, relative to the repository's root, with its content."""
    blocks = {
        "methods": methods_table(),
        "rooms": rooms_table(),
        "decisions": decisions_table(),
        "rule": example_rule(),
        "cells": cells_table(),
    }
    files = {PAGE: page(), LAYERS: layers_svg()}
    for file in sorted(ROOT.glob("docs/**/*.md")):
        text = file.read_text(encoding="utf-8")
        names = re.findall(r"<!-- generated: (\w+) -->", text)
        for name in names:
            text = re.sub(
                rf"(<!-- generated: {name} -->\n).*?(<!-- end -->)",
                lambda match, name=name: f"{match[1]}{blocks[name]}\n{match[2]}",
                text,
                flags=re.DOTALL,
            )
        if names:
            files[file.relative_to(ROOT)] = text
    return files


def methods_table() -> str:
    """The methods of `METHODS`, with their papers."""
    rows = [
        [
            f"`{method.name}`{' (default)' if method.name == DEFAULT_METHOD else ''}",
            method.summary,
            method.source,
        ]
        for method in METHODS
    ]
    return markdown_table(["`--method`", "how columns are joined", "paper"], rows)


def example_rule() -> str:
    """The fusion rule of the examples, as a block of code."""
    source = (ROOT / "examples" / "new_fusion_rule.py").read_text(encoding="utf-8")
    rule = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    return f"```python\n{ast.get_source_segment(source, rule)}\n```"


def cells_table() -> str:
    """Forms of tables and cells that go in, and what comes out, of the tests' cases."""
    return markdown_table(
        ["", "goes in", "comes out"], [[case.kind, case.goes_in, case.comes_out] for case in CASES]
    )


def decisions_table() -> str:
    """Number, title, status and date of each decision record."""
    rows = []
    for file in sorted((ROOT / DECISIONS).glob("[0-9]*.md")):
        lines = file.read_text(encoding="utf-8").splitlines()
        number, title = re.fullmatch(r"# (\d+)\. (.+)", lines[0]).groups()
        status, date = re.fullmatch(r"Status: (.+)\. Date: (\d{4}-\d\d-\d\d)\.", lines[2]).groups()
        rows.append([number, f"[{title}]({file.name})", status, date])
    return markdown_table(["", "decision", "status", "date"], rows)


def layers() -> Iterator[list[str]]:
    """The rooms of each layer, uppermost first, as import-linter checks them."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for layer in config["tool"]["importlinter"]["contracts"][0]["layers"]:
        yield [room.strip(" ()") for room in re.split(r"[|:]", layer)]


def rooms_table() -> str:
    """Each room with the first line of its docstring."""
    return markdown_table(
        ["", "holds"], [[f"`{room}`", _summary(room)] for layer in layers() for room in layer]
    )


def _summary(room: str) -> str:
    source = ROOT / "src" / "amodal" / room
    file = source / "__init__.py" if source.is_dir() else source.with_suffix(".py")
    return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").partition("\n")[0]


def layers_svg(width: int = 760, height: int = 30, gap: int = 10) -> str:
    """A row of boxes a layer; imports point down only."""
    shapes, rows = [], list(layers())
    for number, rooms in enumerate(rows):
        y = gap + number * (height + gap)
        box = (width - 50 - gap * len(rooms)) / len(rooms)
        for place, room in enumerate(rooms):
            x = 40 + place * (box + gap)
            shapes.append(
                f'<rect x="{x:g}" y="{y}" width="{box:g}" height="{height}" rx="5" fill="#f3efe6" stroke="#9a4a20"/>'
                f'<text x="{x + box / 2:g}" y="{y + 20}" text-anchor="middle">{escape(room)}</text>'
            )
    total = gap + len(rows) * (height + gap)
    arrow = f'<path d="M18 {gap} V{total - gap - 4}" stroke="#5d6475" fill="none" marker-end="url(#head)"/>'
    size = 'markerWidth="9" markerHeight="9" refX="4" refY="4"'
    head = f'<marker id="head" orient="auto" {size}><path d="M0 0 8 4 0 8z"/></marker>'
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {total}" '
            'font-family="sans-serif" font-size="13" fill="#1d2230">',
            "<title>The layers of amodal: imports point down only</title>",
            f'<rect width="{width}" height="{total}" fill="#fff"/><defs>{head}</defs>{arrow}',
            *shapes,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    for path, content in generated().items():
        (ROOT / path).write_text(content, encoding="utf-8")
