"""Switching a frozen root to a new base under a program that writes to it and syncs."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from filled import command, exit_code
from running_root import (
    DEVICE,
    JOB,
    OVERLAY,
    OVERLAY_BYTES,
    SECOND,
    RunningRoot,
    Writer,
    fsck_of_copy,
    in_a_process,
    killed_at,
    running_root,
    zeros,
)

from liveos_tui.errors import LiveosError
from liveos_tui.system.dm_control import DmControl
from liveos_tui.system.frozen_view import FrozenView
from liveos_tui.system.root_base import new_base
from liveos_tui.system.root_freeze import freeze, is_frozen, thaw
from liveos_tui.system.root_switch import Switched, finish, is_switched, switch
from liveos_tui.system.runner import SystemRunner

SCRATCH_BYTES = 96 << 20
OLD_MIB = 12
INSTANTS = ["suspended", "copied", "loaded", "exchanged", "synced", "resumed"]
EXCHANGED = {"exchanged", "synced", "resumed"}
RUNNER = SystemRunner()


def nothing(_: str) -> None:
    """At no instant."""


@pytest.fixture
def root(base: Path, tmp_path: Path, nothing_left: None) -> Iterator[RunningRoot]:
    with running_root(base, tmp_path) as running:
        yield running
        assert running.left() == ""


@pytest.fixture
def frozen(root: RunningRoot) -> Iterator[tuple[RunningRoot, Writer, Path]]:
    """A root frozen under its writer, and the new base image, made while that goes on."""
    # What is in the overlay before the freeze, and must not be in it after the switch.
    command("dd", "if=/dev/urandom", f"of={root.mounted}/old", "bs=1M", f"count={OLD_MIB}")
    command("sync", "-f", root.mounted)
    with root.writing(0.02) as writer:
        freeze(root.control, RUNNER, root.names, SCRATCH_BYTES)
        image = root.work / "new.img"
        with FrozenView(root.control, root.names) as view:
            command("dd", f"if={view.path}", f"of={image}", "bs=1M", "conv=sparse")
        zeros(root.stick / SECOND, OVERLAY_BYTES)
        writer.wait_for_more()
        yield root, writer, image


def switched(
    root: RunningRoot,
    image: Path,
    instant: Callable[[str], None] = nothing,
    control: DmControl | None = None,
) -> Switched:
    with new_base(RUNNER, JOB, image, None) as loop:
        return switch(
            control or root.control,
            RUNNER,
            root.names,
            loop,
            root.stick,
            OVERLAY,
            SECOND,
            SCRATCH_BYTES,
            instant=instant,
        )


def used_sectors(device: str = DEVICE) -> int:
    return int(command("dmsetup", "status", device).split()[3].split("/")[0])


def overlay_in_use() -> str:
    """The file behind the COW device of the root."""
    number = command("dmsetup", "table", DEVICE).split()[4]
    return Path("/sys/dev/block", number, "loop/backing_file").read_text().strip()


def test_a_switched_root_has_every_record_and_nearly_nothing_in_its_overlay(
    frozen: tuple[RunningRoot, Writer, Path],
) -> None:
    root, writer, image = frozen
    command("sync", "-f", root.mounted)
    before = used_sectors(root.names.real)
    done = switched(root, image)
    print(f"\n{done}")
    writer.wait_for_more(50)
    assert is_switched(root.control, root.names)
    finish(root.control, RUNNER, root.names)
    assert not is_switched(root.control, root.names)
    assert root.left() == ""
    assert f"LiveOS/{OVERLAY}" in overlay_in_use()
    assert used_sectors() < before - OLD_MIB * 2048 // 2
    assert fsck_of_copy(root, image, root.stick / OVERLAY, writer) == []
    writer.stop()
    assert writer.lost(root.mounted / "srv") == []
    command("umount", root.mounted)
    assert exit_code("e2fsck", "-f", "-n", f"/dev/mapper/{DEVICE}") == 0
    command("mount", f"/dev/mapper/{DEVICE}", root.mounted)


def test_the_pause_stays_short_however_much_was_written(
    frozen: tuple[RunningRoot, Writer, Path],
) -> None:
    root, _, image = frozen
    command("dd", "if=/dev/urandom", f"of={root.mounted}/large", "bs=1M", "count=24")
    command("sync", "-f", root.mounted)
    done = switched(root, image)
    print(f"\n{done}")
    assert done.ahead_chunks > 6000
    assert done.paused_chunks < 1000
    finish(root.control, RUNNER, root.names)


def test_the_old_loop_devices_are_gone(frozen: tuple[RunningRoot, Writer, Path]) -> None:
    root, _, image = frozen
    switched(root, image)
    finish(root.control, RUNNER, root.names)
    loops = command("losetup", "--list", "-n", "-O", "BACK-FILE").splitlines()
    assert str(root.base) not in loops
    assert sum("overlay" in name for name in loops) == 1


def test_the_new_base_lies_in_a_squashfs_whose_mount_is_out_of_sight(
    frozen: tuple[RunningRoot, Writer, Path],
) -> None:
    root, writer, image = frozen
    tree = root.work / "tree" / "LiveOS"
    tree.mkdir(parents=True)
    shutil.move(image, tree / "rootfs.img")
    squashed = root.work / "squashfs.img"
    command("mksquashfs", tree.parent, squashed, "-quiet", "-no-progress", "-comp", "lzo")
    with new_base(RUNNER, JOB, squashed, "LiveOS/rootfs.img") as loop:
        switch(root.control, RUNNER, root.names, loop, root.stick, OVERLAY, SECOND, SCRATCH_BYTES)
    finish(root.control, RUNNER, root.names)
    assert f"root-{JOB}" not in Path("/proc/self/mountinfo").read_text()
    writer.wait_for_more()
    writer.stop()
    command("sh", "-c", "echo 3 > /proc/sys/vm/drop_caches")
    assert writer.lost(root.mounted / "srv") == []


@pytest.mark.parametrize("instant", INSTANTS)
def test_a_process_killed_while_the_root_is_suspended(
    frozen: tuple[RunningRoot, Writer, Path], instant: str
) -> None:
    """The watchdog lets it go on with one of the two tables, and either has every record."""
    root, writer, image = frozen
    with ExitStack() as stack:
        control = stack.enter_context(DmControl())
        killed = in_a_process(lambda: switched(root, image, killed_at(instant), control))
    assert killed == -9
    root.alive()
    writer.wait_for_more()
    assert is_switched(root.control, root.names) == (instant in EXCHANGED)
    if instant in EXCHANGED:
        assert fsck_of_copy(root, image, root.stick / OVERLAY, writer) == []
        finish(root.control, RUNNER, root.names)
    else:
        # The old overlay under either image is the root.
        assert fsck_of_copy(root, root.base, root.stick / OVERLAY, writer) == []
        assert fsck_of_copy(root, image, root.stick / OVERLAY, writer) == []
        assert is_frozen(root.control, root.names)
        switched(root, image)
        finish(root.control, RUNNER, root.names)
    writer.wait_for_more()
    writer.stop()
    assert writer.lost(root.mounted / "srv") == []
    assert fsck_of_copy(root, image, root.stick / OVERLAY, writer) == []


@pytest.mark.parametrize("instant", INSTANTS)
def test_an_error_while_the_root_is_suspended(
    frozen: tuple[RunningRoot, Writer, Path], instant: str
) -> None:
    root, writer, image = frozen

    def fail(name: str) -> None:
        if name == instant:
            raise OSError(5, os.strerror(5))

    with pytest.raises(LiveosError, match="not switched"):
        switched(root, image, fail)
    root.alive()
    writer.wait_for_more()
    assert is_switched(root.control, root.names) == (instant in EXCHANGED)
    if instant in EXCHANGED:
        finish(root.control, RUNNER, root.names)
        assert fsck_of_copy(root, image, root.stick / OVERLAY, writer) == []
    else:
        thaw(root.control, root.names)
        assert fsck_of_copy(root, root.base, root.stick / OVERLAY, writer) == []


def test_a_second_overlay_that_is_too_small_leaves_the_root_frozen(
    frozen: tuple[RunningRoot, Writer, Path],
) -> None:
    root, writer, image = frozen
    (root.stick / SECOND).unlink()
    zeros(root.stick / SECOND, 1 << 20)
    command("dd", "if=/dev/urandom", f"of={root.mounted}/large", "bs=1M", "count=4")
    command("sync", "-f", root.mounted)
    with pytest.raises(LiveosError, match="too small"):
        switched(root, image)
    assert is_frozen(root.control, root.names)
    thaw(root.control, root.names)
    writer.wait_for_more()
    writer.stop()
    assert writer.lost(root.mounted / "srv") == []


def test_an_image_of_another_moment_is_refused(
    frozen: tuple[RunningRoot, Writer, Path],
) -> None:
    root, _, _ = frozen
    with pytest.raises(LiveosError, match="not what the frozen view is"):
        switched(root, root.base)
    thaw(root.control, root.names)


def test_a_root_whose_scratch_store_is_full_is_not_switched(root: RunningRoot) -> None:
    # Slowly: else it is full before the freeze has looked whether it has succeeded.
    with root.writing(0.1) as writer:
        freeze(root.control, RUNNER, root.names, 1 << 20)
        command("dd", "if=/dev/urandom", f"of={root.mounted}/large", "bs=1M", "count=4")
        command("sync", "-f", root.mounted)
        zeros(root.stick / SECOND, OVERLAY_BYTES)
        with pytest.raises(LiveosError, match="not frozen, or its scratch store is full"):
            switched(root, root.base)
        thaw(root.control, root.names)
        writer.wait_for_more()
    assert writer.lost(root.mounted / "srv") == []
