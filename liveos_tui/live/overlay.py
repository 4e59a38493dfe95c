"""How is the overlay? From the kernel where it tells, else from the store's own metadata."""

from dataclasses import replace

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.cow import CowError, CowSummary, parse_header, summarise
from liveos_tui.formats.cow_layout import DEFAULT_CHUNK_SECTORS, HEADER_BYTES, SECTOR_BYTES
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus, TargetStatus
from liveos_tui.formats.text import clean
from liveos_tui.live.filesystems import usage_at
from liveos_tui.live.fill import fill_state
from liveos_tui.live.images import ext_usage
from liveos_tui.live.model import LayoutKind, Overlay, OverlayKind, OverlayState
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.system.files import FileIdentity
from liveos_tui.system.probes import Probes


class OverlayMeter:
    """Reads one overlay again and again; a store whose file has not changed is read once."""

    def __init__(self, probes: Probes, site: Site, place: OverlayPlace) -> None:
        self._probes = probes
        self._site = site
        self._place = place
        self._last: tuple[FileIdentity, CowSummary] | None = None

    def unread(self, error: LiveosError | None = None) -> Overlay:
        """What is known without looking: what and where it is. `error`: what looking came to."""
        place = self._place
        return Overlay(
            state=None,
            kind=place.kind,
            path=clean(place.path) if place.path is not None else None,
            in_use=place.in_use,
            persistent=place.persistent and place.kind is not None,
            read_only=place.read_only,
            table=place.persistence,
            unknown=place.problem or (error.message if error else None),
            root_only=place.problem is None and isinstance(error, PrivilegeError),
        )

    def read(self) -> Overlay:
        """The overlay at this moment. Raises LiveosError when a probe fails."""
        place, overlay = self._place, self.unread()
        if place.kind is None:
            return overlay if place.problem else replace(overlay, state=OverlayState.NONE)
        if self._site.layout.kind is LayoutKind.OVERLAYFS:
            return self._directory(overlay)
        if place.device is None or not self._probes.privileged:
            if place.path is None:
                # In memory, or on a device of its own: only the kernel knows it.
                return replace(overlay, unknown="only root may ask the kernel about it.")
            return self._by_its_file(overlay)
        status = self._kernel_status(place.device)
        match status:
            case SnapshotStatus():
                return _by_the_kernel(self._by_its_header(overlay), status)
            case SnapshotIll.OVERFLOW:
                return replace(self._by_its_file(overlay), state=OverlayState.OVERFLOW)
            case SnapshotIll.INVALID | SnapshotIll.MERGE_FAILED:
                return replace(self._by_its_file(overlay), state=OverlayState.INVALID)
        return replace(overlay, unknown=f"the kernel says nothing about {clean(place.device)}.")

    def _kernel_status(self, device: str) -> TargetStatus | None:
        for found in self._probes.device_mapper().status():
            if found.name == device and found.lines:
                return found.lines[0].status
        return None

    def _by_its_file(self, overlay: Overlay) -> Overlay:
        """Figures counted in the store's header and metadata areas, as the kernel counts them."""
        path, mount_point = self._place.path, self._site.mount_point
        if path is None or mount_point is None:
            return overlay
        with self._probes.folder(mount_point).open(path) as file:
            identity = file.identity
            if self._last is None or self._last[0] != identity:
                try:
                    self._last = identity, summarise(file.read, identity.size_bytes)
                except CowError as error:
                    return replace(overlay, state=OverlayState.FOREIGN, damage=error.message)
        return _with_summary(overlay, self._last[1], identity)

    def _by_its_header(self, overlay: Overlay) -> Overlay:
        """What only the file shows: a size that breaks, holes that the stick has yet to fill."""
        path, mount_point = self._place.path, self._site.mount_point
        if path is None or mount_point is None:
            return overlay
        with self._probes.folder(mount_point).open(path) as file:
            identity = file.identity
            try:
                header = parse_header(file.read(0, HEADER_BYTES))
            except CowError:
                # The kernel has it in use, so it was well when it was loaded: not now's question.
                return overlay
        chunk_sectors = header.chunk_sectors if header else DEFAULT_CHUNK_SECTORS
        summary = CowSummary(header, identity.size_bytes, chunk_sectors)
        return replace(
            overlay,
            fragile_size=summary.fragile_size,
            missing_bytes=_missing(identity),
        )

    def _directory(self, overlay: Overlay) -> Overlay:
        """An OverlayFS is as full as the file system that holds its upper directory."""
        probes, site, place = self._probes, self._site, self._place
        if place.upper is not None:
            room = usage_at(probes, place.upper)
        elif site.mount_point is None:
            return overlay
        elif place.kind is OverlayKind.DIRECTORY:
            room = usage_at(probes, site.mount_point)
        elif place.path is not None:
            found = ext_usage(probes.folder(site.mount_point), place.path)
            if found is None:
                return replace(overlay, unknown="its file holds no ext file system.")
            room = found
        else:
            return overlay
        known = replace(
            overlay,
            used_bytes=room.used_bytes,
            total_bytes=room.total_bytes,
            free_bytes=room.free_bytes,
        )
        state = OverlayState.FULL if room.free_bytes == 0 else fill_state(known)
        return replace(known, state=state)


def _with_summary(overlay: Overlay, summary: CowSummary, identity: FileIdentity) -> Overlay:
    if summary.damage:
        # What a damaged list adds up to is no figure.
        return replace(
            overlay,
            state=OverlayState.FOREIGN,
            total_bytes=summary.total_bytes,
            damage=summary.damage,
        )
    known = replace(
        overlay,
        used_bytes=summary.used_bytes,
        total_bytes=summary.total_bytes,
        free_bytes=max(0, summary.total_bytes - summary.used_bytes),
        metadata_bytes=summary.metadata_bytes,
        fragile_size=summary.fragile_size,
        missing_bytes=_missing(identity),
    )
    if not summary.valid:
        return replace(known, state=OverlayState.INVALID)
    if summary.full:
        return replace(known, state=OverlayState.FULL)
    if summary.exceptions == 0:
        return replace(known, state=OverlayState.FRESH)
    return replace(known, state=fill_state(known))


def _by_the_kernel(overlay: Overlay, status: SnapshotStatus) -> Overlay:
    known = replace(
        overlay,
        used_bytes=status.allocated_sectors * SECTOR_BYTES,
        total_bytes=status.total_sectors * SECTOR_BYTES,
        free_bytes=max(0, status.total_sectors - status.allocated_sectors) * SECTOR_BYTES,
        metadata_bytes=status.metadata_sectors * SECTOR_BYTES,
    )
    if status.total_sectors - status.allocated_sectors < DEFAULT_CHUNK_SECTORS:
        return replace(known, state=OverlayState.FULL)
    if status.allocated_sectors == status.metadata_sectors:
        return replace(known, state=OverlayState.FRESH)
    return replace(known, state=fill_state(known))


def _missing(identity: FileIdentity) -> int:
    return max(0, identity.size_bytes - identity.allocated_bytes)
