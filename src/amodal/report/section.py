"""Sections of a report: a result in report.json, and a part of the page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter

if TYPE_CHECKING:
    from amodal.report.context import ReportContext
    from amodal.report.page.view import PageView


class Result(BaseModel):
    """Part of report.json: immutable, without NaN, since a metric that is not finite is unavailable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _no_view(_: Any, __: PageView) -> Mapping[str, Any]:
    return {}


@dataclass(frozen=True)
class Section:
    """A section: a module with `compute`, and a template of the module's name beside it, `NAME.html.jinja`.

    Attributes:
        name: key in report.json, and anchor on the page.
        title: heading; may name parts of the result, as in "Predicting {result.target}".
        compute: context -> result; None where none was asked for. Raises `MetricUnavailable` with the reason where
            there is none. Its return annotation is the type that report.json is read back as.
        view: (result, page) -> what the template needs besides `result`.
    """

    name: str
    title: str
    compute: Callable[[ReportContext], Any]
    view: Callable[[Any, PageView], Mapping[str, Any]] = _no_view

    @property
    def package(self) -> str:
        """The package that holds the template."""
        return self.compute.__module__.rpartition(".")[0]

    @property
    def template(self) -> str:
        """The template's file name."""
        return f"{self.compute.__module__.rpartition('.')[2]}.html.jinja"

    def heading(self, result: Any) -> str:
        """The title of a result."""
        return self.title.format(result=result)

    def read(self, value: Any) -> Any:
        """A result from its JSON value.

        Raises:
            ValidationError: it is none.
        """
        return TypeAdapter(get_type_hints(self.compute).get("return", Any)).validate_python(value)
