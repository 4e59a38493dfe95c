"""The device-mapper through /dev/mapper/control, in this very process.

`dmsetup` is a program: to start it is to read the root file system, which cannot be while the
root is suspended. Here a request is one ioctl(2), prepared before.
"""

import errno
import fcntl
import os
import time
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats import dm_ioctl
from liveos_tui.formats.dm_ioctl import Answer, Command, Flag
from liveos_tui.formats.dmtable import (
    TableLine,
    TargetStatus,
    parse_status,
    parse_table,
)
from liveos_tui.formats.text import clean

_CONTROL = Path("/dev/mapper/control")
# libdevmapper.h, DM_UDEV_*: from bit 16 of the event on. Nobody is to look into devices that are
# this program's own (subsystem, disk and other rules); the root's events are as dmsetup's own.
_PRIMARY = 0x40 << 16
_UNSEEN = (0x02 | 0x04 | 0x08 | 0x20) << 16 | _PRIMARY
_REMOVE_SECONDS = 5.0


class DmError(LiveosError):
    """The device-mapper has refused something. `number` is its errno."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message, "The kernel's log (dmesg) may tell more.")
        self.number = number


class DmControl:
    """The open control device. A context manager. Everything raises DmError. Needs root.

    Between `suspend` and `resume` of the root nothing here touches a file.
    """

    def __init__(self) -> None:
        try:
            self._descriptor = os.open(_CONTROL, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise DmError(
                f"{_CONTROL} cannot be opened: {error.strerror}.", error.errno or 0
            ) from error

    def __enter__(self) -> "DmControl":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def create(self, name: str) -> Answer:
        """Make a device without a table."""
        return dm_ioctl.answer(self._ask(Command.DEV_CREATE, name, event=_UNSEEN))

    def load(self, name: str, table: tuple[TableLine, ...], *, read_only: bool = False) -> None:
        """Load a table, which serves from the next `resume`; see that it is there."""
        flags = Flag.READ_ONLY if read_only else Flag(0)
        answer = dm_ioctl.answer(self._ask(Command.TABLE_LOAD, name, flags, table=table))
        if not answer.waiting:
            raise DmError(f"The table of {clean(name)} was taken, and is not there.", errno.EIO)

    def clear(self, name: str) -> None:
        """Drop a table that is loaded and not in use."""
        self._ask(Command.TABLE_CLEAR, name)

    def suspend(self, name: str) -> None:
        """Hold all I/O; a file system on it is quiesced. Nothing happens when it is held."""
        self._ask(Command.DEV_SUSPEND, name, Flag.SUSPEND)

    def resume(self, name: str, *, seen: bool = False) -> None:
        """Swap in a loaded table, if there is one, and let I/O go on.

        With `seen` udev looks at the device as it does after `dmsetup resume`.
        """
        self._ask(Command.DEV_SUSPEND, name, event=_PRIMARY if seen else _UNSEEN)

    def remove(self, name: str) -> None:
        """Take a device down; tries again while someone still looks at it."""
        deadline = time.monotonic() + _REMOVE_SECONDS
        while True:
            try:
                self._ask(Command.DEV_REMOVE, name, event=_UNSEEN)
            except DmError as error:
                if error.number != errno.EBUSY or time.monotonic() >= deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def info(self, name: str) -> Answer | None:
        """What a device is like; None when there is none of this name."""
        try:
            return dm_ioctl.answer(self._ask(Command.DEV_STATUS, name))
        except DmError as error:
            if error.number == errno.ENXIO:
                return None
            raise

    def number(self, name: str) -> str:
        """The number of a device that is there, "254:2". Raises LiveosError."""
        info = self.info(name)
        if info is None:
            raise LiveosError(
                f"There is no device {clean(name)}.", "The running system is as it was."
            )
        return info.number

    def table(self, name: str) -> tuple[TableLine, ...]:
        """The table in use; empty when there is none."""
        reply = self._ask(Command.TABLE_STATUS, name, Flag.TABLE | Flag.NO_FLUSH)
        (device,) = parse_table(_named(reply)) or (None,)
        return device.lines if device else ()

    def status(self, name: str) -> tuple[TargetStatus, ...]:
        """What the targets in use say of themselves."""
        reply = self._ask(Command.TABLE_STATUS, name, Flag.NO_FLUSH)
        (device,) = parse_status(_named(reply)) or (None,)
        return tuple(line.status for line in device.lines) if device else ()

    def _ask(
        self,
        command: Command,
        name: str,
        flags: Flag = Flag(0),  # noqa: B008 - a constant
        *,
        event: int = 0,
        table: tuple[TableLine, ...] = (),
    ) -> bytearray:
        buffer = dm_ioctl.request(name, flags, event=event, table=table)
        try:
            fcntl.ioctl(self._descriptor, command.request, buffer, True)
        except OSError as error:
            words = f"{command.name} of {clean(name)}: {error.strerror}."
            raise DmError(f"The device-mapper refused {words}", error.errno or 0) from error
        return buffer


def device_path(number: str) -> Path:
    """The node of a block device by its number, "254:3"; the kernel itself makes it.

    Raises DmError.
    """
    path = Path("/dev", Path("/sys/dev/block", number).resolve().name)
    major, _, minor = number.partition(":")
    if not path.is_block_device() or path.stat().st_rdev != os.makedev(int(major), int(minor)):
        raise DmError(f"There is no node of the device {clean(number)}.", errno.ENODEV)
    return path


def _named(reply: bytearray) -> str:
    """The lines as dmsetup prints them for one device."""
    return "\n".join(dm_ioctl.target_lines(reply))
