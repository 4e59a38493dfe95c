"""Recovery in a real kernel, on stores that it has filled itself.

Judged by others than the program: e2fsck, the kernel, and the hashes of files whose fsync had
returned before the store was full.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from filled import EACH_TRIAL, KINDS, TRIALS, FilledStick, Trials, command, filled, hashes
from tui import status, tui

pytestmark = pytest.mark.usefixtures("nothing_left")

CHUNK_BYTES = 4096


def expect_recovered(stick: FilledStick, work: Path) -> None:
    assert stick.check() == 0
    assert sorted(stick.kept(work)) == sorted(stick.files)
    assert status(stick.folder)["overlay"]["state"] == "ok"


@pytest.mark.parametrize("number", EACH_TRIAL)
def test_every_full_overlay_comes_back_with_every_synced_file(
    trials: Trials, tmp_path: Path, number: int
) -> None:
    stick = trials[number].copy(tmp_path / "stick")

    said = tui("recover", stick.folder, "--yes")

    assert said.code == 0, said.text
    expect_recovered(stick, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rehearsal_writes_not_one_byte(trials: Trials, tmp_path: Path, kind: str) -> None:
    stick = trials[TRIALS * KINDS.index(kind)].copy(tmp_path / "stick")
    before = hashes(stick.folder)

    said = tui("recover", stick.folder, "--rehearse", "--yes")

    assert said.code == 0, said.text
    assert f"{len(stick.files)} are new" in said.text
    assert hashes(stick.folder) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_rollback_gives_every_byte_back(trials: Trials, tmp_path: Path, kind: str) -> None:
    stick = trials[TRIALS * KINDS.index(kind) + 1].copy(tmp_path / "stick")
    before = hashes(stick.folder / "LiveOS")
    assert tui("recover", stick.folder, "--yes").code == 0
    assert hashes(stick.folder / "LiveOS") != before

    said = tui("jobs", "rollback", stick.job, "--yes", "--target", stick.folder)

    assert said.code == 0, said.text
    assert hashes(stick.folder / "LiveOS") == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_size_that_breaks_at_an_area_comes_back_with_another(
    base: Path, tmp_path: Path, kind: str
) -> None:
    """With 1 + k * 257 chunks even a PO store becomes Invalid, since its next area has no place."""
    size = (1 + 12 * 257) * CHUNK_BYTES
    stick = filled(tmp_path / "stick", base, kind, seed=31, size_bytes=size, becomes="Invalid")

    said = tui("recover", stick.folder, "--yes")

    assert said.code == 0, said.text
    expect_recovered(stick, tmp_path)
    assert (stick.store.stat().st_size // CHUNK_BYTES - 1) % 257 != 0


def _change(stick: FilledStick, offset: int, data: bytes) -> None:
    with stick.store.open("r+b") as store:
        store.seek(offset)
        store.write(data)


DAMAGES: dict[str, tuple[Callable[[FilledStick], object], str]] = {
    "another magic": (lambda stick: _change(stick, 0, b"SnaP"), "it starts with 53 6e 61 50"),
    "version 2": (lambda stick: _change(stick, 8, b"\2"), "version 2"),
    "chunks of 7 sectors": (lambda stick: _change(stick, 12, b"\7"), "7"),
    "cut off": (lambda stick: command("truncate", "-s", "3M", stick.store), ""),
    "a zeroed header": (lambda stick: _change(stick, 0, bytes(512)), "header"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_header_is_refused_and_nothing_is_changed(
    trials: Trials, tmp_path: Path, damage: str
) -> None:
    stick = trials[0].copy(tmp_path / "stick")
    do, words = DAMAGES[damage]
    do(stick)
    before = hashes(stick.folder)

    said = tui("recover", stick.folder, "--yes")

    assert "Traceback" not in said.text
    assert words in said.text.lower()
    assert said.code == 1, said.text
    assert hashes(stick.folder) == before
