"""How are the file systems: the root inside the overlay, home.img, the stick itself?"""

from liveos_tui.formats.images import SHORT_HEAD_BYTES, ImageKind, identify
from liveos_tui.formats.mountinfo import Mount, mount_at
from liveos_tui.formats.text import clean
from liveos_tui.live.images import room, view_head
from liveos_tui.live.in_use import is_loop_of
from liveos_tui.live.model import Home, HomeState, Host, LayoutKind, RootFilesystem, Usage
from liveos_tui.live.site import Site
from liveos_tui.live.words import size
from liveos_tui.system.files import FileIdentity, Folder
from liveos_tui.system.probes import Probes


class RootMeter:
    """The root file system: as mounted, or by the superblock that base and overlay make."""

    def __init__(self, probes: Probes, site: Site) -> None:
        self._probes = probes
        self._site = site
        self._last: tuple[FileIdentity | None, RootFilesystem] | None = None

    def read(self) -> RootFilesystem:
        """The root file system at this moment. Raises LiveosError when a probe fails."""
        site, probes = self._site, self._probes
        if site.root is not None:
            mount = mount_at(probes.mounts(), site.root)
            return RootFilesystem(
                usage_at(probes, site.root),
                filesystem=clean(mount.filesystem) if mount else None,
                read_only=mount.read_only if mount else None,
            )
        if site.layout.kind is LayoutKind.OVERLAYFS:
            return RootFilesystem(unknown="it is made when the system boots.")
        if site.mount_point is None:
            return RootFilesystem(unknown="the stick cannot be seen.")
        stick = probes.folder(site.mount_point)
        identity = _overlay_identity(stick, site)
        # Looking into the image starts a program: only when the overlay has changed.
        if self._last is None or self._last[0] != identity:
            self._last = identity, _from_superblock(view_head(probes, site, stick))
        return self._last[1]


def _overlay_identity(stick: Folder, site: Site) -> FileIdentity | None:
    if site.overlay.path is None or not stick.is_file(site.overlay.path):
        return None
    with stick.open(site.overlay.path) as file:
        return file.identity


def _from_superblock(start: bytes) -> RootFilesystem:
    image = identify(start)
    if image is None or image.ext is None:
        kind = image.kind.value.lower() if image and not image.damage else None
        reason = (image and image.damage) or "its figures are known only while it is mounted."
        return RootFilesystem(filesystem=kind, unknown=reason)
    superblock = image.ext
    return RootFilesystem(
        room(superblock),
        filesystem=superblock.kind,
        clean=not superblock.ill,
        superblock=superblock,
    )


class HomeMeter:
    """home.img: its file system where it is mounted, else its superblock; LUKS is locked."""

    def __init__(self, probes: Probes, site: Site) -> None:
        self._probes = probes
        self._site = site
        self._last: tuple[tuple[Mount, ...], str | None] | None = None

    def read(self) -> Home:
        """home.img at this moment. Raises LiveosError when a probe fails."""
        site, probes = self._site, self._probes
        if site.home is None or site.mount_point is None:
            return Home()
        stick = probes.folder(site.mount_point)
        path = clean(site.home)
        mounted = self._mounted_at(stick, site.home, site.mount_point)
        if mounted is not None:
            return Home(HomeState.MOUNTED, path, usage_at(probes, mounted))
        with stick.open(site.home) as file:
            image = identify(file.read(0, SHORT_HEAD_BYTES))
            length = file.identity.size_bytes
        if image is not None and image.is_cut(length):
            reason = f"it is cut off: {size(length)} of {size(image.declared_bytes)} are there."
            return Home(HomeState.UNREADABLE, path, unknown=reason)
        if image is not None and image.kind is ImageKind.LUKS:
            return Home(HomeState.LOCKED, path, unknown="it is encrypted and locked.")
        if image is None or image.ext is None:
            reason = "it holds no file system that is known here."
            return Home(HomeState.UNREADABLE, path, unknown=reason)
        return Home(HomeState.UNMOUNTED, path, room(image.ext))

    def _mounted_at(self, stick: Folder, home: str, mount_point: str) -> str | None:
        """Where home.img is mounted, by its loop device or by a LUKS device on that."""
        probes, site = self._probes, self._site
        mounts = probes.mounts()
        # Asking for loops starts a program: only when something was mounted or unmounted.
        if self._last is None or self._last[0] != mounts:
            self._last = mounts, None
            for loop in probes.loops():
                if is_loop_of(
                    loop, stick, mount_point, site.number, home, booted=site.root is not None
                ):
                    opened = {node.number for node in probes.dm_nodes() if loop.name in node.slaves}
                    found = next(
                        (each for each in mounts if each.device in {loop.number, *opened}), None
                    )
                    self._last = mounts, found.mount_point if found else None
                    break
        return self._last[1]


class HostMeter:
    """The stick's own file system."""

    def __init__(self, probes: Probes, site: Site) -> None:
        self._probes = probes
        self._site = site

    def read(self) -> Host:
        """The stick's room at this moment. Raises LiveosError when a probe fails."""
        if self._site.mount_point is None:
            return Host(unknown="it is not mounted where it can be seen.")
        return Host(usage_at(self._probes, self._site.mount_point))


def usage_at(probes: Probes, path: str) -> Usage:
    """Room of the file system at an absolute path. Raises UnreadableError."""
    usage = probes.usage(path)
    return Usage(usage.used_bytes, usage.total_bytes, usage.free_bytes)
