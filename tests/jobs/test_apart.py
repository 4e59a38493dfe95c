"""A merge for a stick without room for two images: on real files, cut at any moment, and back."""

import shutil
from pathlib import Path

import pytest
from recovering import JOB, MIB, CutError, Patient, build_small, copy, hashes, power_cut, step_of

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import HEADER_BYTES
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.forgetting import forget
from liveos_tui.jobs.journal import Journal, read
from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
from liveos_tui.live.words import size
from liveos_tui.plans.actions import KeepImage, ReplaceImage
from liveos_tui.plans.model import Plan
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.files import Folder
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.work_folder import NoWorkFolderError

pytestmark = pytest.mark.real_tools

IMAGE = "LiveOS/squashfs.img"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "stick"
    build_small(folder, PracticeState.HEALTHY)
    return folder


@pytest.fixture
def stick(model: Path, tmp_path: Path) -> Patient:
    return copy(model, tmp_path)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "other-disk"
    folder.mkdir()
    return folder


def plan_for(stick: Patient, work: Path) -> Plan:
    """A plan for a stick with next to no room."""
    return stick.merge_plan(work=work, free=12 * MIB)


def on_stick(stick: Patient) -> dict[str, str]:
    return hashes(stick.folder / "LiveOS")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def merged(model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a merge with room for both images leaves on the stick, but for the old image."""
    plain = copy(model, tmp_path_factory.mktemp("plain"))
    plain.carry(plain.merge_plan())
    left = on_stick(plain)
    left.pop("squashfs.alt")
    return left


def test_the_new_image_is_in_the_old_one_s_place_and_the_overlay_is_empty(
    stick: Patient, work: Path, merged: dict[str, str]
) -> None:
    old = on_stick(stick)["squashfs.img"]
    end = stick.carry(plan_for(stick, work))

    assert end.state is JobState.DONE, end
    assert not any(stick.store.read_bytes()[:HEADER_BYTES])
    assert names(stick.folder / "LiveOS") == sorted(merged)
    assert on_stick(stick)["squashfs.img"] != old
    kept = work / "liveos-tui-jobs" / JOB
    assert names(kept) == ["journal.jsonl", "new.img", "old.img"]
    assert hashes(kept)["old.img"] == old


def test_both_disks_have_the_same_journal(stick: Patient, work: Path) -> None:
    stick.carry(plan_for(stick, work))

    path = Path("liveos-tui-jobs") / JOB / "journal.jsonl"
    assert (stick.folder / path).read_bytes() == (work / path).read_bytes()


def test_where_both_images_are_and_how_large_is_told_at_the_end(stick: Patient, work: Path) -> None:
    end = stick.carry(plan_for(stick, work))
    kept = work / "liveos-tui-jobs" / JOB

    assert f"are kept in {kept} until you let them go" in end.hint
    sizes = [size((kept / name).stat().st_size) for name in ("old.img", "new.img")]
    assert end.report == (
        f"{kept}/old.img: the old image, {sizes[0]}; beside it new.img, the new one once more, "
        f"{sizes[1]}.",
    )


def test_a_folder_of_the_stick_s_own_is_refused_before_there_is_a_plan(stick: Patient) -> None:
    inside = Wish(Operation.MERGE, work=str(stick.folder / "LiveOS"))

    with pytest.raises(NoWorkFolderError, match=r"LiveOS lies on the stick itself\.$"):
        propose(stick.probes, str(stick.folder), inside)


def test_rolling_back_gives_the_exact_bytes(stick: Patient, work: Path) -> None:
    before, plan = on_stick(stick), plan_for(stick, work)
    stick.carry(plan)

    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.ROLLED_BACK, end
    assert on_stick(stick) == before
    assert names(work / "liveos-tui-jobs" / JOB) == ["journal.jsonl"]


@pytest.fixture(scope="module")
def writes(model: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes the whole job takes, those of mksquashfs not counted."""
    folder = tmp_path_factory.mktemp("counted")
    counted = copy(model, folder)
    (folder / "work").mkdir()
    with power_cut(10**9) as done:
        counted.carry(plan_for(counted, folder / "work"))
    return len(done)


@pytest.mark.parametrize("kind", [OrderKind.RESUME, OrderKind.ROLL_BACK])
@pytest.mark.parametrize("part", [0.3, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95])
def test_after_a_cut_it_goes_on_or_back(
    stick: Patient, work: Path, writes: int, part: float, kind: OrderKind
) -> None:
    before, plan = on_stick(stick), plan_for(stick, work)
    with power_cut(int(writes * part)), pytest.raises(CutError):
        stick.carry(plan)

    end = stick.carry(plan, kind)

    if kind is OrderKind.RESUME:
        assert end.state is JobState.DONE, end
        assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert on_stick(stick) == before


class TestWithoutImage:
    """The power was cut while the stick had no image."""

    @pytest.fixture
    def plan(self, stick: Patient, work: Path) -> Plan:
        plan = plan_for(stick, work)
        with power_cut(lambda: not (stick.folder / IMAGE).exists()), pytest.raises(CutError):
            stick.carry(plan)
        return plan

    def test_the_other_disk_may_be_mounted_elsewhere_by_then(
        self, stick: Patient, work: Path, plan: Plan, merged: dict[str, str]
    ) -> None:
        moved = work.rename(work.with_name("elsewhere"))

        assert "--work DIR" in stick.carry(plan, OrderKind.RESUME).hint
        assert stick.carry(plan, OrderKind.RESUME, moved).state is JobState.DONE
        assert names(stick.folder / "LiveOS") == sorted(merged)

    def test_the_journal_of_the_other_disk_is_enough(
        self, stick: Patient, work: Path, plan: Plan
    ) -> None:
        shutil.rmtree(stick.folder / "liveos-tui-jobs")

        assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
        assert stick.merge_plan().steps

    def test_a_damaged_copy_is_not_written_to_the_stick(
        self, stick: Patient, work: Path, plan: Plan
    ) -> None:
        with (work / "liveos-tui-jobs" / JOB / "new.img").open("r+b") as file:
            file.seek(100_000)
            file.write(b"damage")
        end = stick.carry(plan, OrderKind.RESUME)

        assert end.state is JobState.FAILED
        assert "not what this job has written" in end.message
        assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK

    def test_it_is_not_forgotten(self, stick: Patient, work: Path, plan: Plan) -> None:
        with StickFolder(stick.folder) as folder:
            with Journal.go_on(folder, JOB) as journal:
                journal.end(JobState.LEFT, "It was left as it is.")
            with pytest.raises(LiveosError, match="is no image of this merge"):
                forget(folder, read(folder, JOB))
        assert (work / "liveos-tui-jobs" / JOB / "old.img").exists()


def test_a_disk_that_gives_back_other_bytes_ends_it_before_the_stick_is_touched(
    stick: Patient, work: Path
) -> None:
    before, plan = on_stick(stick), plan_for(stick, work)
    stick.control.steps = step_of(plan, ReplaceImage)

    def damage(control: object) -> None:
        with (work / "liveos-tui-jobs" / JOB / "old.img").open("r+b") as file:
            file.write(b"damage")
        stick.control.steps = None

    stick.control.on_wait = damage
    end = stick.carry(plan)

    assert end.state is JobState.FAILED
    assert "Nothing on the stick was touched." in end.hint
    assert on_stick(stick) == before


def test_cancelled_while_the_old_image_is_copied_it_leaves_the_stick_as_it_was(
    stick: Patient, work: Path
) -> None:
    before, plan = on_stick(stick), plan_for(stick, work)
    keep = step_of(plan, KeepImage)
    stick.control.cancel = lambda: keep - 1 in stick.done()

    assert stick.carry(plan).state is JobState.CANCELLED
    stick.control.cancel = lambda: False
    assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert on_stick(stick) == before


class TestForget:
    def test_both_images_on_the_other_disk_go(self, stick: Patient, work: Path) -> None:
        stick.carry(plan_for(stick, work))
        with StickFolder(stick.folder) as folder:
            said = forget(folder, read(folder, JOB))

        assert "MiB in " in said
        assert said.endswith(f"{work}.")
        assert names(work / "liveos-tui-jobs") == []
        assert (stick.folder / IMAGE).exists()

    def test_while_the_disk_is_not_connected_nothing_is_removed(
        self, stick: Patient, work: Path
    ) -> None:
        plan = plan_for(stick, work)
        stick.carry(plan)
        elsewhere = work.rename(work.with_name("unplugged"))
        with (
            StickFolder(stick.folder) as folder,
            pytest.raises(LiveosError, match="can still go back") as refusal,
        ):
            forget(folder, read(folder, JOB))

        assert f"`liveos-tui jobs forget {JOB} --target STICK --work DIR`" in refusal.value.hint
        assert stick.carry(plan, OrderKind.ROLL_BACK, elsewhere).state is JobState.ROLLED_BACK

    def test_the_empty_folder_where_a_disk_is_mounted_is_no_proof_that_its_images_are_gone(
        self, stick: Patient, work: Path
    ) -> None:
        stick.carry(plan_for(stick, work))
        work.rename(work.with_name("unplugged"))
        work.mkdir()
        with StickFolder(stick.folder) as folder:
            with pytest.raises(LiveosError, match="can still go back"):
                forget(folder, read(folder, JOB))
            assert folder.names("liveos-tui-jobs") == (JOB,)

    def test_the_folder_that_it_went_on_with_in_this_boot_is_known(
        self, stick: Patient, work: Path, tmp_path: Path
    ) -> None:
        stick.carry(plan_for(stick, work))
        moved = work.rename(tmp_path / "moved")
        with StickFolder(stick.folder) as folder:
            said = forget(folder, read(folder, JOB), used_before=str(moved))

        assert said.endswith(f"{moved}.")

    def test_a_folder_that_was_named_and_has_nothing_of_it_is_told(
        self, stick: Patient, work: Path, tmp_path: Path
    ) -> None:
        """Its disk is lost, or it went on with another folder."""
        stick.carry(plan_for(stick, work))
        shutil.move(work / "liveos-tui-jobs", tmp_path / "moved")
        with StickFolder(stick.folder) as folder:
            said = forget(folder, read(folder, JOB), str(work))

        assert "its images are there still" in said
        assert Folder(stick.folder).names("liveos-tui-jobs") == ()
        assert (tmp_path / "moved" / JOB / "old.img").exists()
