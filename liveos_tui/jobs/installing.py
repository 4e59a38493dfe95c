"""Copying a bundle onto a stick, beside its live directory: written new, read back, then renamed.

liveos-tui.new   what is being written; a power cut leaves it, and the next copy removes it
liveos-tui       the program; a whole one at every moment once there was one (*)
liveos-tui.old   (*) where two names cannot be exchanged at once: the one before, for a moment
"""

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from liveos_tui.errors import FormatError, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.locked import locked_stick
from liveos_tui.live.place import Place
from liveos_tui.live.words import need, size
from liveos_tui.system.bundle import NAME, Bundle, BundleDamagedError, is_bundle_file, read_bundle
from liveos_tui.system.files import NotThereError, not_allowed
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import NoExchangeError, StickFolder
from liveos_tui.system.writable_file import READ_ONLY_HINT, NoRoomError

_NEW, _OLD = f"{NAME}.new", f"{NAME}.old"
_UNTOUCHED = "Nothing was changed."


class InTheWayError(LiveosError):
    """Something of the person's own has the name that the program needs."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What is on the stick: `written` unless it was there before; `replaced` is in words."""

    place: Place
    written: bool
    replaced: str = ""


def install(
    probes: Probes, bundle: Bundle, target: str, tell: Callable[[str], None] = lambda _: None
) -> Installed:
    """Copy a bundle onto the stick that a person has named. Raises LiveosError.

    `tell` is given a sentence before what takes its time.
    """
    with ExitStack() as held:
        stick, place = _stick(held, probes, target)
        before = _look(stick)
        if isinstance(before, Bundle) and before.files == bundle.files:
            return Installed(place, written=False)
        for name in (_NEW, _OLD):
            _remove(stick, name)
        _check_room(stick, bundle, place)
        tell(f"Copying {size(bundle.size_bytes)} to {place.name}.")
        try:
            _write(stick, bundle)
            tell("Reading it back from the stick.")
            if read_bundle(stick, _NEW).files != bundle.files:
                raise BundleDamagedError("What was read back is not what was written.")
        except LiveosError as error:
            with suppress(LiveosError):
                _remove(stick, _NEW)
            kept = (
                "The program that was there is as it was." if before else "Nothing is left of it."
            )
            raise type(error)(error.message, f"{error.hint} {kept}".strip()) from error
        _switch(stick, exchange=before is not None)
        return Installed(place, written=True, replaced=_words(before))


def _stick(held: ExitStack, probes: Probes, target: str) -> tuple[StickFolder, Place]:
    """The stick, locked, and sure to take writes."""
    stick, place = locked_stick(held, probes, target, f"install-{os.getpid()}")
    if not stick.writable:
        raise LiveosError(
            f"The file system of {place.name} is read-only.", f"{_UNTOUCHED} {READ_ONLY_HINT}"
        )
    if not os.access(stick.path, os.W_OK):
        raise not_allowed(stick.path, "write", place.name)
    return stick, place


def _look(stick: StickFolder) -> Bundle | LiveosError | None:
    """The program that is there: whole, damaged (why), or none. Raises InTheWayError."""
    if NAME not in stick.names():
        return None
    _check_own(stick, NAME)
    try:
        return read_bundle(stick, NAME)
    except (NotThereError, FormatError, BundleDamagedError) as error:
        return error


def _words(before: Bundle | LiveosError | None) -> str:
    match before:
        case None:
            return ""
        case Bundle():
            return f"version {before.version}"
    return "a damaged copy"


def _check_own(stick: StickFolder, name: str) -> None:
    if not stick.is_folder(name):
        raise InTheWayError(f"{name} on the stick is no folder.", f"{_UNTOUCHED} Move it away.")
    foreign = [each for each in stick.names(name) if not is_bundle_file(each)]
    if foreign:
        raise InTheWayError(
            f"{name} on the stick holds what is not the program's: {clean(foreign[0])}.",
            f"{_UNTOUCHED} Move it to another folder, and copy again.",
        )


def _remove(stick: StickFolder, name: str) -> None:
    """Remove a folder of ours, if it is there. Raises LiveosError."""
    if name not in stick.names():
        return
    _check_own(stick, name)
    for file in stick.names(name):
        stick.remove(f"{name}/{file}")
    stick.remove_folder(name)


def _check_room(stick: StickFolder, bundle: Bundle, place: Place) -> None:
    block = stick.block_bytes
    needed = sum(-len(data) // block * -block for data in bundle.files.values()) + block
    if needed > stick.free_bytes:
        raise NoRoomError(
            f"{place.name} has {size(stick.free_bytes)} free; the program needs {need(needed)}.",
            f"{_UNTOUCHED} Free room on the stick.",
        )


def _write(stick: StickFolder, bundle: Bundle) -> None:
    stick.make_folder(_NEW, for_all=True)
    for name, data in bundle.files.items():
        with stick.create(f"{_NEW}/{name}") as file:
            file.let_all_read()
            file.write(0, data)
            file.sync()


def _switch(stick: StickFolder, *, exchange: bool) -> None:
    if not exchange:
        stick.move(_NEW, NAME)
        return
    try:
        stick.exchange(_NEW, NAME)
    except NoExchangeError:
        stick.move(NAME, _OLD)
        stick.move(_NEW, NAME)
        _remove(stick, _OLD)
    else:
        _remove(stick, _NEW)
