"""Looks at what a power cut has left of a stick, on this machine and without a kernel's help.

Image and overlay are taken by the names that a boot looks for. The image has to be the old one or
the new one, byte for byte. The overlay's chunks are laid over the root file system in it; e2fsck
replays the journal, as a mount does, and then e2fsck -f -n has to find nothing; debugfs gives the
files. A boot shows the same with the kernel's own code, and takes a minute or more in emulation;
this takes some seconds.
"""

import hashlib
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numbered
from cut_points import Cut, NotWellError
from live_cuts import LiveRecording, expect_none
from states import copy_sparse
from stick import OVERLAY
from writelog import SECTOR, LaidOut

_IMAGE, _ROOT = "squashfs.img", "LiveOS/rootfs.img"
_HEADER = struct.Struct("<4s3I")
_PAIR = struct.Struct("<2Q")


class Laboratory:
    """Looks at cuts one after the other, as `LaidOut` has them. Its files are in `folder`."""

    def __init__(self, folder: Path, recording: LiveRecording) -> None:
        self._folder, self._recording = folder, recording
        self._disk = copy_sparse(recording.disk, folder / "cut.img")
        self._laid_out = LaidOut(self._disk, recording.log, recording.writes)
        self._roots: dict[str, Path] = {}

    def look(self, cut: Cut, told_at: Cut | None = None) -> str:
        """What a cut has left, in words. Raises NotWellError.

        With `told_at` what had been told by then has to be there, and not by the cut.
        """
        self._laid_out.lay_out(cut.kept, cut.piece)
        base, which = self._base()
        root = copy_sparse(base, self._folder / "root.img")
        overlay = self._copy_out(OVERLAY)
        chunks = _lay_over(root, overlay)
        self._check(root)
        expect_none(numbered.lost_of(self._files(root), *self._recording.told_by(told_at or cut)))
        return f"well: {which} image, {chunks} chunks"

    def _base(self) -> tuple[Path, str]:
        """The root file system in the image, and which image that is."""
        image = self._copy_out(_IMAGE)
        with image.open("rb") as file:
            known = hashlib.file_digest(file, "sha256").hexdigest()
        if known not in self._roots:
            if len(self._roots) == 2:
                raise NotWellError(f"{_IMAGE} is neither the old image nor the new one")
            root = self._folder / f"base-{len(self._roots)}.img"
            with root.open("xb") as file:
                _unpack(image, file.fileno())
            # With holes, so that copies cost less.
            self._roots[known] = copy_sparse(root, root.with_suffix(".sparse"))
            root.unlink()
        return self._roots[known], ("old", "new")[list(self._roots).index(known)]

    def _copy_out(self, name: str) -> Path:
        target = self._folder / name
        argv = ["mcopy", "-n", "-o", "-i", str(self._disk), f"::/LiveOS/{name}", str(target)]
        said = subprocess.run(argv, capture_output=True, text=True, check=False)
        if said.returncode != 0:
            raise NotWellError(f"{name} cannot be read: {said.stderr}")
        return target

    def _check(self, root: Path) -> None:
        for how in (("-E", "journal_only", "-y"), ("-f", "-n")):
            argv = ["e2fsck", *how, str(root)]
            said = subprocess.run(argv, capture_output=True, text=True, check=False)
            if said.returncode not in {0, 1} or (said.returncode == 1 and "-n" in how):
                raise NotWellError(f"{argv} ended with {said.returncode}:\n{said.stdout[-1500:]}")

    def _files(self, root: Path) -> str:
        """What LOOK says of the writer's folder in this root."""
        out = self._folder / "files"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        dump = f"rdump /{numbered.FOLDER} {out}"
        subprocess.run(["debugfs", "-R", dump, root], capture_output=True, check=True)
        folder = out / Path(numbered.FOLDER).name
        look = ["python3", "-c", numbered.LOOK, str(folder)]
        return subprocess.run(look, capture_output=True, text=True, check=True).stdout


def _unpack(image: Path, descriptor: int) -> None:
    said = subprocess.run(
        ["unsquashfs", "-cat", image, _ROOT],
        stdout=descriptor,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if said.returncode != 0:
        raise NotWellError(f"the image cannot be unpacked: {said.stderr}")


def _lay_over(root: Path, overlay: Path) -> int:
    """Write what an overlay has over its base, as dm-snapshot has it; how many chunks that is."""
    chunks = 0
    with overlay.open("rb") as store, root.open("r+b") as target:
        magic, valid, version, sectors = _HEADER.unpack(store.read(_HEADER.size))
        if (magic, valid, version) != (b"SnAp", 1, 1):
            raise NotWellError(f"the overlay's header is {magic!r}, {valid}, {version}")
        size = sectors * SECTOR
        for old, new in _exceptions(store.fileno(), size, overlay.stat().st_size // size):
            store.seek(new * size)
            target.seek(old * size)
            target.write(store.read(size))
            chunks += 1
    return chunks


def _exceptions(store: int, size: int, most: int) -> Iterator[tuple[int, int]]:
    """Chunks of the base and where they are in the store: an area of pairs before their chunks.

    Source: drivers/md/dm-snap-persistent.c.
    """
    pairs = size // _PAIR.size
    for area in range(1, most, pairs + 1):
        for old, new in _PAIR.iter_unpack(os.pread(store, size, area * size)):
            if new == 0:
                return
            yield old, new
