"""Which programs of which versions are here: what a report of an error begins with."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

from liveos_tui import __version__
from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.system.probes import Probes

_LIBRARIES = ("textual", "psutil", "pyudev", "humanize")
_PROGRAMS = (
    ("dmsetup", "version"),
    ("e2fsck", "-V"),
    ("losetup", "--version"),
    ("mksquashfs", "-version"),
)


def versions(probes: Probes) -> tuple[tuple[str, str], ...]:
    """Names and versions, as each tells its own. What is not there is told so."""
    return tuple((name, clean(value.strip(), 100)) for name, value in _all(probes))


def _all(probes: Probes) -> Iterator[tuple[str, str]]:
    yield "liveos-tui", __version__
    yield "Python", platform.python_version()
    for name in _LIBRARIES:
        try:
            yield name, version(name)
        except PackageNotFoundError:
            yield name, "without a version"
    kernel = (probes.text("/proc/sys/kernel/osrelease") or "unknown").strip()
    yield "kernel", f"{kernel} {platform.machine()}"
    for program in _PROGRAMS:
        yield program[0], _version_of(probes, program)


def _version_of(probes: Probes, argv: tuple[str, ...]) -> str:
    """The first line of what a program says of itself, on whichever of its outputs."""
    try:
        finished = probes.runner.run(argv, ok=range(256), timeout=10.0)
    except LiveosError as error:
        return error.message
    lines = (finished.stdout or finished.stderr).decode("utf-8", "replace").splitlines()
    return lines[0] if lines else "it says nothing"
