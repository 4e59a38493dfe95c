"""The kernel's mirror of a view: the copy, legs that fail, a full folder, a kill."""

import contextlib
import gc
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filled import command, loop, mounted, tmpfs
from machine import wait_for

sys.path.insert(0, str(Path(__file__).parents[2] / "practice"))
pytest.register_assert_rewrite("views_specification")

from views_specification import (  # noqa: E402 - its assertions are to be rewritten
    BASE_BYTES,
    MEMBER,
    NAME,
    Images,
    all_of,
    killed_while,
    make_images,
    make_store,
    sha256,
)

from liveos_tui.errors import CancelledError  # noqa: E402
from liveos_tui.formats import mirror_status  # noqa: E402
from liveos_tui.formats.mirror_status import Leg, MirrorProgress  # noqa: E402
from liveos_tui.system.kernel_views import KernelJoiner  # noqa: E402
from liveos_tui.system.mirroring import (  # noqa: E402
    MirrorCopy,
    MirrorError,
    mirror_to_file,
    remove_copy,
)
from liveos_tui.system.runner import SystemRunner  # noqa: E402
from liveos_tui.system.views import View  # noqa: E402

pytestmark = pytest.mark.usefixtures("nothing_left")

SECTORS = BASE_BYTES // 512


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture
def joiner() -> KernelJoiner:
    return KernelJoiner(SystemRunner())


@pytest.fixture
def view(joiner: KernelJoiner, images: Images, tmp_path: Path) -> Iterator[View]:
    """A view whose overlay has changed it."""
    store = make_store(tmp_path / "store", 4 << 20)
    with joiner.view(images.base, store, NAME) as changed:
        changed.write(5 << 20, b"changed" * 100_000)
    with (
        joiner.base(images.squashfs, MEMBER, NAME) as base,
        joiner.view(base, store, NAME, read_only=True) as found,
    ):
        yield found


def mirrored(
    joiner: KernelJoiner, view: View, target: Path, told: list[MirrorProgress] | None = None
) -> MirrorCopy:
    seen = told if told is not None else []
    return mirror_to_file(joiner, view, target, NAME, told=seen.append)


def test_the_copy_equals_the_view_and_is_sparse(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    before = sha256(tmp_path / "store")
    copied = mirrored(joiner, view, target)
    assert target.read_bytes() == all_of(view)
    assert copied.allocated_bytes == target.stat().st_blocks * 512 < BASE_BYTES / 2
    assert sha256(tmp_path / "store") == before
    assert remove_copy(target)


def test_the_copy_is_sparse_on_a_disk_too(joiner: KernelJoiner, view: View, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    command("truncate", "-s", "64M", disk)
    command("mkfs.ext4", "-q", disk)
    with loop(disk) as device, mounted(Path(device), tmp_path / "folder") as folder:
        copied = mirrored(joiner, view, folder / "copy")
        assert (folder / "copy").read_bytes() == all_of(view)
        assert copied.allocated_bytes < BASE_BYTES / 2


def test_a_fat_keeps_the_zeros(joiner: KernelJoiner, view: View, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    command("truncate", "-s", "64M", disk)
    command("mkfs.vfat", disk)
    with loop(disk) as device, mounted(Path(device), tmp_path / "folder") as folder:
        copied = mirrored(joiner, view, folder / "copy")
        assert (folder / "copy").read_bytes() == all_of(view)
        assert copied.allocated_bytes >= BASE_BYTES


@contextmanager
def spoiled(image: Path, first: int, sectors: int) -> Iterator[Path]:
    """A device with the bytes of a file, some of whose sectors give errors."""
    after = first + sectors
    with loop(image) as device:
        table = (
            f"0 {first} linear {device} 0\n{first} {sectors} error\n"
            f"{after} {SECTORS - after} linear {device} {after}"
        )
        # By standard input: --table takes one line.
        subprocess.run(["dmsetup", "create", "lane-spoiled"], input=table.encode(), check=True)
        try:
            yield Path("/dev/mapper/lane-spoiled")
        finally:
            command("dmsetup", "remove", "--retry", "lane-spoiled")


def test_a_source_that_cannot_be_read_ends_it_by_name(
    joiner: KernelJoiner, images: Images, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    store = make_store(tmp_path / "other store", 4 << 20)
    with (
        spoiled(images.base, SECTORS // 2, 8) as base,
        joiner.view(base, store, NAME, read_only=True) as view,
        pytest.raises(MirrorError, match="source could not be read") as caught,
    ):
        mirrored(joiner, view, target)
    assert caught.value.leg is Leg.SOURCE
    assert not target.exists()


def test_a_folder_that_becomes_full_ends_it_by_name(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    """Somebody else takes the room that was there."""
    with tmpfs(tmp_path / "small", "17m") as folder:
        command("fallocate", "-l", "15M", folder / "others")
        with pytest.raises(MirrorError, match=r"target could not be written.*is full") as caught:
            mirrored(joiner, view, folder / "copy")
        assert caught.value.leg is Leg.TARGET
        assert [path.name for path in folder.iterdir()] == ["others"]


def test_a_source_that_answers_no_more_is_given_up(
    joiner: KernelJoiner, images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror_status, "STALL_SECONDS", 2.0)
    target = tmp_path / "copy"
    store = make_store(tmp_path / "other store", 4 << 20)
    with (
        spoiled(images.base, SECTORS - 8, 4) as base,
        joiner.view(base, store, NAME, read_only=True) as view,
    ):
        command("dmsetup", "suspend", "--noflush", "lane-spoiled")
        try:
            with pytest.raises(MirrorError, match="copied nothing") as caught:
                mirrored(joiner, view, target)
        finally:
            command("dmsetup", "resume", "lane-spoiled")
        assert caught.value.leg is None
        assert "could not be taken down" in caught.value.hint
        assert not target.exists()
        # The kernel takes down what it was asked to, once the source answers.
        name = f"liveos-tui-{NAME}-mirror"
        wait_for(lambda: name not in command("dmsetup", "ls"), "the mirror's end", 20)
    with warnings.catch_warnings():
        # The dmsetup that could not be ended: the runner has left it behind.
        warnings.simplefilter("ignore", ResourceWarning)
        del caught
        gc.collect()


def test_a_target_that_is_cut_off_meanwhile_is_told(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.touch()
    os.truncate(target, BASE_BYTES)
    with joiner.mirror(view, target, NAME, 8):
        # Whatever becomes of it, it is taken down.
        os.truncate(target, 0)
    target.unlink()


def test_it_can_be_cancelled_in_the_middle(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked == 1 or target.exists()

    with pytest.raises(CancelledError):
        mirror_to_file(
            joiner,
            view,
            target,
            NAME,
            told=lambda _: None,
            cancelled=cancelled,
        )
    assert not target.exists()


def test_a_killed_mirror_is_taken_down_by_its_name_and_made_anew(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    target = tmp_path / "copy"

    def work(stack: contextlib.ExitStack) -> None:
        target.touch()
        os.truncate(target, BASE_BYTES)
        stack.enter_context(joiner.mirror(view, target, "killed", 8)).wait(0.0)

    killed_while(work)
    assert any("killed-mirror" in found for found in joiner.clean_up("killed"))
    assert joiner.clean_up("killed") == ()
    assert mirrored(joiner, view, target).size_bytes == BASE_BYTES
    assert target.read_bytes() == all_of(view)


def test_nobody_can_write_to_the_view_through_the_mirror(
    joiner: KernelJoiner, view: View, tmp_path: Path
) -> None:
    target = tmp_path / "target"
    target.touch()
    os.truncate(target, BASE_BYTES)
    with joiner.mirror(view, target, NAME, 1024):
        assert command("blockdev", "--getro", f"/dev/mapper/liveos-tui-{NAME}-mirror") == "1"
