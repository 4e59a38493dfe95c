"""Stretches of a merged view, and reading them from real files."""

import os
import random
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import UnreadableError
from liveos_tui.system.merged import MergedReader, Origin, Stretch, stretches

CHUNK = 4096
MIB = 1 << 20


def test_what_is_not_in_use_is_read_nowhere() -> None:
    assert stretches(10 * CHUNK, [(CHUNK, 3 * CHUNK)], [], CHUNK) == (
        Stretch(Origin.NOTHING, 0, CHUNK),
        Stretch(Origin.BASE, CHUNK, 2 * CHUNK),
        Stretch(Origin.NOTHING, 3 * CHUNK, 7 * CHUNK),
    )


def test_chunks_of_the_overlay_are_read_together() -> None:
    found = stretches(100 * CHUNK, [(0, 100 * CHUNK)], [11, 10, 60], CHUNK)
    assert found == (
        Stretch(Origin.BASE, 0, 10 * CHUNK),
        Stretch(Origin.VIEW, 10 * CHUNK, 2 * CHUNK),
        Stretch(Origin.BASE, 12 * CHUNK, 48 * CHUNK),
        Stretch(Origin.VIEW, 60 * CHUNK, CHUNK),
        Stretch(Origin.BASE, 61 * CHUNK, 39 * CHUNK),
    )


def test_chunks_behind_the_end_are_of_no_interest() -> None:
    assert stretches(CHUNK, [(0, CHUNK)], [5, 1 << 60], CHUNK) == (Stretch(Origin.BASE, 0, CHUNK),)


BLOCK = 1024
BLOCKS = 512


@given(
    st.sets(st.integers(0, BLOCKS - 1)),
    st.sets(st.integers(0, BLOCKS // 4 + 3)),
    st.integers(1, BLOCKS),
)
def test_every_byte_comes_from_where_it_is(in_use: set[int], mapped: set[int], blocks: int) -> None:
    used: list[tuple[int, int]] = []
    for block in sorted(in_use):
        start, end = block * BLOCK, (block + 1) * BLOCK
        if used and used[-1][1] == start:
            used[-1] = used[-1][0], end
        else:
            used.append((start, end))
    found = stretches(blocks * BLOCK, used, mapped, CHUNK)
    at = 0
    for stretch in found:
        assert stretch.offset == at
        assert stretch.size > 0
        for block in range(at // BLOCK, (at + stretch.size) // BLOCK):
            assert (block in in_use) == (stretch.origin is not Origin.NOTHING)
            if block in in_use and block * BLOCK // CHUNK in mapped:
                assert stretch.origin is Origin.VIEW
        at += stretch.size
    assert at == blocks * BLOCK


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    for name, seed in (("base", 1), ("view", 2)):
        (tmp_path / name).write_bytes(random.Random(seed).randbytes(5 * MIB + 512))
    return tmp_path / "base", tmp_path / "view"


PARTS = (
    Stretch(Origin.BASE, 0, 2 * MIB + 512),
    Stretch(Origin.NOTHING, 2 * MIB + 512, MIB + 100),
    Stretch(Origin.VIEW, 3 * MIB + 612, MIB),
    Stretch(Origin.BASE, 4 * MIB + 612, MIB - 100),
)


def expected(base: Path, view: Path) -> bytes:
    sources = {Origin.BASE: base.read_bytes(), Origin.VIEW: view.read_bytes()}
    return b"".join(
        sources[part.origin][part.offset : part.offset + part.size]
        if part.origin in sources
        else bytes(part.size)
        for part in PARTS
    )


def sent(reader: MergedReader) -> bytes:
    """What comes out of a pipe."""
    output, pipe = os.pipe()
    caught: list[BaseException] = []

    def send() -> None:
        try:
            reader.send(pipe, threading.Event())
        except BaseException as error:
            caught.append(error)
        finally:
            os.close(pipe)

    thread = threading.Thread(target=send)
    thread.start()
    with os.fdopen(output, "rb") as file:
        data = file.read()
    thread.join()
    if caught:
        raise caught[0]
    return data


def test_a_pipe_gets_all_of_it_in_order(files: tuple[Path, Path]) -> None:
    with MergedReader(*files, PARTS) as reader:
        assert sent(reader) == expected(*files)
        assert reader.done_bytes == reader.size_bytes == 5 * MIB + 512


def test_where_a_file_system_cannot_splice_it_is_read_and_written(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise OSError(22, "Invalid argument")

    monkeypatch.setattr(os, "splice", refuse)
    with MergedReader(*files, PARTS) as reader:
        assert sent(reader) == expected(*files)


def test_pieces_are_what_is_in_use(files: tuple[Path, Path]) -> None:
    whole = expected(*files)
    with MergedReader(*files, PARTS) as reader:
        pieces = list(reader.pieces())
    assert all(data == whole[at : at + len(data)] for at, data in pieces)
    assert max(len(data) for _, data in pieces) == MIB
    assert sum(len(data) for _, data in pieces) == 4 * MIB + 412


def test_a_base_that_ends_early_is_told_with_the_place(files: tuple[Path, Path]) -> None:
    os.truncate(files[0], MIB + 7)
    with (
        MergedReader(*files, PARTS) as reader,
        pytest.raises(UnreadableError, match=f"The base image cannot be read at byte {MIB + 7}"),
    ):
        sent(reader)


def test_nobody_reading_is_a_broken_pipe(files: tuple[Path, Path]) -> None:
    output, pipe = os.pipe()
    os.close(output)
    with MergedReader(*files, PARTS) as reader, pytest.raises(BrokenPipeError):
        reader.send(pipe, threading.Event())
    os.close(pipe)


def test_it_stops_when_it_is_told(files: tuple[Path, Path]) -> None:
    stop = threading.Event()
    stop.set()
    output, pipe = os.pipe()
    with MergedReader(*files, PARTS) as reader:
        reader.send(pipe, stop)
        assert reader.done_bytes == 0
    os.close(output)
    os.close(pipe)
