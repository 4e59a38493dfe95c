"""Whether an invalid store had been full, told from the store alone."""

import pytest

from liveos_tui.formats.cow import CowHeader, CowSummary
from liveos_tui.live.cause import was_full

CHUNKS = 8192


def store(free_chunks: int) -> CowSummary:
    return CowSummary(
        CowHeader(valid=False),
        CHUNKS * 4096,
        exceptions=CHUNKS - free_chunks - 34,
        areas=32,
        next_free_chunk=CHUNKS - free_chunks,
    )


# 0: full to the end. 6, 12, 62 and 70 were seen in stores that only ran full (dm lane): the
# exceptions of writes that were under way are lost.
@pytest.mark.parametrize("free_chunks", [0, 6, 12, 62, 70, 1000])
def test_a_store_with_little_room_had_run_full(free_chunks: int) -> None:
    assert was_full(store(free_chunks))


@pytest.mark.parametrize("free_chunks", [1100, 4000, 8000])
def test_a_store_with_much_room_had_another_reason(free_chunks: int) -> None:
    assert not was_full(store(free_chunks))
