"""Images and stores that promise terabytes, or are something else than they seem."""

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from runners import says

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowError, CowHeader, summarise
from liveos_tui.live.local import LocalMachine
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.joining import look_at_store
from liveos_tui.system.loops import loops_of
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.squashfs import members, read_start

pytestmark = pytest.mark.real_tools

MEMBER = "LiveOS/rootfs.img"
TIB = 1 << 40
# What waits for a FIFO waits for ever; a machine that is busy takes its time.
_AT_ONCE_SECONDS = 20.0
_SQUASHFS_HEAD = Path(__file__).parents[1] / "data/images/squashfs-gzip.head"


def mksquashfs(image: Path, tree: Path, *words: str) -> Path:
    options = ("-noappend", "-no-progress", "-all-root", *words)
    argv = ["mksquashfs", str(tree), str(image), *options]
    subprocess.run(argv, check=True, capture_output=True)
    return image


def listed(size_bytes: int) -> bytes:
    return f"-rw-r--r-- 0/0 {size_bytes} 2026-01-01 00:00 squashfs-root/{MEMBER}\n".encode()


def refused(image: Path, scratch: Path, output: bytes | None = None) -> str:
    """Why the member of an image is not joined; nothing of it is left."""
    scratch.mkdir()
    runner = SystemRunner() if output is None else says(output)
    with (
        pytest.raises(LiveosError) as caught,
        UserSpaceJoiner(runner, scratch).base(image, MEMBER, "job"),
    ):
        pass
    assert list(scratch.iterdir()) == []
    return caught.value.message


def test_an_image_that_unpacks_to_terabytes_is_refused_before_a_byte_is_written(
    tmp_path: Path,
) -> None:
    image = tmp_path / "squashfs.img"
    image.write_bytes(_SQUASHFS_HEAD.read_bytes())

    assert "4.0 TiB" in refused(image, tmp_path / "scratch", listed(4 * TIB))


def test_an_image_that_holds_more_than_it_says_is_cut_off(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "LiveOS").mkdir(parents=True)
    (tree / MEMBER).touch()
    os.truncate(tree / MEMBER, 64 << 20)
    image = mksquashfs(tmp_path / "squashfs.img", tree)
    assert image.stat().st_size < 1 << 20

    assert "larger than" in refused(image, tmp_path / "scratch", listed(4096))


def test_of_a_bomb_only_the_start_is_read(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "LiveOS").mkdir(parents=True)
    (tree / MEMBER).touch()
    os.truncate(tree / MEMBER, 256 << 20)
    image = mksquashfs(tmp_path / "squashfs.img", tree)
    began = time.monotonic()

    assert read_start(SystemRunner(), image, MEMBER, 65536) == bytes(65536)
    assert time.monotonic() - began < _AT_ONCE_SECONDS


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 20, "-1", ""])
def test_a_size_that_no_file_has_is_none(number: str) -> None:
    output = listed(0).replace(b" 0 2026", f" {number} 2026".encode())

    assert members(says(output), Path("/image"), MEMBER) == {}


# Names in an image decide nothing: a member is a plain file or none.

_MEMBERS = {"a link": "s 777 0 0 /dev/zero", "a device": "b 600 0 0 8 0", "a FIFO": "i 600 0 0 f"}


@pytest.mark.parametrize("kind", _MEMBERS)
def test_a_member_that_is_no_plain_file_is_not_read(tmp_path: Path, kind: str) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    pseudo = ("-p", "LiveOS d 755 0 0", "-p", f"{MEMBER} {_MEMBERS[kind]}")
    image = mksquashfs(tmp_path / "squashfs.img", tree, *pseudo)
    began = time.monotonic()

    assert refused(image, tmp_path / "scratch")
    assert time.monotonic() - began < _AT_ONCE_SECONDS


def _no_image(path: Path) -> None:
    """Nothing is there."""


def _link(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _folder(path: Path) -> None:
    path.mkdir()


KINDS: Mapping[str, Callable[[Path], None]] = {
    "a FIFO": os.mkfifo,
    "a link to a device": _link,
    "a folder": _folder,
    "nothing": _no_image,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["squashfs.img", "overlay-LIVE-12AB-CDEF", "home.img"])
def test_a_file_of_a_stick_that_is_none_is_told_at_once(
    tmp_path: Path, name: str, kind: str
) -> None:
    live = tmp_path / "LiveOS"
    live.mkdir()
    for each in ("squashfs.img", "overlay-LIVE-12AB-CDEF", "home.img"):
        (live / each).write_bytes(bytes(8192))
    (live / name).unlink()
    KINDS[kind](live / name)
    began = time.monotonic()
    with suppress(LiveosError):
        watch = LocalMachine().open(str(tmp_path))
        watch.sample()
        watch.close()

    assert time.monotonic() - began < _AT_ONCE_SECONDS


# Stores.


def test_a_store_with_more_exceptions_than_chunks_is_not_loaded(tmp_path: Path) -> None:
    """The kernel would take memory for each: of a chunk of 1 GiB some GiB."""
    chunk_sectors = 1 << 15
    chunk_bytes = chunk_sectors * 512
    store = tmp_path / "overlay"
    with store.open("wb") as file:
        file.write(CowHeader(chunk_sectors=chunk_sectors).to_bytes())
        file.seek(chunk_bytes)
        file.write(b"\2" * (1 << 20))
        file.truncate(3 * chunk_bytes)
    data = store.read_bytes()
    summary = summarise(lambda offset, size: data[offset : offset + size], len(data))

    assert summary.exceptions == 65536
    assert "more than the file has chunks" in (summary.damage or "")
    with pytest.raises(CowError, match="more than the file has chunks"):
        look_at_store(store, None)


def test_an_exception_that_points_far_out_is_told_and_takes_no_room(tmp_path: Path) -> None:
    store = tmp_path / "overlay"
    with store.open("wb") as file:
        file.write(CowHeader().to_bytes())
        file.seek(4096)
        file.write((5).to_bytes(8, "little") + (1 << 62).to_bytes(8, "little"))
        file.truncate(1 << 20)
    scratch, base = tmp_path / "scratch", tmp_path / "base"
    scratch.mkdir()
    base.write_bytes(bytes(1 << 20))
    joiner = UserSpaceJoiner(SystemRunner(), scratch)
    with joiner.view(base, store, "job", read_only=True) as view, pytest.raises(LiveosError):
        view.read(5 * 4096, 4096)

    assert store.stat().st_size == 1 << 20


@pytest.mark.parametrize(
    "output",
    [
        b"[" * 100_000,
        b'{"loopdevices": [{"name": "/dev/loop0", "back-ino": 1e999, "back-maj:min": "8:1"}]}',
        b'{"loopdevices": [7]}',
        b'{"loopdevices": 7}',
        b"\xff",
    ],
)
def test_a_list_of_loop_devices_that_makes_no_sense_tells_of_none(output: bytes) -> None:
    assert loops_of(says(output), (12, "8:1")) == ()
