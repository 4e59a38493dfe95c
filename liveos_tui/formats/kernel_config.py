"""What a kernel was built with, as its /boot/config-VERSION tells (Documentation/kbuild)."""

_SQUASHFS_OPTIONS = {
    "CONFIG_SQUASHFS_ZLIB": "gzip",
    "CONFIG_SQUASHFS_LZ4": "lz4",
    "CONFIG_SQUASHFS_LZO": "lzo",
    "CONFIG_SQUASHFS_XZ": "xz",
    "CONFIG_SQUASHFS_ZSTD": "zstd",
}


def squashfs_compressors(config: str) -> frozenset[str]:
    """The compressors whose squashfs images this kernel mounts; none for what is no config."""
    lines = {line.strip() for line in config.splitlines()}
    return frozenset(name for option, name in _SQUASHFS_OPTIONS.items() if f"{option}=y" in lines)
