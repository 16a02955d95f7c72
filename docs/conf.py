"""Sphinx: one site of the guides, the examples and the reference; its source is the repository's root."""

import re
from pathlib import Path

from amodal import __version__

project = "amodal"
release = __version__
copyright = "amodal contributors"  # noqa: A001

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = [
    "README*.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/**",
    "examples/*",
    "benchmarks/README.md",
]
root_doc = "docs/index"

# Titles become targets of links, as on GitHub.
myst_heading_anchors = 3
# Single backticks in docstrings are code.
default_role = "literal"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_numpy_docstring = False

# Decision records and the translation are reached from their pages' links, not from the side bar.
suppress_warnings = ["toc.not_included"]

html_theme = "furo"
html_title = "amodal"
html_copy_source = False


def setup(app) -> None:
    app.connect("autodoc-process-docstring", _escape_stars)
    app.connect("build-finished", _write_index)


def _escape_stars(app, what, name, thing, options, lines: list[str]) -> None:
    """Keep the star of shapes, as in (N, *shape), from starting emphasis."""
    lines[:] = [re.sub(r"(?<=[ (,])\*(?=\w+[,)])", r"\\*", line) for line in lines]


def _write_index(app, error: Exception | None) -> None:
    """The site's first page, at the place where it is looked for."""
    if error is None and app.builder.name == "html":
        redirect = '<meta http-equiv="refresh" content="0; url=docs/index.html">'
        page = f'<!doctype html>{redirect}<a href="docs/index.html">amodal</a>\n'
        (Path(app.outdir) / "index.html").write_text(page, encoding="utf-8")
