"""Making a squashfs of a stream with the real mksquashfs."""

import os
import random
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from liveos_tui.errors import CancelledError, LiveosError, UnreadableError
from liveos_tui.formats.squash_command import SquashOptions
from liveos_tui.system import squashing
from liveos_tui.system.merged import MergedReader, Origin, Stretch
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.squashfs import members, outer_modes
from liveos_tui.system.squashing import (
    compressors,
    squash,
    trouble_of,
    version,
)
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import NoRoomError

pytestmark = pytest.mark.real_tools

MIB = 1 << 20
MEMBER = "LiveOS/rootfs.img"
FAST = SquashOptions("zstd", 128 << 10, 1)


def parts(*sizes: tuple[Origin, int]) -> tuple[Stretch, ...]:
    found, at = [], 0
    for origin, size in sizes:
        found.append(Stretch(origin, at, size))
        at += size
    return tuple(found)


PARTS = parts((Origin.BASE, 3 * MIB), (Origin.NOTHING, 9 * MIB), (Origin.VIEW, 4 * MIB))


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base"
    path.write_bytes(random.Random(3).randbytes(16 * MIB))
    return path


def made(
    folder: Path,
    base: Path,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    options: SquashOptions = FAST,
    stretches: tuple[Stretch, ...] = PARTS,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> list[str]:
    """Makes new.img in a folder; the lines that were told."""
    told: list[str] = []
    with (
        StickFolder(folder) as stick,
        MergedReader(base, base, stretches) as reader,
        stick.create("new.img") as target,
    ):
        squash(
            reader,
            target,
            MEMBER,
            options,
            scratch=folder,
            on_line=told.append,
            on_progress=on_progress,
            cancelled=cancelled,
        )
    return told


def content(image: Path) -> bytes:
    argv = ["unsquashfs", "-no-progress", "-cat", str(image), MEMBER]
    return subprocess.run(argv, check=True, capture_output=True).stdout


def test_the_member_is_the_stream(tmp_path: Path, base: Path) -> None:
    progress: list[tuple[int, int]] = []
    told = made(tmp_path, base, on_progress=lambda done, total: progress.append((done, total)))
    data = base.read_bytes()
    assert content(tmp_path / "new.img") == data[: 3 * MIB] + bytes(9 * MIB) + data[12 * MIB :]
    assert progress[-1] == (16 * MIB, 16 * MIB)
    assert any("Creating 4.0 filesystem" in line for line in told)
    assert not list(tmp_path.glob("top-*"))


def test_all_is_roots_with_the_usual_modes(tmp_path: Path, base: Path) -> None:
    made(tmp_path, base)
    argv = ["unsquashfs", "-lln", str(tmp_path / "new.img")]
    listed = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split() for line in listed if "squashfs-root" in line]
    assert [(row[0], row[1]) for row in rows] == [
        ("drwxr-xr-x", "0/0"),
        ("drwxr-xr-x", "0/0"),
        ("-rw-r--r--", "0/0"),
    ]
    assert members(SystemRunner(), tmp_path / "new.img", MEMBER)[MEMBER] == 16 * MIB


def test_modes_of_the_old_image_are_kept(tmp_path: Path, base: Path) -> None:
    modes = (("", 0o555), ("LiveOS", 0o750), (MEMBER, 0o600))
    made(tmp_path, base, options=SquashOptions("gzip", 64 << 10, modes=modes))
    assert outer_modes(SystemRunner(), tmp_path / "new.img", MEMBER) == modes


def test_no_descriptor_and_no_thread_is_left(tmp_path: Path, base: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    made(tmp_path, base)
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count()) == before


def test_a_source_that_cannot_be_read_ends_it_with_the_place(tmp_path: Path, base: Path) -> None:
    os.truncate(base, 14 * MIB + 5)
    with pytest.raises(UnreadableError, match=f"cannot be read at byte {14 * MIB + 5}"):
        made(tmp_path, base)


def test_a_feeder_that_dies_is_an_error(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> NoReturn:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(MergedReader, "send", die)
    with pytest.raises(LiveosError, match="cannot be written: Input/output error"):
        made(tmp_path, base)


def test_a_shell_that_is_killed_is_an_error(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pseudo-file's command is gone: what was fed until then is no image."""

    def send(self: MergedReader, pipe: int, stop: threading.Event) -> None:
        os.write(pipe, bytes(1000))
        (shell,) = filter(is_shell_of_pseudo_file, Path("/proc").glob("[0-9]*"))
        os.kill(int(shell.name), 9)

    monkeypatch.setattr(MergedReader, "send", send)
    with pytest.raises(LiveosError, match="mksquashfs could not make the new image"):
        made(tmp_path, base)


def is_shell_of_pseudo_file(folder: Path) -> bool:
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
        return words[0].endswith(b"sh") and words[2].startswith(b"exec 3>&1; echo $$")
    except (OSError, IndexError):
        return False


def test_a_stream_that_ends_too_early_is_an_error(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MergedReader, "send", lambda self, pipe, stop: None)
    with pytest.raises(LiveosError, match=f"took 0 bytes of {16 * MIB} only"):
        made(tmp_path, base)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("No space left on device", NoRoomError, "has no room on the stick"),
        ("File too large", NoRoomError, "larger than a file can be there"),
        ("Input/output error", LiveosError, "FATAL ERROR: Failed to write"),
    ],
)
def test_why_mksquashfs_could_not_write_is_told(
    tmp_path: Path,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    said: str,
    kind: type[LiveosError],
    words: str,
) -> None:
    """What it says in front of a full file system (tests/data/mksquashfs/nospace.out)."""
    script = f"echo 'Write failed because {said}'; echo 'FATAL ERROR: Failed to write'; exit 1"
    monkeypatch.setattr(squashing, "squash_command", lambda *_, **__: ("sh", "-c", script, "sh"))
    with pytest.raises(kind, match=words):
        made(tmp_path, base)


def test_it_can_be_cancelled_in_the_middle(tmp_path: Path, base: Path) -> None:
    slow = SquashOptions("xz", 1 << 20)
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(CancelledError):
        made(tmp_path, base, cancelled=cancelled, options=slow)


def test_a_compressor_that_is_not_there_is_told(tmp_path: Path, base: Path) -> None:
    with pytest.raises(LiveosError, match="could not make the new image"):
        made(tmp_path, base, options=SquashOptions("foo", 128 << 10))


def test_version_and_compressors_of_this_machine() -> None:
    runner = SystemRunner()
    assert version(runner) >= (4, 4, 0)
    assert {"gzip", "xz", "zstd"} <= compressors(runner)


@pytest.mark.parametrize(
    ("found", "stream", "mirror"),
    [
        ((4, 3, 0), True, True),
        ((4, 4, 0), False, False),
        ((4, 5, 1), False, False),
        ((4, 6, 1), False, False),
        ((4, 7, 0), False, True),
        ((4, 7, 2), False, True),
        ((4, 7, 3), True, True),
        ((4, 7, 4), True, True),
        ((4, 7, 5), False, False),
    ],
)
def test_versions_that_corrupt_are_refused(
    found: tuple[int, int, int], stream: bool, mirror: bool
) -> None:
    assert (trouble_of(found, "stream") is not None) == stream
    assert (trouble_of(found, "mirror") is not None) == mirror
