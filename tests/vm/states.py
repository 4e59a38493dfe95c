"""Booted machines kept as files: a boot in emulation takes a minute, waking up a second.

A state is the memory and the disk of one machine at one instant. It fits only the machine that it
was taken of, so its name is made of everything that QEMU was told.
"""

import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import CACHE, Machine, qemu_base

_FOLDER = CACHE / "states"


@dataclass(frozen=True)
class State:
    """A place for a machine's memory (`memory`, zstd) and disk (`disk`, raw and sparse)."""

    folder: Path

    @property
    def memory(self) -> Path:
        return self.folder / "memory.zst"

    @property
    def disk(self) -> Path:
        return self.folder / "disk.img"

    @property
    def exists(self) -> bool:
        """Whether a machine was saved here."""
        return self.folder.exists()

    @property
    def incoming(self) -> list[str]:
        """QEMU's arguments to start from this state. The machine is paused then."""
        return ["-S", "-incoming", f"exec:zstd -dcq {self.memory}"]

    def save(self, machine: Machine, disk: Path) -> None:
        """Save a machine and its disk while it is paused; it goes on afterwards."""
        unfinished = self.folder.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        part = State(unfinished)
        machine.execute("stop")
        machine.save(f"exec:zstd -1 -q -T0 -o {part.memory}")
        copy_sparse(disk, part.disk)
        unfinished.rename(self.folder)
        machine.execute("cont")


def copy_sparse(source: Path, target: Path) -> Path:
    """Copy a disk with its holes; at no cost where the file system can share blocks. The copy."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)
    return target


@contextmanager
def state_of(arguments: Sequence[str], memory_mib: int) -> Iterator[State]:
    """The state of a machine with these arguments, locked: two runs do not save it both.

    States of sticks that are not built any more are removed.
    """
    built = "-".join((CACHE / name).readlink().name for name in ("stick", "site"))
    told = "\0".join([*qemu_base(memory_mib), *arguments])
    name = hashlib.sha256(told.encode()).hexdigest()[:16]
    folder = _FOLDER / built
    folder.mkdir(parents=True, exist_ok=True)
    with (_FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for old in _FOLDER.iterdir():
            if old.is_dir() and old != folder:
                shutil.rmtree(old)
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield State(folder / name)
