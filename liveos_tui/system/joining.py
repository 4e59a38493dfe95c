"""What both ways of joining base and store have in common: names, tables, looking before, words."""

import re
from pathlib import Path

from liveos_tui.errors import LiveosError, UnreadableError
from liveos_tui.formats.cow import (
    SECTOR_BYTES,
    CowError,
    CowHeader,
    CowSummary,
    CowTruncatedError,
    parse_header,
    summarise,
)
from liveos_tui.formats.dmtable import (
    LinearTable,
    Persistence,
    SnapshotIll,
    SnapshotStatus,
    SnapshotTable,
    TableLine,
)
from liveos_tui.formats.text import clean
from liveos_tui.system.files import Folder

PREFIX = "liveos-tui-"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")


class ViewError(LiveosError):
    """A view or a trial refuses to be read or written.

    `status` is what the snapshot said of itself then; None where it did not answer.
    """

    def __init__(
        self, message: str, hint: str = "", *, status: SnapshotStatus | SnapshotIll | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status = status


def part_name(name: str, part: str) -> str:
    """The name of a job's device or file: "liveos-tui-NAME-view"."""
    if not _NAME.fullmatch(name):
        raise LiveosError(f"{clean(name)!r} is no name for devices.", "Letters, digits, . _ -")
    return f"{PREFIX}{name}-{part}"


def look_at_store(store: Path, header: CowHeader | None) -> CowSummary:
    """See that the kernel would take this store, and what it holds; `header` stands for its own.

    A header of zeros is refused, too: the kernel would take the store for a fresh one, and all that
    is in it would be lost without a word. An invalid store is not refused: it loads. Raises
    CowError, NotThereError, UnreadableError.
    """
    with Folder(store.parent).open(store.name) as file:
        patch = header.to_bytes() if header else b""

        def read(offset: int, size: int) -> bytes:
            data = file.read(offset, size)
            return patch[offset : offset + len(data)] + data[max(0, len(patch) - offset) :]

        if header is None and parse_header(read(0, 16)) is None:
            raise UnreadableError(
                f"The overlay {clean(store.name)} is empty: its header is all zeros.",
                "It was not loaded, and is as it was: the kernel would begin it anew, and lose all "
                "that may be in it. If it is fresh, there is nothing to recover.",
            )
        summary = summarise(read, file.identity.size_bytes)
    if summary.truncated:
        raise CowTruncatedError(
            summary.damage or "", "It was not loaded, and is as it was. A backup is needed."
        )
    if summary.overfull:
        raise CowError(summary.damage or "", "It was not loaded, and is as it was.")
    return summary


def snapshot_table(
    size_bytes: int, base: str, store: str, persistence: Persistence, chunk_sectors: int
) -> str:
    """The table of a snapshot of `size_bytes`."""
    table = SnapshotTable(base, store, persistence, chunk_sectors)
    return str(TableLine(0, size_bytes // SECTOR_BYTES, table))


def patched_store_table(
    header_device: str, store: str, store_bytes: int, chunk_sectors: int
) -> str:
    """The table of a store whose first chunk is on another device."""
    rest = store_bytes // SECTOR_BYTES - chunk_sectors
    lines = (
        TableLine(0, chunk_sectors, LinearTable(header_device, 0)),
        TableLine(chunk_sectors, rest, LinearTable(store, chunk_sectors)),
    )
    return "\n".join(map(str, lines))


def refused(
    done: str, offset: int, status: SnapshotStatus | SnapshotIll | None, reason: str
) -> ViewError:
    """The error for a read or write ("read", "written") that a view did not take."""
    match status:
        case SnapshotIll.INVALID:
            return ViewError(
                f"The overlay cannot be {done}: it is invalid, and nothing of it can be read.",
                "It has run out of room or met an I/O error; the file itself is kept. Recover it.",
                status=status,
            )
        case SnapshotIll.OVERFLOW:
            return ViewError(
                f"The overlay cannot be {done}: it is full.",
                "It can still be read. Give it more room, then join it again.",
                status=status,
            )
    return ViewError(
        f"The overlay with its base image cannot be {done} at byte {offset}: {reason}.",
        "The stick may be failing: copy it before anything else.",
        status=status,
    )
