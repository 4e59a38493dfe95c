"""Properties of the COW store's reader and writer: whatever the bytes are."""

import tracemalloc
from contextlib import suppress
from itertools import islice

from hypothesis import given, settings
from hypothesis import strategies as st

from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import ExceptionPair, allocate, store_metadata

CHUNK_SECTORS = st.sampled_from([1, 2, 4, 8, 16])
NUMBERS = st.integers(0, (1 << 64) - 1)
SOUND = st.integers(2, 4000)


def image(header: cow.CowHeader, pairs: list[ExceptionPair], size_bytes: int = 0) -> bytes:
    data = bytearray()
    for offset, piece in store_metadata(header, pairs):
        data.extend(bytes(max(0, offset + len(piece) - len(data))))
        data[offset : offset + len(piece)] = piece
    data.extend(bytes(max(0, size_bytes - len(data))))
    return bytes(data)


def reader(data: bytes) -> cow.Read:
    return lambda offset, size: data[offset : offset + size]


def summary_of(data: bytes) -> cow.CowSummary:
    return cow.summarise(reader(data), len(data))


def exceptions_of(data: bytes) -> list[ExceptionPair]:
    return list(cow.iterate_exceptions(reader(data), len(data)))


def kernels_next_free(pairs: list[ExceptionPair], chunk_sectors: int) -> int:
    """insert_exceptions and skip_metadata of the kernel, one exception at a time."""
    next_free = 2
    for _, new in pairs:
        if next_free <= new:
            next_free = (new + 1) & ((1 << 64) - 1)
    if next_free % (chunk_sectors * 32 + 1) == 1:
        next_free += 1
    return next_free


@given(st.booleans(), CHUNK_SECTORS)
def test_header_round_trip(valid: bool, chunk_sectors: int) -> None:
    header = cow.CowHeader(valid, 1, chunk_sectors)
    assert cow.parse_header(header.to_bytes()) == header


@given(
    CHUNK_SECTORS, st.lists(st.tuples(NUMBERS, NUMBERS.filter(bool)), max_size=300), st.booleans()
)
def test_store_round_trip(chunk_sectors: int, pairs: list[ExceptionPair], valid: bool) -> None:
    data = image(cow.CowHeader(valid, 1, chunk_sectors), pairs)
    assert exceptions_of(data) == pairs
    summary = summary_of(data)
    assert summary.exceptions == len(pairs)
    assert summary.areas == len(pairs) // cow.exceptions_per_area(chunk_sectors) + 1
    assert summary.next_free_chunk == kernels_next_free(pairs, chunk_sectors)
    assert not summary.truncated


@given(CHUNK_SECTORS, st.integers(0, 600))
def test_a_store_filled_in_order_is_sound(chunk_sectors: int, count: int) -> None:
    pairs = list(zip(range(count), allocate(chunk_sectors), strict=False))
    highest = pairs[-1][1] if pairs else 1
    data = image(
        cow.CowHeader(chunk_sectors=chunk_sectors), pairs, (highest + 1) * chunk_sectors * 512
    )
    summary = summary_of(data)
    assert summary.damage is None
    assert summary.next_free_chunk == next(islice(allocate(chunk_sectors), count, None))
    assert not any(cow.is_metadata_chunk(new, chunk_sectors) for _, new in pairs)


@given(st.lists(st.tuples(NUMBERS, st.integers(1, 2000)), max_size=400), st.integers(2, 2000))
def test_every_exception_that_points_amiss_is_counted(
    pairs: list[ExceptionPair], chunks: int
) -> None:
    data = image(cow.CowHeader(chunk_sectors=1), pairs, chunks * 512)
    summary = summary_of(data)
    end = len(data) // 512
    assert summary.beyond_end == sum(new >= end for _, new in pairs)
    assert summary.in_metadata == sum(cow.is_metadata_chunk(new, 1) for _, new in pairs)


@given(CHUNK_SECTORS, st.integers(0, 400), st.data())
def test_a_store_cut_anywhere_is_an_error_or_is_told(
    chunk_sectors: int, count: int, draw: st.DataObject
) -> None:
    pairs = list(zip(range(count), allocate(chunk_sectors), strict=False))
    highest = pairs[-1][1] if pairs else 1
    header = cow.CowHeader(chunk_sectors=chunk_sectors)
    whole = image(header, pairs, (highest + 1) * header.chunk_bytes)
    cut = whole[: draw.draw(st.integers(0, len(whole) - 1))]
    try:
        summary = summary_of(cut)
    except cow.CowTruncatedError:
        return
    assert summary.truncated or summary.beyond_end
    assert summary.damage


@given(st.binary(max_size=4096))
def test_random_bytes_give_a_summary_or_one_clear_error(data: bytes) -> None:
    with suppress(cow.CowError):
        summary_of(data)
    with suppress(cow.CowError):
        exceptions_of(data)


@given(CHUNK_SECTORS, st.binary(min_size=1024, max_size=16384), st.integers(0, 1 << 40))
def test_random_areas_behind_a_sound_header_never_crash(
    chunk_sectors: int, noise: bytes, claimed_size: int
) -> None:
    data = image(cow.CowHeader(chunk_sectors=chunk_sectors), [])
    data = data[: chunk_sectors * 512] + noise
    with suppress(cow.CowError):
        # The size may be a lie: a file that shrinks, a device that fails.
        summary = cow.summarise(reader(data), claimed_size)
        assert summary.used_sectors >= 0
        assert summary.damage is None or "\n" not in summary.damage


@given(st.integers(0, (1 << 32) - 1), st.integers(0, (1 << 32) - 1))
def test_any_chunk_size_and_version_is_taken_or_refused(version: int, chunk_sectors: int) -> None:
    header = cow.CowHeader(True, version, chunk_sectors).to_bytes()
    sound = version == 1 and chunk_sectors in {1 << n for n in range(22)}
    try:
        assert cow.parse_header(header) == cow.CowHeader(True, version, chunk_sectors)
    except (cow.CowVersionError, cow.CowChunkSizeError):
        assert not sound
    else:
        assert sound


@settings(max_examples=4, deadline=None)
@given(st.sampled_from([1 << 16, 1 << 21]))
def test_a_hostile_chunk_size_costs_little_memory(chunk_sectors: int) -> None:
    # An area of up to 1 GiB, full of exceptions: what is in memory is one piece of it.
    header = cow.CowHeader(chunk_sectors=chunk_sectors).to_bytes()
    area = chunk_sectors * 512
    entry = (9).to_bytes(8, "little") + (2).to_bytes(8, "little")
    budget = 24 << 20
    asked: list[int] = []

    def read(offset: int, size: int) -> bytes:
        asked.append(size)
        if offset < area:
            return header
        return entry * (size // 16) if sum(asked) < budget else b""

    tracemalloc.start()
    try:
        summary = cow.summarise(read, 3 * area)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert summary.truncated or summary.exceptions
    assert max(asked) <= 1 << 20
    assert peak < 8 << 20
