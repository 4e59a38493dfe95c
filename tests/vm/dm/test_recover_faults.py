"""Recovery when something goes wrong: no room, bad sectors, signals, a second console.

Whatever happens, the overlay is what it was, or comes back by going on; nothing is left behind.
"""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from filled import (
    TRIALS,
    FilledStick,
    Trials,
    command,
    filled,
    fingerprint,
    hashes,
    loop,
    mounted,
)
from tui import running, signal_worker, status, tui

pytestmark = pytest.mark.usefixtures("nothing_left")

MIB = 1 << 20
CHUNK_BYTES = 4096
DISK_BYTES = 192 * MIB

# Steps of the recovery of an Invalid overlay.
REHEARSE, GROW, REPAIR = 1, 3, 6


def expect_recovered(stick: FilledStick, work: Path) -> None:
    assert stick.check() == 0
    assert sorted(stick.kept(work)) == sorted(stick.files)
    assert status(stick.folder)["overlay"]["state"] == "ok"


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk whose sectors can be made bad: a dm device with the file system of a stick."""

    loop: str
    folder: Path

    @contextmanager
    def mounted(self) -> Iterator[Path]:
        """The stick's file system."""
        with mounted(Path("/dev/mapper/lane-disk"), self.folder) as folder:
            yield folder

    def spoil(self, first_sector: int, sectors: int) -> None:
        """Have these sectors give errors from now on."""
        end = DISK_BYTES // 512
        after = first_sector + sectors
        self._load(
            f"0 {first_sector} linear {self.loop} 0\n{first_sector} {sectors} error\n"
            f"{after} {end - after} linear {self.loop} {after}"
        )

    def mend(self) -> None:
        """Have all sectors work again."""
        self._load(f"0 {DISK_BYTES // 512} linear {self.loop} 0")

    def sector_of(self, file: Path, offset: int) -> int:
        """Where a byte of a file lies on the disk."""
        block = offset // CHUNK_BYTES
        for line in command("filefrag", "-v", file).splitlines():
            numbers = [int(word) for word in re.findall(r"\d+", line.split(" last")[0])[1:5]]
            if re.match(r" *\d+: ", line) and numbers[0] <= block <= numbers[1]:
                return (numbers[2] + block - numbers[0]) * CHUNK_BYTES // 512
        raise AssertionError(f"{file} has no block {block}")

    def _load(self, table: str) -> None:
        command("dmsetup", "suspend", "lane-disk")
        # By standard input: --table takes one line.
        subprocess.run(["dmsetup", "load", "lane-disk"], input=table.encode(), check=True)
        command("dmsetup", "resume", "lane-disk")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 192 MiB with an empty ext4, as a large stick has."""
    image = tmp_path / "disk.img"
    command("truncate", "-s", str(DISK_BYTES), image)
    with loop(image) as device:
        table = f"0 {DISK_BYTES // 512} linear {device} 0"
        command("dmsetup", "create", "lane-disk", "--table", table)
        try:
            lazy = "lazy_itable_init=0,lazy_journal_init=0"
            command("mkfs.ext4", "-q", "-b", "4096", "-E", lazy, "/dev/mapper/lane-disk")
            yield Disk(device, tmp_path / "stick")
        finally:
            command("dmsetup", "remove", "--retry", "lane-disk")


@pytest.mark.parametrize("kind", [pytest.param("P", marks=pytest.mark.thorough), "PO"])
def test_a_sparse_overlay_on_a_full_stick_comes_back_when_there_is_room(
    base: Path, disk: Disk, tmp_path: Path, kind: str
) -> None:
    """The kernel gives up an overlay whose holes cannot be filled, with a PO table, too."""
    with disk.mounted() as folder:
        other = folder / "other"
        command("fallocate", "-l", "130M", other)
        stick = filled(
            folder / "it", base, kind, seed=41, size_bytes=64 * MIB, sparse=True, becomes="Invalid"
        )
        before = hashes(stick.folder)

        refused = tui("recover", stick.folder, "--yes")

        assert refused.code == 1, refused.text
        assert re.search(r"[Ff]ree .* on the stick", refused.text)
        assert hashes(stick.folder) == before

        other.unlink()
        said = tui("recover", stick.folder, "--yes")

        assert said.code == 0, said.text
        expect_recovered(stick, tmp_path)
        assert stick.store.stat().st_blocks * 512 >= stick.store.stat().st_size, "no holes left"


def test_a_bad_sector_in_the_overlay_is_told_and_nothing_is_changed(
    trials: Trials, disk: Disk
) -> None:
    """The store has room: an I/O error has made it Invalid, and is still there."""
    with disk.mounted() as folder:
        stick = trials[2].copy(folder / "it")
        command("truncate", "-s", "32M", stick.store)
        command("fallocate", "-l", "32M", stick.store)
        before = hashes(stick.folder / "LiveOS")
        command("sync")
        disk.spoil(disk.sector_of(stick.store, 1000 * CHUNK_BYTES), 8)
    # Mounted again, so that it is not read from memory.
    with disk.mounted():
        said = tui("recover", stick.folder, "--yes")

        assert said.code == 1, said.text
        assert "Traceback" not in said.text
        assert re.search(r"cannot be read|could not be read|I/O error", said.text)
    disk.mend()
    with disk.mounted():
        assert hashes(stick.folder / "LiveOS") == before


def test_a_bad_sector_where_the_overlay_would_grow_can_be_gone_back_from(
    trials: Trials, disk: Disk
) -> None:
    with disk.mounted() as folder:
        stick = trials[3].copy(folder / "it")
        # Room for the repair, whose first new chunk will meet the bad sectors.
        command("fallocate", "-l", "48M", stick.store)
        before = hashes(stick.folder / "LiveOS")
        command("sync")
        free = (16 * MIB) // CHUNK_BYTES + 8
        disk.spoil(disk.sector_of(stick.store, free * CHUNK_BYTES), 8 * 32)

        said = tui("recover", stick.folder, "--yes")

        assert said.code == 1, said.text
        assert "Traceback" not in said.text
        disk.mend()
        back = tui("jobs", "rollback", stick.job, "--yes", "--target", stick.folder)
        assert back.code == 0, back.text
        assert hashes(stick.folder / "LiveOS") == before


@pytest.mark.parametrize("step", [REHEARSE, GROW, REPAIR])
def test_sigterm_cancels_and_the_way_goes_on_or_back(
    trials: Trials, tmp_path: Path, step: int
) -> None:
    stick = trials[step].copy(tmp_path / "stick")
    before, untouched = hashes(stick.folder / "LiveOS"), hashes(stick.folder)

    with running("recover", stick.folder, "--yes") as job:
        job.until(step)
        signal_worker(job.id, signal.SIGTERM)
        end = job.end()

    assert end["state"] == "cancelled"
    verb = "rollback" if step == GROW else "resume"
    words = ["jobs", verb, job.id, "--yes", "--target", str(stick.folder)]
    if step == REHEARSE:
        # It has written nothing, not even a journal: there is nothing to go on with.
        assert hashes(stick.folder) == untouched
        words = ["recover", str(stick.folder), "--yes"]
    said = tui(*words)
    assert said.code == 0, said.text
    if verb == "rollback":
        assert hashes(stick.folder / "LiveOS") == before
    else:
        expect_recovered(stick, tmp_path)


@pytest.mark.parametrize(
    ("step", "verb"),
    [
        pytest.param(GROW, "resume", marks=pytest.mark.thorough),
        (REPAIR, "resume"),
        (7, "rollback"),
    ],
)
def test_a_worker_that_was_killed_is_gone_on_with_or_undone(
    trials: Trials, tmp_path: Path, step: int, verb: str
) -> None:
    stick = trials[step].copy(tmp_path / "stick")
    before = hashes(stick.folder / "LiveOS")
    with running("recover", stick.folder, "--yes") as job:
        job.until(step)
        signal_worker(job.id, signal.SIGKILL)
        end = job.end()
    assert end["state"] == "interrupted"

    said = tui("jobs", verb, stick.job, "--yes", "--target", stick.folder)

    assert said.code == 0, said.text
    if verb == "rollback":
        assert hashes(stick.folder / "LiveOS") == before
    else:
        expect_recovered(stick, tmp_path)


def test_a_second_console_on_the_same_stick_is_refused(trials: Trials, tmp_path: Path) -> None:
    stick = trials[TRIALS].copy(tmp_path / "stick")
    with running("recover", stick.folder, "--yes") as job:
        job.until(REHEARSE)
        signal_worker(job.id, signal.SIGSTOP)
        before = fingerprint(stick.store)

        second = tui("recover", stick.folder, "--yes")

        assert second.code == 1, second.text
        assert "Another job works on this stick" in second.text, second.text
        assert fingerprint(stick.store) == before
        signal_worker(job.id, signal.SIGCONT)
        assert job.end()["state"] == "done"
    expect_recovered(stick, tmp_path)
