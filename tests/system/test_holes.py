"""Blocks of zeros are given back, and no byte changes."""

import os
import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from liveos_tui.system.holes import HoleDigger

UNIT = 1 << 16


def dig(path: Path, end: int) -> int:
    """Dig up to `end`; what the file takes then."""
    with path.open("r+b") as file:
        digger = HoleDigger(file.fileno())
        while digger.dig(end):
            pass
        assert digger.at >= end
        return os.fstat(file.fileno()).st_blocks * 512


def test_zeros_take_no_room_any_more(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    data = bytes(3 << 20) + b"data" + bytes(2 << 20) + random.Random(1).randbytes(1 << 20)
    path.write_bytes(data)
    before = path.stat().st_blocks * 512
    assert dig(path, len(data)) < before / 3
    assert path.read_bytes() == data


def test_it_goes_no_further_than_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(bytes(8 << 20))
    assert dig(path, 4 << 20) >= 4 << 20


def test_it_goes_on_where_it_has_stopped(tmp_path: Path) -> None:
    path = tmp_path / "copy"
    path.write_bytes(bytes(4 << 20))
    with path.open("r+b") as file:
        digger = HoleDigger(file.fileno())
        assert digger.dig(3 << 20)
        assert digger.at == 1 << 20
        assert not digger.dig(1 << 20)
        while digger.dig(4 << 20):
            pass
    assert path.stat().st_blocks == 0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 5 * UNIT), st.booleans()), max_size=12))
def test_no_byte_ever_changes(pieces: list[tuple[int, bool]]) -> None:
    data = b"".join((b"x" if full else b"\0") * size for size, full in pieces)
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.flush()
        digger = HoleDigger(file.fileno())
        while digger.dig(len(data)):
            pass
        assert os.pread(file.fileno(), len(data) + 1, 0) == data
