"""e2fsck and debugfs for real, on small file systems that are damaged for it."""

import os
import shutil
from pathlib import Path

import pytest

from liveos_tui.errors import CancelledError, UnreadableError
from liveos_tui.formats.debugfs import InodeKind
from liveos_tui.formats.e2fsck import FsckExit, FsckProgressEvent, Problem
from liveos_tui.system.e2fsprogs import (
    Check,
    FsckError,
    FsckResult,
    argv,
    changed_files,
    check_filesystem,
    file_bytes,
    folder_names,
    names_of_inodes,
)
from liveos_tui.system.runner import SystemRunner

pytestmark = pytest.mark.real_tools

RUNNER = SystemRunner()


def debugfs(image: Path, *requests: str) -> None:
    script = "".join(f"{request}\n" for request in requests)
    RUNNER.run(["debugfs", "-w", "-f", "/dev/stdin", str(image)], input=script.encode())


def inode(image: Path, path: str) -> int:
    # "Inode: 14   Type: regular ..."
    return int(RUNNER.run(["debugfs", "-R", f"stat {path}", str(image)]).stdout.split()[1])


def check(kind: Check, path: Path) -> FsckResult:
    return check_filesystem(
        kind,
        path,
        on_line=lambda _: None,
        on_progress=lambda _: None,
        cancelled=lambda: False,
    )


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A file system with files in /home and /etc, in a file with blanks in its name."""
    for name, content in {
        "home/ann/letter": "Dear",
        "home/ann/two words": "2",
        "etc/os-release": "NAME=Practice\n",
        "top": "t",
    }.items():
        file = tmp_path / "tree" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)
    path = tmp_path / "a stick.img"
    with path.open("xb") as stick:
        stick.truncate(16 << 20)
    RUNNER.run(["mkfs.ext4", "-q", "-F", "-d", str(tmp_path / "tree"), str(path)])
    return path


@pytest.fixture
def dirty(image: Path) -> Path:
    """The same with a transaction in its journal: it gives the file /top other bytes."""
    block = RUNNER.run(["debugfs", "-R", "blocks /top", str(image)]).stdout.split()[0].decode()
    (new := image.with_name("block")).write_bytes(b"r".ljust(1024, b"\0"))
    debugfs(image, "jo", f"jw -b {block} {new}", "jc")
    return image


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        (Check.REPLAY, "e2fsck -E journal_only -y /dev/dm-0"),
        (Check.PREVIEW, "e2fsck -f -n /dev/dm-0"),
        (Check.REPAIR, "e2fsck -f -y /dev/dm-0"),
    ],
)
def test_what_is_shown_to_people(kind: Check, command: str) -> None:
    assert " ".join(argv(kind, Path("/dev/dm-0"))) == command


def test_a_sound_file_system(image: Path) -> None:
    before = image.read_bytes()
    lines: list[str] = []
    events: list[FsckProgressEvent] = []

    result = check_filesystem(
        Check.PREVIEW,
        image,
        on_line=lines.append,
        on_progress=events.append,
        cancelled=lambda: False,
    )

    assert (result.exit, result.sound, result.words) == (0, True, "e2fsck found nothing wrong.")
    assert "Pass 5: Checking group summary information" in lines
    assert [events[0].fraction, events[-1].fraction] == [0.0, 1.0]
    assert image.read_bytes() == before


def test_errors_are_seen_then_repaired_then_gone(image: Path) -> None:
    debugfs(image, "clri /home/ann/letter", "unlink /top")

    preview = check(Check.PREVIEW, image)
    repair = check(Check.REPAIR, image)
    after = check(Check.PREVIEW, image)

    assert (preview.exit, preview.sound) == (FsckExit.LEFT, False)
    assert preview.summary.fixed == 0
    assert (repair.exit, repair.run_again) == (FsckExit.FIXED, True)
    assert dict(repair.summary.kinds)[Problem.ENTRIES] == 1
    assert repair.summary.lost_files == 1
    assert after.sound


def test_a_journal_is_replayed_by_itself(dirty: Path) -> None:
    before = file_bytes(RUNNER, dirty, "/top", 4096)
    preview = check(Check.PREVIEW, dirty)
    replay = check(Check.REPLAY, dirty)

    assert before == b"t"
    assert preview.summary.journal_skipped
    # e2fsck says 0, and has not looked at what the journal holds.
    assert not preview.sound
    assert (replay.exit, replay.summary.journal_replayed, replay.sound) == (0, True, False)
    assert not check(Check.PREVIEW, dirty).summary.journal_skipped
    assert file_bytes(RUNNER, dirty, "/top", 4096) == b"r"


def test_a_preview_that_cannot_go_on_has_found_errors(image: Path) -> None:
    # What lies behind the damage cannot be looked at without repairing it: e2fsck gives up.
    debugfs(image, "sif <8> i_mode 0")

    result = check(Check.PREVIEW, image)

    assert result.exit & FsckExit.LEFT
    assert not result.sound
    assert check(Check.REPAIR, image).exit == FsckExit.FIXED
    assert check(Check.PREVIEW, image).sound


def test_what_is_no_file_system_is_an_error_with_the_last_words(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(bytes(1 << 20))

    with pytest.raises(FsckError, match="ended with 8") as caught:
        check(Check.REPAIR, path)

    assert caught.value.result.exit == FsckExit.OPERATIONAL
    assert "nothing" in caught.value.hint.lower()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FsckError, match="No such file or directory while trying to open"):
        check(Check.PREVIEW, tmp_path / "missing")


def test_a_check_is_cancelled(tmp_path: Path) -> None:
    # e2fsck waits for somebody to write into the pipe.
    path = tmp_path / "pipe"
    os.mkfifo(path)

    with pytest.raises(CancelledError):
        check_filesystem(
            Check.PREVIEW,
            path,
            on_line=lambda _: None,
            on_progress=lambda _: None,
            cancelled=lambda: True,
        )


def test_entries_of_a_folder(image: Path) -> None:
    found = {entry.name: entry for entry in folder_names(RUNNER, image, "/home/ann")}

    assert set(found) == {"letter", "two words"}
    assert (found["letter"].kind, found["letter"].size_bytes) == (InodeKind.FILE, 4)


def test_names_from_outside_are_harmless(image: Path) -> None:
    (evil := image.with_name("evil")).write_bytes(b"x")
    debugfs(image, "cd home", f"write {evil} bad\x1b[2Jname")

    (found,) = [e for e in folder_names(RUNNER, image, "/home") if e.kind is InodeKind.FILE]

    assert (found.raw, found.name) == (b"bad\x1b[2Jname", r"bad\x1b[2Jname")


def test_bytes_of_a_file(image: Path) -> None:
    assert file_bytes(RUNNER, image, "/etc/os-release", 4096) == b"NAME=Practice\n"
    assert file_bytes(RUNNER, image, "/home/ann/two words", 4096) == b"2"
    assert file_bytes(RUNNER, image, "/etc/os-release", 4) == b"NAME"


def test_what_is_not_there_is_an_error_although_debugfs_ends_with_0(image: Path) -> None:
    with pytest.raises(UnreadableError, match="File not found"):
        folder_names(RUNNER, image, "/etc/none")
    with pytest.raises(UnreadableError, match="File not found"):
        file_bytes(RUNNER, image, "/etc/none", 9)


def test_what_is_no_file_system_cannot_be_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(bytes(1 << 20))

    with pytest.raises(UnreadableError):
        folder_names(RUNNER, path, "/")


def test_a_damaged_file_system_can_be_looked_into(image: Path) -> None:
    # Bitmaps and checksums are gone: what is left of it is shown all the same.
    debugfs(image, "set_bg 0 block_bitmap 0", "set_bg 0 checksum 7")

    assert {entry.name for entry in folder_names(RUNNER, image, "/")} >= {"home", "etc", "top"}


def test_names_of_inodes(image: Path) -> None:
    letter, top = inode(image, "/home/ann/letter"), inode(image, "/top")

    found = names_of_inodes(RUNNER, image, [2, letter, top, 999])

    assert found == {2: "/", letter: "/home/ann/letter", top: "/top"}


def test_names_of_more_inodes_than_one_request_takes(image: Path) -> None:
    top = inode(image, "/top")

    assert names_of_inodes(RUNNER, image, range(top, top + 4000))[top] == "/top"


def test_changed_files(image: Path, tmp_path: Path) -> None:
    view = tmp_path / "view"
    shutil.copy(image, view)
    (new := tmp_path / "new").write_bytes(b"n" * 100)
    debugfs(
        view,
        f"write {new} /readme",
        "cd home/ann",
        f"write {new} one",
        f"write {new} two",
        "sif letter mtime 20300101",
        "rm /etc/os-release",
    )
    base, changed = image.read_bytes(), view.read_bytes()
    places = range(0, len(base), 4096)
    chunks = [at // 4096 for at in places if base[at : at + 4096] != changed[at : at + 4096]]

    found = changed_files(
        RUNNER,
        view,
        lambda offset, size: base[offset : offset + size],
        lambda offset, size: changed[offset : offset + size],
        chunks,
    )

    assert (found.new, found.changed, found.deleted, found.unnamed) == (3, 1, 1, 0)
    assert found.by_folder == (("/home", 3), ("/", 1))
    assert found.names == ("/home/ann/letter", "/home/ann/one", "/home/ann/two", "/readme")
