"""The new image of a merge, with the kernel's loop devices, snapshots and squashfs."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from filled import command

sys.path.insert(0, str(Path(__file__).parents[2] / "jobs"))

from merging_work import BESIDE, COMPARE, IMAGE, MAKE, MEMBER, working
from recovering import Patient, build_small, copy

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.jobs.imaging import compare_image, drop_image, make_image
from liveos_tui.plans.actions import CompareImage, Engine, MakeImage
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState
from liveos_tui.system.kernel_views import KernelJoiner
from liveos_tui.system.merged import behind_loop
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.writable_file import NoRoomError

pytestmark = pytest.mark.usefixtures("nothing_left")

SCRIPT = """
set -e
cp -a {lib} {root}/copied
ln {root}/copied/os.py {root}/hard
truncate -s 5M {root}/sparse
echo end >>{root}/sparse
head -c 3000000 /dev/urandom >{root}/deleted
sync
rm {root}/deleted
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A practice stick on whose root the kernel has worked: files copied, linked, deleted."""
    folder = tmp_path_factory.mktemp("model") / "stick"
    build_small(folder, PracticeState.FRESH)
    lib = folder.parent / "lib"
    lib.mkdir()
    source = Path(os.__file__).parent
    for name in ("os.py", "json", "email"):
        there = shutil.copytree if (source / name).is_dir() else shutil.copyfile
        there(source / name, lib / name)
    root = folder.parent / "root"
    root.mkdir()
    joiner = KernelJoiner(SystemRunner())
    store = folder / "LiveOS" / OVERLAY_NAME
    with store.open("r+b") as file:
        # Begun, and empty: the kernel takes a header of zeros, the joiner does not.
        file.write(b"SnAp" + b"".join(n.to_bytes(4, "little") for n in (1, 1, 8)))
    with (
        joiner.base(folder / IMAGE, MEMBER, "model") as base,
        joiner.view(base, store, "model") as view,
    ):
        command("mount", view.path, root)
        command("sh", "-c", SCRIPT.format(lib=lib, root=root))
        os.setxattr(root / "hard", "user.colour", b"blue")
        command("umount", root)
    return folder


@pytest.fixture
def patient(model: Path, tmp_path: Path) -> Patient:
    return copy(model, tmp_path)


@pytest.fixture
def joiner() -> KernelJoiner:
    return KernelJoiner(SystemRunner())


def blocks_in_use(path: Path, folder: Path) -> bytes:
    target = folder / "raw"
    command("e2image", "-ra", path, target)
    data = target.read_bytes()
    target.unlink()
    return data


def tree(device: Path, folder: Path) -> str:
    """Everything about every file of a file system: names, modes, times, contents, xattrs."""
    folder.mkdir()
    command("mount", "-o", "ro,noload,loop", device, folder)
    try:
        listed = command(
            *("sh", "-c"),
            f"cd {folder} && find . -printf '%p %y %m %U %G %s %T@ %n %l\\n' | sort && "
            "find . -type f | sort | xargs -d '\\n' sha256sum",
        )
        attributes = [
            f"{path.relative_to(folder)} {name} {os.getxattr(path, name)!r}"
            for path in sorted(folder.rglob("*"))
            if not path.is_symlink()
            for name in os.listxattr(path)
        ]
        assert any("user.colour" in line for line in attributes)
        return "\n".join([listed, *attributes])
    finally:
        command("umount", folder)


def test_the_new_image_is_the_view_in_every_block_and_every_file(
    patient: Patient, joiner: KernelJoiner, tmp_path: Path
) -> None:
    with working(patient, joiner) as work:
        make_image(work, MAKE)
        assert "is the merged view" in compare_image(work, COMPARE)
        view = work.view().path
        with joiner.base(patient.folder / BESIDE, MEMBER, "look") as new:
            assert blocks_in_use(new, tmp_path) == blocks_in_use(view, tmp_path)
            assert tree(new, tmp_path / "a") == tree(view, tmp_path / "b")
            command("e2fsck", "-f", "-n", new)


def test_an_uncompressed_image(patient: Patient, joiner: KernelJoiner, tmp_path: Path) -> None:
    with (patient.folder / MEMBER).open("wb") as file:
        argv = ["unsquashfs", "-no-progress", "-cat", str(patient.folder / IMAGE), MEMBER]
        subprocess.run(argv, check=True, stdout=file)
    (patient.folder / IMAGE).unlink()
    make = MakeImage("LiveOS/rootfs.alt", Engine.STREAM)
    with working(patient, joiner) as work:
        make_image(work, make)
        compare_image(work, CompareImage(make.beside))
        new = patient.folder / make.beside
        assert blocks_in_use(new, tmp_path) == blocks_in_use(work.view().path, tmp_path)


def test_the_base_is_read_as_the_file_behind_its_loop_device(
    patient: Patient, joiner: KernelJoiner
) -> None:
    with joiner.base(patient.folder / IMAGE, MEMBER, "look") as base:
        assert base.is_block_device()
        assert behind_loop(base).name == "rootfs.img"
        assert behind_loop(base).is_file()


@pytest.fixture
def narrow(model: Path, tmp_path: Path) -> Iterator[Patient]:
    """A stick with hardly any room."""
    room = sum(path.stat().st_size for path in (model / "LiveOS").iterdir()) + (1 << 20)
    place = tmp_path / "narrow"
    place.mkdir()
    command("mount", "-t", "tmpfs", "-o", f"size={room}", "none", place)
    shutil.copytree(model, place / "stick")
    (tmp_path / "scratch").mkdir()
    yield Patient(place / "stick", tmp_path / "scratch")
    command("umount", place)


def test_a_stick_that_fills_is_told_and_the_image_goes(
    narrow: Patient, joiner: KernelJoiner
) -> None:
    with working(narrow, joiner) as work:
        with pytest.raises(NoRoomError):
            make_image(work, MAKE)
        drop_image(work, MAKE)
    assert not (narrow.folder / BESIDE).exists()


def test_a_cancelled_job_leaves_no_device(patient: Patient, joiner: KernelJoiner) -> None:
    with working(patient, joiner) as work:
        patient.control.cancel = (patient.folder / BESIDE).exists
        with pytest.raises(CancelledError):
            make_image(work, MAKE)
        patient.control.cancel = lambda: False
        assert "is removed" in drop_image(work, MAKE)


def test_a_spoiled_image_is_found_on_the_medium(patient: Patient, joiner: KernelJoiner) -> None:
    with working(patient, joiner) as work:
        make_image(work, MAKE)
        with (patient.folder / BESIDE).open("r+b") as file:
            file.seek(100_000)
            file.write(bytes(200_000))
        with pytest.raises(LiveosError):
            compare_image(work, COMPARE)
