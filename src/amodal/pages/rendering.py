"""Rendering of Jinja templates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def render(package: str | Sequence[str], template: str, **context: Any) -> str:
    """Render a package's template, which may include templates of `amodal.pages` and of further packages.

    All variables are HTML-escaped.

    Args:
        package: package of the template, such as "amodal.demo", and further packages whose templates it includes.
        template: file name of the template.
        context: variables of the template; any other variable is an error.
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
        .render(**context)
    )
