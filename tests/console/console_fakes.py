"""A machine that answers what a test tells it, and the values of a stick to answer with."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from liveos_tui.live.model import (
    AttachedDevice,
    Finding,
    Home,
    HomeState,
    Host,
    ImageFormat,
    Layout,
    LayoutKind,
    LiveSystem,
    Operation,
    Overlay,
    OverlayKind,
    OverlayState,
    RootFilesystem,
    Severity,
    Target,
    TargetKind,
    Usage,
)

MIB = 1024 * 1024
GIB = 1024 * MIB

NOW = datetime(2026, 3, 14, 12, 4, 31, tzinfo=UTC)


def clock() -> datetime:
    """A clock that stands still."""
    return NOW


FILLING = Overlay(
    state=OverlayState.FILLING,
    kind=OverlayKind.STORE,
    path="LiveOS/overlay-LIVE-12AB-CDEF",
    in_use=True,
    persistent=True,
    table="PO",
    used_bytes=425 * MIB,
    total_bytes=512 * MIB,
    metadata_bytes=2 * MIB,
    rate_bytes_per_second=5.1 * MIB / 60,
    seconds_until_full=87 / 5.1 * 60,
)

FULL_SOON = Finding(
    Severity.WARNING,
    "overlay-filling",
    "The overlay is full in about 17 minutes.",
    "Move large files to home.img or another disk; then make the overlay larger.",
    Operation.GROW,
)

UNUSED = Finding(
    Severity.NOTICE,
    "overlay-unused",
    "An overlay that lies on the stick is not in use at this boot: LiveOS/overlay-OLD-77AA-0001.",
    "Add rd.live.overlay=LABEL=LIVE to the kernel command line to use it.",
)

STICK = LiveSystem(
    target=Target(
        kind=TargetKind.LIVE,
        path="live",
        label="LIVE",
        uuid="12AB-CDEF",
        filesystem="vfat",
        writable=True,
        mount_point="/run/initramfs/live",
        device="/dev/sdb1",
        model="SanDisk Ultra",
        release="Fedora 39",
    ),
    layout=Layout(
        LayoutKind.SNAPSHOT, "LiveOS/squashfs.img", ImageFormat.SQUASHFS, "LiveOS/rootfs.img"
    ),
    overlay=FILLING,
    root=RootFilesystem(
        Usage(736 * MIB, 2 * GIB, 2 * GIB - 736 * MIB), "ext4", read_only=False, clean=True
    ),
    home=Home(HomeState.MOUNTED, "LiveOS/home.img", Usage(31 * MIB, 256 * MIB, 225 * MIB)),
    host=Host(Usage(13 * GIB + 204 * MIB, 14 * GIB + 921 * MIB, GIB + 717 * MIB)),
    findings=(FULL_SOON,),
)

HEALTHY = replace(
    STICK,
    overlay=replace(
        FILLING,
        state=OverlayState.OK,
        used_bytes=120 * MIB,
        rate_bytes_per_second=0.0,
        seconds_until_full=None,
    ),
    findings=(),
)

INVALID = replace(
    STICK,
    target=replace(STICK.target, kind=TargetKind.DEVICE, path="/dev/sdc1", device="/dev/sdc1"),
    overlay=Overlay(
        OverlayState.INVALID,
        OverlayKind.STORE,
        "LiveOS/overlay-STICK2-0BAD-F00D",
        persistent=True,
        unknown="The store is marked invalid, its exceptions cannot be trusted.",
    ),
    findings=(
        Finding(
            Severity.BROKEN,
            "overlay-invalid",
            "The overlay is Invalid: the kernel gave it up when it was full.",
            "Start the stick without it, or look at it from another system; do not reset it.",
            Operation.RECOVER,
        ),
    ),
)

HISTORY = tuple((float(2 * n), (380 + n * n // 80) * MIB) for n in range(61))

THIS = AttachedDevice(
    "/dev/sdb1",
    "LIVE",
    "12AB-CDEF",
    "vfat",
    14 * GIB + 921 * MIB,
    "SanDisk Ultra",
    this_system=True,
    overlay_state=OverlayState.FILLING,
    overlay_fraction=425 / 512,
    severity=Severity.WARNING,
)

BROKEN = AttachedDevice(
    "/dev/sdc1",
    "STICK2",
    "0BAD-F00D",
    "vfat",
    7 * GIB + 410 * MIB,
    "Kingston DataTraveler",
    this_system=False,
    overlay_state=OverlayState.INVALID,
    severity=Severity.BROKEN,
)

FOREIGN = AttachedDevice(
    "/dev/sdd1",
    "PHOTOS",
    "6C2E-91D0",
    "exfat",
    58 * GIB,
    "Generic Flash Disk",
    this_system=False,
    note="No LiveOS folder on it.",
)

Answer = LiveSystem | Exception | Callable[[], LiveSystem]


@dataclass
class FakeWatch:
    """Answers each sample with the machine's present answer."""

    machine: "FakeMachine"
    target: str
    closed: bool = False

    @property
    def history(self) -> tuple[tuple[float, int], ...]:
        return self.machine.history

    def sample(self) -> LiveSystem:
        self.machine.samples += 1
        answer = self.machine.answers[self.target]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, LiveSystem) else answer()

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeMachine:
    """`answers` are by target; what is not there cannot be opened."""

    answers: dict[str, Answer] = field(default_factory=lambda: {"live": STICK})
    attached: tuple[AttachedDevice, ...] | Exception = (THIS, BROKEN)
    refusals: dict[str, Exception] = field(default_factory=dict)
    history: tuple[tuple[float, int], ...] = HISTORY
    samples: int = 0
    watches: list[FakeWatch] = field(default_factory=list)
    changed: Callable[[], None] | None = None

    def open(self, target: str) -> FakeWatch:
        if target in self.refusals:
            raise self.refusals[target]
        watch = FakeWatch(self, target)
        self.watches.append(watch)
        return watch

    def devices(self) -> tuple[AttachedDevice, ...]:
        if isinstance(self.attached, Exception):
            raise self.attached
        return self.attached

    @contextmanager
    def hotplug(self, changed: Callable[[], None]) -> Iterator[None]:
        self.changed = changed
        try:
            yield
        finally:
            self.changed = None
