"""Rows of the package's own tables, made without checks, which take longer to build than all rows to make.

Tests make every row with checks too; rows of a user go through `Entry.checked`.
"""

import enum
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from hvdegraded.knowledge.vocabulary import ProtocolVersion
from hvdegraded.records.models import build_model
from hvdegraded.records.record import Level

__all__ = ["trusted_row"]

Row = TypeVar("Row", bound=BaseModel)
_Conversion = Callable[[Any], Any]


def trusted_row(model: type[Row], values: Mapping[str, Any]) -> Row:
    """Make a row of values as TOML has them. Raises KeyError for a key that the model does not have."""
    conversions = _conversions(model)
    return build_model(model, {name: conversions[name](value) for name, value in values.items()})


@cache
def _conversions(model: type[BaseModel]) -> dict[str, _Conversion]:
    return {name: _conversion(field.annotation) for name, field in model.model_fields.items()}


def _conversion(kind: Any) -> _Conversion:
    """What makes a value of a type from how TOML writes it: an array, a table, a name, a version."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Annotated, Union, UnionType):  # TOML has no None, so a value is of the first type
        return _conversion(parts[0])
    if origin is tuple:
        return partial(_tuple, _conversion(parts[0]))
    if origin is dict:
        return partial(_dict, _conversion(parts[0]), _conversion(parts[1]))
    if kind is Level:
        return lambda name: Level[name.upper()]
    if kind is ProtocolVersion:
        return ProtocolVersion.parse
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return partial(trusted_row, kind)
    return lambda value: value


def _tuple(each: _Conversion, values: list[Any]) -> tuple[Any, ...]:
    return tuple(map(each, values))


def _dict(key: _Conversion, value: _Conversion, values: dict[str, Any]) -> dict[Any, Any]:
    return {key(name): value(one) for name, one in values.items()}
