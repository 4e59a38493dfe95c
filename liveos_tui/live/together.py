"""Base image and overlay: is the base whole, do they belong together, what do they make?"""

from dataclasses import dataclass, field

from liveos_tui.errors import LiveosError
from liveos_tui.formats.ext4 import SUPERBLOCK_OFFSET, ExtSuperblock
from liveos_tui.formats.images import HEAD_BYTES, ImageKind, identify
from liveos_tui.formats.text import clean
from liveos_tui.live import facts
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.images import base_head, changed_chunks, overlaid
from liveos_tui.live.site import Site
from liveos_tui.live.words import size
from liveos_tui.system import squashfs
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import ToolMissingError


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen, as a `Diagnosis` has it. `strangers`: they do not belong together.

    `base_bytes` is None where the base cannot be relied on.
    """

    facts: tuple[Fact, ...]
    base_bytes: int | None
    base: ExtSuperblock | None
    view: ExtSuperblock | None
    root_filesystem: str | None
    strangers: bool


def look_at_images(probes: Probes, site: Site, stick: Folder, last_old_offset: int | None) -> Seen:
    """Look at the base image, and at the file system that base and overlay make.

    `last_old_offset` is where the last chunk of the base begins that the overlay changes, in bytes;
    None where it changes none. `site.overlay` is the overlay that is meant.
    """
    return _Look(probes, site, stick).look(last_old_offset)


@dataclass
class _Look:
    probes: Probes
    site: Site
    stick: Folder
    facts: list[Fact] = field(default_factory=list)
    strangers: bool = False

    def look(self, last_old_offset: int | None) -> Seen:
        """See `look_at_images`."""
        site, stick = self.site, self.stick
        base_bytes = self._base_bytes()
        head = self._base_head() if base_bytes is not None else None
        image = identify(head) if head else None
        if base_bytes is not None and head is not None:
            cut = image is not None and image.is_cut(base_bytes)
            base_bytes = None if cut else base_bytes
            self._tell_base(base_bytes, cut=cut)
        if base_bytes is not None and last_old_offset is not None:
            self._compare_size(base_bytes, last_old_offset)
        if head is None:
            base_bytes = None
        try:
            changed = changed_chunks(stick, site)
        except LiveosError as error:
            self.facts.append(Fact("Root", f"Unknown: {error.message}", unknown=True))
            return self._seen(base_bytes)
        holds_start = any(at <= SUPERBLOCK_OFFSET < at + len(data) for at, data in changed.items())
        if head is None and not holds_start:
            self.facts.append(
                Fact("Root", "Unknown: neither base nor overlay shows it.", unknown=True)
            )
            return self._seen(base_bytes)
        seen = identify(overlaid(head or bytes(HEAD_BYTES), changed))
        base, view = image.ext if image else None, seen.ext if seen else None
        uuids = image.uuid if image else None, seen.uuid if seen else None
        self._tell_whether_together(base, view, uuids, holds_start=holds_start)
        kind: str | None = None
        if view is not None:
            kind = view.kind.value
            self.facts.append(facts.root_fact(view, in_use=site.overlay.in_use))
        elif seen is not None and not seen.damage and seen.kind is not ImageKind.ZEROS:
            kind = seen.kind.value.lower()
            self.facts.append(facts.other_root_fact(kind))
        else:
            why = f"its header is not to be believed: {seen.damage}" if seen else "it is unknown"
            self.facts.append(
                Fact("Root", f"No file system is seen through the overlay: {why}.", bad=True)
            )
        return self._seen(base_bytes, base, view, kind)

    def _seen(
        self,
        base_bytes: int | None,
        base: ExtSuperblock | None = None,
        view: ExtSuperblock | None = None,
        root_filesystem: str | None = None,
    ) -> Seen:
        facts_ = tuple(self.facts)
        return Seen(facts_, base_bytes, base, view, root_filesystem, self.strangers)

    def _base_bytes(self) -> int | None:
        """The base image's size; a fact says why it is not known."""
        site, stick = self.site, self.stick
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

    def _base_head(self) -> bytes | None:
        try:
            return base_head(self.probes, self.site, self.stick)
        except LiveosError as error:
            self.facts.append(_base_fact(error))
            return None

    def _tell_base(self, base_bytes: int | None, *, cut: bool) -> None:
        image, inside = clean(self.site.image or ""), self.site.layout.base
        name = f"{inside} in {image}" if inside else image
        if cut:
            text = f"{name} is shorter than the file system in it: it was cut off."
        else:
            text = f"{name} is there: {size(base_bytes)}, the file system's own tables included."
        self.facts.append(Fact("Base image", text, bad=cut))

    def _compare_size(self, base_bytes: int, last_old_offset: int) -> None:
        if last_old_offset < base_bytes:
            return
        text = (
            f"They do not belong together: the overlay changes byte {last_old_offset:,} of the "
            f"base, which has only {base_bytes:,}."
        )
        self.facts.append(Fact("Together", text, bad=True))
        self.strangers = True

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
            self.strangers = True


def _base_fact(error: LiveosError) -> Fact:
    """The base image could not be looked at: it is damaged, or a program is missing here."""
    if isinstance(error, ToolMissingError):
        return Fact("Base image", f"Not looked at: {error.message}", unknown=True)
    return Fact("Base image", error.message, bad=True)
