"""Writing on a stick: no link is followed, a lock is one process's, what fails is told."""

import os
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.system.files import NotThereError
from liveos_tui.system.stick_writing import StickBusyError, StickFolder
from liveos_tui.system.writable_file import NoRoomError, WritableFile


def test_a_new_file_holds_what_was_written(tmp_path: Path) -> None:
    with StickFolder(tmp_path) as stick:
        stick.make_folder("jobs")
        stick.write_new("jobs/file", [(4, b"end"), (0, b"body")])

    assert (tmp_path / "jobs/file").read_bytes() == b"bodyend"


def test_a_half_written_file_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a longer one that an earlier run has left")
    with StickFolder(tmp_path) as stick:
        stick.write_new("file", [(0, b"whole")])

    assert (tmp_path / "file").read_bytes() == b"whole"


def test_the_stick_stays_the_same_when_its_path_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "stick").mkdir()
    with StickFolder(tmp_path / "stick") as stick:
        (tmp_path / "stick").rename(tmp_path / "moved")
        (tmp_path / "stick").mkdir()
        stick.write_new("file", [(0, b"here")])

    assert (tmp_path / "moved/file").read_bytes() == b"here"
    assert not (tmp_path / "stick/file").exists()


@pytest.mark.parametrize("name", ["link", "folder/file", "up/../../outside/file"])
def test_a_link_out_of_the_stick_is_not_followed(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_bytes(b"private")
    top = tmp_path / "stick"
    (top / "up").mkdir(parents=True)
    (top / "link").symlink_to(outside / "file")
    (top / "folder").symlink_to(outside)
    with StickFolder(top) as stick:
        with pytest.raises(LiveosError):
            stick.edit(name)
        with pytest.raises(LiveosError):
            stick.create(name)

    assert (outside / "file").read_bytes() == b"private"


def test_what_is_no_regular_file_is_not_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with StickFolder(tmp_path) as stick, pytest.raises(LiveosError, match="not a regular file"):
        stick.edit("fifo")


def test_a_file_that_is_not_there_cannot_be_edited(tmp_path: Path) -> None:
    with StickFolder(tmp_path) as stick, pytest.raises(NotThereError):
        stick.edit("file")


def test_one_lock_for_each_stick(tmp_path: Path) -> None:
    (tmp_path / "LiveOS").mkdir()
    with StickFolder(tmp_path) as first, StickFolder(tmp_path) as second:
        first.lock("LiveOS")
        with pytest.raises(StickBusyError, match="Another job"):
            second.lock("LiveOS")


def test_the_lock_ends_with_its_owner_and_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "LiveOS").mkdir()
    with StickFolder(tmp_path) as first:
        first.lock("LiveOS")
    with StickFolder(tmp_path) as second:
        second.lock("LiveOS")

    assert list((tmp_path / "LiveOS").iterdir()) == []


def test_a_full_file_system_is_told_as_that() -> None:
    # /dev/full answers every write with ENOSPC.
    with (
        WritableFile(os.open("/dev/full", os.O_RDWR), "overlay") as file,
        pytest.raises(NoRoomError, match="overlay could not be written"),
    ):
        file.write(0, b"more")


def test_filling_holes_changes_no_byte(tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(1 << 20)
        file.seek(300_000)
        file.write(b"in the middle")
    before = path.read_bytes()
    with StickFolder(tmp_path) as stick, stick.edit("sparse") as file_on_stick:
        file_on_stick.fill_holes(0, 1 << 20)
        file_on_stick.sync()

    assert path.read_bytes() == before
    assert path.stat().st_blocks * 512 >= 1 << 20


def test_blocks_that_are_set_aside_change_neither_size_nor_bytes(tmp_path: Path) -> None:
    path = tmp_path / "overlay"
    path.write_bytes(b"what is there")
    with StickFolder(tmp_path) as stick, stick.edit("overlay") as file:
        file.reserve(13, 1 << 20)
        file.sync()

    assert path.read_bytes() == b"what is there"
    assert path.stat().st_blocks * 512 > 13


def test_two_names_are_exchanged_at_once(tmp_path: Path) -> None:
    (tmp_path / "LiveOS").mkdir()
    (tmp_path / "LiveOS/squashfs.img").write_bytes(b"old")
    (tmp_path / "LiveOS/squashfs.alt").write_bytes(b"new")
    with StickFolder(tmp_path) as stick:
        stick.exchange("LiveOS/squashfs.img", "LiveOS/squashfs.alt")

    assert (tmp_path / "LiveOS/squashfs.img").read_bytes() == b"new"
    assert (tmp_path / "LiveOS/squashfs.alt").read_bytes() == b"old"


def test_an_exchange_without_a_partner_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "squashfs.img").write_bytes(b"old")
    with StickFolder(tmp_path) as stick, pytest.raises(LiveosError, match="could not be exchanged"):
        stick.exchange("squashfs.img", "squashfs.alt")

    assert [path.name for path in tmp_path.iterdir()] == ["squashfs.img"]


def test_a_file_that_is_moved_replaces_nothing(tmp_path: Path) -> None:
    (tmp_path / "osmin.img").write_bytes(b"moved")
    (tmp_path / "kept").write_bytes(b"kept")
    with StickFolder(tmp_path) as stick, pytest.raises(LiveosError, match="File exists"):
        stick.move("osmin.img", "kept")

    assert (tmp_path / "kept").read_bytes() == b"kept"
    assert (tmp_path / "osmin.img").read_bytes() == b"moved"
