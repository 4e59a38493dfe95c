"""Headers of the file systems of sticks and disks: FAT, exFAT, NTFS, ISO 9660, XFS, btrfs, swap.

Enough of each to name it, to match it with what the kernel and blkid say, and to see whether an
image is cut. Sources: Microsoft's FAT and exFAT specifications, ECMA-119, the kernel's
fs/xfs/libxfs/xfs_format.h, include/uapi/linux/btrfs_tree.h, include/linux/swap.h; libblkid for the
form of labels and UUIDs.
"""

import struct
import uuid
from collections.abc import Callable

from liveos_tui.formats.image_kinds import Image, ImageKind
from liveos_tui.formats.text import clean

BTRFS_OFFSET = 65536
_ISO_OFFSET = 32768
_SWAP_PAGE = 4096
_CUT = "its header is cut short"
_CONTRADICTION = "its header contradicts itself"


def text(data: bytes) -> str | None:
    """A fixed field of text, ended by a zero byte or filled up with blanks; None when empty."""
    return clean(data.split(b"\0", 1)[0].rstrip(b" ")) or None


def _uuid(data: bytes) -> str:
    return str(uuid.UUID(bytes=data))


def _serial(number: int) -> str:
    """A volume's serial number as blkid and udev write it: 12AB-CDEF."""
    return f"{number >> 16:04X}-{number & 0xFFFF:04X}"


def _is_power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def identify_fat(head: bytes) -> Image | None:
    """Read a FAT boot sector; None when it is none. FAT has no magic number: all must fit.

    The label here is the boot sector's. The one in the root folder, which other systems change,
    lies behind the allocation tables.
    """
    if len(head) < 512 or head[510:512] != b"\x55\xaa":
        return None
    (sector, cluster, reserved, tables, entries, sectors_16, media, table_16) = struct.unpack_from(
        "<HBHBHHBH", head, 11
    )
    sectors_32, table_32 = struct.unpack_from("<II", head, 32)
    sectors = sectors_16 or sectors_32
    table = table_16 or table_32
    if (
        not 512 <= sector <= 4096
        or not _is_power_of_two(sector)
        or not _is_power_of_two(cluster)
        or not reserved
        or tables not in {1, 2}
        or (media != 0xF0 and media < 0xF8)
    ):
        return None
    data_sectors = sectors - reserved - tables * table - -(-entries * 32 // sector)
    if not table or data_sectors < cluster:
        return Image(ImageKind.FAT, damage=_CONTRADICTION)
    if table_16:
        version, extended = "FAT12" if data_sectors // cluster < 4085 else "FAT16", 38
    else:
        version, extended = "FAT32", 66
    label = serial = None
    if head[extended] in {0x28, 0x29}:
        serial = _serial(int.from_bytes(head[extended + 1 : extended + 5], "little"))
        label = text(head[extended + 5 : extended + 16]) if head[extended] == 0x29 else None
    return Image(
        ImageKind.FAT,
        version=version,
        label=None if label == "NO NAME" else label,
        uuid=serial,
        declared_bytes=sectors * sector,
        block_bytes=cluster * sector,
    )


def _exfat(head: bytes) -> Image:
    if len(head) < 512:
        return Image(ImageKind.EXFAT, damage=_CUT)
    sector_log, cluster_log = head[108], head[109]
    if not 9 <= sector_log <= 12 or cluster_log > 25 - sector_log:
        return Image(ImageKind.EXFAT, damage=_CONTRADICTION)
    return Image(
        ImageKind.EXFAT,
        uuid=_serial(int.from_bytes(head[100:104], "little")),
        declared_bytes=int.from_bytes(head[72:80], "little") << sector_log,
        block_bytes=1 << sector_log + cluster_log,
    )


def _ntfs(head: bytes) -> Image:
    if len(head) < 512:
        return Image(ImageKind.NTFS, damage=_CUT)
    sector = int.from_bytes(head[11:13], "little")
    if not 256 <= sector <= 4096 or not _is_power_of_two(sector):
        return Image(ImageKind.NTFS, damage=_CONTRADICTION)
    return Image(
        ImageKind.NTFS,
        uuid=f"{int.from_bytes(head[72:80], 'little'):016X}",
        # The last sector, a copy of the first, is not counted there.
        declared_bytes=(int.from_bytes(head[40:48], "little") + 1) * sector,
    )


def _iso9660(head: bytes) -> Image:
    data = head[_ISO_OFFSET : _ISO_OFFSET + 2048]
    if len(data) < 2048:
        return Image(ImageKind.ISO9660, damage=_CUT)
    block = int.from_bytes(data[128:130], "little")
    if data[0] != 1 or block not in {512, 1024, 2048}:
        return Image(ImageKind.ISO9660, damage=_CONTRADICTION)
    return Image(
        ImageKind.ISO9660,
        label=text(data[40:72]),
        uuid=_iso_date(data[830:846]) or _iso_date(data[813:829]),
        declared_bytes=int.from_bytes(data[80:84], "little") * block,
        block_bytes=block,
    )


def _iso_date(digits: bytes) -> str | None:
    """Year to hundredths of a second, as blkid joins them to a UUID."""
    if not digits.isdigit() or not digits.strip(b"0"):
        return None
    date = digits.decode("ascii")
    return "-".join([date[:4], *(date[place : place + 2] for place in range(4, 16, 2))])


def _xfs(head: bytes) -> Image:
    if len(head) < 512:
        return Image(ImageKind.XFS, damage=_CUT)
    block, blocks = struct.unpack_from(">IQ", head, 4)
    if not 512 <= block <= 65536 or not _is_power_of_two(block):
        return Image(ImageKind.XFS, damage=_CONTRADICTION)
    return Image(
        ImageKind.XFS,
        label=text(head[108:120]),
        uuid=_uuid(head[32:48]),
        declared_bytes=blocks * block,
        block_bytes=block,
    )


def _btrfs(head: bytes) -> Image:
    data = head[BTRFS_OFFSET : BTRFS_OFFSET + 4096]
    if len(data) < 4096:
        return Image(ImageKind.BTRFS, damage=_CUT)
    # The size at 0x70 is that of all devices together; this device's own is in its item, from
    # 0xC9 on.
    return Image(
        ImageKind.BTRFS,
        label=text(data[0x12B : 0x12B + 256]),
        uuid=_uuid(data[0x20:0x30]),
        declared_bytes=int.from_bytes(data[0xD1:0xD9], "little"),
        block_bytes=int.from_bytes(data[0x90:0x94], "little"),
    )


def _swap(head: bytes) -> Image:
    last_page = int.from_bytes(head[1028:1032], "little")
    return Image(
        ImageKind.SWAP,
        label=text(head[1052:1068]),
        uuid=_uuid(head[1036:1052]),
        declared_bytes=(last_page + 1) * _SWAP_PAGE,
        block_bytes=_SWAP_PAGE,
    )


SIGNATURES: tuple[tuple[bytes, int, Callable[[bytes], Image]], ...] = (
    (b"XFSB", 0, _xfs),
    (b"EXFAT   ", 3, _exfat),
    (b"NTFS    ", 3, _ntfs),
    (b"SWAPSPACE2", _SWAP_PAGE - 10, _swap),
    (b"CD001", _ISO_OFFSET + 1, _iso9660),
    (b"_BHRfS_M", BTRFS_OFFSET + 0x40, _btrfs),
)
"""A signature, its offset, and who reads the header that has it."""
