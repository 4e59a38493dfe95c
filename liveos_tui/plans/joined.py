"""The commands by which the kernel joins base image and overlay, as a plan shows them.

They are those of `system.kernel_views`; what gets its name later is in capitals.
"""

from dataclasses import dataclass

from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS, SECTOR_BYTES
from liveos_tui.formats.mirror_status import mirror_table, region_sectors
from liveos_tui.formats.text import clean
from liveos_tui.live.diagnosis import Diagnosis

Commands = tuple[tuple[str, ...], ...]

PATH_LIMIT = 4096
_SQUASHFS = ("-t", "squashfs")
_MOUNT_OPTIONS = "ro,nosuid,nodev,noexec,loop"


@dataclass(frozen=True, slots=True)
class Joined:
    """Base and overlay of one diagnosis; without `device_mapper` there are no commands."""

    diagnosis: Diagnosis
    device_mapper: bool = True

    def on_stick(self, path: str) -> str:
        """A path on the stick as programs get it."""
        return clean(f"{self.diagnosis.place.mount_point or 'STICK'}/{path}", PATH_LIMIT)

    def base(self) -> Commands:
        """The stick's image, and the base in it."""
        return self.image(self.on_stick(self.diagnosis.place.image or ""), "IMAGE")

    def image(self, path: str, folder: str, *, kind: tuple[str, ...] = _SQUASHFS) -> Commands:
        """An image at `path`, mounted at `folder`, and the base in it."""
        if not self.device_mapper:
            return ()
        member = self.diagnosis.place.base
        if member is None:
            return (loop(path, read_only=True),)
        return (
            ("mount", *kind, "-o", _MOUNT_OPTIONS, path, folder),
            loop(clean(f"{folder}/{member}", PATH_LIMIT), read_only=True),
        )

    def view(self, *, read_only: bool, header: bool = False) -> Commands:
        """Both as one device; `header`: the overlay with another one, which lies in memory."""
        summary = self.diagnosis.summary
        if not self.device_mapper or summary is None:
            return ()
        store = loop(self.on_stick(self.diagnosis.place.overlay), read_only=read_only)
        chunk = summary.chunk_sectors
        table = f"0 {self._sectors} snapshot BASE {'STORE' if header else 'OVERLAY'} PO {chunk}"
        view = create("VIEW", table, read_only=read_only)
        if not header:
            return store, view
        rest = summary.total_sectors - chunk
        tables = f"0 {chunk} linear HEADER 0", f"{chunk} {rest} linear OVERLAY {chunk}"
        return (
            store,
            loop("VALID-HEADER", read_only=True),
            create("STORE", *tables, read_only=True),
            view,
        )

    def throw_away(self, name: str) -> Commands:
        """A layer on the view that takes what programs write."""
        if not self.device_mapper:
            return ()
        table = f"0 {self._sectors} snapshot VIEW SCRATCH P {DEFAULT_CHUNK_SECTORS}"
        return loop("FILE-IN-RUN"), create(name, table)

    def mirror(self, copy: str) -> Commands:
        """A mirror that copies the view to the file `copy`."""
        if not self.device_mapper:
            return ()
        table = mirror_table(self._sectors, "VIEW", "COPY", region_sectors(self._sectors))
        return loop(copy), create("MIRROR", table, read_only=True)

    @property
    def _sectors(self) -> int:
        return (self.diagnosis.base_bytes or 0) // SECTOR_BYTES


def loop(file: str, *, read_only: bool = False) -> tuple[str, ...]:
    """A loop device before a file."""
    mode = ("--read-only",) if read_only else ()
    return ("losetup", "--find", "--show", *mode, file)


def create(name: str, *tables: str, read_only: bool = False) -> tuple[str, ...]:
    """A dm device."""
    mode = ("--readonly",) if read_only else ()
    told = (word for table in tables for word in ("--table", table))
    return ("dmsetup", "create", *mode, name, *told)
