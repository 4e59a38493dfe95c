"""A store that is written in user space, read as the kernel reads it."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import iterate_exceptions, summarise
from liveos_tui.system.files import read_whole
from liveos_tui.system.second_overlay import SecondOverlay

CHUNK = 4096
VIEW_CHUNKS = 2000
STORE_BYTES = 4 << 20


class View:
    """A view that changes."""

    def __init__(self) -> None:
        self.bytes = bytearray(random.Random(1).randbytes(VIEW_CHUNKS * CHUNK))
        self.reads = 0

    def read(self, offset: int, size: int) -> bytes:
        self.reads += 1
        assert offset + size <= len(self.bytes)
        return bytes(self.bytes[offset : offset + size])

    def chunk(self, number: int) -> bytes:
        return bytes(self.bytes[number * CHUNK : (number + 1) * CHUNK])


def nothing(_: int) -> None:
    """Nobody is told."""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A file full of what it held before."""
    path = tmp_path / "second"
    path.write_bytes(random.Random(2).randbytes(STORE_BYTES))
    descriptor = os.open(path, os.O_RDWR)
    yield descriptor
    os.close(descriptor)


def store_in(file: int, view: View, size: int = STORE_BYTES) -> SecondOverlay:
    return SecondOverlay(file, size, 8, len(view.bytes))


def held(file: int) -> dict[int, bytes]:
    """What the kernel finds in it: chunks by their place in the view."""

    def read(offset: int, size: int) -> bytes:
        return read_whole(file, offset, size)

    return {old: read(new * CHUNK, CHUNK) for old, new in iterate_exceptions(read, STORE_BYTES)}


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 511, 512, 700])
def test_what_was_copied_is_found_and_nothing_else(file: int, count: int) -> None:
    view = View()
    chunks = random.Random(3).sample(range(VIEW_CHUNKS), count)
    store = store_in(file, view)
    store.copy(view.read, chunks, nothing)
    store.list_all()
    assert held(file) == {chunk: view.chunk(chunk) for chunk in chunks}
    assert store.chunks == count


def test_a_chunk_that_has_changed_is_written_in_its_place(file: int) -> None:
    view = View()
    store = store_in(file, view)
    store.copy(view.read, range(300), nothing)
    store.list_all()
    view.bytes[7 * CHUNK : 8 * CHUNK] = b"n" * CHUNK
    store.copy(view.read, [7, 1500, 298], nothing)
    store.list_all()
    expected = [*range(300), 1500]
    assert held(file) == {chunk: view.chunk(chunk) for chunk in expected}


def test_the_kernel_counts_it_as_one_of_its_own(file: int) -> None:
    view = View()
    store = store_in(file, view)
    store.copy(view.read, range(256), nothing)
    store.list_all()
    summary = summarise(lambda at, size: read_whole(file, at, size), STORE_BYTES)
    assert (summary.status, summary.damage) == ("2072/8192 24", None)


def test_neighbours_are_read_together(file: int) -> None:
    view = View()
    store_in(file, view).copy(view.read, range(400), nothing)
    assert view.reads == 2


def test_the_last_chunk_of_a_view_may_be_a_part(file: int) -> None:
    view = View()
    del view.bytes[-1024:]
    store = store_in(file, view)
    store.copy(view.read, [VIEW_CHUNKS - 1], nothing)
    store.list_all()
    assert held(file)[VIEW_CHUNKS - 1][:3072] == view.bytes[-3072:]


def test_progress_is_told_in_chunks(file: int) -> None:
    view, told = View(), list[int]()
    store_in(file, view).copy(view.read, [1, 2, 3, 9, *range(100, 500)], told.append)
    assert sum(told) == 404


def test_what_does_not_fit_is_refused_before_the_file_ends(file: int) -> None:
    view = View()
    store = store_in(file, view, 64 * CHUNK)
    with pytest.raises(LiveosError, match="too small"):
        store.copy(view.read, range(63), nothing)
