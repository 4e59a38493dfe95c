"""The snapshot in user space against a plain model: a bytearray and a list of old chunks.

Any sequence of writes, reopenings and growings; small chunks, so that areas fill often.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from liveos_tui.formats import cow
from liveos_tui.formats.dmtable import SnapshotIll
from liveos_tui.practice.files import BlockIoError
from liveos_tui.practice.snapshot import Snapshot

ORIGIN_BYTES = 96 * 1024 - 512


class Memory:
    """A block device in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = bytearray(data)

    @property
    def size_bytes(self) -> int:
        return len(self.data)

    def read(self, offset: int, size: int) -> bytes:
        if offset + size > len(self.data):
            raise BlockIoError("behind the end")
        return bytes(self.data[offset : offset + size])

    def write(self, offset: int, data: bytes) -> None:
        if offset + len(data) > len(self.data):
            raise BlockIoError("behind the end")
        self.data[offset : offset + len(data)] = data

    def sync(self) -> None:
        pass

    def close(self) -> None:
        pass


class SnapshotMachine(RuleBasedStateMachine):
    @initialize(
        chunk_sectors=st.sampled_from([1, 2, 8]),
        chunks=st.integers(2, 110),
        overflow=st.booleans(),
    )
    def start(self, chunk_sectors: int, chunks: int, overflow: bool) -> None:
        self.chunk = chunk_sectors * 512
        self.per_area = self.chunk // 16
        self.overflow = overflow
        self.view = bytearray(bytes(range(256)) * (ORIGIN_BYTES // 256))
        self.origin = Memory(bytes(self.view))
        self.store = Memory(bytes(chunks * self.chunk))
        self.mapped: list[int] = []
        self.invalid = self.overflowed = False
        self.open()

    def open(self) -> None:
        self.snapshot = Snapshot(
            self.origin,
            self.store,
            overflow=self.overflow,
            chunk_sectors=self.chunk // 512,
        )

    def room(self) -> int:
        """Data chunks in a store of this size: all but the header and the places of areas."""
        chunks = len(self.store.data) // self.chunk
        return sum(1 for c in range(2, chunks) if c % (self.per_area + 1) != 1)

    def area_missing(self) -> bool:
        """Whether the exception just made fills an area that has no successor in the store."""
        if len(self.mapped) % self.per_area:
            return False
        following = 1 + len(self.mapped) // self.per_area * (self.per_area + 1)
        return (following + 1) * self.chunk > len(self.store.data)

    @rule(
        where=st.integers(0, ORIGIN_BYTES - 1),
        size=st.integers(1, 9000),
        fill=st.binary(max_size=3),
    )
    def write(self, where: int, size: int, fill: bytes) -> None:
        data = (fill * size)[:size].ljust(size, b"\x5a")[: ORIGIN_BYTES - where]
        expected = not (self.invalid or self.overflowed)
        done = 0
        while expected and done < len(data):
            chunk, start = divmod(where + done, self.chunk)
            length = min(self.chunk - start, len(data) - done)
            if chunk not in self.mapped:
                if len(self.mapped) == self.room():
                    self.invalid, self.overflowed = not self.overflow, self.overflow
                    expected = False
                    break
                self.mapped.append(chunk)
                if self.area_missing():
                    self.mapped.pop()
                    self.invalid, expected = True, False
                    break
            self.view[where + done : where + done + length] = data[done : done + length]
            done += length
        try:
            self.snapshot.write(where, data)
        except BlockIoError:
            assert not expected
        else:
            assert expected

    @rule()
    def reopen(self) -> None:
        self.snapshot.close()
        self.overflowed = False
        self.open()

    @rule(chunks=st.integers(1, 40), rest=st.sampled_from([0, 512]))
    def grow(self, chunks: int, rest: int) -> None:
        self.store.data.extend(bytes(chunks * self.chunk + rest))

    @precondition(lambda self: not self.invalid)
    @invariant()
    def the_view_is_the_models(self) -> None:
        assert self.snapshot.read(0, ORIGIN_BYTES) == self.view

    @invariant()
    def the_base_is_untouched(self) -> None:
        assert self.origin.data == bytes(range(256)) * (ORIGIN_BYTES // 256)

    @invariant()
    def the_store_says_the_same_to_its_reader(self) -> None:
        data = bytes(self.store.data)

        def read(offset: int, size: int) -> bytes:
            return data[offset : offset + size]

        summary = cow.summarise(read, len(data))
        assert summary.valid is not self.invalid
        assert summary.damage is None or self.invalid
        assert summary.exceptions == len(self.mapped)
        pairs = list(cow.iterate_exceptions(read, len(data)))
        assert [old for old, _ in pairs] == self.mapped
        if self.invalid:
            assert self.snapshot.status is SnapshotIll.INVALID
        elif self.overflowed:
            assert self.snapshot.status is SnapshotIll.OVERFLOW
        else:
            assert str(self.snapshot.status) == summary.status
            assert summary.full == (len(self.mapped) == self.room())


TestSnapshot = SnapshotMachine.TestCase
TestSnapshot.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
