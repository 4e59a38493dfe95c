"""The COW store is read and counted as the kernel does it."""

import pytest

from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import allocate, area_offset, header_chunk, store_metadata

CHUNK = 4096
MIB = 1 << 20

# struct disk_header of a LiveOS overlay in use: magic, valid, version, chunk size.
KERNEL_HEADER = bytes.fromhex("536e4170 01000000 01000000 08000000")


class Store:
    """A store in memory: only what was written takes room."""

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.pieces: dict[int, bytes] = {}
        self.reads: list[tuple[int, int]] = []

    def write(self, offset: int, data: bytes) -> None:
        self.pieces[offset] = data

    def read(self, offset: int, size: int) -> bytes:
        self.reads.append((offset, size))
        for start, data in self.pieces.items():
            if start <= offset < start + len(data):
                return data[offset - start : offset - start + size][: self.size_bytes - offset]
        return bytes(max(0, min(size, self.size_bytes - offset)))

    def summarise(self) -> cow.CowSummary:
        return cow.summarise(self.read, self.size_bytes)


def store_of(
    exceptions: list[tuple[int, int]],
    size_bytes: int = 64 * MIB,
    header: cow.CowHeader | None = None,
) -> Store:
    store = Store(size_bytes)
    for offset, data in store_metadata(header or cow.CowHeader(), exceptions):
        store.write(offset, data)
    return store


def filled(count: int, size_bytes: int = 64 * MIB, chunk_sectors: int = 8) -> Store:
    """A store with `count` exceptions in the kernel's order of allocation."""
    pairs = list(zip(range(count), allocate(chunk_sectors), strict=False))
    return store_of(pairs, size_bytes, cow.CowHeader(chunk_sectors=chunk_sectors))


def test_the_kernels_header_is_read() -> None:
    assert cow.parse_header(KERNEL_HEADER) == cow.CowHeader(True, 1, 8)


def test_a_header_is_written_as_the_kernel_writes_it() -> None:
    assert header_chunk(cow.CowHeader()) == KERNEL_HEADER + bytes(CHUNK - 16)


def test_an_invalid_store_has_the_same_header_with_valid_cleared() -> None:
    header = cow.parse_header(bytes.fromhex("536e4170 00000000 01000000 08000000"))
    assert header == cow.CowHeader(valid=False)


def test_zeros_are_a_fresh_store() -> None:
    assert cow.parse_header(bytes(16)) is None


def test_the_kernel_looks_at_the_magic_alone_to_call_a_store_fresh() -> None:
    assert cow.parse_header(bytes(4) + b"\xff" * 12) is None


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (b"", cow.CowTruncatedError, "ends after 0 bytes"),
        (KERNEL_HEADER[:15], cow.CowTruncatedError, "ends after 15 bytes"),
        (b"hsqs" + bytes(12), cow.CowForeignError, "68 73 71 73"),
        (b"SnAp" + b"\1\0\0\0\2\0\0\0\x08\0\0\0", cow.CowVersionError, "version 2"),
        (b"SnAp" + b"\1\0\0\0\1\0\0\0\0\0\0\0", cow.CowChunkSizeError, "0 sectors"),
        (b"SnAp" + b"\1\0\0\0\1\0\0\0\x09\0\0\0", cow.CowChunkSizeError, "9 sectors"),
        (b"SnAp" + b"\1\0\0\0\1\0\0\0\0\0\x40\0", cow.CowChunkSizeError, "4194304 sectors"),
    ],
)
def test_a_header_that_the_kernel_refuses_is_told_in_one_sentence(
    data: bytes, error: type[cow.CowError], words: str
) -> None:
    with pytest.raises(error, match=words) as caught:
        cow.parse_header(data)
    assert caught.value.message.count("\n") == 0
    assert caught.value.hint


def test_a_fresh_store_uses_header_and_first_area() -> None:
    summary = Store(64 * MIB).summarise()
    assert summary.status == "16/131072 16"
    assert (summary.header, summary.exceptions, summary.valid) == (None, 0, True)


@pytest.mark.parametrize(
    ("count", "status"),
    [
        (0, "16/131072 16"),
        (1, "24/131072 16"),
        (255, "2056/131072 16"),
        # The 256th exception fills the area: the next area is wiped, chunk 258 skipped.
        (256, "2072/131072 24"),
        (257, "2080/131072 24"),
        (512, "4128/131072 32"),
    ],
)
def test_used_and_metadata_sectors_are_the_kernels(count: int, status: str) -> None:
    summary = filled(count).summarise()
    assert (summary.exceptions, summary.status) == (count, status)


def test_holes_are_counted_as_used() -> None:
    assert store_of([(7, 2), (9, 40)]).summarise().used_sectors == 41 * 8


def test_the_place_of_an_area_is_never_the_next_free_chunk() -> None:
    assert store_of([(7, 257)]).summarise().next_free_chunk == 259


def test_an_invalid_store_is_counted_and_says_invalid() -> None:
    summary = store_of([(1, 2)], header=cow.CowHeader(valid=False)).summarise()
    assert (summary.status, summary.exceptions, summary.valid) == ("Invalid", 1, False)


def test_exceptions_come_in_the_order_of_the_list() -> None:
    pairs = [(900 - i, new) for i, new in zip(range(600), allocate(8), strict=False)]
    store = store_of(pairs)
    assert list(cow.iterate_exceptions(store.read, store.size_bytes)) == pairs


def test_a_fresh_store_has_no_exceptions() -> None:
    assert list(cow.iterate_exceptions(Store(MIB).read, MIB)) == []


@pytest.mark.parametrize("chunk_sectors", [1, 2, 8, 16, 64])
def test_every_chunk_size_has_its_own_stride(chunk_sectors: int) -> None:
    per_area = chunk_sectors * 512 // 16
    summary = filled(per_area + 1, 128 * MIB, chunk_sectors).summarise()
    assert summary.areas == 2
    assert summary.next_free_chunk == 2 + per_area + 1 + 1
    assert summary.used_sectors == summary.next_free_chunk * chunk_sectors


def test_a_store_is_full_when_no_whole_chunk_is_left() -> None:
    # 5 chunks: header, area, three data chunks.
    assert not filled(2, size_bytes=5 * CHUNK).summarise().full
    assert filled(3, size_bytes=5 * CHUNK).summarise().full
    assert filled(3, size_bytes=6 * CHUNK - 512).summarise().full


@pytest.mark.parametrize("mib", [256, 513, 770, 1027])
def test_sizes_at_which_a_full_store_dies_are_known(mib: int) -> None:
    assert Store(mib * MIB).summarise().fragile_size
    assert not Store((mib - 1) * MIB).summarise().fragile_size
    assert not Store((mib + 1) * MIB).summarise().fragile_size


def test_part_of_a_chunk_at_the_end_does_not_cure_a_fragile_size() -> None:
    assert Store(258 * CHUNK + 512).summarise().fragile_size
    assert not Store(259 * CHUNK).summarise().fragile_size


def test_a_list_that_runs_past_the_end_is_told() -> None:
    whole = filled(256)
    cut = Store(258 * CHUNK)
    cut.pieces = whole.pieces
    summary = cut.summarise()
    assert summary.truncated
    assert summary.exceptions == 256
    assert "cut off" in (summary.damage or "")


def test_the_exceptions_before_the_cut_are_still_had() -> None:
    whole = filled(256)
    seen: list[tuple[int, int]] = []
    with pytest.raises(cow.CowTruncatedError):
        seen.extend(cow.iterate_exceptions(whole.read, 258 * CHUNK))
    assert len(seen) == 256


def test_a_store_without_room_for_its_first_area_is_truncated() -> None:
    with pytest.raises(cow.CowTruncatedError, match="8191 bytes"):
        cow.summarise(filled(1).read, 2 * CHUNK - 1)


def test_chunks_behind_the_end_are_told() -> None:
    summary = store_of([(1, 2), (2, 300), (3, 299)], size_bytes=300 * CHUNK).summarise()
    assert summary.beyond_end == 1
    assert summary.used_sectors == 301 * 8


@pytest.mark.parametrize("new", [1, 258, 515])
def test_exceptions_that_point_at_metadata_are_told(new: int) -> None:
    summary = store_of([(1, 2), (2, new)]).summarise()
    assert summary.in_metadata == 1
    assert "the list itself" in (summary.damage or "")


def test_a_sound_list_has_no_damage() -> None:
    assert filled(1000).summarise().damage is None


def test_the_highest_chunk_number_wraps_the_kernels_counter() -> None:
    # next_free is a 64-bit sector_t in struct pstore: highest + 1 is 0.
    assert store_of([(1, 2), (2, (1 << 64) - 1), (3, 5)]).summarise().next_free_chunk == 6


def test_only_metadata_is_read() -> None:
    store = filled(1000)
    store.summarise()
    places = {area_offset(area, 8) for area in range(4)} | {0}
    assert {offset for offset, _ in store.reads} == places
    assert sum(size for _, size in store.reads) == 4 * CHUNK + 16


def test_a_reader_that_gives_less_than_asked_ends_the_walk() -> None:
    whole = filled(200)
    summary = cow.summarise(lambda at, size: whole.read(at, size)[:1600], whole.size_bytes)
    assert summary.truncated
    assert summary.exceptions == 100
