"""The running system: is it a LiveOS, and where are its stick, its base and its overlay?"""

import os
from dataclasses import dataclass, replace

from liveos_tui.errors import LiveosError, NotALiveosError
from liveos_tui.formats.blocklist import BlockDevice, disk_of
from liveos_tui.formats.cmdline import (
    LiveOptions,
    OverlayOption,
    live_options,
    other_live_system,
    parse_cmdline,
)
from liveos_tui.formats.images import HEAD_BYTES, ImageKind, identify
from liveos_tui.formats.mountinfo import Mount, mount_at, mount_holding, overlay_layers
from liveos_tui.formats.text import clean
from liveos_tui.live.contents import Contents, find_contents, inspect_layout
from liveos_tui.live.in_use import Snapshot, is_loop_of, snapshots
from liveos_tui.live.model import Layout, LayoutKind, OverlayKind, Target, TargetKind
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.system.loops import Loop
from liveos_tui.system.probes import Probes

STICK_MOUNT_POINTS = ("/run/initramfs/live", "/run/initramfs/isoscan", "/mnt/live")
"""Where dracut mounts the stick: since Fedora 17, with an ISO file on it, and before."""

ROOT_DEVICE = "live-rw"
FROZEN_DEVICE = "live-ro"
_ROOT_SOURCE = "LiveOS_rootfs"


@dataclass(frozen=True, slots=True)
class _Machine:
    """What was asked once, for all questions below."""

    probes: Probes
    options: LiveOptions
    mounts: tuple[Mount, ...]
    loops: tuple[Loop, ...]
    snapshots: tuple[Snapshot, ...]
    stick: Mount | None
    contents: Contents | None

    def loop_of(self, path: str) -> Loop | None:
        """The loop device whose file is `path` of the stick."""
        if self.stick is None:
            return None
        folder = self.probes.folder(self.stick.mount_point)
        for loop in self.loops:
            if is_loop_of(
                loop, folder, self.stick.mount_point, self.stick.device, path, booted=True
            ):
                return loop
        return None

    def overlay_of(self, snapshot: Snapshot) -> tuple[Loop | None, str | None]:
        """The loop of a snapshot's store, and the store's path on the stick where it is there."""
        loop = next((loop for loop in self.loops if loop.number == snapshot.cow), None)
        if loop is None or self.contents is None:
            return loop, None
        named = self.options.overlay_path
        paths = (*self.contents.overlays, *([named.lstrip("/")] if named else []))
        path = next((path for path in paths if self.loop_of(path) == loop), None)
        return loop, path


def stick_mount(mounts: tuple[Mount, ...]) -> Mount | None:
    """The mount of the stick that this system was booted from."""
    return next((mount for path in STICK_MOUNT_POINTS if (mount := mount_at(mounts, path))), None)


def is_live(probes: Probes) -> bool:
    """Whether the running system was booted from a LiveOS."""
    return _root_kind(probes, mount_at(probes.mounts(), "/")) is not None


def _root_kind(probes: Probes, root: Mount | None) -> LayoutKind | None:
    if root is None:
        return None
    if any(node.number == root.device and node.name == ROOT_DEVICE for node in probes.dm_nodes()):
        return LayoutKind.SNAPSHOT
    from_dracut = root.source == _ROOT_SOURCE or probes.path("/run/rootfsbase").exists()
    return LayoutKind.OVERLAYFS if root.filesystem == "overlay" and from_dracut else None


def recognise_booted(probes: Probes) -> Site:
    """Find the LiveOS that runs. Raises NotALiveosError where none does."""
    command_line = parse_cmdline(probes.command_line())
    mounts = probes.mounts()
    root = mount_at(mounts, "/")
    kind = _root_kind(probes, root)
    if root is None or kind is None:
        raise _not_live(other_live_system(command_line))
    options = live_options(command_line)
    stick = stick_mount(mounts)
    contents = None
    if stick is not None:
        try:
            contents = find_contents(
                probes.folder(stick.mount_point), options.live_dir, options.squashimg
            )
        except LiveosError:
            # A stick that does not answer: what runs is told all the same.
            contents = None
    loops = probes.loops()
    machine = _Machine(probes, options, mounts, loops, snapshots(probes, loops), stick, contents)
    site = Site(
        target=_target(machine, probes.block_devices()),
        layout=_layout(machine, kind),
        mount_point=stick.mount_point if stick else None,
        number=stick.device if stick else None,
        overlay=OverlayPlace(None),
        root="/",
        image=contents.image if contents else None,
        home=contents.home if contents else None,
    )
    if kind is LayoutKind.OVERLAYFS:
        return _with_directories(machine, site, root)
    return _with_stores(machine, site)


def _not_live(other: str | None) -> NotALiveosError:
    if other:
        return NotALiveosError(
            f"This system is {clean(other)}, which keeps its changes in another way.",
            "This console looks after LiveOS systems (Fedora and its relatives); name an attached "
            "stick to look at that.",
        )
    return NotALiveosError(
        "This system was not booted from a LiveOS.",
        "Name what to look at: a device, a mount point or a folder with LiveOS in it.",
    )


def _target(machine: _Machine, devices: tuple[BlockDevice, ...]) -> Target:
    stick = machine.stick
    release = release_name(machine.probes)
    if stick is None:
        return Target(TargetKind.LIVE, "live", release=release, this_system=True)
    described = describe_device(TargetKind.LIVE, "live", stick, devices)
    return replace(described, release=release, this_system=True)


def describe_device(
    kind: TargetKind, path: str, mount: Mount, devices: tuple[BlockDevice, ...]
) -> Target:
    """A target by its mount and by what `lsblk` knows of its device."""
    device = next((device for device in devices if device.device == mount.device), None)
    return Target(
        kind,
        clean(path),
        label=device.label if device else None,
        uuid=device.uuid if device else None,
        filesystem=clean(mount.filesystem),
        writable=not mount.read_only,
        mount_point=clean(mount.mount_point),
        device=clean(device.path if device else mount.source),
        model=disk_of(device, devices).model if device else None,
    )


def release_name(probes: Probes) -> str | None:
    """The running system's own name for itself: "Fedora Linux 39 (Workstation)"."""
    for line in (probes.text("/etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        if key == "PRETTY_NAME":
            return clean(value.strip().strip("\"'"), 60) or None
    return None


def _layout(machine: _Machine, kind: LayoutKind) -> Layout:
    if machine.stick is None or machine.contents is None:
        return Layout(kind)
    layout = inspect_layout(
        machine.probes, machine.probes.folder(machine.stick.mount_point), machine.contents
    )
    return replace(layout, kind=kind)


def _with_stores(machine: _Machine, site: Site) -> Site:
    by_name = {snapshot.name: snapshot for snapshot in machine.snapshots}
    root, frozen = by_name.get(ROOT_DEVICE) or _under_root(machine), by_name.get(FROZEN_DEVICE)
    if root is None:
        problem = None if _is_linear(machine) else "its device is made in a way not known here."
        return replace(
            site, overlay=OverlayPlace(None, in_use=problem is not None, problem=problem)
        )
    overlay = _store_place(machine, root)
    unused = _store_place(machine, frozen, read_only=True) if frozen else None
    if not overlay.persistent and unused is None:
        unused = _lying_on_stick(machine, site.target)
    return replace(site, overlay=overlay, unused_overlay=unused)


def _under_root(machine: _Machine) -> Snapshot | None:
    """The snapshot below the root while a merge has a view of it frozen (snapshot-origin)."""
    probes = machine.probes
    root = next((node for node in probes.dm_nodes() if node.name == ROOT_DEVICE), None)
    if root is None or len(root.slaves) != 1:
        return None
    number = (probes.text(f"/sys/block/{root.slaves[0]}/dev") or "").strip()
    return next((each for each in machine.snapshots if each.number == number), None)


def _is_linear(machine: _Machine) -> bool:
    return machine.options.overlay_kind is OverlayOption.WRITABLE_BASE


def _store_place(machine: _Machine, snapshot: Snapshot, *, read_only: bool = False) -> OverlayPlace:
    loop, path = machine.overlay_of(snapshot)
    # A store in memory is a file of the initramfs, which is deleted by now. One that is neither on
    # the stick nor in memory is a device of its own (rd.live.overlay=/dev/sdb2): it persists.
    in_memory = loop is not None and path is None and (loop.deleted or loop.backing == "/overlay")
    return OverlayPlace(
        kind=OverlayKind.TEMPORARY if in_memory else OverlayKind.STORE,
        path=path,
        device=snapshot.name,
        persistence=snapshot.persistence,
        loop=snapshot.cow,
        read_only=read_only,
        in_use=True,
        persistent=not in_memory,
    )


def _lying_on_stick(machine: _Machine, target: Target) -> OverlayPlace | None:
    """An overlay that lies on the stick while this boot keeps its changes elsewhere."""
    if machine.contents is None or machine.stick is None:
        return None
    path = machine.contents.overlay_for(target.label, target.uuid)
    if path is None:
        return None
    return OverlayPlace(
        kind=overlay_kind(machine.probes, machine.stick.mount_point, path), path=path
    )


def overlay_kind(probes: Probes, mount_point: str, path: str) -> OverlayKind:
    """What an overlay that is not in use is made of, by its looks."""
    stick = probes.folder(mount_point)
    if stick.is_folder(path):
        return OverlayKind.DIRECTORY
    try:
        with stick.open(path) as file:
            image = identify(file.read(0, HEAD_BYTES))
    except LiveosError:
        return OverlayKind.STORE
    embedded = image is not None and image.kind in {
        ImageKind.EXT,
        ImageKind.XFS,
        ImageKind.BTRFS,
        ImageKind.FAT,
    }
    return OverlayKind.EMBEDDED if embedded else OverlayKind.STORE


def _with_directories(machine: _Machine, site: Site, root: Mount) -> Site:
    probes = machine.probes
    layers = overlay_layers(root)
    if layers is None or layers.upper is None:
        return replace(site, overlay=OverlayPlace(None))
    frozen = any(lower.endswith("/overlayfs-r") for lower in layers.lower)
    real = _resolve(probes, layers.upper)
    holder = mount_holding(machine.mounts, real)
    kind, path = OverlayKind.TEMPORARY, None
    if holder is not None and machine.stick is not None and machine.contents is not None:
        if holder.device == machine.stick.device:
            kind = OverlayKind.DIRECTORY
            path = next(
                (path for path in machine.contents.overlays if real.endswith("/" + path)), None
            )
        else:
            path = next(
                (
                    path
                    for path in machine.contents.overlays
                    if (loop := machine.loop_of(path)) and loop.number == holder.device
                ),
                None,
            )
            kind = OverlayKind.EMBEDDED if path else OverlayKind.TEMPORARY
    overlay = OverlayPlace(
        kind,
        path=path,
        upper=real,
        in_use=True,
        persistent=kind is not OverlayKind.TEMPORARY,
    )
    unused = None
    if not overlay.persistent:
        unused = _lying_on_stick(machine, site.target)
        if unused and frozen:
            unused = replace(
                unused, in_use=True, read_only=True, upper=_resolve(probes, "/run/overlayfs-r")
            )
    return replace(site, overlay=overlay, unused_overlay=unused)


def _resolve(probes: Probes, path: str) -> str:
    """Follow a link of dracut's (/run/overlayfs) once, inside the root prefix."""
    try:
        target = str(probes.path(path).readlink())
    except OSError:
        return path
    return target if target.startswith("/") else os.path.normpath(f"{path}/../{target}")
