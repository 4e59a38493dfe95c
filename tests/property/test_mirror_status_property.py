"""However the bytes of a mirror's status come, and whatever they are."""

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.dmtable import MirrorStatus, MirrorTable, parse_table
from liveos_tui.formats.mirror_status import (
    STALL_SECONDS,
    MirrorFeed,
    MirrorWatch,
    failed_leg,
    mirror_table,
    region_sectors,
)

DATA = Path(__file__).parents[1] / "data" / "mirror"
LINES = b"".join(
    line.partition(b" ")[2] + b"\n"
    for path in sorted(DATA.glob("*.status"))
    for line in path.read_bytes().splitlines()
)
WHOLE = MirrorFeed().feed(LINES)

STATUSES = st.builds(
    MirrorStatus,
    st.just(("254:0", "7:1")),
    st.integers(0, 100),
    st.integers(1, 100),
    st.text("AFDSRU", min_size=2, max_size=2),
)


@given(st.lists(st.integers(0, len(LINES)), max_size=40))
def test_every_split_of_the_same_bytes_gives_the_same_lines(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(LINES)]
    feed = MirrorFeed()
    seen = [
        line for start, end in itertools.pairwise(places) for line in feed.feed(LINES[start:end])
    ]
    assert seen + feed.close() == WHOLE


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_any_bytes_at_all_are_read(pieces: list[bytes]) -> None:
    feed = MirrorFeed()
    for piece in pieces:
        feed.feed(piece)
    feed.close()


@given(STATUSES)
def test_complete_means_equal_counts_and_living_legs(status: MirrorStatus) -> None:
    progress = MirrorWatch(0.0).saw(status, 0.0)
    assert progress.complete == (
        status.in_sync_regions == status.total_regions and status.health == "AA"
    )
    assert (progress.failed is None) == (status.health == "AA")
    assert (failed_leg(status) is None) == status.healthy
    assert 0.0 <= progress.fraction <= 1.0


@given(st.lists(st.tuples(STATUSES, st.floats(0, 100)), max_size=20))
def test_it_is_stalled_when_the_count_stands_still_for_long(
    seen: list[tuple[MirrorStatus, float]],
) -> None:
    watch = MirrorWatch(0.0)
    now, since, before = 0.0, 0.0, -1
    for status, seconds in seen:
        now += seconds
        progress = watch.saw(status, now)
        if status.in_sync_regions != before:
            since, before = now, status.in_sync_regions
        assert progress.stalled == (not progress.complete and now - since >= STALL_SECONDS)


@given(st.integers(8, 2**40))
def test_the_region_is_one_that_the_kernel_takes(size_sectors: int) -> None:
    region = region_sectors(size_sectors)
    # _check_region_size of dm-log.c.
    assert 2 <= region <= size_sectors
    assert region & (region - 1) == 0
    ((line,),) = (
        device.lines for device in parse_table(mirror_table(size_sectors, "1:2", "3:4", region))
    )
    assert isinstance(line.table, MirrorTable)
    assert line.table.region_sectors == region
