"""The kernel's own snapshot target says what facts about it the parsers and findings rely on."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

SECTORS = 32768  # 16 MiB
STORE_SECTORS = 2048  # 1 MiB
CHUNK = 4096


def command(*words: str) -> str:
    """Standard output of a command that has to succeed."""
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@contextmanager
def loop(file: Path) -> Iterator[str]:
    """A loop device of a file."""
    device = command("losetup", "-f", "--show", str(file))
    try:
        yield device
    finally:
        command("losetup", "-d", device)


class Snapshot:
    """A snapshot of 16 MiB with a store of 1 MiB, as dracut makes it."""

    def __init__(self, store: Path, persistence: str) -> None:
        self.store = store
        self.persistence = persistence
        self.device = Path("/dev/mapper/lane-rw")

    def write(self, first_chunk: int, chunks: int) -> None:
        """Write chunks through the device; OSError when the kernel refuses one."""
        descriptor = os.open(self.device, os.O_WRONLY)
        try:
            for chunk in range(first_chunk, first_chunk + chunks):
                os.pwrite(descriptor, chunk.to_bytes(2, "little") * (CHUNK // 2), chunk * CHUNK)
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def read(self, chunk: int) -> bytes:
        """Read a chunk from the device, not from the cache of an earlier read."""
        descriptor = os.open(self.device, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            return os.pread(descriptor, CHUNK, chunk * CHUNK)
        finally:
            os.close(descriptor)

    @property
    def status(self) -> str:
        """The status line."""
        return command("dmsetup", "status", "lane-rw")

    @property
    def valid(self) -> int:
        """The field `valid` of the header in the store."""
        return int.from_bytes(self.store.read_bytes()[4:8], "little")


@pytest.fixture(params=["P", "PO"])
def snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Snapshot]:
    base, store = tmp_path / "base", tmp_path / "store"
    base.write_bytes(b"b" * (SECTORS * 512))
    store.write_bytes(bytes(STORE_SECTORS * 512))
    with ExitStack() as devices:
        base_loop = devices.enter_context(loop(base))
        store_loop = devices.enter_context(loop(store))
        table = f"0 {SECTORS} snapshot {base_loop} {store_loop} {request.param} 8"
        command("dmsetup", "create", "lane-rw", "--table", table)
        devices.callback(command, "dmsetup", "remove", "--retry", "lane-rw")
        yield Snapshot(store, request.param)


def fill(snapshot: Snapshot) -> None:
    """Write until the kernel refuses."""
    with pytest.raises(OSError, match="Input/output error"):
        snapshot.write(0, STORE_SECTORS * 512 // CHUNK)


def test_the_table_names_loops_persistence_and_chunk_size(snapshot: Snapshot) -> None:
    table = command("dmsetup", "table", "lane-rw")

    assert re.fullmatch(rf"0 {SECTORS} snapshot 7:\d+ 7:\d+ {snapshot.persistence} 8", table)


def test_a_fresh_store_has_its_header_and_one_metadata_area(snapshot: Snapshot) -> None:
    assert snapshot.status == "0 32768 snapshot 16/2048 16"


def test_each_chunk_that_is_written_takes_eight_sectors(snapshot: Snapshot) -> None:
    snapshot.write(0, 100)

    assert snapshot.status == "0 32768 snapshot 816/2048 16"


def test_a_chunk_that_is_rewritten_takes_nothing(snapshot: Snapshot) -> None:
    snapshot.write(0, 100)
    snapshot.write(0, 100)

    assert snapshot.status == "0 32768 snapshot 816/2048 16"


@pytest.mark.parametrize("snapshot", ["P"], indirect=True)
def test_a_full_store_without_overflow_becomes_invalid_on_disk(snapshot: Snapshot) -> None:
    fill(snapshot)

    assert snapshot.status == "0 32768 snapshot Invalid"
    assert snapshot.valid == 0
    with pytest.raises(OSError, match="Input/output error"):
        snapshot.read(0)


@pytest.mark.parametrize("snapshot", ["PO"], indirect=True)
def test_a_full_store_with_overflow_stays_valid_and_readable(snapshot: Snapshot) -> None:
    fill(snapshot)

    assert snapshot.status == "0 32768 snapshot Overflow"
    assert snapshot.valid == 1
    assert snapshot.read(1) == b"\1\0" * (CHUNK // 2)


@pytest.mark.parametrize("snapshot", ["P"], indirect=True)
def test_a_store_is_grown_while_it_is_in_use(snapshot: Snapshot) -> None:
    snapshot.write(0, 10)
    with snapshot.store.open("r+b") as store:
        store.truncate(2 * STORE_SECTORS * 512)

    (device,) = command("losetup", "-n", "-O", "NAME", "-j", str(snapshot.store)).split()
    command("losetup", "-c", device)

    assert snapshot.status == "0 32768 snapshot 96/4096 16"
