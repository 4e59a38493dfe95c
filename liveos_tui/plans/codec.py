"""A plan as JSON and back: for the journal on the stick and for the worker's orders.

Written and read by the types of the dataclasses alone. A dataclass is an object with exactly its
fields; one that is a member of a union (`Action`) has its class's name in `kind` besides. Enums are
their values, tuples are lists. What comes back may have been written by anyone: everything that is
not exactly a plan is a FormatError, and no other class is ever made.
"""

import math
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from liveos_tui.errors import FormatError
from liveos_tui.formats.text import clean
from liveos_tui.plans.actions import (
    Action,
    BackUp,
    CompareImage,
    ExchangeImages,
    FillHoles,
    FreezeRoot,
    GrowFile,
    KeepImage,
    MakeImage,
    MirrorView,
    RefreshLoop,
    ReplaceImage,
    SetAside,
    SwitchRoot,
)
from liveos_tui.plans.model import Plan
from liveos_tui.plans.untrusted import contradiction, harmless

KIND = "kind"
"""The key that tells which member of a union an object is."""

# A path of Linux has at most 4096 bytes, and a byte that is no UTF-8 is one character.
_TEXT_LIMIT = 8192
_ITEMS_LIMIT = 1000
_NUMBER_LIMIT = 1 << 63

Value = TypeVar("Value")


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as dicts, lists, texts and numbers; paths that are no UTF-8 keep their surrogates.

    Write it with `json.dumps`'s `ensure_ascii`, which makes escapes of surrogates.
    """
    return cast("dict[str, Any]", encode(plan))


def from_json(data: object) -> Plan:
    """The plan that `to_json` has told. Raises FormatError for anything else.

    Paths of the stick lead nowhere but into it: absolute ones and such with ".." are refused. What
    is text for people has passed `clean`.
    """
    plan = decode(Plan, data)
    _check(plan)
    if wrong := contradiction(plan):
        raise FormatError(
            f"This is no plan of liveos-tui: {wrong}.",
            "The journal is damaged, or was made to harm. Nothing was changed.",
        )
    return harmless(plan)


def encode(value: object) -> object:
    """A frozen dataclass, or a value that one is made of, as JSON has it."""
    return _encode(value, type(value))


def decode(expected: type[Value], data: object) -> Value:
    """A frozen dataclass from what `encode` has told. Raises FormatError."""
    return cast("Value", _decode(expected, data, expected.__name__))


def _encode(value: object, expected: Any) -> object:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        inner = _tuple_item(_member(expected, value))
        return [_encode(each, inner) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        hints = _hints(type(value))
        told = {name: _encode(getattr(value, name), hint) for name, hint in hints.items()}
        return {KIND: type(value).__name__, **told} if _is_one_of_several(expected) else told
    return value


def _member(expected: Any, value: tuple[object, ...]) -> Any:
    """The tuple among the members of a union ("tuple of texts, or None")."""
    members = (each for each in _members(expected) if get_origin(each) is tuple)
    return next(members, type(value))


@cache
def _hints(of: type) -> dict[str, Any]:
    hints = get_type_hints(of)
    return {field.name: hints[field.name] for field in fields(of)}


def _members(expected: Any) -> tuple[Any, ...]:
    if get_origin(expected) in {Union, types.UnionType}:
        return get_args(expected)
    return (expected,)


def _is_one_of_several(expected: Any) -> bool:
    return sum(is_dataclass(member) for member in _members(expected)) > 1


def _tuple_item(expected: Any) -> Any:
    return (*get_args(expected), object)[0]


def _decode(expected: Any, data: object, where: str) -> object:
    members = _members(expected)
    if data is None and types.NoneType in members:
        return None
    members = tuple(member for member in members if member is not types.NoneType)
    classes = tuple(member for member in members if is_dataclass(member))
    if len(classes) > 1:
        return _decode_one_of(classes, data, where)
    (only,) = members
    if classes:
        return _decode_dataclass(only, data, where)
    if get_origin(only) is tuple:
        if not isinstance(data, list) or len(data) > _ITEMS_LIMIT:
            raise _wrong(where, "a list")
        item = _tuple_item(only)
        return tuple(_decode(item, each, f"{where}[{n}]") for n, each in enumerate(data))
    if get_origin(only) is Literal:
        if isinstance(data, str) and data in get_args(only):
            return data
        raise _wrong(where, f"one of {', '.join(map(str, get_args(only)))}")
    if isinstance(only, type) and issubclass(only, StrEnum):
        if isinstance(data, str) and data in {each.value for each in only}:
            return only(data)
        raise _wrong(where, f"one of {', '.join(each.value for each in only)}")
    return _decode_plain(only, data, where)


def _decode_one_of(classes: tuple[Any, ...], data: object, where: str) -> object:
    if isinstance(data, Mapping):
        kind = data.get(KIND)
        chosen = next((each for each in classes if each.__name__ == kind), None)
        if chosen is not None:
            rest = {key: value for key, value in data.items() if key != KIND}
            return _decode_dataclass(chosen, rest, where)
    raise _wrong(where, f"one of {', '.join(each.__name__ for each in classes)}")


def _decode_dataclass(expected: Any, data: object, where: str) -> object:
    hints = _hints(expected)
    if not isinstance(data, Mapping) or set(data) != set(hints):
        raise _wrong(where, f"a {expected.__name__} with exactly its fields")
    return expected(
        **{name: _decode(hint, data[name], f"{where}.{name}") for name, hint in hints.items()}
    )


def _decode_plain(expected: Any, data: object, where: str) -> object:
    # A bool is an int for Python, and none here.
    right = type(data) is expected or (expected is float and type(data) is int)
    if not right:
        raise _wrong(where, f"a value of the type {expected.__name__}")
    if isinstance(data, str) and (len(data) > _TEXT_LIMIT or "\0" in data):
        raise _wrong(where, f"a text of at most {_TEXT_LIMIT} characters without a NUL")
    if isinstance(data, int) and not -_NUMBER_LIMIT <= data < _NUMBER_LIMIT:
        raise _wrong(where, "a number of 64 bits")
    if isinstance(data, float) and not math.isfinite(data):
        raise _wrong(where, "a finite number")
    return float(cast("float", data)) if expected is float else data


def _wrong(where: str, expected: str) -> FormatError:
    return FormatError(
        f"This is no plan of liveos-tui: {clean(where)} is not {expected}.",
        "The journal is damaged, or another version has written it. Nothing was changed.",
    )


def _check(plan: Plan) -> None:
    """What the types cannot say: where paths lead, and that sizes make sense."""
    place = plan.place
    for name in ("overlay", "image", "base", "live_folder"):
        path = getattr(place, name)
        if path is not None and not _stays_inside(path):
            raise _wrong(f"Plan.place.{name}", "a path on the stick")
    if place.overlay_bytes < 0:
        raise _wrong("Plan.place.overlay_bytes", "a size")
    for number, step in enumerate(plan.steps):
        where = f"Plan.steps[{number}].action"
        match step.action:
            case BackUp(copies):
                if not all(path.startswith("/") for path in copies):
                    raise _wrong(where, "a backup to absolute paths")
            case GrowFile(from_bytes, to_bytes):
                if not 0 < from_bytes < to_bytes:
                    raise _wrong(where, "a growth")
            case FillHoles(missing_bytes):
                if missing_bytes < 0:
                    raise _wrong(where, "a size")
            case RefreshLoop(to_bytes=to_bytes):
                if to_bytes <= 0:
                    raise _wrong(where, "a size")
            case _:
                _check_paths(step.action, where)


def _check_paths(action: Action, where: str) -> None:
    """Paths of the stick lead into it; a folder for the work is told from the top."""
    inside: tuple[str | None, ...] = ()
    folder: str | None = None
    apart: str | None = None
    match action:
        case MakeImage(beside, member=member, work=folder, apart=apart):
            inside = (beside, member)
        case CompareImage(beside, member, apart):
            inside = (beside, member)
        case KeepImage(image, apart):
            inside = (image,)
        case ReplaceImage(image, beside, apart):
            inside = (image, beside)
        case ExchangeImages(image, beside):
            inside = (image, beside)
        case SetAside(path):
            inside = (path,)
        case MirrorView(folder):
            pass
        case FreezeRoot(scratch=folder):
            pass
        case SwitchRoot(second=second):
            inside = (second,)
    if not all(path is None or _stays_inside(path) for path in inside):
        raise _wrong(where, "about a path on the stick")
    if not all(path is None or path.startswith("/") for path in (folder, apart)):
        raise _wrong(where, "about an absolute folder")


def _stays_inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")
