"""What lies in a live directory: the image, the overlay, home.img."""

import os
import re
from dataclasses import dataclass, replace

from liveos_tui.errors import (
    LiveosError,
    NotALiveosError,
    PrivilegeError,
    UnreadableError,
)
from liveos_tui.formats.images import SHORT_HEAD_BYTES, Image, ImageKind, identify
from liveos_tui.formats.text import clean
from liveos_tui.live.model import ImageFormat, Layout, LayoutKind
from liveos_tui.live.words import size
from liveos_tui.system import squashfs
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import ToolMissingError

DEFAULT_LIVE_FOLDER = "LiveOS"
JOBS_FOLDER = "liveos-tui-jobs"
"""Where the jobs of a stick are, at its top: on every file system, never on the overlay."""
IMAGE_NAMES = ("squashfs.img", "rootfs.img", "ext3fs.img")
BASE_NAMES = ("LiveOS/rootfs.img", "LiveOS/ext3fs.img")
HOME_NAME = "home.img"

# Top-level names of other live systems' sticks, and whose they are.
_OTHERS = {
    "casper": "Ubuntu",
    "live": "Debian Live",
    "antiX": "antiX or MX Linux",
    "arch": "Arch Linux",
    "slax": "Slax",
    "porteus": "Porteus",
}
_PUPPY = re.compile(r"puppy_\w+\.sfs", re.IGNORECASE)

# Stick labels may hold "-": what ends the name is the UUID of a FAT, an ISO or an ext file system.
_OVERLAY_NAME = re.compile(
    r"overlay-(?P<label>.*)-(?P<uuid>[0-9A-F]{4}-[0-9A-F]{4}"
    r"|\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d-\d\d"
    r"|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)

# A folder with more entries than this is no stick: it is not searched.
_MOST_NAMES = 256


@dataclass(frozen=True, slots=True)
class Contents:
    """Files of a live directory, relative to the stick; `overlays` as they are named there."""

    live_folder: str
    image: str | None
    overlays: tuple[str, ...]
    home: str | None

    def overlay_for(self, label: str | None, uuid: str | None) -> str | None:
        """The overlay that dracut takes on a stick with this label and UUID; a lone one otherwise.

        dracut's name is overlay-LABEL-UUID. A folder that is a copy of a stick has neither. The
        second overlay of a merge is none of its own.
        """
        expected = f"{self.live_folder}/overlay-{label or ''}-{uuid or ''}"
        if expected in self.overlays:
            return expected
        second = {beside(path) for path in self.overlays}
        own = [path for path in self.overlays if path not in second]
        return own[0] if len(own) == 1 else None


def beside(path: str) -> str:
    """The name of a second image, or overlay, beside one: "LiveOS/squashfs.alt".

    Not ".new": after the exchange of the names the old one has it. An 8.3 name, so that FAT has
    both entries in one sector.
    """
    return f"{os.path.splitext(path)[0]}.alt"  # noqa: PTH122 - a raw path of a stick


def overlay_name_parts(path: str) -> tuple[str | None, str | None]:
    """Label and UUID of the stick that an overlay was made for, by its name."""
    match = _OVERLAY_NAME.fullmatch(path.rpartition("/")[2])
    return (match["label"], match["uuid"]) if match else (None, None)


def find_contents(
    stick: Folder, live_folder: str | None = None, image_name: str | None = None
) -> Contents:
    """Find the live directory of a stick; `live_folder` and `image_name` as the system booted.

    Raises NotALiveosError with the name of the other live system, where it is one, and
    UnreadableError.
    """
    names = stick.names()
    if live_folder is None:
        live_folder = _live_folder(stick, names)
    image_names = (image_name, *IMAGE_NAMES) if image_name else IMAGE_NAMES
    entries = stick.names(live_folder) if stick.is_folder(live_folder) else ()
    image = next((name for name in image_names if name in entries), None)
    overlays = tuple(f"{live_folder}/{name}" for name in entries if name.startswith("overlay-"))
    return Contents(
        live_folder,
        f"{live_folder}/{image}" if image else None,
        overlays,
        f"{live_folder}/{HOME_NAME}" if HOME_NAME in entries else None,
    )


def _live_folder(stick: Folder, names: tuple[str, ...]) -> str:
    if len(names) <= _MOST_NAMES:
        # LiveOS first; another folder is a live directory (rd.live.dir=) when it holds an image.
        candidates = sorted(names, key=lambda name: name != DEFAULT_LIVE_FOLDER)
        for name in candidates:
            if _holds_image(stick, name):
                return name
    if DEFAULT_LIVE_FOLDER in names and stick.is_folder(DEFAULT_LIVE_FOLDER):
        return DEFAULT_LIVE_FOLDER
    other = next((_OTHERS[name] for name in names if name in _OTHERS), None)
    if other is None and any(_PUPPY.fullmatch(name) for name in names):
        other = "Puppy Linux"
    place = clean(str(stick.path))
    if other:
        raise NotALiveosError(
            f"{place} is a live system of {other}, which keeps its changes in another way.",
            "This console looks after LiveOS sticks (Fedora and its relatives). "
            "Nothing was changed.",
        )
    raise NotALiveosError(
        f"{place} is not a LiveOS: it holds no LiveOS folder with an image.",
        "Name the device, the mount point or the folder that has LiveOS/squashfs.img in it. "
        "Nothing was changed.",
    )


def _holds_image(stick: Folder, name: str) -> bool:
    try:
        entries = stick.names(name) if stick.is_folder(name) else ()
    except PrivilegeError:
        # Another folder that is none of our business (lost+found); a live directory is.
        if name == DEFAULT_LIVE_FOLDER:
            raise
        return False
    # An overlay alone: a power cut while the image was replaced.
    return any(name in IMAGE_NAMES or _OVERLAY_NAME.fullmatch(name) for name in entries)


def inspect_layout(probes: Probes, stick: Folder, contents: Contents) -> Layout:
    """Which kind of system the image makes. A damaged image is told, not raised."""
    if contents.image is None:
        return Layout(
            LayoutKind.SNAPSHOT,
            image_damage=f"There is no image in {clean(contents.live_folder)}: the stick does "
            "not boot.",
        )
    name = clean(contents.image)
    try:
        with stick.open(contents.image) as file:
            image = identify(file.read(0, SHORT_HEAD_BYTES))
            length = file.identity.size_bytes
    except PrivilegeError as error:
        return Layout(LayoutKind.SNAPSHOT, name, unknown=error.message, root_only=True)
    except LiveosError as error:
        return Layout(LayoutKind.SNAPSHOT, name, image_damage=error.message)
    damage = _damage(name, image, length)
    match image.kind if image else None:
        case ImageKind.SQUASHFS:
            return _squashed(probes, stick, contents.image, damage)
        case ImageKind.EROFS:
            # dracut takes an EROFS as a flat image; mksquashfs's nesting was never made with it.
            return Layout(LayoutKind.OVERLAYFS, name, ImageFormat.EROFS, None, damage)
        case ImageKind.EXT:
            return Layout(LayoutKind.SNAPSHOT, name, ImageFormat.EXT, None, damage)
        case _:
            return Layout(LayoutKind.SNAPSHOT, name, None, None, damage)


def with_second(layout: Layout, stick: Folder, image: str, overlay: str | None) -> Layout:
    """The layout with the other image and the other overlay of a merge, where they lie there.

    Asked anew in each sample, and not by `inspect_layout`: a merge, and its end, come while a stick
    is watched.
    """
    second, second_bytes = _beside(stick, image)
    other, other_bytes = _beside(stick, overlay) if overlay is not None else (None, 0)
    return replace(
        layout,
        second=second,
        second_bytes=second_bytes,
        second_overlay=other,
        second_overlay_bytes=other_bytes,
    )


def _beside(stick: Folder, path: str) -> tuple[str | None, int]:
    """The file beside another one, and its size."""
    second = beside(path)
    try:
        with stick.open(second) as file:
            return clean(second), file.identity.size_bytes
    except LiveosError:
        return None, 0


def _damage(name: str, image: Image | None, length: int) -> str | None:
    if image is None or image.kind not in {ImageKind.SQUASHFS, ImageKind.EROFS, ImageKind.EXT}:
        return f"{name} is no image that is known here (squashfs, EROFS or ext)."
    if image.damage:
        return f"{name} is damaged: {image.damage}."
    if image.declared_bytes is not None and length < image.declared_bytes:
        return (
            f"{name} is cut off: it has {size(length)} of the {size(image.declared_bytes)} "
            "that it says."
        )
    return None


def _squashed(probes: Probes, stick: Folder, image: str, damage: str | None) -> Layout:
    name = clean(image)
    try:
        found = squashfs.members(probes.runner, stick.path / image, "LiveOS", "usr", "ostree")
    except ToolMissingError:
        # The usual layout since Fedora 7; a flat one is told by its own overlay later.
        return Layout(LayoutKind.SNAPSHOT, name, ImageFormat.SQUASHFS, None, damage)
    except UnreadableError as error:
        return Layout(
            LayoutKind.SNAPSHOT, name, ImageFormat.SQUASHFS, None, damage or error.message
        )
    base = next((member for member in BASE_NAMES if member in found), None)
    if base:
        return Layout(LayoutKind.SNAPSHOT, name, ImageFormat.SQUASHFS, base, damage)
    if "usr" in found or "ostree" in found:
        return Layout(LayoutKind.OVERLAYFS, name, ImageFormat.SQUASHFS, None, damage)
    return Layout(
        LayoutKind.SNAPSHOT,
        name,
        ImageFormat.SQUASHFS,
        None,
        damage or f"{name} holds no root file system.",
    )
