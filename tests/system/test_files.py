"""Reading a stick that someone else has made."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from liveos_tui.errors import PrivilegeError, UnreadableError
from liveos_tui.system.files import Folder, NotThereError


@pytest.fixture
def stick(tmp_path: Path) -> Folder:
    (tmp_path / "LiveOS").mkdir()
    (tmp_path / "LiveOS/home.img").write_bytes(b"0123456789")
    return Folder(tmp_path)


def test_reads_a_file_at_an_offset(stick: Folder) -> None:
    with stick.open("LiveOS/home.img") as file:
        assert file.read(4, 3) == b"456"


def test_fewer_bytes_come_only_at_the_end(stick: Folder) -> None:
    with stick.open("LiveOS/home.img") as file:
        assert file.read(8, 100) == b"89"


def test_a_bad_sector_is_no_end(stick: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel does it: what lies before the bad sector, and then the error."""

    def pread(_: int, size: int, offset: int) -> bytes:
        if offset >= 4:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return b"0123"[offset : offset + size]

    with stick.open("LiveOS/home.img") as file:
        monkeypatch.setattr(os, "pread", pread)
        with pytest.raises(UnreadableError, match="Input/output error"):
            file.read(0, 10)


def test_an_impossible_offset_is_an_error_of_the_file(stick: Folder) -> None:
    with stick.open("LiveOS/home.img") as file, pytest.raises(UnreadableError, match=r"home\.img"):
        file.read(1 << 80, 16)


def test_a_missing_file_is_told_as_missing(stick: Folder) -> None:
    with pytest.raises(NotThereError):
        stick.open("LiveOS/squashfs.img")


def test_a_link_is_not_followed(stick: Folder, tmp_path: Path) -> None:
    (tmp_path / "LiveOS/overlay").symlink_to("/etc/shadow")
    with pytest.raises(UnreadableError):
        stick.open("LiveOS/overlay")


def test_a_link_on_the_way_is_not_followed(stick: Folder, tmp_path: Path) -> None:
    (tmp_path / "Elsewhere").symlink_to("/etc")
    with pytest.raises(UnreadableError):
        stick.open("Elsewhere/passwd")


def test_the_way_up_is_refused(stick: Folder) -> None:
    with pytest.raises(UnreadableError, match="leads out of the stick"):
        stick.open("LiveOS/../../etc/passwd")


def test_a_fifo_does_not_hang_and_is_not_read(stick: Folder, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "LiveOS/squashfs.img")
    with pytest.raises(UnreadableError, match="not a regular file"):
        stick.open("LiveOS/squashfs.img")


def test_a_file_that_has_changed_has_another_identity(stick: Folder, tmp_path: Path) -> None:
    with stick.open("LiveOS/home.img") as file:
        before = file.identity
    (tmp_path / "LiveOS/home.img").write_bytes(b"longer than it was")
    with stick.open("LiveOS/home.img") as file:
        assert file.identity != before


def test_holes_of_a_sparse_file_are_seen(stick: Folder, tmp_path: Path) -> None:
    os.truncate(tmp_path / "LiveOS/home.img", 10 << 20)
    with stick.open("LiveOS/home.img") as file:
        assert file.identity.size_bytes == 10 << 20
        assert file.identity.allocated_bytes < 1 << 20


def test_names_are_sorted(stick: Folder, tmp_path: Path) -> None:
    (tmp_path / "LiveOS/a").touch()

    assert stick.names("LiveOS") == ("a", "home.img")


@pytest.fixture
def refusal(stick: Folder, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], PrivilegeError]:
    """What a user who may not read the stick is told."""

    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    def told(user: int) -> PrivilegeError:
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(PrivilegeError) as caught:
            stick.is_folder("LiveOS")
        return caught.value

    return told


def test_a_file_of_others_asks_for_root(refusal: Callable[[int], PrivilegeError]) -> None:
    assert refusal(os.geteuid() + 1).hint.endswith("It belongs to another user: run it as root.")


def test_a_file_of_ones_own_asks_for_the_right_that_it_lacks(
    refusal: Callable[[int], PrivilegeError], tmp_path: Path
) -> None:
    assert f"It is your own: `chmod u+rX {tmp_path}`" in refusal(os.geteuid()).hint
