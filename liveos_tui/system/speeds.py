"""How fast an image is made here, and how small it becomes: short measurements, nothing kept.

What is written goes to a private folder in memory, never to the stick.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.system import squashfs
from liveos_tui.system.files import open_own
from liveos_tui.system.private_folder import private_folder, remove_tree, state_folder
from liveos_tui.system.runner import Runner

_SAMPLE_BYTES = 16 << 20
_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Speeds:
    """Bytes a second: read from the medium, unpacked on one processor, compressed on all."""

    reads: float
    unpacks: float
    compresses: float


def measure_speeds(
    runner: Runner,
    image: Path,
    member: str,
    compressor: str,
    block_bytes: int,
    level: int | None = None,
) -> Speeds | None:
    """Time a sample of an image; None where that cannot be done."""
    try:
        reads = _timed(lambda: _read_from_medium(image))
        began = time.monotonic()
        sample = squashfs.read_start(runner, image, member, _SAMPLE_BYTES)
        unpacks = _rate(len(sample), began)
        began = time.monotonic()
        _compress(runner, sample, compressor, block_bytes, level)
        compresses = _rate(len(sample), began)
    except (LiveosError, OSError):
        return None
    return Speeds(reads, unpacks, compresses)


def compressed_bytes(
    runner: Runner, sample: bytes, compressor: str, block_bytes: int, level: int | None = None
) -> int | None:
    """How large an image of a sample is; None where that cannot be found out."""
    try:
        return _compress(runner, sample, compressor, block_bytes, level)
    except (LiveosError, OSError):
        return None


def _compress(
    runner: Runner, sample: bytes, compressor: str, block_bytes: int, level: int | None
) -> int:
    """Make an image of a sample; its size. Raises LiveosError and OSError."""
    folder = private_folder(state_folder() / f"sample-{os.getpid()}")
    try:
        (folder / "sample").write_bytes(sample)
        argv = [
            *("mksquashfs", str(folder / "sample"), str(folder / "image")),
            *("-noappend", "-no-progress", "-quiet", "-nopad", "-comp", compressor),
            *("-b", str(block_bytes)),
            *(("-Xcompression-level", str(level)) if level is not None else ()),
        ]
        runner.run(argv, timeout=_TIMEOUT_SECONDS)
        return (folder / "image").stat().st_size
    finally:
        remove_tree(folder)


def _read_from_medium(image: Path) -> int:
    with open_own(image) as file:
        middle = file.identity.size_bytes // 2
        file.forget_cache()
        return len(file.read(middle, _SAMPLE_BYTES))


def _timed(read: Callable[[], int]) -> float:
    began = time.monotonic()
    return _rate(read(), began)


def _rate(count: int, began: float) -> float:
    return max(1, count) / max(time.monotonic() - began, 1e-3)
