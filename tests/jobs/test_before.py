"""Saved chunks put a store back to the exact bytes, whatever a snapshot has written to it since."""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowSummary, iterate_exceptions, summarise
from liveos_tui.jobs import before
from liveos_tui.practice.files import BlockFile, BlockIoError
from liveos_tui.practice.snapshot import Snapshot
from liveos_tui.system.stick_writing import StickFolder

CHUNK = 4096
BASE_CHUNKS = 1200


@contextmanager
def snapshot(folder: Path, *, overflow: bool = True) -> Iterator[Snapshot]:
    base, store = folder / "base", folder / "store"
    found = Snapshot(
        BlockFile(base, writable=False), BlockFile(store, writable=True), overflow=overflow
    )
    try:
        yield found
    finally:
        found.close()


def write(folder: Path, chunks: list[int], seed: str, *, overflow: bool = True) -> None:
    source = random.Random(seed)
    with snapshot(folder, overflow=overflow) as device:
        for chunk in chunks:
            device.write(chunk * CHUNK, source.randbytes(CHUNK))


def summary_of(folder: Path) -> CowSummary:
    data = (folder / "store").read_bytes()
    return summarise(lambda offset, size: data[offset : offset + size], len(data))


def mapped_of(folder: Path, chunks: list[int]) -> list[int]:
    data = (folder / "store").read_bytes()
    pairs = dict(iterate_exceptions(lambda offset, size: data[offset : offset + size], len(data)))
    return [pairs[chunk] for chunk in chunks if chunk in pairs]


def make(folder: Path, store_chunks: int, tail: int = 0) -> None:
    """A base, and a store that is full of what an earlier use has left."""
    (folder / "base").write_bytes(random.Random("base").randbytes(BASE_CHUNKS * CHUNK))
    stale = random.Random("stale").randbytes(store_chunks * CHUNK + tail)
    (folder / "store").write_bytes(bytes(2 * CHUNK) + stale[2 * CHUNK :])


@settings(max_examples=40)
@given(
    used=st.lists(st.integers(0, BASE_CHUNKS - 1), max_size=600),
    repaired=st.lists(st.integers(0, BASE_CHUNKS - 1), min_size=1, max_size=300, unique=True),
    room=st.integers(0, 700),
    growth=st.integers(1, 400),
    tail=st.integers(0, CHUNK - 1),
)
def test_a_repair_is_undone_to_the_byte(
    used: list[int], repaired: list[int], room: int, growth: int, tail: int
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, len(set(used)) + len(set(used)) // 256 + 3 + room, tail)
        write(folder, used, "used")
        original = (folder / "store").read_bytes()
        summary = summary_of(folder)
        with StickFolder(folder) as stick, stick.edit("store") as store:
            digest = before.save(stick, "metadata.cow", store, 8, before.metadata_chunks(summary))
            store.write(len(original), bytes(growth * CHUNK))
        grown = (folder / "store").read_bytes()
        summary = summary_of(folder)
        mapped = mapped_of(folder, repaired)
        fresh = len(repaired) - len(mapped)
        with StickFolder(folder) as stick, stick.edit("store") as store:
            chunks = before.written_chunks(summary, mapped, fresh)
            saved = before.save(stick, "repair.cow", store, 8, chunks)
        # Where too little was grown, what did fit was written, and is undone as well.
        with suppress(BlockIoError):
            write(folder, repaired, "repaired")

        with StickFolder(folder) as stick, stick.edit("store") as store:
            before.put_back(stick, "repair.cow", store, store.size_bytes, saved)
            assert (folder / "store").read_bytes() == grown
            before.put_back(stick, "metadata.cow", store, len(original), digest)
            store.truncate(len(original))

        assert (folder / "store").read_bytes() == original


def test_a_store_that_became_invalid_meanwhile_is_put_back_too(tmp_path: Path) -> None:
    make(tmp_path, 20)
    write(tmp_path, list(range(10)), "used")
    original = (tmp_path / "store").read_bytes()
    with StickFolder(tmp_path) as stick, stick.edit("store") as store:
        digest = before.save(
            stick, "saved", store, 8, [*before.metadata_chunks(summary_of(tmp_path)), *range(20)]
        )

    with pytest.raises(BlockIoError, match="invalid"):
        write(tmp_path, list(range(100, 140)), "more", overflow=False)
    assert (tmp_path / "store").read_bytes() != original
    with StickFolder(tmp_path) as stick, stick.edit("store") as store:
        before.put_back(stick, "saved", store, len(original), digest)

    assert (tmp_path / "store").read_bytes() == original


def saved_and_changed(folder: Path) -> tuple[str, bytes]:
    """A store of which chunks were saved, and which has changed since."""
    make(folder, 20)
    write(folder, list(range(10)), "used")
    with StickFolder(folder) as stick, stick.edit("store") as store:
        digest = before.save(stick, "saved", store, 8, range(12))
    write(folder, list(range(10)), "changed")
    return digest, (folder / "store").read_bytes()


@pytest.mark.parametrize("size", [0, 100, 5 * CHUNK, 13 * CHUNK])
def test_a_saved_file_that_was_cut_off_writes_nothing(tmp_path: Path, size: int) -> None:
    digest, changed = saved_and_changed(tmp_path)
    saved = (tmp_path / "saved").read_bytes()
    (tmp_path / "saved").write_bytes(saved[:size])

    with (
        StickFolder(tmp_path) as stick,
        stick.edit("store") as store,
        pytest.raises(LiveosError, match="nothing was put back"),
    ):
        before.put_back(stick, "saved", store, len(changed), digest)

    assert (tmp_path / "store").read_bytes() == changed


def test_a_saved_file_with_one_other_byte_writes_nothing(tmp_path: Path) -> None:
    digest, changed = saved_and_changed(tmp_path)
    saved = bytearray((tmp_path / "saved").read_bytes())
    saved[5 * CHUNK + 7] ^= 1
    (tmp_path / "saved").write_bytes(saved)

    with (
        StickFolder(tmp_path) as stick,
        stick.edit("store") as store,
        pytest.raises(LiveosError, match="nothing was put back"),
    ):
        before.put_back(stick, "saved", store, len(changed), digest)

    assert (tmp_path / "store").read_bytes() == changed


def test_how_large_a_file_of_saved_chunks_is(tmp_path: Path) -> None:
    make(tmp_path, 600)
    with StickFolder(tmp_path) as stick, stick.edit("store") as store:
        for count in (1, 255, 256, 257, 600):
            before.save(stick, "saved", store, 8, range(count))
            assert (tmp_path / "saved").stat().st_size <= before.saved_bytes(8, count)
