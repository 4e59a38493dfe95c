"""Making the new image of a merge and comparing it, on a practice stick, with the real tools."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from merging_work import BESIDE, COMPARE, IMAGE, MAKE, MEMBER, working
from recovering import JOB, Patient, build_small, copy

from liveos_tui.errors import CancelledError, LiveosError, UnreadableError
from liveos_tui.jobs import imaging
from liveos_tui.jobs.events import OutputEvent, ProgressEvent
from liveos_tui.jobs.imaging import compare_image, drop_image, make_image
from liveos_tui.jobs.merging import WhichImage, image_notes, which_image
from liveos_tui.jobs.mirroring import copy_path
from liveos_tui.plans.actions import (
    CompareImage,
    Engine,
    MakeImage,
    MirrorView,
)
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.files import Folder
from liveos_tui.system.merged import MergedReader, used_ranges
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import NoRoomError

pytestmark = pytest.mark.real_tools

RAW_MAKE = MakeImage("LiveOS/rootfs.alt", Engine.STREAM)
RAW_COMPARE = CompareImage("LiveOS/rootfs.alt")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stick with remains of something that was deleted, where the file system uses nothing."""
    folder = tmp_path_factory.mktemp("model") / "stick"
    build_small(folder, PracticeState.HEALTHY)
    scratch = tmp_path_factory.mktemp("scratch")
    joiner = UserSpaceJoiner(SystemRunner(), scratch)
    with (
        joiner.base(folder / IMAGE, MEMBER, JOB) as base,
        joiner.view(base, folder / "LiveOS" / OVERLAY_NAME, JOB) as view,
    ):
        view.write(used_ranges(view.path)[0][1], b"deleted" * 20_000)
    return folder


@pytest.fixture
def patient(model: Path, tmp_path: Path) -> Patient:
    return copy(model, tmp_path)


@pytest.fixture
def raw(patient: Patient) -> Patient:
    """A stick whose image is not compressed."""
    image = patient.folder / IMAGE
    with (patient.folder / MEMBER).open("wb") as file:
        argv = ["unsquashfs", "-no-progress", "-cat", str(image), MEMBER]
        subprocess.run(argv, check=True, stdout=file)
    image.unlink()
    return patient


def extracted(patient: Patient, image: str = BESIDE) -> Path:
    path = patient.scratch / "extracted"
    with path.open("wb") as file:
        argv = ["unsquashfs", "-no-progress", "-cat", str(patient.folder / image), MEMBER]
        subprocess.run(argv, check=True, stdout=file)
    return path


def blocks_in_use(path: Path, folder: Path) -> bytes:
    """All blocks that e2image takes for used, each at its place."""
    target = folder / f"{path.name}.raw"
    subprocess.run(["e2image", "-ra", str(path), str(target)], check=True, capture_output=True)
    return target.read_bytes()


def test_the_new_image_is_the_merged_view(patient: Patient, tmp_path: Path) -> None:
    with working(patient) as work:
        told = make_image(work, MAKE)
        view = tmp_path / "view"
        shutil.copyfile(work.view().path, view)
        assert "that the root file system has in use" in told
    new = extracted(patient)
    assert new.stat().st_size == view.stat().st_size
    assert blocks_in_use(new, tmp_path) == blocks_in_use(view, tmp_path)
    subprocess.run(["e2fsck", "-f", "-n", str(new)], check=True, capture_output=True)


def test_what_was_deleted_does_not_travel(patient: Patient, tmp_path: Path) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        used = used_ranges(work.view().path)
        old = work.view().read(0, work.view().size_bytes)
    new = extracted(patient).read_bytes()
    ends = [0, *(place for pair in used for place in pair), len(new)]
    gaps = list(zip(ends[::2], ends[1::2], strict=True))
    assert any(any(old[start:end]) for start, end in gaps)
    assert not any(any(new[start:end]) for start, end in gaps)


def test_it_tells_how_far_it_is_and_what_mksquashfs_says(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
    told = [event for event in patient.events if isinstance(event, ProgressEvent)]
    assert told[-1].phase == "making the new image"
    assert told[-1].fraction == 1.0
    lines = [event.text for event in patient.events if isinstance(event, OutputEvent)]
    assert any("zstd compressed" in line for line in lines)


def test_both_images_are_known_again_afterwards(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        notes = image_notes(work.notes)
        assert which_image(work.stick, BESIDE, notes) is WhichImage.NEW
        assert which_image(work.stick, IMAGE, notes) is WhichImage.OLD
        assert notes["marks"]


def test_the_old_image_and_the_overlay_stay_as_they_are(patient: Patient, model: Path) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        compare_image(work, COMPARE)
    assert (patient.folder / IMAGE).read_bytes() == (model / IMAGE).read_bytes()
    assert (
        patient.store.read_bytes()
        == (model / patient.store.relative_to(patient.folder)).read_bytes()
    )
    assert [path.name for path in patient.scratch.iterdir()] == []


def test_a_good_image_compares_equal(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        assert "is the merged view" in compare_image(work, COMPARE)


def spoiled(patient: Patient, offset: int, data: bytes) -> None:
    """Another image, whose member differs in some bytes."""
    tree = patient.scratch / "tree"
    (tree / "LiveOS").mkdir(parents=True)
    extracted(patient).rename(tree / MEMBER)
    with (tree / MEMBER).open("r+b") as file:
        file.seek(offset)
        file.write(data)
    image = patient.folder / BESIDE
    image.unlink()
    argv = ["mksquashfs", str(tree), str(image), "-noappend", "-no-progress", "-quiet"]
    subprocess.run(argv, check=True, capture_output=True)
    shutil.rmtree(tree)


def test_a_wrong_byte_is_found_with_its_place(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        start, end = used_ranges(work.view().path)[-1]
        offset = end - 1
        byte = work.view().read(offset, 1)[0]
        spoiled(patient, offset, bytes([byte ^ 1]))
        with pytest.raises(LiveosError, match=f"differs from the merged view at byte {offset}:"):
            compare_image(work, COMPARE)
        assert start < offset


def test_bytes_where_nothing_is_in_use_are_found(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        offset = used_ranges(work.view().path)[0][1] + 5
        byte = work.view().read(offset, 1)[0]
        spoiled(patient, offset, bytes([(byte + 1) % 256 or 7]))
        with pytest.raises(LiveosError, match=f"at byte {offset}: there are bytes where nothing"):
            compare_image(work, COMPARE)


def test_an_image_of_another_size_is_found(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        size_bytes = work.view().size_bytes
        spoiled(patient, size_bytes, bytes(512))
        with pytest.raises(LiveosError, match=f"it has {size_bytes + 512} bytes"):
            compare_image(work, COMPARE)


def test_an_image_that_was_damaged_on_the_stick_is_found(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        with (patient.folder / BESIDE).open("r+b") as file:
            file.seek(200_000)
            file.write(bytes(65536))
        with pytest.raises(LiveosError):
            compare_image(work, COMPARE)


def test_an_uncompressed_image_is_sparse_and_equal(raw: Patient, tmp_path: Path) -> None:
    with working(raw) as work:
        make_image(work, RAW_MAKE)
        compare_image(work, RAW_COMPARE)
        shutil.copyfile(work.view().path, tmp_path / "view")
    new = raw.folder / RAW_MAKE.beside
    assert blocks_in_use(new, tmp_path) == blocks_in_use(tmp_path / "view", tmp_path)
    assert new.stat().st_blocks * 512 < new.stat().st_size


def test_the_mirrors_copy_makes_the_same_image(patient: Patient, tmp_path: Path) -> None:
    action = replace(MAKE, engine=Engine.MIRROR, work=str(tmp_path))
    with working(patient) as work:
        shutil.copyfile(work.view().path, copy_path(work, MirrorView(str(tmp_path))))
        make_image(work, action)
        compare_image(work, COMPARE)


def test_a_mirrors_copy_that_is_gone_is_told(patient: Patient, tmp_path: Path) -> None:
    action = replace(MAKE, engine=Engine.MIRROR, work=str(tmp_path))
    with working(patient) as work, pytest.raises(LiveosError, match="is not there any more"):
        make_image(work, action)


def test_someone_elses_file_is_not_replaced(patient: Patient) -> None:
    (patient.folder / BESIDE).write_bytes(b"the old image of an earlier merge")
    with working(patient) as work:
        with pytest.raises(LiveosError, match="is there already, and not of this job"):
            make_image(work, MAKE)
        assert drop_image(work, MAKE) == "The new image had not been begun."
    assert (patient.folder / BESIDE).read_bytes() == b"the old image of an earlier merge"


def test_a_half_made_image_is_made_anew(patient: Patient) -> None:
    with working(patient) as work:
        work.note({"begun": True})
        (patient.folder / BESIDE).write_bytes(bytes(100_000))
        make_image(work, MAKE)
        compare_image(work, COMPARE)


def test_a_job_that_is_cancelled_can_be_undone(patient: Patient, model: Path) -> None:
    with working(patient) as work:
        used = imaging._used_ranges(work)
        assert used
        patient.control.cancel = (patient.folder / BESIDE).exists
        with pytest.raises(CancelledError):
            make_image(work, MAKE)
        patient.control.cancel = lambda: False
        assert "is removed" in drop_image(work, MAKE)
        assert drop_image(work, MAKE) == "There was no new image."
    assert sorted(path.name for path in (patient.folder / "LiveOS").iterdir()) == sorted(
        path.name for path in (model / "LiveOS").iterdir()
    )


def test_a_comparison_can_be_cancelled(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        patient.control.cancel = lambda: True
        with pytest.raises(CancelledError):
            compare_image(work, COMPARE)


def test_the_old_image_is_never_dropped(patient: Patient) -> None:
    with working(patient) as work:
        make_image(work, MAKE)
        work.stick.exchange(IMAGE, BESIDE)
        with pytest.raises(LiveosError, match="is the old image"):
            drop_image(work, MAKE)
        assert (patient.folder / BESIDE).exists()


def test_a_source_that_cannot_be_read_is_told_and_undone(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send(self: MergedReader, pipe: int, *_: object) -> None:
        os.write(pipe, bytes(50_000))
        raise UnreadableError("The base image cannot be read at byte 50000.")

    monkeypatch.setattr(MergedReader, "send", send)
    with working(patient) as work:
        with pytest.raises(UnreadableError, match="byte 50000"):
            make_image(work, MAKE)
        assert "is removed" in drop_image(work, MAKE)


def test_room_is_looked_for_before(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StickFolder, "free_bytes", 1000)
    with working(patient) as work:
        with pytest.raises(NoRoomError, match=r"needs .* on the stick at least"):
            make_image(work, MAKE)
        assert not Folder(patient.folder).is_file(BESIDE)
