"""A stick that is mounted here, or a folder that holds one: what is on it, whatever it is."""

import os
import struct
import threading
from dataclasses import replace
from pathlib import Path

import layouts
import pytest
from layouts import EXT4_HEAD, OVERLAY_BYTES, SQUASHFS_BYTES, SQUASHFS_HEAD, USED
from machines import FLAT_LISTING, GIB, MIB, Content, MachineBuilder, store, used_sectors

from liveos_tui.errors import NotALiveosError, PrivilegeError, TargetGoneError, UnreadableError
from liveos_tui.live.judge import judge
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import (
    HomeState,
    Host,
    LayoutKind,
    LiveSystem,
    Operation,
    OverlayKind,
    OverlayState,
    Severity,
    TargetKind,
    Usage,
)
from liveos_tui.live.recognise import MissingTargetError
from liveos_tui.live.report import document, text
from liveos_tui.system.files import Folder, OpenFile, not_allowed
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.patience import Patience

MOUNT = "/media/stick"


def attach(machine: MachineBuilder, overlay: Content | None = None) -> str:
    layouts.installed(machine)
    return layouts.stick(
        machine, MOUNT, number="8:33", name="sdc1", label="STICK2", overlay=overlay
    )


def look(machine: MachineBuilder, target: str = MOUNT, *, privileged: bool = True) -> LiveSystem:
    return LocalWatch(machine.probes(privileged=privileged), target).sample()


def codes(system: LiveSystem) -> list[str]:
    return [finding.code for finding in system.findings]


def test_a_mounted_stick_is_told_with_its_device(machine: MachineBuilder) -> None:
    attach(machine, store(USED))
    system = look(machine)

    assert system.target.kind is TargetKind.MOUNT
    assert (system.target.label, system.target.device) == ("STICK2", "/dev/sdc1")
    assert system.overlay.path == "LiveOS/overlay-STICK2-12AB-CDEF"
    assert (system.overlay.in_use, system.overlay.persistent) == (False, True)
    assert system.overlay.used_bytes == used_sectors(USED) * 512
    assert not system.target.this_system


def test_what_helps_names_the_stick_that_it_helps(machine: MachineBuilder) -> None:
    attach(machine, store(OVERLAY_BYTES * 3 // 4 // 4096))
    finding = next(each for each in look(machine).findings if each.code == "overlay-filling")

    assert f"`liveos-tui merge {MOUNT}`" in finding.action


def test_a_folder_that_is_mounted_a_second_time_is_a_folder(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    machine.mount("8:3", MOUNT, "ext4", "/dev/sda3", (GIB, MIB), "ro", root="/home/me/copy")
    machine.file(f"{MOUNT}/LiveOS/squashfs.img", SQUASHFS_HEAD, SQUASHFS_BYTES)
    machine.file(f"{MOUNT}/LiveOS/overlay-LIVE-12AB-CDEF", store(USED), OVERLAY_BYTES)
    system = look(machine)

    assert system.target.kind is TargetKind.FOLDER
    assert (system.target.label, system.target.device) == ("LIVE", None)
    reasons = {each.operation: each.why_not or "" for each in system.operations}
    assert "mounted read-only" in reasons[Operation.GROW]


def test_a_fresh_overlay_is_all_zeros(machine: MachineBuilder) -> None:
    attach(machine, b"")
    system = look(machine)

    assert system.overlay.state is OverlayState.FRESH
    assert system.overlay.used_bytes == system.overlay.metadata_bytes == 16 * 512


def test_an_invalid_overlay_is_broken_and_keeps_its_figures(machine: MachineBuilder) -> None:
    attach(machine, store(USED, valid=False))
    system = look(machine)

    assert system.overlay.state is OverlayState.INVALID
    assert system.overlay.used_bytes == used_sectors(USED) * 512
    assert codes(system)[0] == "overlay-invalid"


def test_an_overlay_that_the_kernel_uses_is_told_by_the_kernel(machine: MachineBuilder) -> None:
    path = attach(machine, store(USED))
    machine.loop(5, f"{MOUNT}/{path}", of=f"{MOUNT}/{path}", filesystem="8:33")
    machine.dm(
        0,
        "by-hand",
        ["loop4", "loop5"],
        "0 4194304 snapshot 7:4 7:5 P 8",
        "0 4194304 snapshot Invalid",
    )
    system = look(machine)

    assert (system.overlay.in_use, system.overlay.table) == (True, "P")
    assert system.overlay.state is OverlayState.INVALID


def test_a_copy_of_the_stick_in_use_is_not_taken_for_it(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    machine.mount("8:33", MOUNT, "vfat", "/dev/sdc1", (14 * GIB, 9 * GIB))
    machine.file(f"{MOUNT}/LiveOS/squashfs.img", SQUASHFS_HEAD, SQUASHFS_BYTES)
    machine.file(f"{MOUNT}/LiveOS/overlay-LIVE-12AB-CDEF", store(7), OVERLAY_BYTES)
    system = look(machine)

    assert not system.overlay.in_use
    assert system.overlay.used_bytes == used_sectors(7) * 512


def test_a_folder_is_named_by_its_overlay(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    folder = "/home/me/copy"
    machine.file(f"{folder}/LiveOS/squashfs.img", SQUASHFS_HEAD, SQUASHFS_BYTES)
    machine.file(f"{folder}/LiveOS/overlay-MY-STICK-12AB-CDEF", store(3), OVERLAY_BYTES)
    system = look(machine, folder)

    assert system.target.kind is TargetKind.FOLDER
    assert (system.target.label, system.target.uuid) == ("MY-STICK", "12AB-CDEF")
    assert system.host.usage.free_bytes == 300 * GIB


def test_the_live_folder_itself_may_be_named(machine: MachineBuilder) -> None:
    attach(machine, store(USED))

    assert look(machine, f"{MOUNT}/LiveOS").overlay.path == "LiveOS/overlay-STICK2-12AB-CDEF"


def test_a_live_folder_of_another_name_is_found_by_its_image(machine: MachineBuilder) -> None:
    attach(machine)
    machine.path(f"{MOUNT}/LiveOS").rename(machine.path(f"{MOUNT}/fedora39"))

    assert look(machine).layout.image == "fedora39/squashfs.img"


def test_a_stick_without_an_overlay(machine: MachineBuilder) -> None:
    attach(machine)
    system = look(machine)

    assert system.overlay.state is OverlayState.NONE
    assert codes(system)[0] == "overlay-none"


def test_of_several_overlays_the_one_named_for_the_stick_counts(machine: MachineBuilder) -> None:
    attach(machine, store(USED))
    machine.file(f"{MOUNT}/LiveOS/overlay-OLD-0000-0001", store(1), OVERLAY_BYTES)

    assert look(machine).overlay.used_bytes == used_sectors(USED) * 512


def test_several_overlays_of_other_sticks_are_told_not_guessed(machine: MachineBuilder) -> None:
    attach(machine)
    for serial in ("0000-0001", "0000-0002"):
        machine.file(f"{MOUNT}/LiveOS/overlay-OLD-{serial}", store(1), OVERLAY_BYTES)
    system = look(machine)

    assert system.overlay.state is None
    assert "2 overlays lie here" in (system.overlay.unknown or "")


def test_a_flat_stick_with_an_overlay_folder(machine: MachineBuilder) -> None:
    path = attach(machine)
    machine.answer(layouts.LISTING, FLAT_LISTING)
    machine.path(f"{MOUNT}/{path}/.").mkdir(parents=True)
    system = look(machine)

    assert system.layout.kind is LayoutKind.OVERLAYFS
    assert system.overlay.kind is OverlayKind.DIRECTORY
    assert system.overlay.total_bytes == 14 * GIB


def test_the_root_is_read_from_the_base_image(machine: MachineBuilder) -> None:
    attach(machine, b"")
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    root = look(machine).root

    assert root.filesystem == "ext4"
    assert root.usage.total_bytes is not None


def test_the_roots_superblock_in_the_overlay_hides_the_bases(machine: MachineBuilder) -> None:
    path = attach(machine, store(5, first_old=0))
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    changed = bytearray(EXT4_HEAD[:4096])
    struct.pack_into("<I", changed, 1024 + 0x0C, 0)  # s_free_blocks_count_lo: nothing is free
    with machine.path(f"{MOUNT}/{path}").open("r+b") as file:
        file.seek(2 * 4096)
        file.write(changed)

    assert look(machine).root.usage.free_bytes == 0


def test_an_image_is_looked_into_once(machine: MachineBuilder) -> None:
    attach(machine, b"")
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    watch = LocalWatch(machine.probes(), MOUNT)
    for _ in range(3):
        watch.sample()

    assert sum("-cat" in argv for argv in machine.runner.asked) == 1


def test_a_file_system_without_a_device_of_its_own_is_looked_at(machine: MachineBuilder) -> None:
    """As btrfs and tmpfs have it: the kernel numbers them 0:something."""
    layouts.installed(machine)
    layouts.stick(machine, MOUNT, number="0:45", name="sdc1", label="STICK2", overlay=store(USED))

    assert look(machine).overlay.used_bytes == used_sectors(USED) * 512


class TestBadInput:
    """One clear sentence, nothing changed, and the rest is still shown."""

    def test_a_folder_that_is_no_liveos(self, machine: MachineBuilder) -> None:
        layouts.installed(machine)
        machine.path("/etc/fstab").touch()
        with pytest.raises(NotALiveosError, match="holds no LiveOS folder"):
            look(machine, "/etc")

    @pytest.mark.parametrize("path", ["/nowhere", "/proc/cmdline/a", f"/{'a' * 300}"])
    def test_a_path_that_is_not_there(self, machine: MachineBuilder, path: str) -> None:
        layouts.installed(machine)
        with pytest.raises(MissingTargetError, match=r"There is no /"):
            look(machine, path)

    def test_a_file(self, machine: MachineBuilder) -> None:
        layouts.installed(machine)
        with pytest.raises(NotALiveosError, match="is no stick"):
            look(machine, "/proc/cmdline")

    @pytest.mark.parametrize(
        ("name", "system"), [("casper", "Ubuntu"), ("live", "Debian Live"), ("antiX", "antiX")]
    )
    def test_another_live_systems_stick(
        self, machine: MachineBuilder, name: str, system: str
    ) -> None:
        layouts.installed(machine)
        machine.mount("8:33", MOUNT, "vfat", "/dev/sdc1", (GIB, MIB))
        machine.path(f"{MOUNT}/{name}/.").mkdir()
        with pytest.raises(NotALiveosError, match=system):
            look(machine)

    @pytest.mark.parametrize(
        ("overlay", "size", "words"),
        [
            (store(3), 10, "inside its header"),
            (store(3), 4096, "less than an empty one needs"),
            (store(600), 300 * 4096, "runs past its end"),
            (store(600), 602 * 4096, "lie behind its end"),
            (b"SnAp" + struct.pack("<III", 1, 2, 8), 64 * MIB, "version 2"),
            (b"SnAp" + struct.pack("<III", 1, 1, 7), 64 * MIB, "chunks of 7 sectors"),
            (b"\x7fELF\x02\x01\x01\x00", 64 * MIB, "(a COW store)"),
        ],
    )
    def test_a_damaged_store(
        self, machine: MachineBuilder, overlay: Content, size: int, words: str
    ) -> None:
        path = attach(machine, overlay)
        os.truncate(machine.path(f"{MOUNT}/{path}"), size)
        system = look(machine)

        assert words in system.findings[0].text
        assert system.host.usage.free_bytes == 5 * GIB

    def test_what_a_damaged_list_adds_up_to_is_no_figure(self, machine: MachineBuilder) -> None:
        path = attach(machine, store(3))
        with machine.path(f"{MOUNT}/{path}").open("r+b") as file:
            file.seek(4096)
            file.write(bytes(range(1, 256)) * 16)
        overlay = look(machine).overlay

        assert overlay.state is OverlayState.FOREIGN
        assert (overlay.used_bytes, overlay.fraction) == (None, None)

    def test_a_home_cut_in_the_middle(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        machine.file(f"{MOUNT}/LiveOS/home.img", EXT4_HEAD)
        home = look(machine).home

        assert home.state is HomeState.UNREADABLE
        assert "cut off" in (home.unknown or "")

    def test_a_file_that_only_root_may_read(
        self, machine: MachineBuilder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = attach(machine, store(USED))

        def locked(folder: Folder, relative: str) -> OpenFile:
            if relative in {"LiveOS/squashfs.img", path}:
                raise not_allowed(machine.path(MOUNT) / relative, "read")
            return opened(folder, relative)

        opened = Folder.open
        monkeypatch.setattr(Folder, "open", locked)
        system = look(machine, privileged=False)

        assert system.severity is Severity.WARNING
        assert "not-readable" in codes(system)
        assert (system.layout.root_only, system.overlay.root_only) == (True, True)
        assert system.layout.image_damage is None

    def test_an_image_cut_in_the_middle(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        os.truncate(machine.path(f"{MOUNT}/LiveOS/squashfs.img"), 4096)
        system = look(machine)

        assert system.findings[0].code == "image-damaged"
        assert "cut off" in system.findings[0].text
        assert system.overlay.state is OverlayState.OK

    def test_an_image_that_is_something_else(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        machine.file(f"{MOUNT}/LiveOS/squashfs.img", b"%PDF-1.7", MIB)

        assert "no image that is known here" in look(machine).findings[0].text

    def test_an_image_that_is_a_link_is_not_followed(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        image = machine.path(f"{MOUNT}/LiveOS/squashfs.img")
        image.unlink()
        image.symlink_to(machine.path("/etc/shadow"))

        assert look(machine).findings[0].code == "image-damaged"

    def test_the_other_image_of_a_merge_is_told_with_what_it_takes(
        self, machine: MachineBuilder
    ) -> None:
        attach(machine, store(USED))
        machine.file(f"{MOUNT}/LiveOS/squashfs.alt", SQUASHFS_HEAD, 3 * MIB)
        found = next(each for each in look(machine).findings if each.code == "second-image")

        assert "LiveOS/squashfs.alt, 3.0 MiB" in found.text
        assert "`liveos-tui jobs --target /media/stick`" in found.action

    def test_beside_an_empty_image_the_other_one_of_a_merge_is_not_let_go(
        self, machine: MachineBuilder
    ) -> None:
        """So fsck.fat leaves them when a power cut came while they were exchanged."""
        attach(machine, store(USED))
        os.truncate(machine.path(f"{MOUNT}/LiveOS/squashfs.img"), 0)
        machine.file(f"{MOUNT}/LiveOS/squashfs.alt", SQUASHFS_HEAD, 3 * MIB)
        findings = look(machine).findings

        assert findings[0].code == "image-damaged"
        assert "squashfs.alt, 3.0 MiB, is the other image of a merge" in findings[0].action
        assert "second-image" not in {each.code for each in findings}

    def test_beside_an_empty_overlay_the_other_one_of_a_merge_is_named(
        self, machine: MachineBuilder
    ) -> None:
        path = machine.path(f"{MOUNT}/{attach(machine, store(USED))}")
        os.truncate(path, 0)
        machine.file(f"{MOUNT}/LiveOS/{path.name}.alt", store(USED), 3 * MIB)
        (finding,) = (each for each in look(machine).findings if each.code == "overlay-foreign")

        assert f"LiveOS/{path.name}.alt, 3.0 MiB, lies beside it" in finding.action
        assert finding.action.endswith(f"rename it to LiveOS/{path.name}.")

    def test_a_stick_that_a_power_cut_has_left_without_its_image(
        self, machine: MachineBuilder
    ) -> None:
        """In a live directory of another name, which only its overlay tells."""
        attach(machine, store(USED))
        folder = machine.path(f"{MOUNT}/LiveOS")
        (folder / "squashfs.img").unlink()
        folder.rename(folder.with_name("custom"))
        system = look(machine)

        assert "There is no image in custom" in system.findings[0].text
        assert system.overlay.used_bytes == used_sectors(USED) * 512

    def test_labels_and_names_with_escape_sequences(self, machine: MachineBuilder) -> None:
        layouts.installed(machine)
        layouts.stick(machine, MOUNT, number="8:33", name="sdc1", label="\x1b]0;owned\x07[red]")
        machine.file(f"{MOUNT}/LiveOS/overlay-\x1b[31mX\x9b-12AB-CDEF", store(3), OVERLAY_BYTES)
        system = look(machine)
        shown = text(system) + str(document(system))

        assert not [
            character for character in shown if not character.isprintable() and character != "\n"
        ]
        assert r"\x1b[31mX\x9b" in shown

    def test_a_store_that_lies_about_a_chunk_of_metadata(self, machine: MachineBuilder) -> None:
        path = attach(machine, store(3))
        with machine.path(f"{MOUNT}/{path}").open("r+b") as file:
            file.seek(4096)
            file.write(struct.pack("<QQ", 5, 1))
        system = look(machine)

        assert "point at the list itself" in system.findings[0].text

    def test_a_stick_that_gives_io_errors_leaves_the_rest(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))

        def broken(path: Path) -> FilesystemUsage:
            raise UnreadableError(f"The file system at {path} does not answer.")

        system = LocalWatch(replace(machine.probes(), usage_of=broken), MOUNT).sample()

        assert system.host.usage.used_bytes is None
        assert "does not answer" in (system.host.unknown or "")
        assert system.overlay.state is OverlayState.OK


class TestGone:
    """A stick that is pulled out while it is watched."""

    def test_is_told(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        watch = LocalWatch(machine.probes(), MOUNT)
        watch.sample()
        machine.unplug("8:33")
        with pytest.raises(TargetGoneError, match="is gone"):
            watch.sample()

    def test_is_found_again(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        watch = LocalWatch(machine.probes(), MOUNT)
        machine.unplug("8:33")
        with pytest.raises(TargetGoneError):
            watch.sample()
        machine.plug("8:33")

        assert watch.sample().overlay.state is OverlayState.OK

    def test_a_folder_that_was_removed(self, machine: MachineBuilder) -> None:
        layouts.installed(machine)
        machine.file("/copy/LiveOS/squashfs.img", SQUASHFS_HEAD, SQUASHFS_BYTES)
        watch = LocalWatch(machine.probes(), "/copy")
        watch.sample()
        machine.path("/copy").rename(machine.path("/elsewhere"))
        with pytest.raises(TargetGoneError):
            watch.sample()


class TestDevice:
    """A block device by its name."""

    def test_is_looked_at_where_it_is_mounted(self, machine: MachineBuilder) -> None:
        attach(machine, store(USED))
        system = look(machine, "/dev/sdc1")

        assert (system.target.kind, system.target.mount_point) == (TargetKind.DEVICE, MOUNT)
        assert system.overlay.used_bytes == used_sectors(USED) * 512

    def test_the_booted_stick_by_its_device_is_this_system(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        system = look(machine, "/dev/sdb1")

        assert system.target.this_system
        assert system.overlay.in_use
        assert system.target.path == "/dev/sdb1"

    def test_a_disk_with_partitions_names_them(self, machine: MachineBuilder) -> None:
        attach(machine)
        machine.path("/dev/sdc").touch()
        with pytest.raises(NotALiveosError) as caught:
            look(machine, "/dev/sdc")

        assert "/dev/sdc1" in caught.value.hint

    def test_one_that_is_not_mounted_needs_root(
        self, machine: MachineBuilder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: 1000)
        layouts.installed(machine)
        machine.block("sdd1", "8:49", fstype="vfat", label="STICK3", rm=True)
        machine.path("/dev/sdd1").touch()
        with pytest.raises(PrivilegeError, match="only root can mount it"):
            look(machine, "/dev/sdd1")


class TestHang:
    """A dead stick answers to nothing: its gauge is unknown, the others are shown."""

    def test_a_stick_that_does_not_answer_leaves_the_root(
        self, machine: MachineBuilder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        layouts.fedora_30(machine)
        probes, answered = machine.probes(), threading.Event()
        stick, is_dir = machine.path(layouts.STICK), Path.is_dir

        def hung_folder(path: Path) -> bool:
            return answered.wait() if path == stick else is_dir(path)

        def hung_usage(path: Path) -> FilesystemUsage:
            if path == stick:
                answered.wait()
            return probes.usage_of(path)

        dead = replace(probes, usage_of=hung_usage)
        watch = LocalWatch(dead, "live", patience=Patience(1.0))
        monkeypatch.setattr(Path, "is_dir", hung_folder)
        system = watch.sample()
        answered.set()

        assert system.host.unknown == "The stick does not answer."
        assert system.root.usage.used_bytes == 736 * MIB

    def test_a_root_that_does_not_answer(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        probes = machine.probes()
        answered = threading.Event()

        def hung(path: Path) -> FilesystemUsage:
            if path == machine.root:
                answered.wait()
            return probes.usage_of(path)

        watch = LocalWatch(replace(probes, usage_of=hung), "live", patience=Patience(1.0))
        system = watch.sample()
        answered.set()

        assert system.root.usage.used_bytes is None
        assert system.root.unknown == "The root file system does not answer."
        assert system.overlay.state is OverlayState.OK
        assert system.host.usage.free_bytes == 5 * GIB


@pytest.mark.parametrize(("free", "told"), [(2 * MIB, True), (64 * MIB, False)])
def test_a_stick_without_room_for_a_job_is_told_before_a_job_is_needed(
    machine: MachineBuilder, free: int, told: bool
) -> None:
    attach(machine, store(USED))
    usage = Usage(7 * GIB - free, 7 * GIB, free)
    system = judge(replace(look(machine), host=Host(usage)))

    found = [each.severity for each in system.findings if each.code == "stick-full"]
    # The stick works on: nothing has to be done about it now.
    assert found == ([Severity.NOTICE] if told else [])
