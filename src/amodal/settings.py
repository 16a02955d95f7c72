"""The settings of a method: the hyper-parameters of its model, its objectives and its training.

Each is written once, where it is used, as an argument of the model's constructor or as a field of an objective or of
`TrainerConfig`, with its type, range, default and description. They are found there by introspection.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from pydantic import ConfigDict, TypeAdapter, ValidationError

from amodal.errors import UsageError
from amodal.methods import Method, Stage
from amodal.training.config import TrainerConfig

__all__ = [
    "Setting",
    "Values",
    "configure",
    "flatten",
    "join",
    "parameters",
    "parse",
    "resolve",
    "settings_of",
]

Values = dict[str, dict[str, Any]]
"""Owner -> field -> value."""

_ARGUMENTS = ("seed", "device")
"""Fields of `TrainerConfig` that are filled from arguments of `TableModel` by other means."""


@dataclass(frozen=True)
class Setting:
    """A hyper-parameter of a method.

    Attributes:
        owner: "model", the name of a stage (its objective's fields), or "trainer".
        field: its name there.
        default: of this method.
        type: its annotation.
        description: from the docstring of its owner.
    """

    owner: str
    field: str
    default: Any
    type: Any
    description: str

    @property
    def full_name(self) -> str:
        """OWNER.FIELD."""
        return f"{self.owner}.{self.field}"

    @property
    def domain(self) -> str:
        """The values that it takes, in words."""
        return _domain(TypeAdapter(self.type).json_schema())


def settings_of(method: Method) -> dict[str, Setting]:
    """A method's settings by name: FIELD, or OWNER.FIELD where several owners have a field of that name.

    Example:
        >>> from amodal.methods import method_named
        >>> settings = settings_of(method_named("mvtcae"))
        >>> settings["beta"].full_name, settings["learning_rate"].domain
        ('objective.beta', 'a number above 0')
    """
    found = [
        *parameters("model", method.model),
        *(
            setting
            for stage in method.stages
            for setting in parameters(stage.name, type(stage.objective), stage.objective)
        ),
        *(setting for setting in parameters("trainer", TrainerConfig) if setting.field not in _ARGUMENTS),
    ]
    count = Counter(setting.field for setting in found)
    return {setting.field if count[setting.field] == 1 else setting.full_name: setting for setting in found}


def resolve(method: Method, given: Mapping[str, Any], *, arguments: Iterable[str] = ()) -> Values:
    """All settings of a method: the values given, parsed by their types, and the defaults of the others.

    Args:
        method: the method.
        given: FIELD or OWNER.FIELD -> value, or its text.
        arguments: other names that may have been meant by one that is unknown.

    Raises:
        UsageError: the method has no such setting, several have its name, or the value is out of range.
    """
    settings = settings_of(method)
    values: Values = {}
    for setting in settings.values():
        values.setdefault(setting.owner, {})[setting.field] = setting.default
    for name, value in given.items():
        setting = _find(method, settings, name, arguments)
        values[setting.owner][setting.field] = parse(name, setting, value)
    return values


def flatten(method: Method, values: Values) -> dict[str, Any]:
    """The same values by the names that `settings_of` gives."""
    return {name: values[setting.owner][setting.field] for name, setting in settings_of(method).items()}


def join(values: Values) -> dict[str, Any]:
    """The same values by OWNER.FIELD.

    Example:
        >>> join({"trainer": {"patience": 30}})
        {'trainer.patience': 30}
    """
    return {f"{owner}.{field}": value for owner, each in values.items() for field, value in each.items()}


def configure(method: Method, values: Values) -> Method:
    """The method with these values in place of its defaults: `model` then needs the modalities only."""

    def configured(stage: Stage) -> Stage:
        objective: Any = stage.objective  # a dataclass, which no type says of all objectives
        return replace(stage, objective=replace(objective, **values.get(stage.name, {})))

    stages = tuple(configured(stage) for stage in method.stages)
    return replace(method, model=partial(method.model, **values.get("model", {})), stages=stages)


def parse(name: str, setting: Setting, value: Any) -> Any:
    """A value of a setting's type.

    Raises:
        UsageError: it is no such value; says which are.
    """
    if isinstance(value, str) and value.lower() in ("none", "null"):
        value = None
    if isinstance(value, np.generic):
        value = value.item()
    try:
        return TypeAdapter(setting.type, config=ConfigDict(allow_inf_nan=False)).validate_python(value)
    except ValidationError as problem:
        raise UsageError(f"{name} must be {setting.domain}, not {value!r}.") from problem


def _find(method: Method, settings: Mapping[str, Setting], name: str, arguments: Iterable[str]) -> Setting:
    by_full_name = {setting.full_name: setting for setting in settings.values()}
    if setting := settings.get(name) or by_full_name.get(name):
        return setting
    if several := [each for each, setting in by_full_name.items() if setting.field == name]:
        raise UsageError(f"Setting {name!r} is one of several: write {' or '.join(several)}.")
    near = difflib.get_close_matches(name, [*settings, *by_full_name, *arguments])
    question = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UsageError(
        f"Method {method.name!r} has no setting {name!r}.{question} Its settings are {', '.join(settings)}."
    )


def parameters(owner: str, factory: Callable[..., Any], instance: object = None) -> Iterator[Setting]:
    """The parameters of a class or function that have a number, a word, a truth value or None as default.

    Args:
        owner: of the settings.
        factory: the class or function.
        instance: of the class, whose attributes are the defaults in place of the parameters' own.
    """
    described = _descriptions(factory)
    for name, parameter in inspect.signature(factory, eval_str=True).parameters.items():
        default = parameter.default if instance is None else getattr(instance, name)
        if default is None or isinstance(default, bool | int | float | str):
            yield Setting(owner, name, default, parameter.annotation, described.get(name, ""))


def _descriptions(owner: object) -> dict[str, str]:
    """Argument or attribute -> its lines in a docstring of Google's style."""
    entries = re.findall(r"^    (\w+): ((?:.+\n?)(?:^ {8}.+\n?)*)", inspect.getdoc(owner) or "", re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}


def _domain(schema: Mapping[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_domain(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(repr(value) for value in schema["enum"])
    kind = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "null": "none"}
    words = [kind.get(schema["type"], "a word")]
    if "exclusiveMinimum" in schema:
        words.append(f"above {schema['exclusiveMinimum']:g}")
    if "minimum" in schema:
        words.append(f"from {schema['minimum']:g}" + ("" if "maximum" in schema else " up"))
    if "maximum" in schema:
        words.append(f"to {schema['maximum']:g}" if "minimum" in schema else f"up to {schema['maximum']:g}")
    return " ".join(words)
