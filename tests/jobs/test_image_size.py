"""How large a merge says that the new image becomes, held against the one that it makes."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from recovering import MIB, Patient, build_small, copy

from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.jobs.events import JobState
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.merging import look_at_merge
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.merge_room import Estimate, estimate_image
from liveos_tui.practice.builder import PracticeState
from liveos_tui.practice.contents import Change, Deletion, File, Folder, downloads
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.practice.images import change_ext4
from liveos_tui.system.runner import SystemRunner

pytestmark = pytest.mark.real_tools

TEXT = b"".join(b"%d: a line of a log, one as the other\n" % number for number in range(60_000))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "stick"
    build_small(folder, PracticeState.FRESH)
    return folder


def use(stick: Patient, folder: Path, *sessions: Iterable[Change]) -> None:
    """Write changes into the overlay, session by session."""
    folder.mkdir()
    (folder / "staging").mkdir()
    image = stick.folder / "LiveOS/squashfs.img"
    subprocess.run(
        ["unsquashfs", "-quiet", "-no-progress", "-d", folder / "image", image], check=True
    )
    base, view = folder / "image/LiveOS/rootfs.img", folder / "view"
    sectors = base.stat().st_size // SECTOR_BYTES
    with UserSpaceDeviceMapper() as mapper:
        words = f"{device_word(base)} {device_word(stick.store)}"
        mapper.create("used", f"0 {sectors} snapshot {words} PO 8")
        mapper.materialise("used", view)
        for day, changes in enumerate(sessions):
            change_ext4(SystemRunner(), view, changes, folder / "staging", day=day)
            mapper.write_back("used", view)
        mapper.suspend("used")


def estimate(stick: Patient) -> Estimate:
    found = recognise(stick.probes, str(stick.folder))
    with found.hold:
        diagnosis = diagnose(stick.probes, found.site)
        return estimate_image(diagnosis, look_at_merge(stick.probes, found.site))


LOGS: tuple[Change, ...] = (
    Folder("/var/log/old"),
    *(File(f"/var/log/old/{number}", TEXT) for number in range(2)),
)
DOWNLOADS = tuple(downloads("updates", 5 * MIB))
DELETIONS = tuple(Deletion(f"/var/cache/packages/updates/{number:03}.rpm") for number in range(5))


@pytest.mark.parametrize(
    "sessions",
    [(DOWNLOADS,), (LOGS,), (LOGS, DOWNLOADS), (DOWNLOADS, DELETIONS)],
    ids=["hard to compress", "easy to compress", "both", "deleted"],
)
def test_about_is_within_a_seventh_of_what_comes_out(
    fresh: Path, tmp_path: Path, sessions: tuple[tuple[Change, ...], ...]
) -> None:
    stick = copy(fresh, tmp_path)
    use(stick, tmp_path / "use", *sessions)
    told = estimate(stick)

    assert stick.carry(stick.merge_plan()).state is JobState.DONE

    made = (stick.folder / "LiveOS/squashfs.img").stat().st_size
    assert told.measured
    assert abs(told.likely_bytes - made) <= made / 7
    assert made <= told.most_bytes
