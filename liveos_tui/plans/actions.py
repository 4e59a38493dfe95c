"""What a step does, as values: plans are made of them, jobs carry them out.

Paths are relative to the stick and raw, as the stick names them. Sizes are bytes.
"""

from dataclasses import dataclass

from liveos_tui.formats.dmtable import Persistence


@dataclass(frozen=True, slots=True)
class OpenStick:
    """Take the stick's lock and see that it is the stick of the plan.

    `writable`: its file system is to be written. `remount`: it is mounted read-only, and is made
    writable for the time of the job.
    """

    writable: bool = True
    remount: bool = False


@dataclass(frozen=True, slots=True)
class Rehearse:
    """Repair the file system on a throw-away copy-on-write layer and tell what would come back.

    `read_all`: read every chunk that the store has mapped before, because an I/O error may have
    been the cause.
    """

    read_all: bool = False


@dataclass(frozen=True, slots=True)
class BackUp:
    """Save header and metadata areas of the store beside the journal, and in each of `copies`.

    `copies` are absolute paths of folders on other disks.
    """

    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrowFile:
    """Make the overlay's file larger, every byte written."""

    from_bytes: int
    to_bytes: int


@dataclass(frozen=True, slots=True)
class FillHoles:
    """Have the stick provide every block of a sparse overlay file; its bytes stay as they are."""

    missing_bytes: int


@dataclass(frozen=True, slots=True)
class RefreshLoop:
    """Tell the kernel that the file behind a loop device ("7:1") has grown to `to_bytes`.

    `device` is the dm device ("live-rw") whose status shows the new size.
    """

    loop: str
    device: str
    to_bytes: int


@dataclass(frozen=True, slots=True)
class SetValid:
    """Set the valid byte of the store's header."""


@dataclass(frozen=True, slots=True)
class Register:
    """Join base image and store to a device again, with this persistence in its table."""

    persistence: Persistence = "PO"


@dataclass(frozen=True, slots=True)
class Repair:
    """Run e2fsck, save what its changes replace, then write them to the device."""


@dataclass(frozen=True, slots=True)
class Verify:
    """Have e2fsck find nothing, and read what matters."""


@dataclass(frozen=True, slots=True)
class TakeDown:
    """Remove the device and let go of the files."""


@dataclass(frozen=True, slots=True)
class ResetStore:
    """Zero the first sector of the store: the kernel takes it for a fresh one."""


Action = (
    OpenStick
    | Rehearse
    | BackUp
    | GrowFile
    | FillHoles
    | RefreshLoop
    | SetValid
    | Register
    | Repair
    | Verify
    | TakeDown
    | ResetStore
)
