"""Words and sizes of joined stores; that the kernel does it is seen in the dm lane."""

import os
from pathlib import Path

import pytest
from runners import fails, says

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowSummary
from liveos_tui.formats.dmtable import SnapshotIll, SnapshotStatus
from liveos_tui.system.joining import part_name, patched_store_table, refused, snapshot_table
from liveos_tui.system.kernel_snapshots import scratch_store_bytes
from liveos_tui.system.kernel_views import kernel_has_device_mapper
from liveos_tui.system.loops import attach, detach, refresh_capacity


@pytest.mark.parametrize(
    ("read_only", "argv"),
    [
        (False, ("losetup", "--find", "--show", "/stick/overlay")),
        (True, ("losetup", "--find", "--show", "--read-only", "/stick/overlay")),
    ],
)
def test_a_loop_device_is_whichever_is_free(argv: tuple[str, ...], *, read_only: bool) -> None:
    runner = says(b"/dev/loop3\n")

    assert attach(runner, Path("/stick/overlay"), read_only=read_only) == Path("/dev/loop3")
    assert runner.asked == [argv]


def test_an_answer_that_is_no_loop_device_is_not_used() -> None:
    with pytest.raises(LiveosError, match="no loop device"):
        attach(says(b"/dev/sda\n"), Path("/overlay"), read_only=True)


def test_what_losetup_is_asked() -> None:
    runner = says()
    refresh_capacity(runner, Path("/dev/loop3"))
    detach(runner, Path("/dev/loop3"))

    assert runner.asked == [
        ("losetup", "--set-capacity", "/dev/loop3"),
        ("losetup", "--detach", "/dev/loop3"),
    ]


@pytest.mark.parametrize(
    ("user", "failing", "has"), [(0, False, True), (0, True, False), (1000, False, False)]
)
def test_whether_the_kernels_device_mapper_can_be_used(
    monkeypatch: pytest.MonkeyPatch, user: int, *, failing: bool, has: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)

    assert kernel_has_device_mapper(fails() if failing else says()) == has


def test_tables_are_those_of_dmsetup() -> None:
    assert snapshot_table(4194304 * 512, "/dev/loop1", "/dev/loop2", "PO", 8) == (
        "0 4194304 snapshot /dev/loop1 /dev/loop2 PO 8"
    )
    assert patched_store_table("/dev/loop4", "/dev/loop2", 2048 * 512, 8) == (
        "0 8 linear /dev/loop4 0\n8 2040 linear /dev/loop2 8"
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (SnapshotIll.INVALID, "it is invalid, and nothing of it can be read"),
        (SnapshotIll.OVERFLOW, "it is full"),
        (SnapshotStatus(16, 2048, 16), "at byte 4096: Input/output error"),
        (None, "at byte 4096: Input/output error"),
    ],
)
def test_a_refusal_says_how_the_overlay_is(
    status: SnapshotStatus | SnapshotIll | None, words: str
) -> None:
    error = refused("written", 4096, status, "Input/output error")

    assert words in error.message
    assert error.status is status


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "a b", "a\n", "x" * 81])
def test_a_name_that_could_lead_elsewhere_is_none(name: str) -> None:
    with pytest.raises(LiveosError):
        part_name(name, "view")


@pytest.mark.parametrize("chunks", [0, 1, 254, 255, 256, 257, 512, 100_000])
def test_a_trials_store_has_room_for_every_chunk(chunks: int) -> None:
    # As many chunks as the view has, plus what the metadata takes of the numbers between.
    store = CowSummary(None, scratch_store_bytes(chunks * 4096), next_free_chunk=2 + chunks)
    areas = chunks // 256

    assert store.total_sectors // 8 >= 2 + chunks + areas + 1
