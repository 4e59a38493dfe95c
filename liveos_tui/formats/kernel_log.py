"""Why a snapshot died, as far as the kernel's log tells: `dmesg` or `journalctl -k`.

The kernel names no device when it gives a snapshot up (drivers/md/dm-snap.c,
__invalidate_snapshot and snapshot_map):

    device-mapper: snapshots: Invalidating snapshot: Unable to allocate exception.
    device-mapper: snapshots: Invalidating snapshot: Error reading/writing.
    device-mapper: snapshots: Snapshot overflowed: Unable to allocate exception.
    device-mapper: snapshots: Snapshot is marked invalid.

Which one it was is told by what was said of devices around it: the loop device that could not
write just before, the dm device that fails from then on. The lines are anybody's: a program that
may write to /dev/kmsg can forge each of them, so they explain, and decide nothing dangerous.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.formats.text import clean


class KernelEvent(StrEnum):
    """What a line tells."""

    NO_ROOM = "a snapshot became invalid: it had no room"
    IO_ERROR = "a snapshot became invalid: reading or writing failed"
    OVERFLOW = "a snapshot overflowed: it had no room"
    MARKED_INVALID = "a snapshot was invalid when it was loaded"
    DEVICE_ERROR = "a device could not read or write"
    BEYOND_END = "something behind the end of a device was asked for"
    FILE_SYSTEM_ERROR = "a file system met an error"


DEATHS = frozenset({KernelEvent.NO_ROOM, KernelEvent.IO_ERROR, KernelEvent.OVERFLOW})
"""The ways in which a snapshot that was in use ends."""


@dataclass(frozen=True, slots=True)
class KernelLine:
    """A line that tells something. `seconds` is since the boot, None where it is not written.

    `device` is the kernel's name ("loop2", "dm-0", "sdb"), None where the line has none. `writing`
    says of a device whether it was written to, None where the line does not say. `text` is
    harmless.
    """

    event: KernelEvent
    text: str
    device: str | None = None
    seconds: float | None = None
    writing: bool | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """Why a snapshot ended. `certain`: no other snapshot of this boot can be meant.

    `causes` are the lines about the devices asked for, just before it and up to it.
    """

    event: KernelEvent
    text: str
    certain: bool
    causes: tuple[KernelLine, ...] = ()

    @property
    def out_of_room(self) -> bool:
        """The store had no room for one more chunk, or none for its next metadata area.

        False for any other error of reading or writing: the stick may be failing, or so full that
        a sparse store could not get its blocks.
        """
        if self.event is not KernelEvent.IO_ERROR:
            return True
        return any(cause.event is KernelEvent.BEYOND_END for cause in self.causes)


_SNAPSHOT = {
    "Invalidating snapshot: Unable to allocate exception": KernelEvent.NO_ROOM,
    "Invalidating snapshot: Error reading/writing": KernelEvent.IO_ERROR,
    "Snapshot overflowed: Unable to allocate exception": KernelEvent.OVERFLOW,
    "Snapshot is marked invalid": KernelEvent.MARKED_INVALID,
}
_DEVICE = r"(?P<device>[A-Za-z0-9_!-]{1,32})"
# block/blk-core.c (print_req_error, bio_check_eod), fs/buffer.c, drivers/block/loop.c,
# fs/ext4/super.c, fs/fat/misc.c.
_OTHERS = tuple(
    (re.compile(pattern), event)
    for pattern, event in (
        (rf"\b(?:I/O|critical [a-z ]{{1,24}}) error, dev {_DEVICE}, sector",
         KernelEvent.DEVICE_ERROR),
        (rf"Buffer I/O error on dev(?:ice)? {_DEVICE}, logical block", KernelEvent.DEVICE_ERROR),
        (r"loop: Write error at byte offset", KernelEvent.DEVICE_ERROR),
        (rf"{_DEVICE}: rw=\d{{1,9}}, (?:sector|want)=", KernelEvent.BEYOND_END),
        (rf"EXT4-fs (?:error|warning) \(device {_DEVICE}\)", KernelEvent.FILE_SYSTEM_ERROR),
        (rf"EXT4-fs \({_DEVICE}\): (?:Remounting filesystem read-only|failed to convert)",
         KernelEvent.FILE_SYSTEM_ERROR),
        (rf"FAT-fs \({_DEVICE}\): error", KernelEvent.FILE_SYSTEM_ERROR),
    )
)  # fmt: skip
_SECONDS = re.compile(r"[<>\d]{0,6}\[ {0,8}(\d{1,10}\.\d{1,6})\]")
_OPERATION = re.compile(r"op 0x[0-9a-f]+:\(([A-Z_ ]+)\)")
_MATTERS = re.compile(
    r"\b(?:device-mapper|SQUASHFS|erofs|(?:EXT[234]|FAT)-fs|JBD2)\b|\bloop\d*: |I/O error|"
    r"\bcritical [a-z ]{1,24} error"
)
# In a file system's own words: the program that ran, the name of a file.
_NAMES = re.compile(r"(?<=\bcomm ).*?(?=: |$)|(['\"]).*\1")
_LOST_WRITE = re.compile(r"lost (?:async |sync )?page write|loop: Write error")
# The kernel's buffer is some hundred KiB, a journal may be larger: its end is what counts.
_TEXT_LIMIT = 8 << 20
_LINES_LIMIT = 2000
# Lines that tell something, before a death, that are taken to belong to it.
_NEAR = 12


def parse_kernel_log(output: bytes) -> tuple[KernelLine, ...]:
    """The lines that tell something of snapshots, devices and file systems, oldest first.

    The last 8 MiB are looked at, and the last 2,000 lines that tell something are kept.
    """
    lines = output[-_TEXT_LIMIT:].splitlines()
    told = (_line(clean(line.strip())) for line in lines)
    return tuple(line for line in told if line)[-_LINES_LIMIT:]


def lines_that_matter(output: bytes) -> tuple[str, ...]:
    """All that device-mapper, loop devices and file systems have said, for people; oldest first.

    Names of programs and of files are left out. Bounded like `parse_kernel_log`.
    """
    lines = (clean(line.strip()) for line in output[-_TEXT_LIMIT:].splitlines())
    told = (without_names(line) for line in lines if _MATTERS.search(line))
    return tuple(told)[-_LINES_LIMIT:]


def without_names(line: str) -> str:
    """A line of the kernel without the names of programs and files that it tells of."""
    return _NAMES.sub("...", line)


def why_it_died(lines: Sequence[KernelLine], devices: Collection[str]) -> Death | None:
    """The last death of a snapshot in this log, or None where no snapshot died.

    `devices` are the kernel's names of the snapshot ("dm-0"), of its store ("loop1") and of what is
    below that. Of several deaths the last is taken that has one of them beside it, else the last
    of all. The log is of one boot: it says nothing of a store that died in another.
    """
    deaths = [number for number, line in enumerate(lines) if line.event in DEATHS]
    if not deaths:
        return None
    # What is told between two deaths: a store's failure comes before the death, and the
    # snapshot's own errors come after it.
    ends = [0, *(number + 1 for number in deaths)]
    befores = [
        lines[max(end, number - _NEAR) : number] for end, number in zip(ends, deaths, strict=False)
    ]
    afters = [
        lines[number + 1 : min(end, number + 1 + _NEAR)]
        for number, end in zip(deaths, [*deaths[1:], len(lines)], strict=True)
    ]
    near = [
        any(_is_store(line) and line.device in devices for line in before)
        or any(not _is_store(line) and line.device in devices for line in after)
        for before, after in zip(befores, afters, strict=True)
    ]
    chosen = max((index for index, beside in enumerate(near) if beside), default=len(deaths) - 1)
    dead = lines[deaths[chosen]]
    one_kind = len({lines[number].event for number in deaths}) == 1
    causes = tuple(
        line for line in befores[chosen] if line.device is None or line.device in devices
    )
    return Death(dead.event, dead.text, near[chosen] or one_kind, causes)


def _is_store(line: KernelLine) -> bool:
    """Whether the line is of something below a snapshot."""
    return line.device is not None and not line.device.startswith("dm-")


def _line(text: str) -> KernelLine | None:
    seconds = float(match[1]) if (match := _SECONDS.match(text)) else None
    if "device-mapper: snapshots: " in text:
        said = text.partition("device-mapper: snapshots: ")[2]
        for words, event in _SNAPSHOT.items():
            if said.startswith(words):
                return KernelLine(event, text, None, seconds)
        return None
    for pattern, event in _OTHERS:
        if match := pattern.search(text):
            device = match.groupdict().get("device")
            return KernelLine(event, text, device, seconds, _writing(text))
    return None


def _writing(text: str) -> bool | None:
    if operation := _OPERATION.search(text):
        return operation[1] != "READ"
    return True if _LOST_WRITE.search(text) else None
