"""What a step does, as values: plans are made of them, jobs carry them out.

Paths are relative to the stick and raw, as the stick names them. Sizes are bytes.
"""

from dataclasses import dataclass
from enum import StrEnum

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


class Engine(StrEnum):
    """How the merged view becomes a new image."""

    STREAM = "stream"
    """mksquashfs reads it as it is made: no copy of it lies anywhere."""
    MIRROR = "mirror"
    """device-mapper's mirror copies it to a file in a work folder, which mksquashfs reads."""


@dataclass(frozen=True, slots=True)
class Compression:
    """How an image is compressed. `level` None: as the compressor has it. Blocks are bytes."""

    name: str
    block_bytes: int
    level: int | None = None


@dataclass(frozen=True, slots=True)
class FreezeRoot:
    """Freeze a view of the running root `device` ("live-rw"), which goes on as before.

    What the system overwrites meanwhile is copied to a scratch store of at most `scratch_bytes` in
    the folder `scratch` (an absolute path), or in memory (None).
    """

    device: str
    scratch_bytes: int
    scratch: str | None = None


@dataclass(frozen=True, slots=True)
class CheckRoot:
    """See that the file system of base and overlay is whole: nothing else is merged."""


@dataclass(frozen=True, slots=True)
class MirrorView:
    """Copy the merged view to a file in the folder `work` (an absolute path)."""

    work: str


@dataclass(frozen=True, slots=True)
class MakeImage:
    """Make a new image of the merged view: the file `beside` on the stick.

    `member` is the path of the root file system inside it ("LiveOS/rootfs.img"), `compression` how
    it is compressed; both None: the new image is the root file system itself. With the mirror
    engine it is made of the copy that `MirrorView` has left in `work`. `apart`: a folder on another
    disk (an absolute path) where it is made, because the stick has no room for two images.
    """

    beside: str
    engine: Engine
    member: str | None = None
    compression: Compression | None = None
    work: str | None = None
    apart: str | None = None


@dataclass(frozen=True, slots=True)
class CompareImage:
    """Read the image `beside` back from the medium, and compare all of it with the merged view.

    `apart`: the folder on another disk where it was made, None for the stick.
    """

    beside: str
    member: str | None = None
    apart: str | None = None


@dataclass(frozen=True, slots=True)
class KeepImage:
    """Copy the stick's image to the folder `apart` on another disk, and read the copy back."""

    image: str
    apart: str


@dataclass(frozen=True, slots=True)
class ReplaceImage:
    """Remove the image, and write the new one in `apart` to the stick in its place.

    Meanwhile the stick has no image: `beside` is the new one's name until it is whole.
    """

    image: str
    beside: str
    apart: str


@dataclass(frozen=True, slots=True)
class ExchangeImages:
    """Exchange the names of the image in use and of the new one, at once (RENAME_EXCHANGE)."""

    image: str
    beside: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Move a file of the stick, which is wrong after a merge, into the job's folder."""

    path: str


@dataclass(frozen=True, slots=True)
class SwitchRoot:
    """Have the running root `device` use the new image, with an overlay of what changed since.

    `second` is the path on the stick of the overlay that takes the old one's place, `second_bytes`
    its size.
    """

    device: str
    second: str
    second_bytes: int


@dataclass(frozen=True, slots=True)
class ThawRoot:
    """Let go of the frozen view; the running root `device` uses its overlay as before."""

    device: str


RescueAction = (
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
MergeAction = (
    CheckRoot
    | MirrorView
    | MakeImage
    | CompareImage
    | KeepImage
    | ExchangeImages
    | ReplaceImage
    | SetAside
    | FreezeRoot
    | SwitchRoot
    | ThawRoot
)
Action = RescueAction | MergeAction
