"""A mirror that copies one device to another: its table, and how far it is by its status lines.

The table is dm-raid1.c's (mirror_ctr), the log's arguments dm-log.c's (core_ctr). Without
`handle_errors` a mirror ends well whatever it could not read or write, so that is always asked for.
Then a region that could not be copied is never counted, and a letter says whose fault it was.
"""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.errors import FormatError
from liveos_tui.formats.dmtable import (
    MirrorLeg,
    MirrorStatus,
    MirrorTable,
    TableLine,
    parse_status,
)
from liveos_tui.formats.lines import LineSplitter

STALL_SECONDS = 30.0
"""A mirror that has copied nothing for so long will not go on by itself."""

REGION_SECTORS = 8192
"""4 MiB: with 32 sectors a copy takes more than twice the time, larger ones gain nothing."""

_LEAST_REGION_SECTORS = 8
# So that a small mirror tells of its progress, too.
_LEAST_REGIONS = 64
_LINE_BYTES = 4096


class Leg(StrEnum):
    """The two sides of a mirror that copies."""

    SOURCE = "source"
    TARGET = "target"


class Health(StrEnum):
    """A leg's letter in the status (device_status_char of dm-raid1.c)."""

    ALIVE = "A"
    FLUSH_FAILED = "F"
    WRITE_FAILED = "D"
    COPY_FAILED = "S"
    READ_FAILED = "R"
    UNKNOWN = "U"


@dataclass(frozen=True, slots=True)
class FailedLeg:
    """A leg that is not alive, and what its letter says."""

    leg: Leg
    health: Health

    @property
    def sentence(self) -> str:
        """What has failed, for a person."""
        match self.health, self.leg:
            case (Health.COPY_FAILED, Leg.SOURCE) | (Health.READ_FAILED, _):
                failed = "could not be read"
            case (Health.COPY_FAILED | Health.WRITE_FAILED, _):
                failed = "could not be written"
            case (Health.FLUSH_FAILED, _):
                failed = "could not be written out"
            case _:
                failed = "has failed"
        return f"The mirror's {self.leg} {failed} (health {self.health})."


@dataclass(frozen=True, slots=True)
class MirrorProgress:
    """How a copying mirror is, by one status line. `fraction` is 0.0 to 1.0.

    `complete` says nothing about being on the medium: the target has to be synced. `stalled`: it is
    not complete, and nothing was copied for STALL_SECONDS.
    """

    status: MirrorStatus
    fraction: float
    complete: bool
    failed: FailedLeg | None
    stalled: bool = False


class MirrorFeed:
    """Reads what `dmsetup status` prints of one mirror, again and again.

    Lines that tell of no mirror are passed over.
    """

    def __init__(self) -> None:
        self._lines = LineSplitter(_LINE_BYTES)

    def feed(self, data: bytes) -> list[MirrorStatus]:
        """The statuses of the lines that are complete now."""
        return _statuses(self._lines.feed(data))

    def close(self) -> list[MirrorStatus]:
        """That of the last line, when it has no end."""
        return _statuses(self._lines.close())


def _statuses(lines: list[bytes]) -> list[MirrorStatus]:
    found = []
    for data in lines:
        try:
            devices = parse_status(data.decode("utf-8", "backslashreplace"))
        except FormatError:
            continue
        found += [
            line.status
            for device in devices
            for line in device.lines
            if isinstance(line.status, MirrorStatus)
        ]
    return found


class MirrorWatch:
    """Judges the status lines of one mirror. Times are seconds of any clock that only goes on."""

    def __init__(self, now: float) -> None:
        self._copied = -1
        self._since = now

    def saw(self, status: MirrorStatus, now: float) -> MirrorProgress:
        """How the mirror is, when this is what it said at the time `now`."""
        if status.in_sync_regions != self._copied:
            self._copied, self._since = status.in_sync_regions, now
        total = status.total_regions
        return MirrorProgress(
            status,
            min(status.in_sync_regions / total, 1.0) if total else 0.0,
            status.complete,
            failed_leg(status),
            stalled=not status.complete and self.is_stalled(now),
        )

    def is_stalled(self, now: float) -> bool:
        """Whether nothing was copied for STALL_SECONDS, also when no line came at all."""
        return now - self._since >= STALL_SECONDS


def failed_leg(status: MirrorStatus) -> FailedLeg | None:
    """The first leg that is not alive; None while all are."""
    letters = {str(health): health for health in Health}
    for place, letter in enumerate(status.health):
        if letter != Health.ALIVE:
            leg = Leg.TARGET if place else Leg.SOURCE
            return FailedLeg(leg, letters.get(letter, Health.UNKNOWN))
    return None


def mirror_table(
    size_sectors: int, source: str, target: str, region_sectors: int = REGION_SECTORS
) -> str:
    """The table of a mirror that copies all of `source` to `target`, and tells what fails.

    Devices are as dmsetup takes them, sizes in sectors of 512 bytes.
    """
    table = MirrorTable(
        (MirrorLeg(source), MirrorLeg(target)),
        (str(region_sectors), "sync"),
        features=("handle_errors",),
    )
    return str(TableLine(0, size_sectors, table))


def region_sectors(size_sectors: int) -> int:
    """A sensible size of regions for a mirror of this size: a power of two, as the kernel wants.

    A mirror cannot be smaller than its regions (_check_region_size of dm-log.c).
    """
    region = REGION_SECTORS
    while region > _LEAST_REGION_SECTORS and size_sectors < region * _LEAST_REGIONS:
        region //= 2
    return region
