"""How a mirror is, by status lines that the kernel has printed, good and failing, replayed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from liveos_tui.formats.dmtable import MirrorLeg, MirrorStatus, MirrorTable, parse_table
from liveos_tui.formats.mirror_status import (
    STALL_SECONDS,
    FailedLeg,
    Health,
    Leg,
    MirrorFeed,
    MirrorProgress,
    MirrorWatch,
    failed_leg,
    mirror_table,
    region_sectors,
)

DATA = Path(__file__).parents[1] / "data" / "mirror"
CAPTURED = (
    "good",
    "source-fails",
    "target-full",
    "stalls",
    "source-not-read",
    "target-not-written",
)


def captured(name: str) -> Iterator[tuple[float, bytes]]:
    """What was captured, by the second."""
    for line in (DATA / f"{name}.status").read_text().splitlines():
        seconds, _, status = line.partition(" ")
        yield float(seconds), f"{status}\n".encode()


def replayed(name: str, scale: float = 1.0) -> list[MirrorProgress]:
    """A capture as it would have come from a machine that is `scale` times as slow."""
    feed, watch = MirrorFeed(), MirrorWatch(0.0)
    return [
        watch.saw(status, seconds * scale)
        for seconds, data in captured(name)
        for status in feed.feed(data)
    ]


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_a_copy_comes_to_its_end(scale: float) -> None:
    seen = replayed("good", scale)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert fractions[0] < 0.5
    assert fractions[-1] == 1.0
    assert [progress.complete for progress in seen] == [False] * (len(seen) - 1) + [True]
    assert not any(progress.failed or progress.stalled for progress in seen)


def test_a_source_that_cannot_be_read_is_named_and_never_complete() -> None:
    seen = replayed("source-fails")
    assert seen[-1].failed == FailedLeg(Leg.SOURCE, Health.COPY_FAILED)
    assert seen[-1].failed.sentence == "The mirror's source could not be read (health S)."
    assert 0.99 < seen[-1].fraction < 1.0
    assert not any(progress.complete for progress in seen)


def test_a_target_without_room_is_named_and_never_complete() -> None:
    seen = replayed("target-full")
    assert seen[-1].failed == FailedLeg(Leg.TARGET, Health.COPY_FAILED)
    assert seen[-1].failed.sentence == "The mirror's target could not be written (health S)."
    assert not any(progress.complete for progress in seen)


@pytest.mark.parametrize(
    ("name", "failed", "words"),
    [
        ("source-not-read", FailedLeg(Leg.SOURCE, Health.READ_FAILED), "source could not be read"),
        (
            "target-not-written",
            FailedLeg(Leg.TARGET, Health.WRITE_FAILED),
            "target could not be written",
        ),
    ],
)
def test_a_copy_whose_leg_fails_later_is_complete_no_more(
    name: str, failed: FailedLeg, words: str
) -> None:
    *_, before, after = replayed(name)
    assert before.complete
    assert not after.complete
    assert after.failed == failed
    assert words in failed.sentence


def test_a_mirror_that_copies_nothing_for_30_seconds_is_stalled() -> None:
    seen = replayed("stalls")
    first = next(number for number, progress in enumerate(seen) if progress.stalled)
    times = [seconds for seconds, _ in captured("stalls")]
    begun = next(
        seconds
        for seconds, progress in zip(times, seen, strict=True)
        if progress.status.in_sync_regions == seen[first].status.in_sync_regions
    )
    assert times[first] - begun >= STALL_SECONDS > times[first - 1] - begun
    assert seen[first].failed is None
    assert seen[-1].complete
    assert not seen[-1].stalled


def test_the_same_pause_on_a_faster_machine_is_no_stall() -> None:
    assert not any(progress.stalled for progress in replayed("stalls", 0.5))


def test_a_mirror_that_says_nothing_at_all_is_stalled_too() -> None:
    watch = MirrorWatch(100.0)
    assert not watch.is_stalled(100.0 + STALL_SECONDS - 0.1)
    assert watch.is_stalled(100.0 + STALL_SECONDS)


def test_a_complete_mirror_is_not_stalled_however_long_it_is_asked() -> None:
    status = MirrorStatus(("7:0", "7:1"), 16, 16, "AA")
    watch = MirrorWatch(0.0)
    watch.saw(status, 0.0)
    assert not watch.saw(status, 1000.0).stalled


@pytest.mark.parametrize(
    ("letters", "words"),
    [
        ("FA", "The mirror's source could not be written out (health F)."),
        ("AF", "The mirror's target could not be written out (health F)."),
        ("DA", "The mirror's source could not be written (health D)."),
        ("AR", "The mirror's target could not be read (health R)."),
        ("UA", "The mirror's source has failed (health U)."),
        ("A?", "The mirror's target has failed (health U)."),
        ("SD", "The mirror's source could not be read (health S)."),
    ],
)
def test_each_letter_says_what_has_failed(letters: str, words: str) -> None:
    failed = failed_leg(MirrorStatus(("7:0", "7:1"), 1, 16, letters))
    assert failed is not None
    assert failed.sentence == words


def test_lines_that_are_none_of_a_mirror_are_passed_over() -> None:
    feed = MirrorFeed()
    others = (
        b"\nNo devices found\nrubbish\xff\x1b[2J\n0 8 linear \n0 8 snapshot 16/32 16\n"
        b"0 9 mirror 2 7:0 7:2 26/32 1 AAA 1 core\n"
    )
    assert feed.feed(others) == []
    (status,) = feed.feed(b"it: 0 9 mirror 2 7:0 7:2 26/32 1 AA 1 core\n")
    assert status == MirrorStatus(("7:0", "7:2"), 26, 32, "AA")


def test_a_last_line_without_an_end_counts() -> None:
    feed = MirrorFeed()
    assert feed.feed(b"0 9 mirror 2 7:0 7:2 32/32 1 AA 1 core") == []
    assert len(feed.close()) == 1
    assert feed.close() == []


def test_the_table_copies_all_and_has_errors_told() -> None:
    table = mirror_table(4194304, "254:2", "/dev/loop6", 8192)
    assert table == ("0 4194304 mirror core 2 8192 sync 2 254:2 0 /dev/loop6 0 1 handle_errors")
    ((line,),) = (device.lines for device in parse_table(table))
    assert line.table == MirrorTable(
        (MirrorLeg("254:2"), MirrorLeg("/dev/loop6")),
        ("8192", "sync"),
        features=("handle_errors",),
    )


@pytest.mark.parametrize(
    ("size_bytes", "sectors"),
    [
        (2 << 30, 8192),
        (256 << 20, 8192),
        (255 << 20, 4096),
        (40 << 20, 1024),
        (1 << 20, 32),
        (8192, 8),
    ],
)
def test_small_mirrors_have_small_regions(size_bytes: int, sectors: int) -> None:
    assert region_sectors(size_bytes // 512) == sectors
