"""Everything that reads bytes from outside: what it is fed with, and what must hold for any input.

A parser may raise what it says that it raises, and nothing else. What it returns for people is
printable.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Any

from runners import says

from liveos_tui.commands.output import harmless as printed
from liveos_tui.errors import FormatError, UnreadableError
from liveos_tui.formats import cow, debugfs, dm_ioctl, mksquashfs
from liveos_tui.formats.blocklist import parse_lsblk
from liveos_tui.formats.checksums import parse_checksums
from liveos_tui.formats.cmdline import live_options, other_live_system, parse_cmdline
from liveos_tui.formats.cow_writer import allocate, store_metadata
from liveos_tui.formats.disguise import Disguise, Personal
from liveos_tui.formats.dmtable import parse_status, parse_table
from liveos_tui.formats.e2fsck import FsckMessages, FsckProgress
from liveos_tui.formats.ext4 import parse_superblock
from liveos_tui.formats.ext4_groups import read_groups
from liveos_tui.formats.ext4_inodes import inode_changes
from liveos_tui.formats.free_blocks import UsedBlocks
from liveos_tui.formats.images import identify
from liveos_tui.formats.kernel_config import squashfs_compressors
from liveos_tui.formats.kernel_log import parse_kernel_log, why_it_died
from liveos_tui.formats.mirror_status import MirrorFeed, MirrorWatch
from liveos_tui.formats.mountinfo import mount_holding, overlay_layers, parse_mountinfo
from liveos_tui.formats.text import clean
from liveos_tui.jobs import event_codec, journal
from liveos_tui.jobs.control import request_of
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    PausedEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.live.contents import overlay_name_parts
from liveos_tui.live.diagnosis import Illness
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans import actions
from liveos_tui.plans.codec import from_json, to_json
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.plans.sizes import SizeError, parse_size
from liveos_tui.system.loops import loops_of
from liveos_tui.system.squashfs import members

DATA = Path(__file__).parents[1] / "data"

_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Target:
    """`check` fails for an input that its parser does not stand; `seeds` are real inputs."""

    name: str
    check: Callable[[bytes], None]
    seeds: Sequence[bytes]
    is_json: bool = False


def _files(*patterns: str) -> list[bytes]:
    found = [path.read_bytes() for each in patterns for path in sorted(DATA.glob(each))]
    assert found, patterns
    return found


def _answers(*beginnings: str) -> list[bytes]:
    """What the commands that begin so have printed on captured machines."""
    found: dict[bytes, None] = {}
    for path in sorted(DATA.glob("captured/*/commands.json")):
        for command, answer in json.loads(path.read_text()).items():
            if command.startswith(beginnings):
                found["\n".join(answer["output"]).encode()] = None
    return list(found)


def _on_a_line(documents: Iterable[bytes]) -> list[bytes]:
    return [json.dumps(json.loads(each)).encode() for each in documents]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _assert_printable(value: object, raw: Collection[str] = ()) -> None:
    """All text in a value is printable, but for fields whose names are in `raw`."""
    if isinstance(value, str) and not isinstance(value, Enum):
        assert value.isprintable(), value
    elif is_dataclass(value):
        for each in fields(value):
            if each.name not in raw:
                _assert_printable(getattr(value, each.name), raw)
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            _assert_printable(item, raw)


def _reader(data: bytes, size_bytes: int) -> cow.Read:
    """Reads `data` and zeros behind it."""

    def read(offset: int, size: int) -> bytes:
        size = max(0, min(size, size_bytes - offset))
        return data[offset : offset + size].ljust(size, b"\0")

    return read


# COW stores and ext file systems.


def _store(data: bytes) -> None:
    with suppress(cow.CowError):
        summary = cow.summarise(_reader(data, len(data)), len(data))
        _assert_printable((summary.status, summary.damage or ""))
        assert summary.exceptions <= len(data) // 16
        assert summary.used_bytes >= 0
        found = list(cow.iterate_exceptions(_reader(data, len(data)), len(data)))
        assert len(found) == summary.exceptions


def _stores() -> list[bytes]:
    found = []
    for chunk_sectors, count, valid in (
        (8, 3, True),
        (8, 300, False),
        (1, 70, True),
        (16, 0, True),
    ):
        pairs = list(zip(range(7, 7 + count), allocate(chunk_sectors), strict=False))
        data = bytearray()
        for offset, piece in store_metadata(cow.CowHeader(valid, 1, chunk_sectors), pairs):
            data.extend(bytes(max(0, offset - len(data))))
            data[offset : offset + len(piece)] = piece
        found.append(bytes(data[: 1 << 15]))
    return found


def _superblock(data: bytes) -> None:
    with suppress(FormatError):
        found = parse_superblock(data)
        _assert_printable(found)
        assert 0 <= found.available_bytes <= found.free_bytes <= found.size_bytes


def _inodes(data: bytes) -> None:
    """The first half is the start of the base, the second that of the view."""
    half = len(data) // 2
    groups = read_groups(data[:half])
    assert groups is None or groups.place(1 << 40)[0] >= 0
    base, view = (_reader(each, 64 * _MIB) for each in (data[:half], data[half:]))
    with suppress(FormatError):
        for change in islice(inode_changes(base, view, range(300, 340)), 500):
            assert change.inode > 0


def _file_systems() -> list[bytes]:
    """Superblock, descriptors, and the inode table of the first group with a few inodes."""
    found = []
    for name in ("ext4", "ext4-old"):
        superblock = (DATA / "ext" / f"{name}.superblock").read_bytes()
        wide = superblock[0x60] & 0x80
        step = int.from_bytes(superblock[0xFE:0x100], "little") if wide else 32
        block = 1024 << int.from_bytes(superblock[0x18:0x1C], "little")
        table = int.from_bytes(superblock[0x28:0x2C], "little") * 256 // block
        halves = []
        for mode in (0o100644, 0o040755):
            data = bytearray(16 << 10)
            data[1024:2048] = superblock
            for group in range(8):
                at = max(block, 2048) + group * step
                struct.pack_into("<I", data, at + 8, 3 + group * table)
            for inode in (2, 12, 13):
                at = 3 * block + (inode - 1) * 256
                struct.pack_into("<HHIIIII", data, at, mode, 0, 77, 1, 2, 3, 0)
                struct.pack_into("<H", data, at + 0x1A, 1)
            halves.append(bytes(data))
        found.append(b"".join(halves))
    return found


def _used_blocks(data: bytes) -> None:
    used = UsedBlocks()
    used.feed(data)
    with suppress(FormatError):
        ends = [end for each in used.ranges() for end in each]
        assert ends == sorted(ends)


def _image(data: bytes) -> None:
    _assert_printable(identify(data))


# What the machine and its programs say.


def _lsblk(data: bytes) -> None:
    with suppress(FormatError):
        _assert_printable(parse_lsblk(_text(data)), raw=("path", "mount_points"))


def _cmdline(data: bytes) -> None:
    with suppress(FormatError):
        found = parse_cmdline(_text(data))
        live_options(found)
        other_live_system(found)


def _mountinfo(data: bytes) -> None:
    with suppress(FormatError):
        mounts = parse_mountinfo(_text(data))
        for mount in mounts:
            overlay_layers(mount)
        mount_holding(mounts, "/run/initramfs/live/LiveOS")


def _dmsetup(data: bytes) -> None:
    for parse in (parse_status, parse_table):
        with suppress(FormatError):
            _assert_printable(parse(_text(data)))


def _dm_answer(data: bytes) -> None:
    with suppress(FormatError):
        dm_ioctl.answer(data)
    with suppress(FormatError):
        assert len(dm_ioctl.target_lines(data)) <= len(data)


def _dm_answers() -> list[bytes]:
    lines = (DATA / "dm-ioctl/freezing.txt").read_text().splitlines()
    whole = [zlib.decompress(base64.b64decode(line.split()[2])) for line in lines]
    return list({data[:1024] for data in whole})


def _debugfs(data: bytes) -> None:
    for entry in debugfs.parse_folder(data):
        _assert_printable(entry.name)
    debugfs.parse_names(data)
    _assert_printable(debugfs.errors(data))


def _e2fsck(data: bytes) -> None:
    messages, progress = FsckMessages(), FsckProgress()
    half = len(data) // 2
    for piece in (data[:half], data[half:]):
        _assert_printable(messages.feed(piece))
        _assert_printable(progress.feed(piece))
    _assert_printable(messages.close())
    progress.close()
    _assert_printable(messages.summary())
    _assert_printable(messages.summary().sentences())


def _kernel_log(data: bytes) -> None:
    lines = parse_kernel_log(data)
    _assert_printable(lines)
    _assert_printable(why_it_died(lines, {"dm-0", "loop1"}))


def _kernel_config(data: bytes) -> None:
    squashfs_compressors(data.decode("utf-8", "replace"))


def _mirror(data: bytes) -> None:
    feed, watch = MirrorFeed(), MirrorWatch(0.0)
    for number, status in enumerate(feed.feed(data) + feed.close()):
        progress = watch.saw(status, float(number))
        assert 0.0 <= progress.fraction <= 1.0
        _assert_printable(progress)
        if progress.failed is not None:
            _assert_printable(progress.failed.sentence)


def _mksquashfs(data: bytes) -> None:
    output = mksquashfs.MksquashfsOutput()
    for event in output.feed(data) + output.close():
        _assert_printable(event)
        if isinstance(event, mksquashfs.SquashFraction):
            assert 0.0 <= event.fraction <= 1.0
    mksquashfs.parse_version(data)
    _assert_printable(mksquashfs.parse_compressors(data))


def _unsquashfs(data: bytes) -> None:
    with suppress(UnreadableError):
        assert all(size >= 0 for size in members(says(data), Path("/image"), "LiveOS").values())


def _losetup(data: bytes) -> None:
    loops_of(says(data), (12, "8:1"))


_FOLDER = (
    b"/2/040755/0/0/.//\n/2/040755/0/0/..//\n/11/040700/0/0/lost+found//\n"
    b"/12/100644/1000/1000/a name/77/\n/13/120777/0/0/link/4/\n\n"
)
_NAMES = b"Inode\tPathname\n12\t//home/liveuser/a name\n13\t<14>/lost\n"
_UNSQUASHFS = b"""\
drwxr-xr-x 0/0                29 2026-01-01 00:00 squashfs-root
drwxr-xr-x 0/0                33 2026-01-01 00:00 squashfs-root/LiveOS
-rw-r--r-- 0/0         134217728 2026-01-01 00:00 squashfs-root/LiveOS/rootfs.img
"""
_LOSETUP = b"""\
{"loopdevices": [{"name":"/dev/loop0", "back-ino": 12, "back-maj:min": "  8:1"},
{"name":"/dev/loop1", "back-ino": 14, "back-maj:min": "  0:31"}]}
"""


# Text, names, sizes.


def _clean(data: bytes) -> None:
    for value in (data, _text(data)):
        shown = clean(value, 300)
        assert shown.isprintable()
        assert len(shown) <= 300
    assert set(printed(_text(data))) & set(map(chr, (*range(32), *range(0x7F, 0xA0)))) <= set(
        "\n\r"
    )


def _name(data: bytes) -> None:
    overlay_name_parts(_text(data))


def _checksums(data: bytes) -> None:
    with suppress(FormatError):
        found = parse_checksums(data)
        _assert_printable((found.version, *found.hashes))
        assert not any("/" in name for name in found.hashes)
        assert parse_checksums(found.text().encode()) == found


def _disguise(data: bytes) -> None:
    """The first word is a label. What is known as personal is not shown."""
    label, _, text = clean(data.replace(b"\n", b" "), 4000).partition(" ")
    shown = Disguise({Personal.LABEL: [label], Personal.HOST: ["anna-laptop"]})(text)
    assert "anna-laptop" not in shown.split()


def _size(data: bytes) -> None:
    with suppress(SizeError):
        assert 0 < parse_size(_text(data)) < 1 << 63


# Plans, journals, events, requests: JSON that anybody may have written.

_RAW = (
    *("target", "overlay", "image", "base", "live_folder", "mount_point", "device", "number"),
    *("diskseq", "boot_id", "store_header", "action"),
)
"""Fields of a plan that are no text for people."""


def _plan(data: bytes) -> None:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return
    with suppress(FormatError):
        plan = from_json(document)
        _assert_printable(plan, raw=_RAW)
        _assert_confined(plan)
        assert from_json(to_json(plan)) == plan


def _journal(data: bytes) -> None:
    with suppress(FormatError):
        state = journal.parse(data)
        _assert_printable((state.plan, state.message, state.job_id), raw=_RAW)
        _assert_confined(state.plan)
        assert 0 <= state.started < 1 << 34
        assert 0 <= state.done <= len(state.plan.steps)
        # What is asked of every job that is listed.
        _ = state.can_resume, state.why_not_back, state.half_done


def _assert_confined(plan: Plan) -> None:
    """No path of the stick leads out of it."""
    inside: list[str | None] = [plan.place.overlay, plan.place.image, plan.place.live_folder]
    for step in plan.steps:
        names = ("image", "beside", "path", "second", "member")
        inside += [getattr(step.action, name, None) for name in names]
    for path in inside:
        assert path is None or not (path.startswith("/") or ".." in path.split("/")), path


def _events(data: bytes) -> None:
    reader = event_codec.EventReader()
    for event in reader.feed(data):
        _assert_printable(event)
        assert event_codec.decode(event_codec.encode(event).rstrip(b"\n")) == event


def _requests(data: bytes) -> None:
    for line in data.split(b"\n"):
        request_of(line)


def _plans() -> list[Plan]:
    place = Place(
        *("/dev/sdb1", "LIVE", "LiveOS/overlay-LIVE-12AB-CDEF", "LiveOS/squashfs.img"),
        base="LiveOS/rootfs.img",
        mount_point="/run/media/LIVE",
        device="/dev/sdb1",
        label="LIVE",
        uuid="12AB-CDEF",
        filesystem="vfat",
        size_bytes=1 << 33,
        store_header="00" * 16,
        overlay_bytes=64 * _MIB,
    )
    new = "LiveOS/squashfs.alt"
    rescue: tuple[actions.Action, ...] = (
        *(actions.OpenStick(), actions.Rehearse(), actions.BackUp(("/mnt/disk",))),
        *(actions.GrowFile(64 * _MIB, 128 * _MIB), actions.FillHoles(4096), actions.SetValid()),
        *(actions.Register(), actions.Repair(), actions.Verify(), actions.TakeDown()),
    )
    merge: tuple[actions.Action, ...] = (
        *(actions.OpenStick(), actions.FreezeRoot("live-rw", _MIB, "/mnt/disk")),
        *(actions.CheckRoot(), actions.MirrorView("/mnt/disk")),
        actions.MakeImage(
            *(new, actions.Engine.MIRROR, "LiveOS/rootfs.img"),
            actions.Compression("zstd", 1 << 17, 3),
            "/mnt/disk",
        ),
        actions.CompareImage(new, "LiveOS/rootfs.img"),
        actions.ExchangeImages("LiveOS/squashfs.img", new),
        actions.SetAside("LiveOS/osmin.img"),
        actions.SwitchRoot("live-rw", "LiveOS/overlay-LIVE-12AB-CDEF.alt", _MIB),
        *(actions.ThawRoot("live-rw"), actions.RefreshLoop("7:1", "live-rw", _MIB)),
        actions.ResetStore(),
    )
    return [
        Plan(
            operation,
            place,
            f"{operation} LIVE ({Illness.INVALID})",
            tuple(_step(action) for action in chosen),
            Confirmation.LABEL,
            ("It is Invalid.",),
            ("Nothing else may use it.",),
            go_back="Undo it.",
            afterwards=("Boot it.",),
        )
        for operation, chosen in ((Operation.RECOVER, rescue), (Operation.MERGE, merge))
    ]


def _step(action: actions.Action) -> Step:
    name = type(action).__name__
    return Step(
        action, name, f"Because of {name}.", (("true", name),), ("it",), ("it",), "Undo it."
    )


def _journals() -> list[bytes]:
    found = []
    for plan in _plans():
        lines: list[dict[str, Any]] = [
            {"journal": 1, "job": "merge-1", "started": 1.8e9, "plan": to_json(plan)},
            {"at": 1.8e9, "order": "start"},
            {"at": 1.8e9, "step": 1, "state": "running"},
            {"at": 1.8e9, "step": 1, "note": {"saved": "repair.cow", "marks": ["image"]}},
            {"at": 1.8e9, "step": 1, "state": "done", "text": "It is done."},
            {"at": 1.8e9, "end": "failed", "message": "It has failed."},
        ]
        found.append(_json_lines(lines))
    return found


def _json_lines(lines: Iterable[object]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


_EVENTS: tuple[Event, ...] = (
    StepEvent(1, StepState.RUNNING, "It runs.", 12.5),
    ProgressEvent(1, "copying", 0.5, 1e6, 12.0),
    CommandEvent(1, ("e2fsck", "-f", "/dev/mapper/x")),
    OutputEvent(1, "Pass 1"),
    FoundEvent(1, "A file came back."),
    WaitingEvent(2),
    PausedEvent(1, paused=True),
    EndEvent(JobState.DONE, "Done.", "Boot it.", ("One.", "Two.")),
)

_REQUESTS = ({"ask": "allow", "steps": 3}, {"ask": "back"}, {"ask": "cancel"})
_CHECKSUMS = b"# liveos-tui 0.1.0\n%s  source.zip\n" % (b"0123456789abcdef" * 4)
_REPORT = (
    b"ANNA anna-laptop /home/anna/notes 12AB-CDEF anna@example.org 192.168.1.2 fe80::1 "
    b"11111111-2222-3333-4444-555555555555 /run/media/anna/ANNA LABEL=ANNA\n"
)
_OVERLAY_NAMES = (b"overlay-LIVE-12AB-CDEF", b"overlay-a-b-2026-01-01-00-00-00-00")
_TEXTS = (b"LIVE", "Gr\u00f6\u00dfe \u8986\u76d6 e\u0301".encode())


def _cut(found: list[bytes], size: int) -> list[bytes]:
    return [data[:size] for data in found]


_ALL = (
    Target("cow-store", _store, _stores()),
    Target("ext-superblock", _superblock, _files("ext/*.superblock")),
    Target("ext-inodes", _inodes, _file_systems()),
    Target("dumpe2fs", _used_blocks, _cut(_files("dumpe2fs/*.out"), 8192)),
    Target("image", _image, _cut(_files("images/*.head"), 40_000)),
    Target("kernel-command-line", _cmdline, _files("captured/*/root/proc/cmdline")),
    Target("mountinfo", _mountinfo, _files("captured/*/root/proc/self/mountinfo")),
    Target("dmsetup", _dmsetup, _answers("dmsetup status", "dmsetup table")),
    Target("dm-ioctl", _dm_answer, _dm_answers()),
    Target("debugfs", _debugfs, [_FOLDER, _NAMES]),
    Target("e2fsck", _e2fsck, _files("e2fsck/*.out", "e2fsck/*.progress")),
    Target("kernel-log", _kernel_log, _cut(_files("kernel-log/*.dmesg"), 8192)),
    Target("kernel-config", _kernel_config, [b"CONFIG_SQUASHFS=m\nCONFIG_SQUASHFS_XZ=y\n"]),
    Target("mirror", _mirror, _cut(_files("mirror/*.status"), 4096)),
    Target("mksquashfs", _mksquashfs, _files("mksquashfs/*.out")),
    Target("unsquashfs", _unsquashfs, [_UNSQUASHFS]),
    Target("text", _clean, _TEXTS),
    Target("overlay-name", _name, _OVERLAY_NAMES),
    Target("checksums", _checksums, [_CHECKSUMS]),
    Target("disguise", _disguise, [_REPORT]),
    Target("size", _size, [b"1.5G", b"64MiB", b"67108864"]),
    Target("lsblk", _lsblk, _on_a_line(_files("lsblk/*.json") + _answers("lsblk")), True),
    Target("losetup", _losetup, _on_a_line([_LOSETUP]), True),
    Target("plan", _plan, [json.dumps(to_json(plan)).encode() for plan in _plans()], True),
    Target("journal", _journal, _journals(), True),
    Target("events", _events, [b"".join(event_codec.encode(event) for event in _EVENTS)], True),
    Target("requests", _requests, [_json_lines(_REQUESTS)], True),
)
TARGETS: Mapping[str, Target] = {target.name: target for target in _ALL}
"""By their names."""
