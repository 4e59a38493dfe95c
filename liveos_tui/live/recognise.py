"""What is this? A target as a person names it, to the site of a LiveOS."""

import errno
import os
import stat
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace

from liveos_tui.errors import (
    ExitCode,
    LiveosError,
    NotALiveosError,
    UnreadableError,
)
from liveos_tui.formats.blocklist import BlockDevice
from liveos_tui.formats.mountinfo import Mount, mount_holding
from liveos_tui.formats.text import clean
from liveos_tui.live.booted import (
    describe_device,
    overlay_kind,
    recognise_booted,
    stick_mount,
)
from liveos_tui.live.contents import (
    IMAGE_NAMES,
    Contents,
    find_contents,
    inspect_layout,
    overlay_name_parts,
)
from liveos_tui.live.in_use import is_loop_of, snapshots
from liveos_tui.live.model import LayoutKind, OverlayKind, Target, TargetKind
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.system.files import not_allowed
from liveos_tui.system.mounts import inspection_mount
from liveos_tui.system.probes import Probes

LIVE = "live"

# What nothing can be at, by its name alone.
_NO_NAME = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})


class MissingTargetError(LiveosError):
    """There is nothing at the path that was named."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class Recognised:
    """A site, and what must be closed when it is no longer looked at (a read-only mount)."""

    site: Site
    hold: AbstractContextManager[object]


def recognise(probes: Probes, target: str = LIVE) -> Recognised:
    """Recognise the running system ("live"), a block device, a mount point or a folder.

    A device that is not mounted is mounted read-only until `hold` is closed, which takes root.
    Raises NotALiveosError, MissingTargetError, PrivilegeError, UnreadableError.
    """
    if target == LIVE:
        return Recognised(recognise_booted(probes), ExitStack())
    path = absolute(target)
    mode = mode_of(probes, path)
    mounts = probes.mounts()
    devices = probes.block_devices()
    with ExitStack() as hold:
        number = _number(probes, path, mode, devices)
        if number is not None:
            mount = _mount_of_device(mounts, number)
            if mount is None:
                mount = _mount_to_look(probes, hold, path, number, devices)
            kind = TargetKind.DEVICE
            described = describe_device(kind, target, mount, devices)
            stick_path = mount.mount_point
        elif stat.S_ISDIR(mode):
            path = _above_live_folder(probes, path)
            mount = mount_holding(mounts, os.path.realpath(path)) or _no_mount(path)
            # A folder that is mounted a second time (mount --bind) is no file system either.
            whole = mount.mount_point == path and mount.root == "/"
            kind = TargetKind.MOUNT if whole else TargetKind.FOLDER
            described = describe_device(kind, target, mount, devices)
            stick_path = path
        else:
            raise NotALiveosError(
                f"{clean(target)} is no stick: neither a block device nor a folder.",
                "Name the device, its mount point, or a folder with LiveOS in it.",
            )
        live_stick = stick_mount(mounts)
        if kind is not TargetKind.FOLDER and live_stick and live_stick.device == mount.device:
            # The stick that runs this system, by another name.
            site = recognise_booted(probes)
            return Recognised(
                replace(site, target=replace(site.target, path=clean(target))), ExitStack()
            )
        site = _attached(probes, described, stick_path, mount)
        return Recognised(site, hold.pop_all())


def absolute(target: str) -> str:
    """The path from the top, its links kept: /dev/disk/by-label/LIVE is a name.

    Raises MissingTargetError where there is none.
    """
    if not target:
        raise MissingTargetError(
            "The target is empty.", "Name a device, a mount point or a folder."
        )
    try:
        return os.path.abspath(target)  # noqa: PTH100 - resolve() would follow links
    except FileNotFoundError as error:
        raise MissingTargetError(
            "The folder that this was started in is gone.", "Go to another one."
        ) from error


def mode_of(probes: Probes, path: str) -> int:
    """What is there: the mode of a file. Raises MissingTargetError, LiveosError."""
    try:
        return os.stat(probes.path(path)).st_mode  # noqa: PTH116
    except OSError as error:
        if error.errno in _NO_NAME:
            raise MissingTargetError(
                f"There is no {clean(path)}.",
                "Check the name; `lsblk` lists devices, `liveos-tui --help` the commands.",
            ) from error
        if isinstance(error, PermissionError):
            raise not_allowed(probes.path(path), "read", clean(path)) from error
        raise UnreadableError(
            f"{clean(path)} cannot be looked at: {error.strerror}.", "Nothing was changed."
        ) from error


def _number(probes: Probes, path: str, mode: int, devices: tuple[BlockDevice, ...]) -> str | None:
    """The number ("8:17") of a block device; None for everything else.

    `lsblk` is asked before the node: the nodes of a captured machine are no devices here.
    """
    real = os.path.realpath(path)
    listed = next((device.device for device in devices if device.path == real), None)
    if listed is not None or not stat.S_ISBLK(mode):
        return listed
    device = os.stat(probes.path(path)).st_rdev  # noqa: PTH116
    return f"{os.major(device)}:{os.minor(device)}"


def _mount_of_device(mounts: tuple[Mount, ...], number: str) -> Mount | None:
    """Where the whole file system of a device is mounted, the longest-standing mount first."""
    return next((mount for mount in mounts if mount.device == number and mount.root == "/"), None)


def _mount_to_look(
    probes: Probes,
    hold: ExitStack,
    path: str,
    number: str,
    devices: tuple[BlockDevice, ...],
) -> Mount:
    device = next((device for device in devices if device.device == number), None)
    parts = [each.path for each in devices if device and device.name in each.parents]
    if device is not None and device.filesystem is None and parts:
        raise NotALiveosError(
            f"{clean(path)} is a disk with partitions.",
            f"Name one of them: {', '.join(map(clean, parts))}.",
        )
    filesystem = device.filesystem if device else None
    mount_point = hold.enter_context(inspection_mount(probes.runner, path, filesystem))
    return Mount(
        mount_id=0,
        parent_id=0,
        device=number,
        root="/",
        mount_point=str(mount_point),
        options=("ro",),
        filesystem=filesystem or "",
        source=path,
        super_options=("ro",),
    )


def _no_mount(path: str) -> Mount:
    raise UnreadableError(
        f"No mounted file system holds {clean(path)}.",
        "Name the stick's device or its mount point (`lsblk` lists both). Nothing was changed.",
    )


def _above_live_folder(probes: Probes, path: str) -> str:
    """The stick of a live directory that was named itself ("/mnt/LiveOS")."""
    folder = probes.folder(path)
    if any(folder.is_file(name) for name in IMAGE_NAMES):
        return os.path.dirname(path)  # noqa: PTH120
    return path


def _attached(probes: Probes, target: Target, stick_path: str, mount: Mount) -> Site:
    stick = probes.folder(stick_path)
    contents = find_contents(stick)
    label, uuid = target.label, target.uuid
    if target.kind is TargetKind.FOLDER:
        # A folder is no file system: whose copy it is, the overlay's name tells.
        label, uuid = _named(contents)
    path = contents.overlay_for(label, uuid)
    layout = inspect_layout(probes, stick, contents)
    number = mount.device
    overlay = OverlayPlace(None)
    if path is not None:
        overlay = _place(probes, stick_path, number, path)
        if overlay.kind in {OverlayKind.DIRECTORY, OverlayKind.EMBEDDED}:
            layout = replace(layout, kind=LayoutKind.OVERLAYFS)
    elif contents.overlays:
        overlay = OverlayPlace(
            None,
            problem=f"{len(contents.overlays)} overlays lie here and none is named for this stick "
            f"(overlay-LABEL-UUID): {', '.join(map(clean, contents.overlays[:3]))}.",
        )
    is_folder = target.kind is TargetKind.FOLDER
    return Site(
        target=replace(
            target,
            label=label and clean(label),
            uuid=uuid and clean(uuid),
            mount_point=clean(stick_path),
            device=None if is_folder else target.device,
            model=None if is_folder else target.model,
        ),
        layout=layout,
        mount_point=stick_path,
        number=None if is_folder else number,
        overlay=overlay,
        image=contents.image,
        home=contents.home,
    )


def _named(contents: Contents) -> tuple[str | None, str | None]:
    if len(contents.overlays) != 1:
        return None, None
    return overlay_name_parts(contents.overlays[0])


def _place(probes: Probes, stick_path: str, number: str, path: str) -> OverlayPlace:
    kind = overlay_kind(probes, stick_path, path)
    if kind is not OverlayKind.STORE:
        return OverlayPlace(kind, path)
    stick = probes.folder(stick_path)
    loops = probes.loops()
    loop = next(
        (loop for loop in loops if is_loop_of(loop, stick, stick_path, number, path, booted=False)),
        None,
    )
    if loop is None:
        return OverlayPlace(kind, path)
    snapshot = next((each for each in snapshots(probes, loops) if each.cow == loop.number), None)
    return OverlayPlace(
        kind,
        path,
        device=snapshot.name if snapshot else None,
        persistence=snapshot.persistence if snapshot else None,
        loop=loop.number,
        in_use=True,
    )
