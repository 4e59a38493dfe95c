"""Where everything of one system is: what `recognise` finds and `measure` looks at."""

from dataclasses import dataclass

from liveos_tui.formats.dmtable import Persistence
from liveos_tui.live.model import Layout, OverlayKind, Target


@dataclass(frozen=True, slots=True)
class OverlayPlace:
    """One overlay. `path` is raw: a file or folder on the stick, None for one in memory.

    `device` is the name of the dm device that writes into it ("live-rw"), None while it is not in
    use. `persistence` and `loop` (number, "7:1") are known while it is in use, the first to root
    only. `upper` is an absolute path in the file system that an OverlayFS writes to.
    """

    kind: OverlayKind | None
    path: str | None = None
    device: str | None = None
    persistence: Persistence | None = None
    loop: str | None = None
    upper: str | None = None
    read_only: bool = False
    in_use: bool = False
    persistent: bool = True
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """One system: target and layout as they stay, and where its figures come from.

    `mount_point` is where the stick's file system can be read, None when it cannot; `number` the
    number ("8:1") of its block device, None for a folder; `root` the mount point of the root file
    system when it is mounted; `image` and `home` are raw paths on the stick.
    """

    target: Target
    layout: Layout
    mount_point: str | None
    number: str | None
    overlay: OverlayPlace
    unused_overlay: OverlayPlace | None = None
    root: str | None = None
    image: str | None = None
    home: str | None = None
