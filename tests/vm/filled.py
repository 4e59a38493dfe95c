"""Sticks whose overlay was filled to the end by a program that writes and syncs files.

A stick is a folder here: `LiveOS/rootfs.img`, a small ext4 base image, and a COW store beside it.
Its store is what the kernel left of it when it refused the first write, as after a power cut.
"""

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import pytest

CHUNK_BYTES = 4096
BASE_BYTES = 256 << 20
STORE_BYTES = 16 << 20
STORE_NAME = "overlay-LANE-1234-ABCD"
KINDS = ("P", "PO")
TRIALS = 10
"""Filled sticks of each kind of table."""
_IN_CI = 3
"""So many of each kind are looked at in CI, all of them with LIVEOS_VM_THOROUGH=1."""
_NAME = "lane-filled"
_FOLDERS = 64
_PIECE_BYTES = 1 << 16


def command(*words: str | Path, ok: Sequence[int] = (0,)) -> str:
    """Standard output of a command that has to end with one of these exit codes."""
    finished = subprocess.run([str(word) for word in words], capture_output=True, check=False)
    said = (finished.stdout + finished.stderr).decode(errors="replace")
    assert finished.returncode in ok, f"{words} ended with {finished.returncode}: {said}"
    return finished.stdout.decode(errors="replace").strip()


@contextmanager
def tmpfs(folder: Path, size: str) -> Iterator[Path]:
    """A new file system in memory, of its own size ("17m")."""
    folder.mkdir()
    command("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder)
    try:
        yield folder
    finally:
        command("umount", folder)


def exit_code(*words: str | Path) -> int:
    """How a command ends that may fail."""
    return subprocess.run(
        [str(word) for word in words], capture_output=True, check=False
    ).returncode


def fingerprint(path: Path) -> str:
    """A hash of a file's size and bytes, for which holes take no time and are like zeros."""
    digest = hashlib.sha256(b"%d" % path.stat().st_size)
    with path.open("rb", buffering=0) as file:
        at = _next_data(file.fileno(), 0)
        while at is not None:
            piece = os.pread(file.fileno(), _PIECE_BYTES - at % _PIECE_BYTES, at)
            if piece.strip(b"\0"):
                digest.update(b"%d:" % at + piece)
            at = _next_data(file.fileno(), at + len(piece))
    return digest.hexdigest()


def _next_data(descriptor: int, offset: int) -> int | None:
    try:
        # Whole pieces, so that the same bytes make the same pieces.
        return os.lseek(descriptor, offset, os.SEEK_DATA) // _PIECE_BYTES * _PIECE_BYTES
    except OSError:
        return None


def hashes(folder: Path) -> dict[str, str]:
    """The fingerprint of every file below a folder."""
    return {
        str(path.relative_to(folder)): fingerprint(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def loop(file: Path, *options: str) -> Iterator[str]:
    """A loop device of a file."""
    device = command("losetup", "-f", "--show", *options, file)
    try:
        yield device
    finally:
        command("losetup", "-d", device)


@contextmanager
def joined(base: Path, store: Path, persistence: str = "PO") -> Iterator[Path]:
    """Base and store as one device, as dracut makes it."""
    with loop(base, "-r") as base_loop, loop(store) as store_loop:
        sectors = base.stat().st_size // 512
        table = f"0 {sectors} snapshot {base_loop} {store_loop} {persistence} 8"
        command("dmsetup", "create", _NAME, "--table", table)
        try:
            yield Path("/dev/mapper") / _NAME
        finally:
            command("dmsetup", "remove", "--retry", _NAME)


@contextmanager
def mounted(device: Path, folder: Path, *options: str) -> Iterator[Path]:
    """A file system mounted on a folder that is made for it."""
    folder.mkdir(exist_ok=True)
    command("mount", *options, device, folder)
    try:
        yield folder
    finally:
        command("umount", folder)


def status() -> str:
    """What the kernel says of the device of `joined`: figures, or the illness."""
    return command("dmsetup", "status", _NAME).split(" ", 3)[3]


def leftovers() -> dict[str, str]:
    """All that a job can forget in the kernel: dm devices, loop devices, mounts of its own."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    return {
        "dm": command("dmsetup", "ls").replace("No devices found", ""),
        "loops": command("losetup", "--list", "--noheadings", "--output", "NAME,BACK-FILE"),
        "mounts": "\n".join(line for line in mounts if "liveos-tui" in line),
    }


def make_base(image: Path, tree: Path) -> None:
    """An ext4 base image with a little system in it, spread over many block groups."""
    for name in ("etc", "usr/lib", "srv"):
        (tree / name).mkdir(parents=True)
    (tree / "etc/os-release").write_text('NAME="lane"\nID=lane\n')
    for number in range(40):
        data = random.Random(number).randbytes(64 << 10)
        (tree / f"usr/lib/lib{number}.so").write_bytes(data)
    for number in range(_FOLDERS):
        (tree / f"srv/{number}").mkdir()
    with image.open("xb") as file:
        file.truncate(BASE_BYTES)
    # Small groups: bitmaps and inode tables lie all over the device, as in a base of 8 GiB.
    lazy = "lazy_itable_init=0,lazy_journal_init=0"
    command("mkfs.ext4", "-q", "-b", "4096", "-g", "4096", "-E", lazy, "-d", tree, image)


@dataclass(frozen=True, slots=True)
class FilledStick:
    """A stick with a full overlay. `files`: hashes of what was synced before, by path."""

    folder: Path
    persistence: str
    files: Mapping[str, str]

    @property
    def base(self) -> Path:
        """The base image."""
        return self.folder / "LiveOS/rootfs.img"

    @property
    def store(self) -> Path:
        """The overlay: a COW store."""
        return self.folder / "LiveOS" / STORE_NAME

    @property
    def job(self) -> str:
        """The id of the one job whose journal is on the stick."""
        (folder,) = (self.folder / "liveos-tui-jobs").iterdir()
        return folder.name

    def copy(self, folder: Path) -> "FilledStick":
        """The same stick once more, its files with their holes."""
        command("cp", "-r", "--sparse=always", self.folder, folder)
        return FilledStick(folder, self.persistence, self.files)

    def kept(self, work: Path) -> list[str]:
        """The synced files that are there with all their bytes, seen through base and store."""
        with (
            joined(self.base, self.store) as device,
            mounted(device, work / "kept", "-o", "ro,noload") as root,
        ):
            return [name for name, known in self.files.items() if _hash(root / name) == known]

    def check(self) -> int:
        """What `e2fsck -f -n` says of the file system seen through base and store."""
        with joined(self.base, self.store) as device:
            return exit_code("e2fsck", "-f", "-n", device)


def _hash(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def filled(
    folder: Path,
    base: Path,
    persistence: str,
    seed: int,
    *,
    size_bytes: int = STORE_BYTES,
    sparse: bool = False,
    becomes: str | None = None,
) -> FilledStick:
    """Make a stick in a new folder, and write to it until the kernel refuses.

    The seed decides sizes, places and bytes of the files. `becomes` is what the kernel has to say
    at the end, Invalid for P and Overflow for PO unless told.
    """
    (folder / "LiveOS").mkdir(parents=True)
    stick = FilledStick(folder, persistence, {})
    try:
        os.link(base, stick.base)
    except OSError:
        command("cp", "--sparse=always", base, stick.base)
    with stick.store.open("xb") as file:
        file.truncate(size_bytes)
        if not sparse:
            os.posix_fallocate(file.fileno(), 0, size_bytes)
    with joined(base, stick.store, persistence) as device:
        with mounted(device, folder.with_suffix(".mounted")) as root:
            files = _write_until_refused(root, random.Random(seed))
        ill = status()
    assert ill == (becomes or {"P": "Invalid", "PO": "Overflow"}[persistence])
    return FilledStick(folder, persistence, files)


def _write_until_refused(root: Path, chance: random.Random) -> dict[str, str]:
    """Write files and sync each; hashes of those whose fsync has returned."""
    files: dict[str, str] = {}
    while True:
        name = f"srv/{chance.randrange(_FOLDERS)}/{len(files):04}"
        data = chance.randbytes(chance.choice((700, 3_000, 9_000, 60_000)))
        try:
            with (root / name).open("xb", buffering=0) as file:
                file.write(data)
                os.fsync(file.fileno())
        except OSError:
            return files
        files[name] = hashlib.sha256(data).hexdigest()


EACH_TRIAL = [
    pytest.param(number, marks=[pytest.mark.thorough] if number % TRIALS >= _IN_CI else [])
    for number in range(len(KINDS) * TRIALS)
]
"""Numbers of `Trials`, for a test's parameters."""


class Trials(Sequence[FilledStick]):
    """Sticks of both kinds, those with table P first; each is filled when it is asked for."""

    def __init__(self, folder: Path, base: Path) -> None:
        self._folder = folder
        self._base = base
        self._filled: dict[int, FilledStick] = {}

    def __len__(self) -> int:
        return len(KINDS) * TRIALS

    @overload
    def __getitem__(self, index: int) -> FilledStick: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FilledStick]: ...
    def __getitem__(self, index: int | slice) -> FilledStick | Sequence[FilledStick]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError
        if index not in self._filled:
            kind, seed = KINDS[index // TRIALS], index % TRIALS
            self._filled[index] = filled(self._folder / f"{kind}-{seed}", self._base, kind, seed)
        return self._filled[index]
