"""Which squashfs images a kernel mounts, by its own config."""

from liveos_tui.formats.kernel_config import squashfs_compressors

# Debian 12, /boot/config-6.1.0-53-amd64: the lines about squashfs.
DEBIAN = """\
CONFIG_SQUASHFS=m
# CONFIG_SQUASHFS_FILE_CACHE is not set
CONFIG_SQUASHFS_FILE_DIRECT=y
CONFIG_SQUASHFS_XATTR=y
CONFIG_SQUASHFS_ZLIB=y
CONFIG_SQUASHFS_LZ4=y
CONFIG_SQUASHFS_LZO=y
CONFIG_SQUASHFS_XZ=y
CONFIG_SQUASHFS_ZSTD=y
# CONFIG_SQUASHFS_4K_DEVBLK_SIZE is not set
"""


def test_what_is_set_can_be_read() -> None:
    assert squashfs_compressors(DEBIAN) == {"gzip", "lz4", "lzo", "xz", "zstd"}


def test_what_is_not_set_cannot() -> None:
    config = DEBIAN.replace("CONFIG_SQUASHFS_ZSTD=y", "# CONFIG_SQUASHFS_ZSTD is not set")

    assert squashfs_compressors(config) == {"gzip", "lz4", "lzo", "xz"}


def test_what_is_no_config_tells_of_none() -> None:
    assert squashfs_compressors("\x7fELF\0CONFIG_SQUASHFS_ZSTD") == frozenset()
