"""A stick in a folder whose every name and text is made to be acted on by a terminal."""

import json
import secrets
import shutil
import subprocess
from pathlib import Path

from liveos_tui.formats.cow import DEFAULT_CHUNK_SECTORS, SECTOR_BYTES, CowHeader
from liveos_tui.formats.cow_writer import allocate, store_metadata
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.journal import JOURNAL_NAME
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import GrowFile, OpenStick, Repair
from liveos_tui.plans.codec import to_json
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.practice.contents import Change, File, Folder
from liveos_tui.practice.images import change_ext4, make_ext4, make_squashfs
from liveos_tui.system.runner import SystemRunner

NAME = (
    "E\x1b]0;T\x07\x1b[6n\x1b[?1000h\x1bc\x1bPq\x1b\\\x9b6n\x9d0;T\x9c\x90q\x9c"
    "\u202e\u2066\u200b\x08\x0e\x7f\udc9b6n[link=x][bold]"
)
"""A name as a file system takes it: C0, C1 (as UTF-8 and as a bare byte), bidi, markup."""

TEXT = NAME.replace("\udc9b", "\x9b") + (
    "\x1b]52;c;aGFybQ==\x07\x1b]8;;http://harm/\x1b\\here\x1b]8;;\x1b\\\r\n\v\f\x1b_harm\x1b\\ "
)
"""A text of a journal: what a name may hold, and more."""

OVERLAY = f"overlay-{NAME}-12AB-CDEF"
JOB = f"merge-20261124-000000-{secrets.token_hex(2)}"
_ROOT_BYTES, _OVERLAY_BYTES = 24 << 20, 8 << 20
_CHUNK_BYTES = DEFAULT_CHUNK_SECTORS * SECTOR_BYTES
_UUID = "11111111-2222-3333-4444-555555555555"


def build(folder: Path, work: Path) -> Path:
    """A stick in `folder`: Invalid, its file system damaged, a job on it not ended."""
    runner = SystemRunner()
    (folder / "LiveOS").mkdir(parents=True)
    tree = work / "tree"
    (tree / "LiveOS").mkdir(parents=True)
    base, changed = tree / "LiveOS/rootfs.img", work / "changed"
    make_ext4(runner, base, _ROOT_BYTES, label="\x1b[6n\x9b6n"[:8], uuid=_UUID)
    change_ext4(runner, base, _base(), work)
    shutil.copyfile(base, changed)
    change_ext4(runner, changed, _changes(), work, day=1)
    # Names without inodes behind them: e2fsck tells their names.
    _debugfs(changed, f"clri /home/{_file(9)}")
    _write_store(folder / "LiveOS" / OVERLAY, base.read_bytes(), changed.read_bytes())
    make_squashfs(runner, tree, folder / "LiveOS/squashfs.img")
    _write_home(folder / "LiveOS/home.img")
    write_journal(folder)
    shutil.rmtree(work)
    return folder


def write_journal(folder: Path, job: str = JOB, started: float = 1.8e9) -> None:
    """Have the stick in `folder` tell of this job alone, as one that was interrupted there."""
    shutil.rmtree(folder / JOBS_FOLDER, ignore_errors=True)
    journal = folder / JOBS_FOLDER / job / JOURNAL_NAME
    journal.parent.mkdir(parents=True)
    journal.write_bytes(_journal(folder, job, started))


def _base() -> list[Change]:
    release = f'NAME=Evil\nPRETTY_NAME="{TEXT}"\n'.encode("utf-8", "surrogateescape")
    return [
        Folder("/etc"),
        Folder("/home"),
        File("/etc/os-release", release),
    ]


def _changes() -> list[Change]:
    return [File(f"/home/{_file(number)}", b"harm") for number in range(10)]


def _file(number: int) -> str:
    # debugfs takes a command a line, a blank ends a word, and a double quote begins one.
    return f"{number}{NAME}"


def _debugfs(image: Path, request: str) -> None:
    argv = ["debugfs", "-w", "-R", request, str(image)]
    subprocess.run(argv, check=True, capture_output=True)


def _write_store(path: Path, base: bytes, view: bytes) -> None:
    """A store that has been marked Invalid, with what differs between base and view."""
    store = bytearray(_OVERLAY_BYTES)

    def piece(data: bytes, chunk: int) -> bytes:
        return data[chunk * _CHUNK_BYTES : (chunk + 1) * _CHUNK_BYTES]

    count = len(base) // _CHUNK_BYTES
    chunks = [chunk for chunk in range(count) if piece(base, chunk) != piece(view, chunk)]
    pairs = list(zip(chunks, allocate(DEFAULT_CHUNK_SECTORS), strict=False))
    for old, new in pairs:
        store[new * _CHUNK_BYTES : (new + 1) * _CHUNK_BYTES] = piece(view, old)
    for offset, data in store_metadata(CowHeader(valid=False), pairs):
        store[offset : offset + len(data)] = data
    path.write_bytes(store)


def _write_home(path: Path) -> None:
    make_ext4(SystemRunner(), path, 4 << 20, label="home", uuid=_UUID, block_bytes=1024)
    data = bytearray(path.read_bytes())
    data[1024 + 0x78 : 1024 + 0x88] = b"\x1b[6n\xc2\x9b6n\x9b6n\x07\x08\0\0\0"[:16]
    path.write_bytes(data)


def _journal(folder: Path, job: str, started: float) -> bytes:
    """A job that claims to be in the middle, in a plan that has not passed `clean` anywhere."""
    place = Place(
        str(folder),
        TEXT,
        f"LiveOS/{OVERLAY}",
        image="LiveOS/squashfs.img",
        base="LiveOS/rootfs.img",
        mount_point=str(folder),
        label=TEXT,
        uuid=TEXT,
        model=TEXT,
    )
    words = (TEXT,) * 3
    actions = (OpenStick(), Repair(), GrowFile(4096, 8192))
    steps = tuple(Step(each, TEXT, TEXT, (words,), words, words, TEXT) for each in actions)
    plan = Plan(
        *(Operation.MERGE, place, TEXT, steps, Confirmation.LABEL, words, words),
        go_back=TEXT,
        afterwards=words,
    )
    lines = [
        {"journal": 1, "job": job, "started": started, "plan": to_json(plan)},
        {"at": 1, "step": 0, "state": "done", "text": TEXT},
        {"at": 2, "step": 1, "state": "running", "text": TEXT, "message": TEXT},
    ]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def ended(folder: Path) -> None:
    """The job is left as it is: something new can be begun."""
    with (folder / JOBS_FOLDER / JOB / JOURNAL_NAME).open("ab") as file:
        file.write(json.dumps({"at": 3, "end": JobState.LEFT, "message": TEXT}).encode() + b"\n")
