"""Freezing a running root, and every way back, while a program writes to it and syncs."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled import command, exit_code
from running_root import RunningRoot, in_a_process, killed_at, running_root

from liveos_tui.errors import LiveosError
from liveos_tui.formats.dmtable import SnapshotIll
from liveos_tui.system import root_freeze
from liveos_tui.system.dm_control import DmControl, DmError
from liveos_tui.system.frozen_view import FrozenView
from liveos_tui.system.root_freeze import (
    freeze,
    is_frozen,
    is_split,
    plain_table,
    thaw,
)
from liveos_tui.system.runner import SystemRunner

SCRATCH_BYTES = 96 << 20
FREEZE_INSTANTS = ["before", "suspended", "handed over", "frozen", "resumed"]
THAW_INSTANTS = ["before", "suspended", "all suspended", "resumed"]
BEFORE_THE_HANDOVER = {"before", "suspended"}


@pytest.fixture
def root(base: Path, tmp_path: Path, nothing_left: None) -> Iterator[RunningRoot]:
    with running_root(base, tmp_path) as running:
        yield running
        assert running.left() == ""


def frozen(root: RunningRoot, scratch_bytes: int = SCRATCH_BYTES) -> float:
    return freeze(root.control, SystemRunner(), root.names, scratch_bytes)


def sha256_of_view(root: RunningRoot) -> str:
    with FrozenView(root.control, root.names) as view:
        digest = hashlib.sha256()
        for offset in range(0, view.size_bytes, 1 << 20):
            digest.update(view.read(offset, 1 << 20))
        return digest.hexdigest()


def test_a_frozen_view_stays_the_same_while_the_root_is_written(root: RunningRoot) -> None:
    plain = root.table()
    with root.writing() as writer:
        pause = frozen(root)
        print(f"frozen in {pause:.3f} s")
        before = sha256_of_view(root)
        writer.wait_for_more(100)
        assert sha256_of_view(root) == before
        with FrozenView(root.control, root.names) as view:
            assert exit_code("e2fsck", "-f", "-n", view.path) == 0
            assert 0 < view.fill() < 1
            view.check()
        pause_back = thaw(root.control, root.names)
        assert pause_back is not None
        print(f"thawed in {pause_back:.3f} s")
        writer.wait_for_more()
    assert root.table() == plain
    assert writer.lost(root.mounted / "srv") == []


def test_the_frozen_view_refuses_to_be_written(root: RunningRoot) -> None:
    frozen(root)
    with (
        FrozenView(root.control, root.names) as view,
        pytest.raises(LiveosError, match="not written"),
    ):
        view.write(0, b"x")
    thaw(root.control, root.names)


def test_thawing_twice_is_thawing_once(root: RunningRoot) -> None:
    frozen(root)
    assert thaw(root.control, root.names) is not None
    assert thaw(root.control, root.names) is None
    plain_table(root.control, root.names.root)


def test_a_root_is_frozen_again_after_it_was_thawed(root: RunningRoot) -> None:
    for _ in range(2):
        frozen(root)
        assert is_frozen(root.control, root.names)
        thaw(root.control, root.names)


@pytest.mark.parametrize("instant", FREEZE_INSTANTS)
def test_a_process_killed_while_it_freezes(root: RunningRoot, instant: str) -> None:
    """The watchdog lets the root go on: as before, or frozen; then it is thawed."""
    plain = root.table()
    with root.writing() as writer:

        def work() -> None:
            with DmControl() as control:
                kill = killed_at(instant)
                freeze(control, SystemRunner(), root.names, SCRATCH_BYTES, instant=kill)

        assert in_a_process(work) == -9
        root.alive()
        writer.wait_for_more()
        assert is_split(root.control, root.names) == (instant not in BEFORE_THE_HANDOVER)
        thaw(root.control, root.names)
        assert root.table() == plain
        plain_table(root.control, root.names.root)
        writer.wait_for_more()
    assert writer.lost(root.mounted / "srv") == []


@pytest.mark.parametrize("instant", THAW_INSTANTS)
def test_a_process_killed_while_it_thaws(root: RunningRoot, instant: str) -> None:
    plain = root.table()
    with root.writing() as writer:
        frozen(root)

        def work() -> None:
            with DmControl() as control:
                thaw(control, root.names, instant=killed_at(instant))

        assert in_a_process(work) == -9
        root.alive()
        writer.wait_for_more()
        thaw(root.control, root.names)
        assert root.table() == plain
        writer.wait_for_more()
    assert writer.lost(root.mounted / "srv") == []


def test_a_process_that_hangs_while_the_root_is_suspended_is_ended(root: RunningRoot) -> None:
    def hang(name: str) -> None:
        if name == "suspended":
            subprocess.run(["sleep", "600"], check=False)

    def work() -> None:
        with DmControl() as control:
            freeze(control, SystemRunner(), root.names, SCRATCH_BYTES, instant=hang, seconds=0.5)

    assert in_a_process(work) == -9
    root.alive()
    thaw(root.control, root.names)


@pytest.mark.parametrize("instant", FREEZE_INSTANTS)
def test_an_error_while_it_freezes_leaves_the_root_as_it_was(
    root: RunningRoot, instant: str
) -> None:
    plain = root.table()

    def fail(name: str) -> None:
        if name == instant:
            raise DmError("The kernel has refused.", 22)

    with pytest.raises(DmError):
        freeze(root.control, SystemRunner(), root.names, SCRATCH_BYTES, instant=fail)
    root.alive()
    assert root.table() == plain
    assert root.left() == ""


def test_a_resume_that_came_before_the_others_were_suspended_is_mended(root: RunningRoot) -> None:
    """The kernel has swapped the table in, and refused to resume it."""
    frozen(root)
    plain = root.control.table(root.names.real)
    root.control.load(root.names.root, plain)
    root.control.suspend(root.names.root)
    with pytest.raises(DmError):
        root.control.resume(root.names.root)
    root_freeze.revive(root.control, root.names)
    root.alive()
    thaw(root.control, root.names)
    plain_table(root.control, root.names.root)


def test_a_scratch_store_that_fills_is_not_noticed_by_the_root(root: RunningRoot) -> None:
    plain = root.table()
    # Slowly: else it is full before the freeze has looked whether it has succeeded.
    with root.writing(0.1) as writer:
        frozen(root, 1 << 20)
        with FrozenView(root.control, root.names) as view:
            command("dd", "if=/dev/urandom", f"of={root.mounted}/much", "bs=1M", "count=4")
            command("sync", "-f", root.mounted)
            writer.wait_for_more()
            assert view.status() is SnapshotIll.INVALID
            assert view.fill() == 1
            with pytest.raises(LiveosError, match="scratch store is full"):
                view.check()
            with pytest.raises(LiveosError, match="scratch store is full"):
                view.read(0, 4096)
        assert not is_frozen(root.control, root.names)
        thaw(root.control, root.names)
        writer.wait_for_more()
    assert root.table() == plain
    assert writer.lost(root.mounted / "srv") == []


def test_a_scratch_store_on_the_root_itself_is_refused(root: RunningRoot) -> None:
    with pytest.raises(LiveosError, match="lies on the running root"):
        freeze(root.control, SystemRunner(), root.names, 1 << 20, root.mounted)
    assert root.left() == ""


def test_a_scratch_store_on_another_disk(root: RunningRoot) -> None:
    freeze(root.control, SystemRunner(), root.names, 1 << 20, root.work)
    assert [path.name for path in root.work.glob("*scratch*")] == []
    assert is_frozen(root.control, root.names)
    thaw(root.control, root.names)


def test_programs_that_still_read_the_frozen_view_are_ended(root: RunningRoot) -> None:
    frozen(root)
    with FrozenView(root.control, root.names) as view:
        path = view.path
    with path.open("rb") as opened, subprocess.Popen(["sleep", "600"], stdin=opened) as reader:
        opened.close()
        thaw(root.control, root.names)
        assert reader.wait(10) == -9
