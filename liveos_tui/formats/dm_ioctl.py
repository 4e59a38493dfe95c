"""The device-mapper's own requests and answers: bytes of `struct dm_ioctl`, version 4.

Source: Linux include/uapi/linux/dm-ioctl.h. A request is the structure, then its data: for a load
one `struct dm_target_spec` with its parameters for each target, for answers room. Numbers are the
machine's own (`=`); nothing here opens a device.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any

from liveos_tui.errors import FormatError
from liveos_tui.formats.dmtargets import TableLine

VERSION = (4, 0, 0)
"""The oldest that has all that is asked here: the kernel takes every minor number up to its own."""

_HEAD = struct.Struct("=3I I I I i I I I Q 128s 129s 7x")
_SPEC = struct.Struct("=Q Q i I 16s")
HEAD_BYTES = _HEAD.size
"""Size of `struct dm_ioctl`."""

ANSWER_BYTES = 4096
"""Room for an answer: tables and states here are single lines."""

_TYPE = 0xFD
_READ_WRITE = 3
_ALIGN = 8
_NAME_LIMIT = 127


class Command(IntEnum):
    """The requests that are used (DM_*_CMD)."""

    VERSION = 0
    DEV_CREATE = 3
    DEV_REMOVE = 4
    DEV_SUSPEND = 6
    DEV_STATUS = 7
    TABLE_LOAD = 9
    TABLE_CLEAR = 10
    TABLE_STATUS = 12

    @property
    def request(self) -> int:
        """The number that ioctl(2) takes: _IOWR(0xfd, command, struct dm_ioctl)."""
        return _READ_WRITE << 30 | HEAD_BYTES << 16 | _TYPE << 8 | self


class Flag(IntFlag):
    """What is asked, and what a device is like (DM_*_FLAG)."""

    READ_ONLY = 1 << 0
    SUSPEND = 1 << 1
    """Asked: suspend, not resume. Answered: it is suspended."""
    TABLE = 1 << 4
    """The table is asked for, not the status."""
    ACTIVE_PRESENT = 1 << 5
    INACTIVE_PRESENT = 1 << 6
    """A table is loaded that the next resume makes the active one."""
    BUFFER_FULL = 1 << 8
    NO_FLUSH = 1 << 11
    """Looking at the status is not to write a store's state out."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the kernel says of a device. `number` is "254:3", `open_count` who has it open."""

    number: str
    flags: Flag
    open_count: int
    targets: int
    name: str

    @property
    def suspended(self) -> bool:
        """Its I/O waits."""
        return Flag.SUSPEND in self.flags

    @property
    def active(self) -> bool:
        """It has a table in use."""
        return Flag.ACTIVE_PRESENT in self.flags

    @property
    def waiting(self) -> bool:
        """It has a loaded table, for the next resume."""
        return Flag.INACTIVE_PRESENT in self.flags


def request(
    name: str,
    flags: Flag = Flag(0),  # noqa: B008 - a constant
    *,
    event: int = 0,
    table: Sequence[TableLine] = (),
    size: int = ANSWER_BYTES,
) -> bytearray:
    """A request about the device `name`, at least `size` bytes, into which the kernel answers.

    `event` is the kernel's event_nr: the udev flags, from bit 16 on. Raises ValueError for a name
    that the kernel would cut.
    """
    encoded = name.encode()
    if not 0 < len(encoded) <= _NAME_LIMIT:
        raise ValueError(f"{name!r} is no name of a device")
    data = b"".join(map(_target, table))
    whole = max(size, HEAD_BYTES + len(data))
    head = _HEAD.pack(*VERSION, whole, HEAD_BYTES, len(table), 0, flags, event, 0, 0, encoded, b"")
    return bytearray((head + data).ljust(whole, b"\0"))


def _target(line: TableLine) -> bytes:
    parameters = str(line.table).encode() + b"\0"
    size = -(-(_SPEC.size + len(parameters)) // _ALIGN) * _ALIGN
    spec = _SPEC.pack(line.start_sectors, line.length_sectors, 0, size, line.target.encode())
    return (spec + parameters).ljust(size, b"\0")


def answer(data: bytes | bytearray) -> Answer:
    """Read an answer. Raises FormatError when it is none."""
    head = _head(data)
    return Answer(_number(head[10]), Flag(head[7]), head[6], head[5], _text(head[11]))


def target_lines(data: bytes | bytearray) -> list[str]:
    """The lines of an answer to TABLE_STATUS, as `dmsetup` prints them without the name.

    Raises FormatError for an answer that is cut off.
    """
    head = _head(data)
    start, end = head[4], min(len(data), head[3])
    if Flag.BUFFER_FULL in Flag(head[7]):
        raise FormatError(f"The kernel's answer about {_text(head[11])} is longer than expected.")
    lines: list[str] = []
    at = start
    for _ in range(head[5]):
        # Each has its place behind the one before: a count alone must not go on for ever.
        if at + _SPEC.size > end or len(lines) * _SPEC.size > end:
            raise FormatError("The kernel's answer about a device is cut off.")
        first, length, _status, following, target = _SPEC.unpack_from(data, at)
        parameters = _text(bytes(data[at + _SPEC.size : end]))
        lines.append(f"{first} {length} {_text(target)} {parameters}")
        # Counted from where the first one starts, unlike in a request.
        at = start + following
    return lines


def _head(data: bytes | bytearray) -> tuple[Any, ...]:
    if len(data) < HEAD_BYTES:
        raise FormatError("The kernel's answer about a device is cut off.")
    return _HEAD.unpack_from(data)


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "backslashreplace")


def _number(dev: int) -> str:
    """A device number as the kernel encodes it for users (new_encode_dev)."""
    return f"{dev >> 8 & 0xFFF}:{dev & 0xFF | dev >> 12 & 0xFFF00}"
