"""The device-mapper: one protocol, and the kernel's through `dmsetup`."""

from pathlib import Path
from typing import Protocol

from liveos_tui.formats.dmtable import DeviceStatus, DeviceTable, parse_status, parse_table
from liveos_tui.formats.text import clean
from liveos_tui.system.runner import CommandError, Runner

_UDEV_CONTROL = Path("/run/udev/control")
# libdevmapper leaves the nodes in /dev/mapper to udev; where none runs, a device's node would stay
# when it is removed, and the next device of that name would be reached by the number of the old.
_WITHOUT_UDEV = {"DM_DISABLE_UDEV": "1"}
_LAST_WORDS = "Command failed."


def dmsetup_words(error: CommandError) -> str:
    """Why dmsetup failed: its last words before those that say that it did."""
    lines = error.finished.stderr.decode("utf-8", "replace").splitlines()
    said = [line.strip() for line in lines if line.strip() not in {"", _LAST_WORDS}]
    return clean(said[-1]) if said else error.message


class DeviceMapper(Protocol):
    """What this project asks of a device-mapper, the kernel's or the one in user space.

    Tables are one line a target, as `dmsetup` takes them: start and length in sectors of 512
    bytes, target, arguments.
    """

    def create(self, name: str, table: str | None = None, *, read_only: bool = False) -> None:
        """Make a device; with a table it is active at once, without one it waits for `load`."""
        ...

    def load(self, name: str, table: str) -> None:
        """Load a table, which serves from the next `resume`."""
        ...

    def suspend(self, name: str) -> None:
        """Hold all I/O."""
        ...

    def resume(self, name: str) -> None:
        """Swap in a loaded table, if there is one, and let I/O go on."""
        ...

    def remove(self, name: str) -> None:
        """Take the device down."""
        ...

    def status(self) -> tuple[DeviceStatus, ...]:
        """The status lines of all devices."""
        ...

    def table(self) -> tuple[DeviceTable, ...]:
        """The tables of all devices."""
        ...


class KernelDeviceMapper:
    """The kernel's device-mapper, by `dmsetup(8)`. Everything but looking needs root."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def create(self, name: str, table: str | None = None, *, read_only: bool = False) -> None:
        """See `DeviceMapper.create`."""
        mode = ["--readonly"] if read_only else []
        # The table comes by standard input: it may have several lines, which --table cannot.
        self._dmsetup("create", *mode, *(["--notable"] if table is None else []), name, table=table)

    def load(self, name: str, table: str) -> None:
        """See `DeviceMapper.load`."""
        self._dmsetup("load", name, table=table)

    def suspend(self, name: str) -> None:
        """See `DeviceMapper.suspend`."""
        self._dmsetup("suspend", name)

    def resume(self, name: str) -> None:
        """See `DeviceMapper.resume`."""
        self._dmsetup("resume", name)

    def remove(self, name: str) -> None:
        """See `DeviceMapper.remove`. Tries again while udev still looks at the device."""
        self._dmsetup("remove", "--retry", name)

    def status(self) -> tuple[DeviceStatus, ...]:
        """See `DeviceMapper.status`. `--noflush`: looking must not write the overlay out."""
        return parse_status(self._dmsetup("status", "--noflush"))

    def table(self) -> tuple[DeviceTable, ...]:
        """See `DeviceMapper.table`."""
        return parse_table(self._dmsetup("table"))

    def _dmsetup(self, *arguments: str, table: str | None = None) -> str:
        finished = self._runner.run(
            ["dmsetup", *arguments],
            timeout=10.0,
            input=(table or "").encode(),
            env={} if _UDEV_CONTROL.exists() else _WITHOUT_UDEV,
        )
        return finished.stdout.decode("utf-8", "backslashreplace")
