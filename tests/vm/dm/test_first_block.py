"""Two names of a FAT that stand for the same content, as a power cut in an exchange leaves them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filled import command

from liveos_tui.system.first_block import share_content

_ENTRY_BYTES = 32


def made(folder: Path) -> Path:
    """A FAT with two files."""
    disk = folder / "disk.img"
    with disk.open("xb") as file:
        file.truncate(64 << 20)
    command("mkfs.vfat", "-F", "32", disk)
    with mounted(disk, folder) as top:
        (top / "ONE").write_bytes(b"one" * 5000)
        (top / "TWO").write_bytes(b"two" * 5000)
        (top / "EMPTY").touch()
    return disk


@contextmanager
def mounted(disk: Path, folder: Path) -> Iterator[Path]:
    top = folder / "top"
    top.mkdir(exist_ok=True)
    command("mount", "-o", "loop", disk, top)
    try:
        yield top
    finally:
        command("umount", top)


def half_exchanged(disk: Path) -> None:
    """Give the name ONE the content of TWO, which keeps it."""
    data = bytearray(disk.read_bytes())
    one, two = (data.index(name.ljust(11)) for name in (b"ONE", b"TWO"))
    data[one + 11 : one + _ENTRY_BYTES] = data[two + 11 : two + _ENTRY_BYTES]
    disk.write_bytes(data)


def test_names_that_share_their_content_are_told_from_others(tmp_path: Path) -> None:
    disk = made(tmp_path)
    with mounted(disk, tmp_path) as top:
        assert not share_content(top / "ONE", top / "TWO")
        assert not share_content(top / "EMPTY", top / "EMPTY")
        assert not share_content(top / "ONE", top / "ONE"), "that is one file, by one name"
        assert not share_content(top / "ONE", top / "GONE")

    half_exchanged(disk)

    with mounted(disk, tmp_path) as top:
        assert (top / "ONE").read_bytes() == b"two" * 5000
        assert share_content(top / "ONE", top / "TWO")
        (top / "TWO").unlink()
    said = subprocess.run(["fsck.vfat", "-n", disk], capture_output=True, text=True, check=False)
    assert "free cluster" in said.stdout, "to remove one takes the content of the other away"
