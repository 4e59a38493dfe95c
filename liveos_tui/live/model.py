"""What a LiveOS is and how it is: the values that gauges, `status` and plans read.

Everything is frozen: a sample is one `LiveSystem`, the next sample is another. Sizes are bytes
unless a name says sectors. `None` is "not known", never 0. Text has passed `formats.text.clean`.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from liveos_tui.formats.ext4 import ExtSuperblock


class TargetKind(StrEnum):
    """How the person pointed at the system."""

    LIVE = "live"
    DEVICE = "device"
    MOUNT = "mount"
    FOLDER = "folder"


class LayoutKind(StrEnum):
    """Which mechanism keeps the changes apart from the image."""

    SNAPSHOT = "snapshot"
    OVERLAYFS = "overlayfs"


class ImageFormat(StrEnum):
    """Format of the image file in the live directory."""

    SQUASHFS = "squashfs"
    EROFS = "erofs"
    EXT = "ext"


class OverlayKind(StrEnum):
    """What the overlay is made of."""

    STORE = "dm-snapshot store"
    DIRECTORY = "directory"
    EMBEDDED = "file with a file system"
    TEMPORARY = "memory"


class OverlayState(StrEnum):
    """How the overlay is, the worst that is true."""

    FRESH = "fresh"
    OK = "ok"
    FILLING = "filling"
    FULL = "full"
    OVERFLOW = "overflow"
    INVALID = "invalid"
    FOREIGN = "foreign"
    NONE = "none"


class HomeState(StrEnum):
    """How home.img is found."""

    NONE = "none"
    MOUNTED = "mounted"
    UNMOUNTED = "not mounted"
    LOCKED = "locked"
    UNREADABLE = "unreadable"


class Severity(StrEnum):
    """How much a finding matters. Decides the exit code of `status`."""

    NOTICE = "notice"
    WARNING = "warning"
    BROKEN = "broken"


class Operation(StrEnum):
    """What can be done to a stick."""

    RECOVER = "recover"
    GROW = "grow"
    MERGE = "merge"
    RESET = "reset"


@dataclass(frozen=True, slots=True)
class Usage:
    """Room in a file system, as `df` tells it: used, free for a person, and total bytes.

    Used and free may be less than the total: the rest is reserved.
    """

    used_bytes: int | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None

    @property
    def reserved_bytes(self) -> int | None:
        """What is neither used nor free: kept for root, or by the file system."""
        if self.used_bytes is None or self.total_bytes is None or self.free_bytes is None:
            return None
        return max(0, self.total_bytes - self.used_bytes - self.free_bytes)

    @property
    def fraction(self) -> float | None:
        """Used part of what a person can use, 0.0 to 1.0, as `df` counts it."""
        if self.used_bytes is None or not self.total_bytes:
            return None
        if self.free_bytes is None:
            return self.used_bytes / self.total_bytes
        return self.used_bytes / ((self.used_bytes + self.free_bytes) or 1)


@dataclass(frozen=True, slots=True)
class Target:
    """The stick, or the folder that stands for one.

    `path` is what was asked for (device node, mount point or folder); `mount_point` is where its
    file system can be read, `device` the block device below it. `this_system`: the system that runs
    was booted from it.
    """

    kind: TargetKind
    path: str
    label: str | None = None
    uuid: str | None = None
    filesystem: str | None = None
    writable: bool | None = None
    mount_point: str | None = None
    device: str | None = None
    model: str | None = None
    release: str | None = None
    this_system: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """Which files make the system. Paths are relative to the stick ("LiveOS/squashfs.img").

    `base` is the base image's path inside `image`; None for a flat image and for an image that is
    the base itself. `image_damage` says in a sentence what is wrong with the image, `unknown` why
    it was not looked at; `root_only`: only root may. `second` is the other image of a merge, which
    lies beside it, and `second_overlay` the other overlay.
    """

    kind: LayoutKind
    image: str | None = None
    image_format: ImageFormat | None = None
    base: str | None = None
    image_damage: str | None = None
    unknown: str | None = None
    root_only: bool = False
    second: str | None = None
    second_bytes: int = 0
    second_overlay: str | None = None
    second_overlay_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """The overlay: what it is, how full, how fast it fills.

    `table` is the snapshot target's persistence ("P", "PO", "N"), known only while it is in use.
    Used, free and metadata bytes of a store are counted as the kernel counts them. `damage` says in
    a sentence why the store cannot be used; `fragile_size`: it would become Invalid when it fills,
    whatever its table says; `missing_bytes` of its file are holes that the stick has yet to fill.
    `unknown` says why it was not looked at; `root_only`: only root may.
    """

    state: OverlayState | None
    kind: OverlayKind | None = None
    path: str | None = None
    in_use: bool = False
    persistent: bool = False
    read_only: bool = False
    table: str | None = None
    used_bytes: int | None = None
    total_bytes: int | None = None
    free_bytes: int | None = None
    metadata_bytes: int | None = None
    rate_bytes_per_second: float | None = None
    seconds_until_full: float | None = None
    damage: str | None = None
    fragile_size: bool = False
    missing_bytes: int = 0
    unknown: str | None = None
    root_only: bool = False

    @property
    def fraction(self) -> float | None:
        """Used part of the total, 0.0 to 1.0."""
        return Usage(self.used_bytes, self.total_bytes, self.free_bytes).fraction

    @property
    def left_bytes(self) -> int | None:
        """Bytes that can still be written."""
        if self.free_bytes is not None or self.used_bytes is None or self.total_bytes is None:
            return self.free_bytes
        return max(0, self.total_bytes - self.used_bytes)


@dataclass(frozen=True, slots=True)
class RootFilesystem:
    """The root file system inside base and overlay. `unknown` says why a figure is missing.

    `superblock` is that of an ext file system which is not mounted.
    """

    usage: Usage = Usage()
    filesystem: str | None = None
    read_only: bool | None = None
    clean: bool | None = None
    superblock: ExtSuperblock | None = None
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Home:
    """home.img. `path` is relative to the stick.

    `unknown` says why a figure is missing; `root_only`: only root may look.
    """

    state: HomeState = HomeState.NONE
    path: str | None = None
    usage: Usage = Usage()
    unknown: str | None = None
    root_only: bool = False


@dataclass(frozen=True, slots=True)
class Host:
    """The stick's own file system."""

    usage: Usage = Usage()
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that matters now: what, how much, and what helps.

    `text` is one sentence; `action` says what to do; `operation` is the operation of this console
    that does it, where there is one.
    """

    severity: Severity
    code: str
    text: str
    action: str = ""
    operation: Operation | None = None


@dataclass(frozen=True, slots=True)
class Possibility:
    """Whether an operation can be done to this system as it is, and why not.

    `on_request`: nothing is known that it would help against, but who asks for it can have it.
    """

    operation: Operation
    possible: bool
    why_not: str | None = None
    on_request: bool = False


@dataclass(frozen=True, slots=True)
class LiveSystem:
    """One LiveOS at one moment.

    `unused_root` is the root file system as an overlay that is not in use at this boot shows it.
    """

    target: Target
    layout: Layout
    overlay: Overlay
    root: RootFilesystem = RootFilesystem()
    home: Home = Home()
    host: Host = Host()
    unused_overlay: Overlay | None = None
    unused_root: RootFilesystem | None = None
    findings: tuple[Finding, ...] = ()
    operations: tuple[Possibility, ...] = ()

    @property
    def severity(self) -> Severity | None:
        """The worst of all findings; None when there is nothing to say."""
        ranks = list(Severity)
        return max((f.severity for f in self.findings), key=ranks.index, default=None)


@dataclass(frozen=True, slots=True)
class AttachedDevice:
    """One row of the device list. `note` says why it has no overlay state, in words."""

    path: str
    label: str | None
    uuid: str | None
    filesystem: str | None
    size_bytes: int | None
    model: str | None
    this_system: bool
    overlay_state: OverlayState | None = None
    overlay_fraction: float | None = None
    severity: Severity | None = None
    note: str = field(default="")
