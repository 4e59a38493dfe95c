"""A plan that looks into base and overlay, joined by the kernel for that moment."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "jobs"))

from recovering import build_small, hashes

from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.kernel_views import kernel_has_device_mapper
from liveos_tui.system.probes import Probes

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_compression_that_a_kernel_of_the_stick_cannot_read_is_refused_and_nothing_stays(
    tmp_path: Path,
) -> None:
    stick, probes = tmp_path / "stick", Probes()
    build_small(stick, PracticeState.HEALTHY)
    before = hashes(stick)
    assert kernel_has_device_mapper(probes.runner)

    proposal = propose(probes, str(stick), Wish(Operation.MERGE, compression="lz4"))

    assert proposal.why_not.startswith("The kernel practice of the stick cannot read lz4")
    assert hashes(stick) == before
