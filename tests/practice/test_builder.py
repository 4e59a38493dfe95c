"""A practice stick is a real stick in a folder."""

import errno
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from runners import RecordedRunner

from liveos_tui.errors import LiveosError
from liveos_tui.formats import cow
from liveos_tui.practice.builder import (
    MARKER,
    OVERLAY_BYTES,
    OVERLAY_NAME,
    ROOT_BYTES,
    NotForPracticeError,
    PracticeState,
    PracticeStick,
    build,
)
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.system.runner import SystemRunner, ToolMissingError

FULL = [PracticeState.OVERFLOW, PracticeState.INVALID]
SOUND = [PracticeState.HEALTHY, PracticeState.NEARLY_FULL]

real_tools = pytest.mark.real_tools


def tool(*argv: str | Path, ok: Collection[int] = (0,)) -> int:
    words = [str(word) for word in argv]
    return SystemRunner().run(words, ok=ok, timeout=60).returncode


@pytest.fixture(scope="module")
def sticks(tmp_path_factory: pytest.TempPathFactory) -> dict[PracticeState, PracticeStick]:
    folder = tmp_path_factory.mktemp("practice sticks")
    return {state: build(folder / state, state) for state in PracticeState}


@pytest.fixture(scope="module")
def base(
    sticks: dict[PracticeState, PracticeStick], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    target = tmp_path_factory.mktemp("base") / "image"
    image = sticks[PracticeState.FRESH].folder / "LiveOS" / "squashfs.img"
    tool("unsquashfs", "-q", "-no-progress", "-d", target, image)
    return target / "LiveOS" / "rootfs.img"


@pytest.fixture
def view(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "view"
    yield path
    path.unlink(missing_ok=True)


def summary(stick: PracticeStick) -> cow.CowSummary:
    data = stick.overlay.read_bytes()
    return cow.summarise(lambda at, size: data[at : at + size], len(data))


def materialise(base: Path, overlay: Path, view: Path) -> None:
    """The view of base and overlay, read through the device-mapper without a write."""
    table = f"0 {ROOT_BYTES // 512} snapshot {device_word(base)} {device_word(overlay)} PO 8"
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("view", table, read_only=True)
        mapper.materialise("view", view)


def flipped(stick: PracticeStick, folder: Path) -> Path:
    """A copy of the overlay whose header says valid, whatever it said."""
    copy = folder / "overlay"
    copy.write_bytes(cow.CowHeader().to_bytes() + stick.overlay.read_bytes()[16:])
    return copy


def listing(view: Path, folder: str) -> list[str]:
    finished = SystemRunner().run(["debugfs", "-R", f"ls -p {folder}", str(view)])
    return [line.split("/")[5] for line in finished.stdout.decode().splitlines() if line]


def content(view: Path, path: str) -> bytes:
    return SystemRunner().run(["debugfs", "-R", f"cat {path}", str(view)]).stdout


@real_tools
@pytest.mark.parametrize("state", list(PracticeState))
def test_a_stick_has_the_files_of_a_liveos(
    sticks: dict[PracticeState, PracticeStick], state: PracticeState
) -> None:
    folder = sticks[state].folder
    assert {path.name for path in folder.iterdir()} == {"LiveOS", "README.txt", MARKER}
    assert {path.name for path in (folder / "LiveOS").iterdir()} == {
        "squashfs.img",
        "home.img",
        OVERLAY_NAME,
    }
    assert (folder / "LiveOS" / "squashfs.img").read_bytes()[:4] == b"hsqs"
    assert state in (folder / "README.txt").read_text(encoding="utf-8")


@real_tools
def test_a_stick_takes_some_tens_of_megabytes(
    sticks: dict[PracticeState, PracticeStick],
) -> None:
    for stick in sticks.values():
        used = sum(path.stat().st_blocks * 512 for path in stick.folder.rglob("*"))
        assert used < 60 << 20


@real_tools
def test_the_overlay_has_no_holes(sticks: dict[PracticeState, PracticeStick]) -> None:
    # A sparse overlay is a danger of its own, and would be told as one.
    for stick in sticks.values():
        assert stick.overlay.stat().st_blocks * 512 >= OVERLAY_BYTES


@real_tools
def test_the_base_image_is_a_sound_ext4_that_says_what_it_is(base: Path) -> None:
    assert base.stat().st_size == ROOT_BYTES
    assert tool("e2fsck", "-f", "-n", base) == 0
    assert b'PRETTY_NAME="liveos-tui practice"' in content(base, "/etc/os-release")


@real_tools
def test_home_is_a_sound_ext4(sticks: dict[PracticeState, PracticeStick]) -> None:
    image = sticks[PracticeState.HEALTHY].folder / "LiveOS" / "home.img"
    assert tool("e2fsck", "-f", "-n", image) == 0
    assert "Documents" in listing(image, "/liveuser")


@real_tools
def test_a_fresh_overlay_is_all_zeros(sticks: dict[PracticeState, PracticeStick]) -> None:
    assert not sticks[PracticeState.FRESH].overlay.read_bytes().strip(b"\0")


@real_tools
@pytest.mark.parametrize(
    ("state", "low", "high"),
    [(PracticeState.HEALTHY, 0.38, 0.42), (PracticeState.NEARLY_FULL, 0.86, 0.90)],
)
def test_the_overlay_is_filled_as_its_state_says(
    sticks: dict[PracticeState, PracticeStick], state: PracticeState, low: float, high: float
) -> None:
    store = summary(sticks[state])
    assert low < store.used_sectors / store.total_sectors < high
    assert store.valid
    assert store.damage is None
    assert not store.fragile_size


@real_tools
@pytest.mark.parametrize("state", FULL)
def test_overflow_and_invalid_are_full_to_the_last_chunk(
    sticks: dict[PracticeState, PracticeStick], state: PracticeState
) -> None:
    store = summary(sticks[state])
    assert store.full
    assert store.used_sectors == store.total_sectors
    assert store.valid is (state is PracticeState.OVERFLOW)


@real_tools
@pytest.mark.parametrize("state", SOUND)
def test_base_and_overlay_are_a_clean_file_system(
    sticks: dict[PracticeState, PracticeStick], state: PracticeState, base: Path, view: Path
) -> None:
    materialise(base, sticks[state].overlay, view)
    assert tool("e2fsck", "-f", "-n", view) == 0


@real_tools
def test_the_overlay_adds_changes_and_deletes_files(
    sticks: dict[PracticeState, PracticeStick], base: Path, view: Path
) -> None:
    materialise(base, sticks[PracticeState.HEALTHY].overlay, view)
    assert "added" in listing(view, "/usr/share/doc")
    assert "added" not in listing(base, "/usr/share/doc")
    assert (content(base, "/etc/hostname"), content(view, "/etc/hostname")) == (
        b"practice\n",
        b"my-stick\n",
    )
    assert "copyright" in listing(base, "/usr/share/doc/package-01")
    assert "copyright" not in listing(view, "/usr/share/doc/package-01")


@real_tools
@pytest.mark.parametrize("state", FULL)
def test_the_last_writes_are_lost_and_e2fsck_repairs_the_rest(
    sticks: dict[PracticeState, PracticeStick],
    state: PracticeState,
    base: Path,
    view: Path,
    tmp_path: Path,
) -> None:
    materialise(base, flipped(sticks[state], tmp_path), view)
    assert tool("e2fsck", "-f", "-n", view, ok=range(16)) & 4
    assert tool("e2fsck", "-f", "-y", view, ok=range(16)) == 1
    assert tool("e2fsck", "-f", "-n", view) == 0
    assert content(view, "/etc/hostname") == b"my-stick\n"


@real_tools
def test_two_builds_are_the_same_bytes(
    sticks: dict[PracticeState, PracticeStick], tmp_path: Path
) -> None:
    again = build(tmp_path / 'an "odd" näme', PracticeState.HEALTHY)
    for name in ("squashfs.img", "home.img", OVERLAY_NAME):
        first = sticks[PracticeState.HEALTHY].folder / "LiveOS" / name
        assert (again.folder / "LiveOS" / name).read_bytes() == first.read_bytes(), name


@real_tools
def test_an_earlier_practice_stick_is_built_anew(tmp_path: Path) -> None:
    build(tmp_path, PracticeState.HEALTHY)
    (tmp_path / "mine.txt").write_text("kept")
    (tmp_path / "liveos-tui-jobs/merge-1").mkdir(parents=True)
    (tmp_path / "LiveOS/squashfs.alt").write_text("the image that it had before a merge")
    stick = build(tmp_path, PracticeState.FRESH)
    assert summary(stick).header is None
    assert not (tmp_path / "liveos-tui-jobs").exists(), "they are about another stick"
    assert not (tmp_path / "LiveOS/squashfs.alt").exists()
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "LiveOS").mkdir()
    with pytest.raises(NotForPracticeError, match="not empty and no practice stick") as caught:
        build(tmp_path, runner=RecordedRunner())
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["LiveOS"]


@pytest.mark.parametrize("name", [MARKER, "LiveOS"])
def test_links_out_of_the_folder_are_not_followed(tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    stick = tmp_path / "stick"
    stick.mkdir()
    (stick / MARKER).touch()
    (stick / name).unlink(missing_ok=True)
    (stick / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LiveosError):
        build(stick, runner=RecordedRunner())
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(NotForPracticeError, match="file is no folder") as caught:
        build(tmp_path / "file", runner=RecordedRunner())
    assert "room" not in caught.value.hint
    assert (tmp_path / "file").read_text() == "mine"


def earlier(folder: Path) -> Path:
    """An earlier practice stick; its image is returned."""
    image = folder / "LiveOS" / "squashfs.img"
    image.parent.mkdir(parents=True)
    image.write_text("the earlier one")
    (folder / MARKER).touch()
    return image


def test_a_missing_tool_leaves_the_earlier_stick_and_no_rubbish(tmp_path: Path) -> None:
    image = earlier(tmp_path)
    (tmp_path / ".liveos-tui-building-killed").mkdir()
    with pytest.raises(ToolMissingError):
        build(tmp_path, runner=RecordedRunner())
    assert {path.name for path in tmp_path.iterdir()} == {"LiveOS", MARKER}
    assert image.read_text() == "the earlier one"


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError):
        build(tmp_path / "new" / "stick", runner=RecordedRunner())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_an_earlier_build_that_was_killed_is_taken(tmp_path: Path) -> None:
    (tmp_path / ".liveos-tui-building-killed").mkdir()
    with pytest.raises(ToolMissingError):
        build(tmp_path, runner=RecordedRunner())
    assert list(tmp_path.iterdir()) == []


def test_room_is_looked_at_before_anything_is_built(tmp_path: Path) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=37 << 20)
    with (
        patch("shutil.disk_usage", return_value=usage),
        pytest.raises(LiveosError, match="takes 128 MiB, and 37 MiB are free") as caught,
    ):
        build(tmp_path / "stick", runner=RecordedRunner())
    assert "more room" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


@real_tools
@pytest.mark.parametrize("ending", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left")])
def test_until_a_stick_is_whole_the_earlier_one_keeps_its_name(
    tmp_path: Path, ending: BaseException
) -> None:
    image = earlier(tmp_path)
    rename = Path.rename

    def end_at_the_last_moment(path: Path, target: Path) -> Path:
        if path.name == "new":
            raise ending
        return rename(path, target)

    with (
        patch.object(Path, "rename", end_at_the_last_moment),
        pytest.raises((KeyboardInterrupt, LiveosError)),
    ):
        build(tmp_path, PracticeState.FRESH)
    assert {path.name for path in tmp_path.iterdir()} == {"LiveOS", MARKER}
    assert image.read_text() == "the earlier one"


@real_tools
def test_a_change_that_debugfs_cannot_make_is_an_error(tmp_path: Path) -> None:
    # debugfs ends with 0 all the same: what it says must be read.
    from liveos_tui.practice import images
    from liveos_tui.practice.contents import Deletion

    image = tmp_path / "image"
    uuid = "4c495645-4f53-4000-8000-000000000001"
    images.make_ext4(SystemRunner(), image, 16 << 20, label="x", uuid=uuid, block_bytes=1024)
    with pytest.raises(images.ImageError, match="not found"):
        images.change_ext4(SystemRunner(), image, [Deletion("/missing")], tmp_path)
