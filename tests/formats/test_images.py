"""Images recognised by their heads; the heads were cut from real images (tests/data/images)."""

from pathlib import Path

import pytest

from liveos_tui.formats.images import SHORT_HEAD_BYTES, Image, ImageKind, identify

DATA = Path(__file__).parents[1] / "data" / "images"
UUID = "4c8f3b8e-8a0a-4f2b-9d53-6d3f5f1d2a11"


def head(name: str) -> bytes:
    return (DATA / f"{name}.head").read_bytes()


def seen(name: str) -> Image:
    found = identify(head(name))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "compressor", "used", "file_bytes"),
    [
        ("squashfs-gzip", "gzip", 44051, 45056),
        ("squashfs-xz", "xz", 5325, 8192),
        ("squashfs-zstd", "zstd", 21934, 24576),
        ("squashfs-lz4", "lz4", 89404, 90112),
        ("squashfs-lzo", "lzo", 60062, 61440),
    ],
)
def test_squashfs(name: str, compressor: str, used: int, file_bytes: int) -> None:
    found = seen(name)
    assert found == Image(
        ImageKind.SQUASHFS,
        version="4.0",
        declared_bytes=used,
        block_bytes=131072,
        compressor=compressor,
        inodes=4,
        made_at=1_700_000_000,
    )
    assert not found.is_cut(file_bytes)


@pytest.mark.parametrize(
    ("name", "compressor", "file_bytes"), [("erofs", None, 413696), ("erofs-lz4", "lz4", 90112)]
)
def test_erofs(name: str, compressor: str | None, file_bytes: int) -> None:
    assert seen(name) == Image(
        ImageKind.EROFS,
        uuid=UUID,
        declared_bytes=file_bytes,
        block_bytes=4096,
        compressor=compressor,
        inodes=4,
        made_at=1_700_000_000,
    )


def test_ext_tells_all_that_its_superblock_does() -> None:
    found = seen("ext4")
    assert (found.kind, found.version, found.label) == (ImageKind.EXT, "ext4", "practice")
    assert (found.uuid, found.declared_bytes) == (UUID, 16 * 1024 * 1024)
    assert found.ext is not None
    assert found.ext.clean


def test_luks_of_both_versions() -> None:
    assert seen("luks1") == Image(ImageKind.LUKS, version="1", uuid=UUID)
    assert seen("luks2") == Image(ImageKind.LUKS, version="2", uuid=UUID, label="home")


@pytest.mark.parametrize(
    ("name", "version", "label", "serial", "size"),
    [
        ("fat12", "FAT12", "TWELVE", "1234-ABCD", 1474560),
        ("fat16", "FAT16", "SIXTEEN", "1234-ABCD", 32 * 1024**2),
        ("fat32", "FAT32", "LIVE", "12AB-CDEF", 64 * 1024**2),
    ],
)
def test_fat(name: str, version: str, label: str, serial: str, size: int) -> None:
    found = seen(name)
    assert (found.kind, found.version) == (ImageKind.FAT, version)
    assert (found.label, found.uuid, found.declared_bytes) == (label, serial, size)


def test_a_fat_without_a_label_has_none() -> None:
    assert seen("fat32-large").label is None


@pytest.mark.parametrize(
    ("name", "kind", "label", "identity", "size"),
    [
        ("xfs", ImageKind.XFS, "live", UUID, 335544320),
        ("btrfs", ImageKind.BTRFS, "live", UUID, 134217728),
        ("swap", ImageKind.SWAP, "swap", UUID, 8388608),
        ("exfat", ImageKind.EXFAT, None, "6F17-F534", 16777216),
        ("ntfs", ImageKind.NTFS, None, "13AEC4AB1D4C3226", 16777216),
        ("iso9660", ImageKind.ISO9660, "Fedora-Live", "2026-11-23-03-38-28-00", 786432),
    ],
)
def test_other_formats_are_named(
    name: str, kind: ImageKind, label: str | None, identity: str, size: int
) -> None:
    found = seen(name)
    assert (found.kind, found.label) == (kind, label)
    assert (found.uuid, found.declared_bytes) == (identity, size)


def test_a_cow_store() -> None:
    store = b"SnAp" + b"".join(n.to_bytes(4, "little") for n in (1, 1, 8)) + bytes(4080)
    assert identify(store) == Image(ImageKind.COW_STORE, version="1", block_bytes=4096)


def test_nothing_but_zeros() -> None:
    assert identify(bytes(SHORT_HEAD_BYTES)) == Image(ImageKind.ZEROS)


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", b"\x1f\x8b" + bytes(4094), b"hsq"])
def test_what_is_not_known(data: bytes) -> None:
    assert identify(data) is None


def test_a_partition_table_is_no_fat() -> None:
    disk = bytearray(512)
    disk[446:462] = bytes.fromhex("80 202100 0c dd1f3f 00080000 00f80100")
    disk[510:512] = b"\x55\xaa"
    assert identify(bytes(disk)) is None


def test_a_file_that_lacks_its_end_is_cut_and_a_padded_one_is_not() -> None:
    found = seen("squashfs-nopad")
    assert found.is_cut(44050)
    assert not found.is_cut(44051)
    assert not found.is_cut(45056)


def test_what_declares_no_size_is_never_cut() -> None:
    assert not seen("luks2").is_cut(4096)


@pytest.mark.parametrize(
    ("data", "damage"),
    [
        (head("squashfs-gzip")[:40], "its header is cut short"),
        (head("erofs")[:1100], "its header is cut short"),
        (head("luks2")[:100], "its header is cut short"),
        (head("iso9660")[:33000], "its header is cut short"),
        (b"SnAp\1", "its header is cut short"),
        (b"hsqs" + bytes(92), "its version is 0.0"),
        (b"LUKS\xba\xbe\0\x07" + bytes(504), "its version is 7"),
        (head("squashfs-gzip").replace(b"\0\0\2\0", b"\0\0\3\0", 1), "contradicts itself"),
        (head("ext4")[:1100], "cut short"),
    ],
)
def test_a_damaged_header_is_named_and_not_believed(data: bytes, damage: str) -> None:
    found = identify(data)
    assert found is not None
    assert found.damage is not None
    assert damage in found.damage
    assert found.declared_bytes is None


def test_a_fat_is_not_taken_for_ext_by_two_bytes() -> None:
    data = bytearray(head("fat32"))
    data[1080:1082] = b"\x53\xef"
    found = identify(bytes(data))
    assert found is not None
    assert found.kind is ImageKind.FAT


def test_a_label_cannot_reach_the_terminal() -> None:
    data = bytearray(head("luks2"))
    data[24:32] = b"\x1b]0;x\x07\0\0"
    found = identify(bytes(data))
    assert found is not None
    assert found.label == r"\x1b]0;x\x07"


@pytest.mark.parametrize(
    ("options", "level"),
    [
        # As mksquashfs 4.5.1 writes them with -Xcompression-level; flags 0x4c0 tell of them.
        ("04800300000078", 3),
        ("0880040000000f00000078", 4),
        ("", None),
        ("04800000000078", None),
        ("0480ffffffff78", None),
    ],
)
def test_the_level_of_a_squashfs(options: str, level: int | None) -> None:
    plain = head("squashfs-zstd")
    told = plain[:24] + b"\xc0\x04" + plain[26:96] + bytes.fromhex(options)
    found = identify(told)

    assert found is not None
    assert (found.compressor, found.level) == ("zstd", level)
