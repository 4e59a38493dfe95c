"""Which folders will do for the copy of a merge."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.system import work_folder as module
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.work_folder import NoWorkFolderError, WorkFolder, device_number, work_folder

GIB = 1 << 30
DISK = WorkFolder("/var/tmp", "ext4", "8:1", 10 * GIB)


def test_a_folder_with_room_will_do() -> None:
    assert why_not_work_folder(DISK, 10 * GIB, {"254:0"}) is None


def test_a_folder_without_the_room_will_not() -> None:
    assert why_not_work_folder(DISK, 11 * GIB) == (
        "/var/tmp has too little room: 11 GiB are needed, 10 GiB are free there."
    )


def test_memory_will_do_when_there_is_enough() -> None:
    memory = WorkFolder("/run/it", "tmpfs", "0:25", 3 * GIB)
    assert memory.in_memory
    assert why_not_work_folder(memory, 2 * GIB) is None
    assert why_not_work_folder(memory, 4 * GIB) == (
        "/run/it has too little room: 4.0 GiB are needed, 3.0 GiB are free in memory."
    )


def test_the_overlays_own_root_will_not_however_much_room_it_has() -> None:
    problem = why_not_work_folder(replace(DISK, number="254:0"), GIB, {"254:0"})
    assert problem == "/var/tmp lies on the overlay itself: what is written there fills it."


def test_a_fat_holds_no_copy_of_four_gibibytes() -> None:
    fat = WorkFolder("/mnt", "vfat", "8:17", 100 * GIB)
    assert why_not_work_folder(fat, 4 * GIB - 1) is None
    assert "no file has 4.0 GiB" in (why_not_work_folder(fat, 4 * GIB) or "")


def test_a_folder_that_may_not_be_written_will_not() -> None:
    problem = why_not_work_folder(replace(DISK, writable=False), GIB)
    assert problem == "/var/tmp may not be written."


def test_a_folder_of_this_machine_is_looked_at(tmp_path: Path) -> None:
    found = work_folder(tmp_path)
    assert found.path == str(tmp_path.resolve())
    assert found.number == device_number(tmp_path)
    assert found.free_bytes > 0
    assert found.writable


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    assert work_folder(tmp_path / "link").path == str((tmp_path / "folder").resolve())


def test_a_copy_in_memory_may_not_take_what_programs_need(monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.path.ismount("/dev/shm"):
        return
    usage = FilesystemUsage(total_bytes=8 * GIB, used_bytes=0, free_bytes=8 * GIB)
    monkeypatch.setattr(module, "filesystem_usage", lambda _: usage)
    monkeypatch.setattr(module, "available_memory", lambda: GIB)
    assert work_folder(Path("/dev/shm")).free_bytes == GIB


@pytest.mark.parametrize("name", ["nothing", "file", "circle"])
def test_what_is_no_folder_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to("circle")
    with pytest.raises(NoWorkFolderError, match="folder"):
        work_folder(tmp_path / name)
