"""Base and store joined by the kernel, held to what every joiner does; user space beside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from filled import tmpfs

sys.path.insert(0, str(Path(__file__).parents[2] / "practice"))
pytest.register_assert_rewrite("views_specification")

from views_specification import (  # noqa: E402 - its assertions are to be rewritten
    BASE_BYTES,
    MEMBER,
    NAME,
    Images,
    JoinerSpecification,
    all_of,
    killed_while,
    make_store,
    sha256,
)

from liveos_tui.errors import LiveosError  # noqa: E402
from liveos_tui.practice.views import UserSpaceJoiner  # noqa: E402
from liveos_tui.system import loops  # noqa: E402
from liveos_tui.system.joining import ViewError  # noqa: E402
from liveos_tui.system.kernel_views import KernelJoiner, kernel_has_device_mapper  # noqa: E402
from liveos_tui.system.loops import file_identity, loop_of, loops_of, refresh_capacity  # noqa: E402
from liveos_tui.system.mounts import RUN_FOLDER  # noqa: E402
from liveos_tui.system.runner import Runner, SystemRunner  # noqa: E402


def command(*words: str | Path) -> str:
    """Standard output of a command that has to succeed."""
    argv = [str(word) for word in words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def machine() -> list[str]:
    """The dm devices, loop devices, mounts and job folders of this machine."""
    devices = [f"dm {path.read_text()}" for path in Path("/sys/block").glob("dm-*/dm/name")]
    loop_devices = [f"loop {name}" for name in command("losetup", "-n", "-O", "NAME").split()]
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    folders = [str(path) for path in RUN_FOLDER.glob("views/*")]
    nodes = [str(path) for path in Path("/dev/mapper").iterdir()]
    return sorted([*devices, *loop_devices, *mounts, *folders, *nodes])


# make test holds it to the same, on this machine's kernel.
@pytest.mark.thorough
class TestUserSpaceJoinerHere(JoinerSpecification):
    folder: Path

    @pytest.fixture
    def joiner(self, tmp_path: Path) -> UserSpaceJoiner:
        self.folder = tmp_path / "scratch"
        self.folder.mkdir()
        return UserSpaceJoiner(SystemRunner(), self.folder)

    def scratch(self, tmp_path: Path) -> Path:
        return self.folder

    def left_over(self) -> list[str]:
        return [*machine(), *sorted(path.name for path in self.folder.iterdir())]


class TestKernelJoiner(JoinerSpecification):
    folder: Path

    @pytest.fixture
    def joiner(self, tmp_path: Path) -> KernelJoiner:
        self.folder = tmp_path
        return KernelJoiner(SystemRunner())

    def left_over(self) -> list[str]:
        # A trial's store has a name for a moment only.
        return [*machine(), *(path.name for path in self.folder.glob("liveos-tui-*"))]

    def test_the_machine_has_a_device_mapper(self) -> None:
        assert kernel_has_device_mapper(SystemRunner())

    def test_devices_bear_the_name_of_the_job(
        self, joiner: KernelJoiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            assert view.path == Path("/dev/mapper/liveos-tui-spec-view")
            assert view.path.is_block_device()

    def test_base_and_frozen_store_are_read_only_devices(
        self, joiner: KernelJoiner, images: Images, store: Path
    ) -> None:
        with (
            joiner.base(images.squashfs, MEMBER, NAME) as base,
            joiner.view(base, store, NAME, read_only=True) as view,
        ):
            assert command("blockdev", "--getro", base) == "1"
            assert command("blockdev", "--getro", view.path) == "1"
            assert all(command("blockdev", "--getro", loop) == "1" for loop in store_loops(store))

    def test_the_image_is_mounted_without_rights_in_a_private_folder(
        self, joiner: KernelJoiner, images: Images
    ) -> None:
        with joiner.base(images.squashfs, MEMBER, NAME):
            folder = RUN_FOLDER / "views" / NAME
            options = command("findmnt", "-n", "-o", "OPTIONS", "--mountpoint", folder / "base")
            assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))
            assert folder.stat().st_mode & 0o777 == 0o700

    def test_a_base_in_an_erofs(self, joiner: KernelJoiner, images: Images, tmp_path: Path) -> None:
        tree = images.base.parents[1]
        command("mkfs.erofs", tmp_path / "root.erofs", tree)
        with joiner.base(tmp_path / "root.erofs", MEMBER, NAME) as base:
            assert sha256(base) == sha256(images.base)

    def test_a_link_inside_an_image_is_not_followed(
        self, joiner: KernelJoiner, tmp_path: Path
    ) -> None:
        tree = tmp_path / "tree"
        tree.mkdir()
        (tree / "LiveOS").symlink_to("/etc")
        command("mksquashfs", tree, tmp_path / "links.img", "-quiet", "-no-progress")
        with (
            pytest.raises(LiveosError, match=r"LiveOS cannot be read|LiveOS is a link"),
            joiner.base(tmp_path / "links.img", "LiveOS/passwd", NAME),
        ):
            pass

    def test_a_store_that_grows_while_it_is_joined(
        self, joiner: KernelJoiner, images: Images, tmp_path: Path
    ) -> None:
        store = make_store(tmp_path / "store", 40 * 4096)
        with joiner.view(images.base, store, NAME) as view:
            os.truncate(store, 80 * 4096)
            (device,) = store_loops(store)
            refresh_capacity(SystemRunner(), device)
            view.write(0, b"a" * (70 * 4096))
            assert view.read(0, 70 * 4096) == b"a" * (70 * 4096)

    def test_a_trial_without_room_for_its_store_is_told(
        self, joiner: KernelJoiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        before = sha256(store)
        with (
            tmpfs(tmp_path / "small", "64k") as small,
            joiner.view(images.base, store, NAME) as view,
        ):
            with joiner.trial(view, small, NAME) as trial:
                with pytest.raises(subprocess.CalledProcessError):
                    write_zeros(trial.path, 1 << 20)
                with pytest.raises(ViewError, match="no room"):
                    trial.changes()
            assert all_of(view) == images.base.read_bytes()
        assert sha256(store) == before

    def test_a_base_that_cannot_be_read_is_told_with_the_place(
        self, joiner: KernelJoiner, images: Images, store: Path
    ) -> None:
        with (
            loop_of(SystemRunner(), images.base, read_only=True) as whole,
            torn(whole, BASE_BYTES // 2) as base,
            joiner.view(base, store, NAME) as view,
        ):
            assert view.read(0, 4096) == images.base.read_bytes()[:4096]
            with pytest.raises(ViewError, match=f"cannot be read at byte {BASE_BYTES // 2}"):
                view.read(BASE_BYTES // 2, 4096)

    def test_a_process_killed_between_making_and_holding_a_loop_leaves_what_is_found(
        self,
        joiner: KernelJoiner,
        images: Images,
        store: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def work(stack: ExitStack) -> None:
            stack.enter_context(joiner.base(images.squashfs, MEMBER, NAME))
            monkeypatch.setattr(loops, "detach", killed)
            stack.enter_context(joiner.view(images.base, store, NAME))

        with loop_of(SystemRunner(), images.base, read_only=True) as others:
            killed_while(work)
            assert joiner.clean_up(NAME) != ()
            assert loops_of(SystemRunner(), file_identity(images.base)) == (others,)

    def test_a_loop_before_a_trial_whose_file_is_gone_is_taken_down(
        self,
        joiner: KernelJoiner,
        images: Images,
        store: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Killed between losetup and the next call, while the worker's scratch is removed."""

        def work(stack: ExitStack) -> None:
            view = stack.enter_context(joiner.view(images.base, store, NAME))
            monkeypatch.setattr(loops, "detach", killed)
            stack.enter_context(joiner.trial(view, tmp_path, NAME))

        killed_while(work)
        (trial,) = tmp_path.glob("*-trial")
        identity = file_identity(trial)
        trial.unlink()
        assert joiner.clean_up(NAME) != ()
        assert loops_of(SystemRunner(), identity) == ()

    def test_what_a_job_has_mounted_of_its_trial_is_taken_down_first(
        self, joiner: KernelJoiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        def work(stack: ExitStack) -> None:
            base = stack.enter_context(joiner.base(images.squashfs, MEMBER, NAME))
            view = stack.enter_context(joiner.view(base, store, NAME))
            trial = stack.enter_context(joiner.trial(view, tmp_path, NAME))
            folder = RUN_FOLDER / "views" / NAME / "shown"
            folder.mkdir()
            command("mount", "-o", "ro", trial.path, folder)

        killed_while(work)
        told = joiner.clean_up(NAME)
        assert "device liveos-tui-spec-trial" in told
        assert f"mount {RUN_FOLDER}/views/{NAME}/shown" in told

    def test_a_program_that_a_killed_job_has_left_on_its_trial_is_ended(
        self, joiner: KernelJoiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        def work(stack: ExitStack) -> None:
            view = stack.enter_context(joiner.view(images.base, store, NAME))
            trial = stack.enter_context(joiner.trial(view, tmp_path, NAME))
            with trial.path.open("r+b") as opened:
                subprocess.Popen(["sleep", "600"], stdin=opened)

        killed_while(work)
        assert any("(sleep)" in told for told in joiner.clean_up(NAME))


def killed(runner: Runner, device: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def store_loops(store: Path) -> tuple[Path, ...]:
    return loops_of(SystemRunner(), file_identity(store))


def write_zeros(device: Path, size: int) -> None:
    command("dd", "if=/dev/zero", f"of={device}", "bs=64k", f"count={size >> 16}", "conv=fsync")


@contextmanager
def torn(device: Path, from_byte: int) -> Iterator[Path]:
    """A device whose second part gives I/O errors."""
    good, rest = from_byte // 512, (BASE_BYTES - from_byte) // 512
    table = f"0 {good} linear {device} 0\n{good} {rest} error\n"
    subprocess.run(["dmsetup", "create", "torn"], input=table, text=True, check=True)
    command("dmsetup", "mknodes")
    try:
        yield Path("/dev/mapper/torn")
    finally:
        command("dmsetup", "remove", "--retry", "torn")
