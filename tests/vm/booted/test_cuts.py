"""A sample of the power cuts; `make vm-cuts` makes them all."""

import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from attached_cuts import Campaign, Recording
from cut_points import Cut, around_points, at_random, journal_points, step_at
from laboratory import Laboratory
from live_cuts import LiveMerge, boot
from stick import Stick
from writelog import SECTOR, writes


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("offset", range(0, SECTOR, 5))
def test_a_line_of_a_journal_is_found_in_two_clusters_that_are_apart(
    tmp_path: Path, offset: int, reverse: bool
) -> None:
    """Small FATs have clusters of one sector: a line in two of them comes in two writes."""
    journal, log = b"x" * offset + b"\n", bytearray(SECTOR)
    told = [(step, state) for step in range(12) for state in ("running", "done")]
    for step, state in told:
        first = len(journal) // SECTOR
        journal += json.dumps({"at": 1764.5, "step": step, "state": state}).encode() + b"\n"
        touched = range(first, (len(journal) - 1) // SECTOR + 1)
        for number in reversed(touched) if reverse else touched:
            sector = journal[number * SECTOR :][:SECTOR].ljust(SECTOR, b"\0")
            log += struct.pack("<4Q", 7 * number, 1, 0, 0).ljust(SECTOR, b"\0") + sector
        log += struct.pack("<4Q", 0, 0, 1, 0).ljust(SECTOR, b"\0")
    path = tmp_path / "log"
    path.write_bytes(log)

    found = journal_points(path, writes(path))

    assert [point.words for point in found] == [f"{step} {state}" for step, state in told]


@pytest.fixture(scope="module")
def campaign(looked_at: Stick, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    looked_at.install()
    return Campaign(looked_at, tmp_path_factory.mktemp("cuts"))


@pytest.fixture(scope="module")
def recordings(campaign: Campaign) -> dict[str, Recording]:
    return campaign.recordings()


def within(recording: Recording, step: int, *, back: bool) -> Cut:
    """A cut while this step was under way, after which it goes on or `back`."""
    under_way = f"{step} running"
    cuts = [*around_points(recording.writes, recording.points), *at_random(recording.writes, 20)]
    found = [cut for cut in cuts if step_at(recording.points, cut.count) == under_way]
    return replace(found[len(found) // 2], back=back)


# Steps of the recovery: 3 grows the file, 4 sets the valid byte, 6 writes the repair.
@pytest.mark.parametrize(
    ("step", "back"),
    [
        (3, False),
        pytest.param(4, True, marks=pytest.mark.thorough),
        (6, False),
        (6, True),
    ],
)
def test_a_recovery_that_was_cut_off(
    campaign: Campaign, recordings: dict[str, Recording], step: int, back: bool
) -> None:
    recovery = recordings["recover"]

    done = campaign.survive(recovery, within(recovery, step, back=back))

    assert done == ("rolled back" if back else "gone on with")


def test_a_growth_that_was_cut_off(campaign: Campaign, recordings: dict[str, Recording]) -> None:
    growth = recordings["grow"]

    assert campaign.survive(growth, within(growth, 1, back=False)) == "gone on with"


# Steps of the merge: 2 makes the new image, 3 compares it; `make vm-cuts` makes all cuts.
@pytest.mark.parametrize(("step", "back"), [(2, False), (3, True)])
def test_a_merge_that_was_cut_off(
    campaign: Campaign, recordings: dict[str, Recording], step: int, back: bool
) -> None:
    merge = recordings["merge"]

    done = campaign.survive(merge, within(merge, step, back=back))

    assert done == ("rolled back" if back else "gone on with")


@pytest.fixture(scope="module")
def looked_into(live_merge: LiveMerge, tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    return Laboratory(tmp_path_factory.mktemp("laboratory"), live_merge.recording)


# In their order: a laboratory lays a disk out in one direction.
@pytest.mark.parametrize("words", ["4 running", "5 done", "6 running", "6 done"])
def test_no_record_is_missing_when_a_merge_of_the_running_system_was_cut_off(
    looked_into: Laboratory, live_merge: LiveMerge, words: str
) -> None:
    """Steps: 4 compares the new image, 5 exchanges the images, 6 switches the root."""
    found = next(
        cut for cut in live_merge.recording.around_points() if cut.words.endswith(f"at “{words}”")
    )

    assert "well" in looked_into.look(found)


@pytest.mark.thorough
@pytest.mark.parametrize("words", ["before “5 done”", "before “6 done”"])
def test_a_stick_boots_that_was_cut_while_names_were_exchanged(
    live_merge: LiveMerge, tmp_path: Path, words: str
) -> None:
    """The job that is found then says what there is, and how to keep it."""
    cut = next(cut for cut in live_merge.recording.around_points() if cut.words.endswith(words))

    done = boot(tmp_path / "boot", live_merge.recording, replace(cut, back=False))

    assert done == "the new image kept"
