"""amodal methods."""

from __future__ import annotations

from typing import Annotated

import typer

from amodal.cli.folders import print_table


def methods(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="List this method's settings.")] = None,
) -> None:
    """List the methods, or one method's settings with their defaults."""
    from amodal.methods import METHODS, method_named
    from amodal.settings import settings_of

    if name is None:
        print_table(
            ["method", "summary", "source"],
            [(method.name, method.summary, method.source) for method in METHODS],
        )
        return
    print_table(
        ["setting", "default", "values", "description"],
        [
            (setting, str(each.default).lower(), each.domain, each.description)
            for setting, each in settings_of(method_named(name)).items()
        ],
    )
