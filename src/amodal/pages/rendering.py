"""Templates to pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def render(package: str | Sequence[str], template: str, **shown: Any) -> str:
    """A page of a package's template, which may include those of `amodal.pages`, and of further packages.

    What is shown is escaped, so that cells and names of columns cannot become part of the page.

    Args:
        package: that the template lies in, such as "amodal.demo", and those whose templates it includes.
        template: its file.
        shown: what the template names; naming anything else is an error.
    """
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

    packages = [package] if isinstance(package, str) else package
    return (
        Environment(
            loader=ChoiceLoader([PackageLoader(name, "") for name in (*packages, "amodal.pages")]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        .get_template(template)
        .render(**shown)
    )
