"""Looking at a device that is not mounted: what is mounted, where, and that it is taken down."""

import os
from pathlib import Path

import pytest
from runners import fails, says

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.system import mounts
from liveos_tui.system.mounts import clean_up_stale_mounts, inspection_mount


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mounts, "RUN_FOLDER", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path / "mnt"


@pytest.mark.parametrize(
    ("filesystem", "options"),
    [
        ("vfat", "ro,nosuid,nodev,noexec"),
        ("ext4", "ro,nosuid,nodev,noexec,noload"),
        ("xfs", "ro,nosuid,nodev,noexec,norecovery"),
        ("btrfs", "ro,nosuid,nodev,noexec,rescue=nologreplay"),
    ],
)
def test_mounts_read_only_and_replays_no_journal(
    folder: Path, filesystem: str, options: str
) -> None:
    runner = says()
    with inspection_mount(runner, "/dev/sdb1", filesystem) as where:
        assert where.parent == folder

    assert runner.asked[0] == ("mount", "-t", filesystem, "-o", options, "/dev/sdb1", str(where))


def test_takes_the_mount_down_and_leaves_no_folder(folder: Path) -> None:
    runner = says()
    with inspection_mount(runner, "/dev/sdb1", "vfat") as where:
        pass

    assert runner.asked[-1] == ("umount", "--lazy", str(where))
    assert list(folder.iterdir()) == []


def test_a_mount_that_fails_leaves_no_folder(folder: Path) -> None:
    with (
        pytest.raises(LiveosError, match="mount -t vfat"),
        inspection_mount(fails("mount"), "/dev/sdb1", "vfat"),
    ):
        pass

    assert list(folder.iterdir()) == []


def test_only_root_can_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with (
        pytest.raises(PrivilegeError, match=r"/dev/sdb1 is not mounted"),
        inspection_mount(says(), "/dev/sdb1", "vfat"),
    ):
        pass


def test_what_a_killed_console_left_is_taken_down(folder: Path) -> None:
    # No process has this number: Linux allows at most 2^22.
    stale, own = folder / "4194305-sdb1", folder / f"{os.getpid()}-sdc1"
    stale.mkdir(parents=True)
    own.mkdir()
    runner = says()
    clean_up_stale_mounts(runner)

    assert runner.asked == [("umount", "--lazy", str(stale))]
    assert list(folder.iterdir()) == [own]
