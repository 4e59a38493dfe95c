"""Looking at a device that is not mounted: what is mounted, where, and that it is taken down."""

import os
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.system import mounts
from liveos_tui.system.mounts import clean_up_stale_mounts, inspection_mount
from liveos_tui.system.runner import Finished


class Recorder:
    def __init__(self, *, failing: str = "") -> None:
        self.failing = failing
        self.ran: list[list[str]] = []

    def run(self, argv: list[str], **_: object) -> Finished:
        self.ran.append(argv)
        if argv[0] == self.failing:
            raise LiveosError(f"{argv[0]} failed")
        return Finished(tuple(argv), 0, b"", b"")


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
    runner = Recorder()
    with inspection_mount(runner, "/dev/sdb1", filesystem) as where:  # type: ignore[arg-type]
        assert where.parent == folder

    assert runner.ran[0] == ["mount", "-t", filesystem, "-o", options, "/dev/sdb1", str(where)]


def test_takes_the_mount_down_and_leaves_no_folder(folder: Path) -> None:
    runner = Recorder()
    with inspection_mount(runner, "/dev/sdb1", "vfat") as where:  # type: ignore[arg-type]
        pass

    assert runner.ran[-1] == ["umount", "--lazy", str(where)]
    assert list(folder.iterdir()) == []


def test_a_mount_that_fails_leaves_no_folder(folder: Path) -> None:
    with (
        pytest.raises(LiveosError, match="mount failed"),
        inspection_mount(Recorder(failing="mount"), "/dev/sdb1", "vfat"),  # type: ignore[arg-type]
    ):
        pass

    assert list(folder.iterdir()) == []


def test_only_root_can_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with (
        pytest.raises(PrivilegeError, match=r"/dev/sdb1 is not mounted"),
        inspection_mount(Recorder(), "/dev/sdb1", "vfat"),  # type: ignore[arg-type]
    ):
        pass


def test_what_a_killed_console_left_is_taken_down(folder: Path) -> None:
    # No process has this number: Linux allows at most 2^22.
    stale, own = folder / "4194305-sdb1", folder / f"{os.getpid()}-sdc1"
    stale.mkdir(parents=True)
    own.mkdir()
    runner = Recorder()
    clean_up_stale_mounts(runner)  # type: ignore[arg-type]

    assert runner.ran == [["umount", "--lazy", str(stale)]]
    assert list(folder.iterdir()) == [own]
