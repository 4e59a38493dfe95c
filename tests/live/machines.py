"""Machines built as folders: what /proc, /sys and the programs say, without any of them.

A built machine is a root prefix for `Probes`, with the answers of the programs beside it. The
texts are those of real systems: captures of tests/data/captured, dracut's own mount points and
names for the releases that cannot be booted here.
"""

import json
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from runners import RecordedRunner

from liveos_tui.errors import UnreadableError
from liveos_tui.formats.cow_layout import SECTOR_BYTES, CowHeader
from liveos_tui.formats.cow_writer import allocate, store_metadata
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.probes import Probes

DATA = Path(__file__).parents[1] / "data"
MIB = 1024 * 1024
GIB = 1024 * MIB
Content = bytes | tuple[tuple[int, bytes], ...]
"""How a file begins; or pieces of it, each behind its offset, with holes between them."""
SQUASHFS_LISTING = """\
drwxr-xr-x 0/0                      29 2026-11-23 03:25 squashfs-root
drwxr-xr-x 0/0                      33 2026-11-23 03:25 squashfs-root/LiveOS
-rw-r--r-- 0/0              2147483648 2026-11-23 03:25 squashfs-root/LiveOS/{base}
"""
FLAT_LISTING = """\
drwxr-xr-x 0/0                      38 2026-11-23 03:25 squashfs-root
drwxr-xr-x 0/0                       3 2026-11-23 03:25 squashfs-root/usr
"""


class MachineBuilder:
    """Builds one machine. Paths are absolute paths of that machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.runner = RecordedRunner()
        self._mounts: list[str] = []
        self._usages: dict[str, FilesystemUsage] = {}
        self._tables: list[str] = []
        self._statuses: list[str] = []
        self._loops: list[dict[str, object]] = []
        self._blocks: list[dict[str, object]] = []
        self.memory = 4 * GIB
        for folder in ("proc/self", "sys/block", "sys/dev/block", "etc", "run"):
            (root / folder).mkdir(parents=True)
        self.text("/proc/cmdline", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n")

    def path(self, path: str) -> Path:
        found = self.root / path.lstrip("/")
        found.parent.mkdir(parents=True, exist_ok=True)
        return found

    def text(self, path: str, text: str) -> None:
        self.path(path).write_text(text)

    def file(self, path: str, content: Content = b"", size: int | None = None) -> None:
        """A file with this content; the rest, up to `size`, is a hole."""
        write_file(self.path(path), content)
        if size is not None:
            os.truncate(self.path(path), size)

    def cmdline(self, text: str) -> None:
        self.text("/proc/cmdline", text + "\n")

    def mount(
        self,
        number: str,
        mount_point: str,
        filesystem: str,
        source: str,
        usage: tuple[int, int] | None = None,
        options: str = "rw,relatime",
        super_options: str = "rw",
        root: str = "/",
    ) -> None:
        """A mount; `usage` is total and used bytes."""
        self._mounts.append(
            f"{20 + len(self._mounts)} 1 {number} {root} {mount_point} {options} shared:1 - "
            f"{filesystem} {source} {super_options}"
        )
        if usage is not None:
            total, used = usage
            self._usages[mount_point] = FilesystemUsage(total, used, total - used)
        self.path(f"{mount_point}/.").mkdir(parents=True, exist_ok=True)
        self.plug(number)

    def plug(self, number: str) -> None:
        (self.root / "sys/dev/block" / number).mkdir(exist_ok=True)

    def unplug(self, number: str) -> None:
        (self.root / "sys/dev/block" / number).rmdir()

    def loop(
        self, index: int, backing: str, of: str | None = None, filesystem: str = "0:1"
    ) -> None:
        """A loop device; `of` is the file of this machine behind it, for its inode."""
        folder = f"/sys/block/loop{index}"
        self.text(f"{folder}/dev", f"7:{index}\n")
        self.text(f"{folder}/loop/backing_file", backing + "\n")
        self.text(f"{folder}/loop/offset", "0\n")
        self.text(f"{folder}/ro", "0\n")
        inode = self.path(of).stat().st_ino if of else 1
        self._loops.append(
            {"name": f"/dev/loop{index}", "back-ino": inode, "back-maj:min": filesystem}
        )

    def dm(self, index: int, name: str, slaves: Sequence[str], table: str, status: str) -> None:
        folder = f"/sys/block/dm-{index}"
        self.text(f"{folder}/dev", f"254:{index}\n")
        self.text(f"{folder}/dm/name", name + "\n")
        for slave in slaves:
            self.path(f"{folder}/slaves/{slave}/.").mkdir(parents=True)
        self._tables.append(f"{name}: {table}")
        self._statuses.append(f"{name}: {status}")

    def block(self, name: str, number: str, **columns: object) -> None:
        """A row of `lsblk`."""
        row: dict[str, object] = dict.fromkeys(
            ("fstype", "label", "uuid", "model", "tran", "pkname")
        )
        row |= {"name": name, "kname": name, "path": f"/dev/{name}", "maj:min": number}
        row |= {"type": "part", "size": 16 * GIB, "ro": False, "rm": False, "hotplug": False}
        self._blocks.append(row | {"mountpoints": [None]} | columns)

    def answer(self, command: str, output: str | bytes, code: int = 0) -> None:
        data = output.encode() if isinstance(output, str) else output
        self.runner.answers[command] = (code, data)

    def probes(self, *, privileged: bool = True) -> Probes:
        self.text("/proc/self/mountinfo", "".join(line + "\n" for line in self._mounts))
        tables = "".join(line + "\n" for line in self._tables) or "No devices found\n"
        statuses = "".join(line + "\n" for line in self._statuses) or "No devices found\n"
        answers = self.runner.answers
        if privileged:
            answers.setdefault("dmsetup table", (0, tables.encode()))
            answers.setdefault("dmsetup status", (0, statuses.encode()))
            losetup = json.dumps({"loopdevices": self._loops})
            answers.setdefault("losetup --json", (0, losetup.encode()))
        answers.setdefault("lsblk", (0, json.dumps({"blockdevices": self._blocks}).encode()))
        return Probes(
            root=self.root,
            runner=self.runner,
            privileged=privileged,
            usage_of=self._usage,
            available_memory=lambda: self.memory,
        )

    def _usage(self, path: Path) -> FilesystemUsage:
        inside = "/" + str(path.resolve().relative_to(self.root.resolve()))
        while inside not in self._usages and inside != "/":
            inside = os.path.dirname(inside)  # noqa: PTH120
        if inside not in self._usages:
            raise UnreadableError("The file system at / does not answer: Input/output error.")
        return self._usages[inside]


def write_file(path: Path, content: Content) -> None:
    """Write a file, and its holes as holes: a full store is 2 MiB of metadata in 510 MiB."""
    with path.open("wb") as file:
        for offset, piece in ((0, content),) if isinstance(content, bytes) else content:
            file.seek(offset)
            file.write(piece)


@cache
def store(exceptions: int, *, valid: bool = True, first_old: int = 1000) -> Content:
    """A COW store with chunks of 4 KiB, up to its last metadata area, as the kernel writes it."""
    header = CowHeader(valid=valid)
    old_chunks = range(first_old, first_old + exceptions)
    pairs = zip(old_chunks, allocate(header.chunk_sectors), strict=False)
    return tuple(store_metadata(header, pairs))


def used_sectors(exceptions: int) -> int:
    """What the kernel's status says of `store(exceptions)`."""
    next_free = 2 + exceptions + exceptions // 256
    return (next_free + (next_free % 257 == 1)) * 4096 // SECTOR_BYTES
