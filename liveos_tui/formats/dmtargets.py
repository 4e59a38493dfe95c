"""What device-mapper targets say of themselves, as values; `dmtable.py` reads them.

The text of each value is the kernel's own, as the `*_status` functions of dm-snap.c,
dm-snap-persistent.c, dm-raid1.c, dm-log.c and dm-linear.c write it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Persistence = Literal["P", "PO", "N"]
"""Persistent, persistent that tells of an overflow, not persistent (lost when it is removed)."""

_NUMBER = re.compile(r"[0-9]{1,20}")


class SnapshotIll(StrEnum):
    """Why a snapshot has no figures to show, in the kernel's words (snapshot_status)."""

    INVALID = "Invalid"
    OVERFLOW = "Overflow"
    MERGE_FAILED = "Merge failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class SnapshotStatus:
    """How much of a COW store is in use, in sectors. The metadata is part of what is allocated."""

    allocated_sectors: int
    total_sectors: int
    metadata_sectors: int

    def __str__(self) -> str:
        return f"{self.allocated_sectors}/{self.total_sectors} {self.metadata_sectors}"


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """How far a mirror has copied.

    `health` has a letter for each of `devices`: A alive, D a write failed, S the copying failed,
    R a read failed, F a flush failed, U unknown. `log` is the log's own status, "core" or
    "disk MAJOR:MINOR A".
    """

    devices: tuple[str, ...]
    in_sync_regions: int
    total_regions: int
    health: str
    log: str = "core"

    @property
    def healthy(self) -> bool:
        """No leg has failed."""
        return set(self.health) == {"A"}

    @property
    def complete(self) -> bool:
        """All regions are copied and no leg has failed. It says nothing about being on disk."""
        return self.healthy and self.in_sync_regions == self.total_regions

    def __str__(self) -> str:
        words = [str(len(self.devices)), *self.devices]
        words.append(f"{self.in_sync_regions}/{self.total_regions}")
        log = self.log.split(" ")
        return " ".join([*words, "1", self.health, str(len(log)), *log])


@dataclass(frozen=True, slots=True)
class NoStatus:
    """The target has nothing to tell: linear, snapshot-origin, zero, error."""

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True, slots=True)
class OtherStatus:
    """Parameters of a target that is not described here, or that are not as described."""

    text: str

    def __str__(self) -> str:
        return self.text


TargetStatus = SnapshotStatus | SnapshotIll | MirrorStatus | NoStatus | OtherStatus


@dataclass(frozen=True, slots=True)
class SnapshotTable:
    """A snapshot, or with `merging` a snapshot-merge: origin and COW device, chunk in sectors."""

    origin: str
    cow: str
    persistence: Persistence
    chunk_sectors: int
    features: tuple[str, ...] = ()
    merging: bool = False

    @property
    def target(self) -> str:
        """The target's name in a table."""
        return "snapshot-merge" if self.merging else "snapshot"

    def __str__(self) -> str:
        words = [self.origin, self.cow, self.persistence, str(self.chunk_sectors)]
        return " ".join([*words, *counted(self.features)])


@dataclass(frozen=True, slots=True)
class SnapshotOriginTable:
    """The origin that snapshots are taken of."""

    origin: str

    @property
    def target(self) -> str:
        """The target's name in a table."""
        return "snapshot-origin"

    def __str__(self) -> str:
        return self.origin


@dataclass(frozen=True, slots=True)
class LinearTable:
    """A stretch of another device, from `offset_sectors` on."""

    device: str
    offset_sectors: int

    @property
    def target(self) -> str:
        """The target's name in a table."""
        return "linear"

    def __str__(self) -> str:
        return f"{self.device} {self.offset_sectors}"


@dataclass(frozen=True, slots=True)
class MirrorLeg:
    """One copy of a mirror: the first leg is the source."""

    device: str
    offset_sectors: int = 0


@dataclass(frozen=True, slots=True)
class MirrorTable:
    """A mirror: its log ("core" or "disk") with the log's arguments, its legs, its features.

    The arguments of a core log are the region size in sectors and, perhaps, `sync` or `nosync`;
    a disk log's device comes before them.
    """

    legs: tuple[MirrorLeg, ...]
    log_arguments: tuple[str, ...]
    log: str = "core"
    features: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        """The target's name in a table."""
        return "mirror"

    @property
    def region_sectors(self) -> int | None:
        """The size of a region in sectors; None where the log's arguments do not say it."""
        place = 1 if self.log == "disk" else 0
        words = self.log_arguments[place : place + 1]
        return int(words[0]) if words and _NUMBER.fullmatch(words[0]) else None

    def __str__(self) -> str:
        words = [self.log, *counted(self.log_arguments, always=True), str(len(self.legs))]
        for leg in self.legs:
            words += [leg.device, str(leg.offset_sectors)]
        return " ".join([*words, *counted(self.features)])


@dataclass(frozen=True, slots=True)
class OtherTable:
    """A target that is not described here, or with parameters that are not as described."""

    target: str
    text: str

    def __str__(self) -> str:
        return self.text


TargetTable = SnapshotTable | SnapshotOriginTable | LinearTable | MirrorTable | OtherTable


@dataclass(frozen=True, slots=True)
class StatusLine:
    """What one target of a device says of itself. Start and length are sectors of 512 bytes."""

    start_sectors: int
    length_sectors: int
    target: str
    status: TargetStatus

    def __str__(self) -> str:
        # The kernel's line ends with a space where a target has nothing to tell; so does this.
        return f"{self.start_sectors} {self.length_sectors} {self.target} {self.status}"


@dataclass(frozen=True, slots=True)
class TableLine:
    """One target of a device, as `dmsetup load` takes it. Start and length are sectors."""

    start_sectors: int
    length_sectors: int
    table: TargetTable

    @property
    def target(self) -> str:
        """The target's name."""
        return self.table.target

    def __str__(self) -> str:
        return f"{self.start_sectors} {self.length_sectors} {self.target} {self.table}"


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """The status of one device; no lines when it has no table yet.

    `name` is None where dmsetup was asked about one device and did not repeat its name.
    """

    name: str | None
    lines: tuple[StatusLine, ...]


@dataclass(frozen=True, slots=True)
class DeviceTable:
    """The table of one device; see `DeviceStatus` for `name`."""

    name: str | None
    lines: tuple[TableLine, ...]


def counted(words: tuple[str, ...], *, always: bool = False) -> list[str]:
    """Words after their count, as tables hold lists; no words need no count."""
    return [str(len(words)), *words] if words or always else []
