"""What is wrong with an overlay? Everything is looked at, nothing is written."""

import os
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
from liveos_tui.formats.images import identify
from liveos_tui.formats.text import clean
from liveos_tui.live import facts
from liveos_tui.live.cause import find_cause
from liveos_tui.live.diagnosis import Diagnosis, Fact, Illness
from liveos_tui.live.growth import UNWRITABLE_FILESYSTEMS, file_limit
from liveos_tui.live.images import base_head, changed_chunks, overlaid
from liveos_tui.live.model import LayoutKind, OverlayKind
from liveos_tui.live.place import Place
from liveos_tui.live.recognise import LIVE
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.live.words import size
from liveos_tui.system import squashfs
from liveos_tui.system.files import Folder, OpenFile
from liveos_tui.system.identity import DiskIdentity, boot_id, disk_identity
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import ToolMissingError

_LEFT_AS_IT_IS = "Nothing was changed."


def overlay_meant(site: Site) -> OverlayPlace:
    """The overlay on the stick, which operations are about: also one that was left out at boot."""
    if site.overlay.in_use and not site.overlay.persistent and site.unused_overlay:
        return site.unused_overlay
    return site.overlay


def place_of(probes: Probes, site: Site, target: str) -> Place:
    """Which stick this is, and which overlay on it. Raises LiveosError when it cannot be read.

    `target` is what the person named. Without an overlay on the stick `overlay` is empty.
    """
    overlay, found = overlay_meant(site), site.target
    header, length = b"", 0
    if overlay.path is not None and site.mount_point is not None:
        try:
            with probes.folder(site.mount_point).open(overlay.path) as file:
                header, length = file.read(0, HEADER_BYTES), file.identity.size_bytes
        except PrivilegeError:
            raise
        except LiveosError:
            # It is no file that can be read; why not is told by the diagnosis.
            header, length = b"", 0
    identity = disk_identity(probes, site.number) if site.number else DiskIdentity()
    device = identity.device
    parts = (site.image or overlay.path or "").rpartition("/")
    return Place(
        target=target,
        name=found.label or _folder_name(site) or clean(target),
        overlay=overlay.path or "",
        image=site.image,
        base=site.layout.base,
        live_folder=parts[0] or "LiveOS",
        mount_point=None if _is_only_looked_at(site) else site.mount_point,
        device=device.path if device else found.device,
        label=found.label,
        uuid=found.uuid,
        filesystem=found.filesystem,
        model=identity.model or found.model,
        serial=identity.serial,
        size_bytes=device.size_bytes if device else None,
        number=site.number,
        diskseq=identity.diskseq,
        boot_id=boot_id(probes),
        this_system=found.this_system,
        store_header=header.hex(),
        overlay_bytes=length,
    )


def _folder_name(site: Site) -> str:
    path = site.mount_point or ""
    return clean(os.path.basename(path.rstrip("/")))  # noqa: PTH119 - a raw path of another root


def _is_only_looked_at(site: Site) -> bool:
    """The stick is mounted by an inspection mount, of this console or of another one."""
    return bool(site.mount_point and site.mount_point.startswith(f"{RUN_FOLDER}/"))


def diagnose(probes: Probes, site: Site, target: str | None = None) -> Diagnosis:
    """Look at everything that decides what can be done to the overlay.

    `target` is what the person named (the site's own name for it otherwise). What cannot be known
    is told as such. Raises PrivilegeError where root is needed to look at the overlay at all, and
    LiveosError when the machine does not answer.
    """
    overlay = overlay_meant(site)
    place = place_of(probes, site, target or _target(site))
    if refused := _no_store(site, overlay):
        return Diagnosis(place, Illness.NONE, (), refusal=refused, hint=_LEFT_AS_IT_IS)
    assert site.mount_point is not None  # noqa: S101 - _no_store has seen to it
    assert overlay.path is not None  # noqa: S101
    return _Look(probes, replace(site, overlay=overlay), place).diagnosis()


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
        return "Not yet: this overlay is an OverlayFS, whose files can be looked at directly."
    if overlay.path is None:
        return "The overlay is a device of its own: it can be no larger than that is."
    if site.mount_point is None:
        return "The stick is not mounted where it can be seen."
    return None


@dataclass
class _Look:
    """One look at one overlay, fact by fact. `site.overlay` is the one that is meant."""

    probes: Probes
    site: Site
    place: Place
    facts: list[Fact] = field(default_factory=list)
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
            stick_writable=None if _is_only_looked_at(site) else site.target.writable,
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
        self.facts.append(facts.size_fact(summary))
        self.facts.append(facts.room_fact(free, limit, site.target.filesystem))
        found = replace(found, summary=summary, header=summary.header)
        # What a damaged list adds up to decides nothing, unless the kernel works with it.
        damaged = summary.damage if not overlay.in_use else None
        if damaged:
            return self._ended(found, damaged, "Leave it as it is and copy it before all else.")
        found = self._images(found, stick, last_old)
        status = self._kernel_status()
        illness = _illness(summary, found.view, status)
        why = find_cause(self.probes, site, illness, summary, sparse=found.missing_bytes > 0)
        self.facts += why.facts
        if overlay.read_only:
            self._refuse("The overlay is frozen at this boot (readonly).", _LEFT_AS_IT_IS)
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
        """What the store holds, and the last chunk of the base that it changes."""
        length = file.identity.size_bytes
        try:
            summary = summarise(file.read, length)
        except CowError as error:
            self.facts.append(Fact("Header", error.message, bad=True))
            self._refuse(error.message, error.hint)
            return None, None
        leftover = _leftover(file, length) if summary.header is None else None
        self.facts.append(facts.leftover_fact(leftover) if leftover else facts.header_fact(summary))
        self.facts.append(facts.chunks_fact(summary))
        self.facts.append(facts.list_fact(summary))
        self.facts.append(facts.file_fact(summary, length))
        last_old = None
        if summary.header is not None and summary.damage is None:
            last_old = max((old for old, _ in iterate_exceptions(file.read, length)), default=None)
        return summary, last_old

    def _images(self, found: Diagnosis, stick: Folder, last_old: int | None) -> Diagnosis:
        """The base image, and the file system that base and overlay make."""
        site, summary = self.site, found.summary
        base_bytes = self._base_bytes(stick)
        head = self._base_head(stick) if base_bytes is not None else None
        image = identify(head) if head else None
        if base_bytes is not None and head is not None:
            cut = image is not None and image.is_cut(base_bytes)
            base_bytes = None if cut else base_bytes
            self._tell_base(base_bytes, cut=cut)
        if base_bytes is not None and last_old is not None and summary is not None:
            self._compare_size(base_bytes, last_old * summary.chunk_sectors * SECTOR_BYTES)
        if head is None:
            base_bytes = None
        try:
            changed = changed_chunks(stick, site)
        except LiveosError as error:
            self.facts.append(Fact("Root", f"Unknown: {error.message}", unknown=True))
            return replace(found, base_bytes=base_bytes)
        if head is None and 0 not in changed:
            self.facts.append(
                Fact("Root", "Unknown: neither base nor overlay shows it.", unknown=True)
            )
            return replace(found, base_bytes=base_bytes)
        seen = identify(overlaid(head or bytes(max(map(len, changed.values()))), changed))
        base, view = image.ext if image else None, seen.ext if seen else None
        uuids = image.uuid if image else None, seen.uuid if seen else None
        self._tell_whether_together(base, view, uuids, holds_start=0 in changed)
        kind: str | None = None
        if view is not None:
            kind = view.kind.value
            self.facts.append(facts.root_fact(view, in_use=site.overlay.in_use))
        elif seen is not None and not seen.damage and seen.kind.value != "zeros":
            kind = seen.kind.value.lower()
            self.facts.append(facts.other_root_fact(kind))
        else:
            why = f"its header is not to be believed: {seen.damage}" if seen else "it is unknown"
            self.facts.append(
                Fact("Root", f"No file system is seen through the overlay: {why}.", bad=True)
            )
        return replace(found, base_bytes=base_bytes, base=base, view=view, root_filesystem=kind)

    def _base_bytes(self, stick: Folder) -> int | None:
        """The base image's size; a fact says why it is not known."""
        site = self.site
        if site.layout.unknown:
            self.facts.append(
                Fact("Base image", f"Not looked at: {site.layout.unknown}", unknown=True)
            )
            return None
        if site.image is None or site.layout.image_damage:
            problem = site.layout.image_damage or "There is no image on the stick."
            self.facts.append(Fact("Base image", problem, bad=True))
            return None
        try:
            if site.layout.base is None:
                with stick.open(site.image) as file:
                    return file.identity.size_bytes
            listed = squashfs.members(self.probes.runner, stick.path / site.image, site.layout.base)
            return listed[site.layout.base]
        except KeyError:
            message = f"{clean(site.layout.base or '')} is not in the image."
            self.facts.append(Fact("Base image", message, bad=True))
        except LiveosError as error:
            self.facts.append(_base_fact(error))
        return None

    def _base_head(self, stick: Folder) -> bytes | None:
        try:
            return base_head(self.probes, self.site, stick)
        except LiveosError as error:
            self.facts.append(_base_fact(error))
            return None

    def _tell_base(self, base_bytes: int | None, *, cut: bool) -> None:
        image, inside = clean(self.site.image or ""), self.site.layout.base
        name = f"{inside} in {image}" if inside else image
        if cut:
            text = f"{name} is shorter than the file system in it: it was cut off."
        else:
            text = f"{name} is there, {size(base_bytes)}."
        self.facts.append(Fact("Base image", text, bad=cut))

    def _compare_size(self, base_bytes: int, last_old_offset: int) -> None:
        if last_old_offset < base_bytes:
            return
        text = (
            f"They do not belong together: the overlay changes byte {last_old_offset:,} of the "
            f"base, which has only {base_bytes:,}."
        )
        self.facts.append(Fact("Together", text, bad=True))
        self._refuse_strangers()

    def _refuse_strangers(self) -> None:
        self._refuse(
            "The base image and the overlay do not belong together.",
            "Put the image back that the overlay was made with, or reset the overlay. "
            "Nothing was changed.",
        )

    def _tell_whether_together(
        self,
        base: ExtSuperblock | None,
        view: ExtSuperblock | None,
        uuids: tuple[str | None, str | None],
        *,
        holds_start: bool,
    ) -> None:
        if not holds_start or None in uuids:
            text = "Whether base and overlay belong together is not known: "
            text += (
                "one of them shows no file system."
                if holds_start
                else "the overlay holds no superblock of its own."
            )
            self.facts.append(Fact("Together", text, unknown=True))
        elif base is not None and view is not None:
            self.facts.append(facts.belongs_fact(base, view))
        elif uuids[0] == uuids[1]:
            self.facts.append(Fact("Together", "Base and overlay hold the same file system."))
        if holds_start and None not in uuids and uuids[0] != uuids[1]:
            self._refuse_strangers()

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


def _base_fact(error: LiveosError) -> Fact:
    """The base image could not be looked at: it is damaged, or a program is missing here."""
    if isinstance(error, ToolMissingError):
        return Fact("Base image", f"Not looked at: {error.message}", unknown=True)
    return Fact("Base image", error.message, bad=True)


def _leftover(file: OpenFile, length: int) -> CowSummary | None:
    """What a store with a header of zeros lists behind it, if anything: as if it had one."""
    header = CowHeader().to_bytes()

    def read(offset: int, count: int) -> bytes:
        return header if (offset, count) == (0, HEADER_BYTES) else file.read(offset, count)

    found = summarise(read, length)
    return found if found.exceptions else None


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
