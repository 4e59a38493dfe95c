"""A merge from its first step to its last, on real files: what becomes of the images, and back."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest
from recovering import JOB, CutError, Patient, build_small, copy, hashes, power_cut

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import HEADER_BYTES
from liveos_tui.jobs import merging
from liveos_tui.jobs.events import JobState, PausedEvent
from liveos_tui.jobs.forgetting import forget
from liveos_tui.jobs.journal import read
from liveos_tui.jobs.order import OrderKind
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.model import Operation
from liveos_tui.plans.actions import Engine, ExchangeImages, MakeImage
from liveos_tui.plans.merge import MergeWish
from liveos_tui.plans.refused import PlanRefusedError
from liveos_tui.practice.builder import PracticeState
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.files import Folder
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.views import View

pytestmark = pytest.mark.real_tools

IMAGE, BESIDE = "LiveOS/squashfs.img", "LiveOS/squashfs.alt"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "stick"
    build_small(folder, PracticeState.HEALTHY)
    (folder / "LiveOS/osmin.img").write_bytes(b"what makes an installed root smaller")
    return folder


@pytest.fixture
def stick(model: Path, tmp_path: Path) -> Patient:
    return copy(model, tmp_path)


def run(*argv: object) -> str:
    return subprocess.run(
        [str(word) for word in argv], check=True, capture_output=True, text=True
    ).stdout


@contextmanager
def seen(stick: Patient, folder: Path, *, read_only: bool = True) -> Iterator[View]:
    """Base and overlay as one device."""
    folder.mkdir()
    joiner = UserSpaceJoiner(SystemRunner(), folder)
    with (
        joiner.base(stick.folder / IMAGE, "LiveOS/rootfs.img", "seen") as base,
        joiner.view(base, stick.store, "seen", read_only=read_only) as view,
    ):
        yield view


def files_of(stick: Patient, folder: Path) -> dict[str, str]:
    """Every file of the root as base and overlay make it, by its hash."""
    with ExitStack() as held:
        if any(head(stick)):
            path = held.enter_context(seen(stick, folder)).path
        else:
            run("unsquashfs", "-no-progress", "-d", folder, stick.folder / IMAGE)
            path = folder / "LiveOS/rootfs.img"
        run("e2fsck", "-f", "-n", path)
        (folder / "root").mkdir()
        run("debugfs", "-R", f"rdump / {folder / 'root'}", path)
    return hashes(folder / "root")


def test_the_mirror_leaves_no_copy_behind(stick: Patient, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    plan = stick.merge_plan(MergeWish(engine=Engine.MIRROR), work)
    end = stick.carry(plan)

    assert end.state is JobState.DONE, end
    assert is_merged(stick)
    assert list(work.iterdir()) == []


def head(stick: Patient) -> bytes:
    return stick.store.read_bytes()[:HEADER_BYTES]


def stick_bytes(stick: Patient) -> dict[str, str]:
    return hashes(stick.folder / "LiveOS")


def is_merged(stick: Patient) -> bool:
    """The overlay is fresh, and nothing is left but the old image."""
    names = sorted(path.name for path in (stick.folder / "LiveOS").iterdir())
    return not any(head(stick)) and "squashfs.alt" in names and "osmin.img" not in names


def test_a_merge_empties_the_overlay_and_keeps_the_old_image(stick: Patient) -> None:
    before = stick_bytes(stick)
    plan = stick.merge_plan()
    end = stick.carry(plan)

    assert (end.state, end.message) == (JobState.DONE, "The overlay of PRACTICE is merged."), end
    assert stick.done() == list(range(len(plan.steps)))
    assert is_merged(stick)
    assert stick_bytes(stick)["squashfs.alt"] == before["squashfs.img"]


def test_the_new_image_holds_the_same_files(stick: Patient, tmp_path: Path) -> None:
    before = files_of(stick, tmp_path / "before")
    stick.carry(stick.merge_plan())

    assert len(before) > 100
    assert files_of(stick, tmp_path / "after") == before


def test_rolling_back_gives_the_exact_bytes(stick: Patient) -> None:
    before = stick_bytes(stick)
    plan = stick.merge_plan()
    stick.carry(plan)

    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.ROLLED_BACK, end
    assert stick_bytes(stick) == before


@pytest.fixture(scope="module")
def writes(model: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes a whole merge takes, those of mksquashfs not counted."""
    counted = copy(model, tmp_path_factory.mktemp("counted"))
    with power_cut(10**9) as done:
        counted.carry(counted.merge_plan())
    return len(done)


PARTS = (0.2, 0.4, 0.55, 0.7, 0.8, 0.9, 0.97)


@pytest.mark.parametrize("kind", [OrderKind.RESUME, OrderKind.ROLL_BACK])
@pytest.mark.parametrize("part", PARTS)
def test_after_a_cut_it_goes_on_or_back(
    stick: Patient, writes: int, part: float, kind: OrderKind
) -> None:
    before = stick_bytes(stick)
    plan = stick.merge_plan()
    with power_cut(int(writes * part)), pytest.raises(CutError):
        stick.carry(plan)

    end = stick.carry(plan, kind)

    if kind is OrderKind.RESUME:
        assert end.state is JobState.DONE, end
        assert is_merged(stick)
        assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert stick_bytes(stick) == before


def test_at_no_moment_is_the_image_away(stick: Patient, writes: int) -> None:
    plan = stick.merge_plan()
    for after in range(0, writes, max(1, writes // 8)):
        with power_cut(after), suppress(CutError):
            stick.carry(plan)
        assert (stick.folder / IMAGE).read_bytes()[:4] == b"hsqs"
        if (stick.folder / "liveos-tui-jobs" / JOB / "journal.jsonl").exists():
            stick.carry(plan, OrderKind.ROLL_BACK)
            run("rm", "-r", stick.folder / "liveos-tui-jobs")


def test_a_cancelled_merge_leaves_the_stick_as_it_was(stick: Patient) -> None:
    before = stick_bytes(stick)
    plan = stick.merge_plan()
    make = next(n for n, step in enumerate(plan.steps) if isinstance(step.action, MakeImage))
    stick.control.cancel = lambda: make in stick.done() or len(stick.events) > 40

    assert stick.carry(plan).state is JobState.CANCELLED
    stick.control.cancel = lambda: False
    assert stick.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert stick_bytes(stick) == before


def test_paused_it_stands_still_and_then_goes_on(stick: Patient) -> None:
    plan = stick.merge_plan()
    make = next(n for n, step in enumerate(plan.steps) if isinstance(step.action, MakeImage))
    stood: list[int] = []
    stick.control.pause = lambda: make - 1 in stick.done() and len(stood) < 3
    stick.control.on_wait = lambda _: stood.append(len(stick.events))

    assert stick.carry(plan).state is JobState.DONE
    assert len(stood) == 3
    assert len(set(stood)) == 1, "nothing happened meanwhile"
    told = [event.paused for event in stick.events if isinstance(event, PausedEvent)]
    assert told == [True, False]


@pytest.mark.parametrize("step", range(1, 6))
def test_cancelled_after_any_step_everything_can_be_undone(stick: Patient, step: int) -> None:
    before, plan = stick_bytes(stick), stick.merge_plan()
    stick.control.cancel = lambda: step in stick.done()

    assert stick.carry(plan).state is JobState.CANCELLED
    stick.control.cancel = lambda: False
    stick.carry(plan, OrderKind.ROLL_BACK)
    assert stick_bytes(stick) == before


def change(stick: Patient, folder: Path, *commands: str) -> None:
    """Change the root by commands of debugfs, written through the overlay."""
    with seen(stick, folder, read_only=False) as view:
        changed = folder / "copy"
        shutil.copyfile(view.path, changed)
        for command in commands:
            run("debugfs", "-w", "-R", command, changed)
        with changed.open("rb") as file:
            for offset in range(0, view.size_bytes, 4096):
                data = file.read(4096)
                if data != view.read(offset, 4096):
                    view.write(offset, data)
        view.sync()


def test_a_root_that_is_not_whole_is_not_merged(stick: Patient, tmp_path: Path) -> None:
    # Unmounted cleanly, and not whole all the same: an inode that is cleared in the overlay.
    change(stick, tmp_path / "damaged", "clri /etc/os-release")
    plan = stick.merge_plan()
    changed = stick_bytes(stick)

    end = stick.carry(plan)

    assert end.state is JobState.FAILED
    assert end.message.startswith("Only a clean file system is merged")
    assert "recover --repair" in end.hint
    assert stick_bytes(stick) == changed


def test_a_root_that_seemed_whole_can_be_repaired_and_is_merged_then(
    stick: Patient, tmp_path: Path
) -> None:
    change(stick, tmp_path / "damaged", "set_inode_field /etc/os-release links_count 3")
    assert stick.carry(stick.merge_plan()).state is JobState.FAILED

    assert stick.carry(stick.plan(repair=True)).state is JobState.DONE
    shutil.rmtree(stick.folder / JOBS_FOLDER)
    assert stick.carry(stick.merge_plan()).state is JobState.DONE


def proposed(stick: Patient, compressor: str) -> Proposal:
    return propose(stick.probes, str(stick.folder), Wish(Operation.MERGE, compression=compressor))


class TestCompressor:
    @pytest.fixture
    def silent(self, stick: Patient, tmp_path: Path) -> Patient:
        """A stick whose kernels do not tell what they read."""
        change(stick, tmp_path / "silent", "rm boot/config-practice")
        return stick

    def test_that_the_stick_s_kernel_reads_can_be_practised(self, stick: Patient) -> None:
        assert proposed(stick, "zstd").plan is not None

    def test_is_not_changed_where_no_kernel_tells_what_it_reads(self, silent: Patient) -> None:
        before = stick_bytes(silent)
        end = silent.carry(silent.merge_plan(MergeWish(compression="xz")))

        assert "is not known" in end.message
        assert stick_bytes(silent) == before

    def test_is_refused_by_the_plan_with_the_words_of_its_job(self, silent: Patient) -> None:
        before = hashes(silent.folder)
        told = proposed(silent, "xz")
        assert told.plan is None
        assert hashes(silent.folder) == before

        assert told.why_not == silent.carry(silent.merge_plan(MergeWish(compression="xz"))).message

    def test_that_the_old_image_has_is_read_for_sure(self, stick: Patient) -> None:
        assert proposed(stick, "gzip").plan is not None

    @pytest.mark.parametrize(("told", "ends"), [("y", JobState.DONE), ("n", JobState.FAILED)])
    def test_is_what_the_stick_s_kernel_reads(
        self, stick: Patient, tmp_path: Path, told: str, ends: JobState
    ) -> None:
        config = tmp_path / "config"
        config.write_text(f"CONFIG_SQUASHFS_ZLIB=y\nCONFIG_SQUASHFS_XZ={told}\n")
        change(
            stick, tmp_path / "changed", "mkdir boot", f"write {config} boot/config-6.1.0-53-amd64"
        )
        assert (proposed(stick, "xz").plan is not None) == (ends is JobState.DONE)
        end = stick.carry(stick.merge_plan(MergeWish(compression="xz")))

        assert end.state is ends, end
        assert told == "y" or "6.1.0-53-amd64 of the stick cannot read xz" in end.message


def test_after_a_cut_on_the_way_back_only_the_new_image_has_an_empty_overlay(
    stick: Patient, tmp_path: Path
) -> None:
    """Names that were exchanged back already are exchanged anew when the job goes on."""
    old, plan = (stick.folder / IMAGE).read_bytes(), stick.merge_plan()
    stick.carry(plan)
    merged = shutil.copytree(stick.folder, tmp_path / "merged")
    ended, after = None, 3
    while ended is None:
        with power_cut(after), suppress(CutError):
            ended = stick.carry(plan, OrderKind.ROLL_BACK)
        stick.carry(plan, OrderKind.RESUME)

        assert any(head(stick)) or (stick.folder / IMAGE).read_bytes() != old, after
        shutil.rmtree(stick.folder)
        shutil.copytree(merged, stick.folder)
        after += 1
    assert ended.state is JobState.ROLLED_BACK


class TestAfterACheckOfATornExchange:
    """fsck.fat leaves one of two names empty that have the same content, and what neither had is
    lost; here it is done by hand."""

    @pytest.fixture(autouse=True)
    def _interrupted(self, stick: Patient) -> None:
        self.before = stick_bytes(stick)
        self.plan = stick.merge_plan()
        with patch.object(StickFolder, "exchange", side_effect=CutError), suppress(CutError):
            stick.carry(self.plan)
        self.content = {
            "old": (stick.folder / IMAGE).read_bytes(),
            "new": (stick.folder / BESIDE).read_bytes(),
            "": b"",
        }

    def check(self, stick: Patient, image: str, beside: str) -> None:
        (stick.folder / IMAGE).write_bytes(self.content[image])
        (stick.folder / BESIDE).write_bytes(self.content[beside])

    def image(self, stick: Patient) -> str:
        now = (stick.folder / IMAGE).read_bytes()
        return next(name for name, data in self.content.items() if data == now)

    @pytest.mark.parametrize(("image", "beside"), [("new", ""), ("", "new")])
    def test_the_new_image_is_enough_to_go_on(
        self, stick: Patient, image: str, beside: str
    ) -> None:
        self.check(stick, image, beside)

        back = stick.carry(self.plan, OrderKind.ROLL_BACK)
        assert back.state is JobState.FAILED
        assert "the old one was lost" in back.message
        assert self.image(stick) == "new"

        end = stick.carry(self.plan, OrderKind.RESUME)
        assert end.state is JobState.DONE, end
        assert self.image(stick) == "new"
        assert is_merged(stick)
        with StickFolder(stick.folder) as folder:
            forget(folder, read(folder, JOB))
        assert self.image(stick) == "new"
        assert not (stick.folder / BESIDE).exists()

    @pytest.mark.parametrize(("image", "beside"), [("old", ""), ("", "old")])
    def test_the_old_image_is_enough_to_go_back(
        self, stick: Patient, image: str, beside: str
    ) -> None:
        self.check(stick, image, beside)

        on = stick.carry(self.plan, OrderKind.RESUME)
        assert on.state is JobState.FAILED
        assert "the new one was lost" in on.message
        assert self.image(stick) == "old"
        assert any(head(stick))

        assert stick.carry(self.plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
        assert stick_bytes(stick) == self.before


def test_what_a_power_cut_made_the_image_itself_is_not_made_anew(
    stick: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel tells of a FAT is seen in tests/vm/dm/test_first_block.py."""
    plan = stick.merge_plan()
    make = next(n for n, step in enumerate(plan.steps) if isinstance(step.action, MakeImage))
    stick.control.cancel = lambda: make - 1 in stick.done() and len(stick.events) > 40
    stick.carry(plan)
    stick.control.cancel = lambda: False
    left = (stick.folder / BESIDE).read_bytes()
    monkeypatch.setattr(merging, "share_content", lambda one, other: True)

    for kind in (OrderKind.RESUME, OrderKind.ROLL_BACK):
        end = stick.carry(plan, kind)
        assert end.state is JobState.FAILED
        assert f"{BESIDE} is {IMAGE} itself by another name" in end.message
        assert (stick.folder / BESIDE).read_bytes() == left


def test_another_file_in_the_place_of_the_new_image_is_never_exchanged(stick: Patient) -> None:
    plan = stick.merge_plan()
    exchange = next(
        n for n, step in enumerate(plan.steps) if isinstance(step.action, ExchangeImages)
    )
    stick.control.steps = exchange

    def replace_it(control: object) -> None:
        (stick.folder / BESIDE).write_bytes(b"hsqs, but another one")
        stick.control.steps = None

    stick.control.on_wait = replace_it
    before = (stick.folder / IMAGE).read_bytes()
    end = stick.carry(plan)

    assert end.state is JobState.FAILED
    assert "neither the old image nor the new one" in end.message
    assert (stick.folder / IMAGE).read_bytes() == before


def test_an_overlay_that_was_used_since_is_not_put_back(stick: Patient) -> None:
    plan = stick.merge_plan()
    stick.carry(plan)
    with stick.store.open("r+b") as file:
        file.write(b"SnAp")
    merged = stick_bytes(stick)

    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.FAILED
    assert "used since" in end.message
    assert stick_bytes(stick) == merged


class TestForget:
    def test_the_old_image_and_the_journal_go(self, stick: Patient) -> None:
        stick.carry(stick.merge_plan())
        merged = (stick.folder / IMAGE).read_bytes()
        with StickFolder(stick.folder) as folder:
            forget(folder, read(folder, JOB))

        assert not (stick.folder / BESIDE).exists()
        assert (stick.folder / IMAGE).read_bytes() == merged
        assert list((stick.folder / "liveos-tui-jobs").iterdir()) == []

    def test_a_merge_that_is_not_ended_is_kept(self, stick: Patient, writes: int) -> None:
        with power_cut(int(writes * 0.6)), pytest.raises(CutError):
            stick.carry(stick.merge_plan())
        with (
            StickFolder(stick.folder) as folder,
            pytest.raises(LiveosError, match="has not been ended"),
        ):
            forget(folder, read(folder, JOB))
        assert (stick.folder / BESIDE).exists()

    def test_an_image_that_is_not_known_is_kept(self, stick: Patient) -> None:
        stick.carry(stick.merge_plan())
        (stick.folder / BESIDE).write_bytes(b"a person's own file")
        with StickFolder(stick.folder) as folder, pytest.raises(LiveosError, match="not both"):
            forget(folder, read(folder, JOB))
        assert (stick.folder / BESIDE).read_bytes() == b"a person's own file"

    def test_a_name_that_a_power_cut_made_the_image_itself_is_kept(
        self, stick: Patient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What the kernel tells of a FAT is seen in tests/vm/dm/test_first_block.py."""
        stick.carry(stick.merge_plan())
        before = hashes(stick.folder)
        asked: list[tuple[str, str]] = []

        def shared(one: Path, other: Path) -> bool:
            asked.append((one.name, other.name))
            return True

        monkeypatch.setattr(merging, "share_content", shared)
        with (
            StickFolder(stick.folder) as folder,
            pytest.raises(LiveosError, match="by another name"),
        ):
            forget(folder, read(folder, JOB))
        assert asked == [("squashfs.alt", "squashfs.img")]
        assert hashes(stick.folder) == before

    def test_a_second_merge_waits_until_the_old_image_is_let_go(self, stick: Patient) -> None:
        stick.carry(stick.merge_plan())
        stick.store.write_bytes(stick.store.read_bytes())
        with pytest.raises(PlanRefusedError):
            stick.merge_plan()


def state_of(stick: Patient) -> JobState:
    return read(Folder(stick.folder), JOB).state


def test_the_journal_says_that_it_is_done(stick: Patient) -> None:
    plan = stick.merge_plan()
    stick.carry(plan)

    assert state_of(stick) is JobState.DONE
    assert not read(Folder(stick.folder), JOB).why_not_back
