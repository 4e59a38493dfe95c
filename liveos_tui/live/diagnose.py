"""What is wrong with an overlay? Everything is looked at, nothing is written."""

import hashlib
import os
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.cow import (
    HEADER_BYTES,
    SECTOR_BYTES,
    CowError,
    CowHeader,
    CowSummary,
    iterate_exceptions,
    summarise,
)
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.formats.ext4 import ExtSuperblock
from liveos_tui.formats.mountinfo import mount_holding
from liveos_tui.formats.text import clean
from liveos_tui.live import facts
from liveos_tui.live.cause import find_cause
from liveos_tui.live.diagnosis import Diagnosis, Fact, Illness
from liveos_tui.live.growth import UNWRITABLE_FILESYSTEMS, file_limit, kept_bytes
from liveos_tui.live.model import LayoutKind, OverlayKind, TargetKind
from liveos_tui.live.place import Place
from liveos_tui.live.placing import is_only_looked_at, overlay_meant, place_of
from liveos_tui.live.recognise import LIVE
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.live.together import look_at_images
from liveos_tui.system.files import OpenFile
from liveos_tui.system.probes import Probes

_LEFT_AS_IT_IS = "Nothing was changed."


def diagnose(
    probes: Probes, site: Site, target: str | None = None, *, emptied: Collection[str] = ()
) -> Diagnosis:
    """Look at everything that decides what can be done to the overlay.

    `target` is what the person named (the site's own name for it otherwise), `emptied` are the
    SHA-256 of the first metadata areas of stores that jobs have emptied. What cannot be known is
    told as such. Raises PrivilegeError where root is needed to look at the overlay at all, and
    LiveosError when the machine does not answer.
    """
    overlay = overlay_meant(site)
    place = place_of(probes, site, target or _target(site))
    if refused := _no_store(site, overlay):
        return Diagnosis(place, Illness.NONE, (), refusal=refused, hint=_LEFT_AS_IT_IS)
    assert site.mount_point is not None  # noqa: S101 - _no_store has seen to it
    assert overlay.path is not None  # noqa: S101
    return _Look(probes, replace(site, overlay=overlay), place, emptied).diagnosis()


def _target(site: Site) -> str:
    return LIVE if site.target.this_system else site.target.path


def _no_store(site: Site, overlay: OverlayPlace) -> str | None:
    """Why there is no store to look at."""
    if overlay.problem:
        return f"How the overlay is, is not known: {overlay.problem}"
    if overlay.kind is None:
        return "There is no persistent overlay."
    if site.layout.kind is LayoutKind.OVERLAYFS or overlay.kind is not OverlayKind.STORE:
        if overlay.in_use and not overlay.persistent:
            return "The overlay in use is in memory: there is nothing on the stick to work on."
        return (
            "This overlay is an OverlayFS: its files lie in a folder. It is watched here, and not "
            "worked on."
        )
    if overlay.path is None:
        return (
            "The overlay is a device of its own, and no file on the stick: it is watched here, and "
            "not worked on."
        )
    if site.mount_point is None:
        return "The stick is not mounted where it can be seen."
    return None


@dataclass
class _Look:
    """One look at one overlay, fact by fact. `site.overlay` is the one that is meant."""

    probes: Probes
    site: Site
    place: Place
    emptied: Collection[str]
    facts: list[Fact] = field(default_factory=list)
    header_may_be_lost: bool = False
    refusal: str = ""
    hint: str = ""

    def diagnosis(self) -> Diagnosis:
        overlay, site = self.site.overlay, self.site
        stick = self.probes.folder(site.mount_point or "/")
        free = self._free_bytes()
        limit = file_limit(site.target.filesystem)
        found = Diagnosis(
            self.place,
            Illness.FOREIGN,
            (),
            free_bytes=free,
            file_limit_bytes=limit,
            in_use=overlay.in_use,
            device=overlay.device,
            loop=overlay.loop,
            persistence=overlay.persistence,
            stick_writable=None if is_only_looked_at(site) else site.target.writable,
            read_only_mount=_read_only_mount(self.probes, site),
        )
        try:
            with stick.open(overlay.path or "") as file:
                found = replace(
                    found,
                    file_bytes=file.identity.size_bytes,
                    missing_bytes=max(0, file.identity.size_bytes - file.identity.allocated_bytes),
                )
                summary, last_old = self._store(file)
        except PrivilegeError:
            raise
        except LiveosError as error:
            self.facts.append(Fact("Overlay", error.message, bad=True))
            return self._ended(found, error.message, error.hint or _LEFT_AS_IT_IS)
        if summary is None:
            return self._ended(found, self.refusal, self.hint)
        self.facts.append(facts.holes_fact(found.missing_bytes, free))
        if summary.fragile_size:
            self.facts.append(facts.fragile_size_fact())
        kept = kept_bytes(summary.metadata_bytes)
        self.facts.append(facts.room_fact(free, kept, limit, site.target.filesystem))
        found = replace(
            found,
            summary=summary,
            header=summary.header,
            header_may_be_lost=self.header_may_be_lost,
        )
        # What a damaged list adds up to decides nothing, unless the kernel works with it.
        damaged = summary.damage if not overlay.in_use else None
        if damaged:
            return self._ended(found, damaged, "Leave it as it is and copy it before all else.")
        seen = look_at_images(self.probes, site, stick, last_old)
        self.facts += seen.facts
        if seen.strangers:
            self._refuse(
                "The base image and the overlay do not belong together.",
                "Put the image back that the overlay was made with, or reset the overlay. "
                "Nothing was changed.",
            )
        found = replace(
            found,
            base_bytes=seen.base_bytes,
            base=seen.base,
            view=seen.view,
            root_filesystem=seen.root_filesystem,
        )
        status = self._kernel_status()
        illness = _illness(summary, found.view, status)
        why = find_cause(self.probes, site, illness, summary, sparse=found.missing_bytes > 0)
        self.facts += why.facts
        if overlay.read_only:
            self._refuse(
                "The overlay is frozen at this boot.",
                f"Boot without rd.live.overlay.readonly to change it. {_LEFT_AS_IT_IS}",
            )
        elif site.target.filesystem in UNWRITABLE_FILESYSTEMS:
            self._refuse(
                f"The stick's file system is {site.target.filesystem}, which cannot be written.",
                "Copy the stick's files to a disk and name that folder.",
            )
        return replace(
            found,
            illness=illness,
            cause=why.cause,
            facts=tuple(self.facts),
            refusal=self.refusal,
            hint=self.hint,
        )

    def _ended(self, found: Diagnosis, refusal: str, hint: str) -> Diagnosis:
        return replace(
            found, illness=Illness.FOREIGN, facts=tuple(self.facts), refusal=refusal, hint=hint
        )

    def _refuse(self, message: str, hint: str) -> None:
        """Note why nothing can be done; the first reason stays."""
        if not self.refusal:
            self.refusal, self.hint = message, hint

    def _free_bytes(self) -> int | None:
        try:
            return self.probes.usage(self.site.mount_point or "/").free_bytes
        except LiveosError:
            return None

    def _store(self, file: OpenFile) -> tuple[CowSummary | None, int | None]:
        """What the store holds, and where the last chunk of the base lies that it changes."""
        length = file.identity.size_bytes
        try:
            summary = summarise(file.read, length)
        except CowError as error:
            self.facts.append(Fact("Header", error.message, bad=True))
            self._refuse(error.message, error.hint)
            return None, None
        leftover = _leftover(file, length) if summary.header is None else None
        if leftover is not None:
            emptied = _first_area(file, leftover) in self.emptied
            self.header_may_be_lost = not emptied
            self.facts.append(facts.leftover_fact(leftover, emptied=emptied))
        else:
            self.facts.append(facts.header_fact(summary))
        self.facts.append(facts.chunks_fact(summary))
        self.facts.append(facts.list_fact(summary))
        self.facts.append(facts.file_fact(summary, length))
        if summary.header is None or summary.damage or not summary.exceptions:
            return summary, None
        last = max(old for old, _ in iterate_exceptions(file.read, length))
        return summary, last * summary.header.chunk_bytes

    def _kernel_status(self) -> SnapshotStatus | SnapshotIll | None:
        overlay = self.site.overlay
        if not overlay.in_use:
            return None
        if overlay.device is None:
            text = "The overlay's file is attached to a loop device; what uses that is not known."
            self.facts.append(Fact("Kernel", text, unknown=True))
            return None
        if not self.probes.privileged:
            text = "Only root may ask the kernel how the overlay in use is."
            self.facts.append(Fact("Kernel", text, unknown=True))
            return None
        lines = next(
            (
                each.lines
                for each in self.probes.device_mapper().status()
                if each.name == overlay.device and each.lines
            ),
            None,
        )
        status = lines[0].status if lines else None
        name = clean(overlay.device)
        if isinstance(status, SnapshotStatus | SnapshotIll) and status is not SnapshotIll.UNKNOWN:
            self.facts.append(facts.kernel_fact(name, status))
            return status
        self.facts.append(Fact("Kernel", f"It says nothing about {name}.", unknown=True))
        self._refuse(
            f"How the overlay is, is not known: the kernel says nothing about {name}.",
            _LEFT_AS_IT_IS,
        )
        return None


def _read_only_mount(probes: Probes, site: Site) -> str | None:
    """Where the file system is mounted read-only that holds a folder; None where it is not."""
    if site.target.kind is not TargetKind.FOLDER or site.target.writable is not False:
        return None
    folder = site.mount_point or "/"
    mount = mount_holding(probes.mounts(), os.path.realpath(folder))
    return mount.mount_point if mount is not None else folder


def _leftover(file: OpenFile, length: int) -> CowSummary | None:
    """What a store with a header of zeros lists behind it, if anything: as if it had one."""
    header = CowHeader().to_bytes()

    def read(offset: int, count: int) -> bytes:
        return header if (offset, count) == (0, HEADER_BYTES) else file.read(offset, count)

    found = summarise(read, length)
    return found if found.exceptions else None


def _first_area(file: OpenFile, store: CowSummary) -> str:
    """The SHA-256 of the first metadata area: the kernel zeroes it when it takes a fresh store."""
    chunk_bytes = store.chunk_sectors * SECTOR_BYTES
    return hashlib.sha256(file.read(chunk_bytes, chunk_bytes)).hexdigest()


def _illness(
    summary: CowSummary,
    view: ExtSuperblock | None,
    status: SnapshotStatus | SnapshotIll | None,
) -> Illness:
    match status:
        case SnapshotIll.OVERFLOW:
            return Illness.OVERFLOW
        case SnapshotIll():
            return Illness.INVALID
        case SnapshotStatus(allocated, total, _):
            full = total - allocated < summary.chunk_sectors
            return Illness.FULL if full else Illness.NONE
    if not summary.valid:
        return Illness.INVALID
    if summary.full:
        return Illness.FULL
    if view is not None and view.ill:
        return Illness.ERRORS
    return Illness.NONE
