"""What an image file or a device can be, and what it says of itself."""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.formats.ext4 import ExtSuperblock


class ImageKind(StrEnum):
    """A format that is recognised by its first bytes."""

    SQUASHFS = "squashfs"
    EROFS = "EROFS"
    EXT = "ext"
    LUKS = "LUKS"
    COW_STORE = "COW store"
    FAT = "FAT"
    EXFAT = "exFAT"
    NTFS = "NTFS"
    ISO9660 = "ISO 9660"
    XFS = "XFS"
    BTRFS = "btrfs"
    SWAP = "swap"
    ZEROS = "zeros"
    """All that was read is zero: a fresh overlay, or an image that was never written."""


@dataclass(frozen=True, slots=True)
class Image:
    """What an image says of itself. None is "it does not say".

    `declared_bytes` is the size that it needs to be whole. `uuid` has the form that blkid prints:
    for FAT the serial number (12AB-CDEF), for ISO 9660 a date. `level` is the compressor's, None
    for its usual one. `made_at` is seconds since 1970. `damage` says in words why a header is not
    to be believed; then the other fields are empty.
    """

    kind: ImageKind
    version: str | None = None
    label: str | None = None
    uuid: str | None = None
    declared_bytes: int | None = None
    block_bytes: int | None = None
    compressor: str | None = None
    level: int | None = None
    inodes: int | None = None
    made_at: int | None = None
    ext: ExtSuperblock | None = None
    damage: str | None = None

    def is_cut(self, file_bytes: int) -> bool:
        """Whether a file of this size lacks its end. One that is longer is only padded."""
        return self.declared_bytes is not None and file_bytes < self.declared_bytes
