"""A sample of the power cuts; `make vm-cuts` makes them all."""

from dataclasses import replace

import pytest
from cuts import Campaign, Cut, Recording, cuts
from stick import Stick


@pytest.fixture(scope="module")
def campaign(looked_at: Stick, tmp_path_factory: pytest.TempPathFactory) -> Campaign:
    looked_at.install()
    return Campaign(looked_at, tmp_path_factory.mktemp("cuts"))


@pytest.fixture(scope="module")
def recordings(campaign: Campaign) -> tuple[Recording, Recording, Recording]:
    return campaign.recordings()


def within(recording: Recording, step: int, *, back: bool) -> Cut:
    """A cut while this step was under way, after which it goes on or `back`."""
    under_way = f"{step} running"
    found = [cut for cut in cuts(recording, 20) if recording.step_at(len(cut.kept)) == under_way]
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
    campaign: Campaign, recordings: tuple[Recording, Recording, Recording], step: int, back: bool
) -> None:
    recovery, _, _ = recordings

    done = campaign.survive(recovery, within(recovery, step, back=back))

    assert done == ("rolled back" if back else "gone on with")


def test_a_growth_that_was_cut_off(
    campaign: Campaign, recordings: tuple[Recording, Recording, Recording]
) -> None:
    _, growth, _ = recordings

    assert campaign.survive(growth, within(growth, 1, back=False)) == "gone on with"


# Steps of the merge: 2 makes the new image, 3 compares it. Those after them are over before ssh has
# told that they have begun: `make vm-cuts` makes all cuts, tests/vm/dm/test_exchange.py those.
@pytest.mark.parametrize(("step", "back"), [(2, False), (3, True)])
def test_a_merge_that_was_cut_off(
    campaign: Campaign,
    recordings: tuple[Recording, Recording, Recording],
    step: int,
    back: bool,
) -> None:
    _, _, merge = recordings

    done = campaign.survive(merge, within(merge, step, back=back))

    assert done == ("rolled back" if back else "gone on with")
