"""What is wrong with an overlay: values for plans, facts in words for people."""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.formats.cow import CowHeader, CowSummary
from liveos_tui.formats.dmtable import Persistence
from liveos_tui.formats.ext4 import ExtSuperblock
from liveos_tui.live.place import Place


class Illness(StrEnum):
    """What is wrong with a store, the worst that is true."""

    NONE = "none"
    INVALID = "invalid"
    """The header's valid byte is 0 (tables P, and any I/O error): the kernel refuses all of it."""
    OVERFLOW = "overflow"
    """In use with a PO table, and full: the kernel refuses writes until the next activation."""
    FULL = "full"
    """Not in use, and without room for one more chunk."""
    ERRORS = "errors"
    """There is room, and the file system in it has noted errors."""
    FOREIGN = "foreign"
    """No store that can be worked on: another magic, another version, cut off, a damaged list."""


class Cause(StrEnum):
    """Why a store became invalid."""

    SPACE = "no room"
    IO_ERROR = "an I/O error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a diagnosis: what was looked at, and what was found, in words.

    `bad`: this is (a part of) what is wrong. `unknown`: it cannot be known.
    """

    name: str
    text: str
    bad: bool = False
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An overlay and all around it that decides what can be done. Sizes are bytes.

    `summary` is None where the store's metadata cannot be read. `header_may_be_lost`: it is all
    zeros before a list of chunks, and nothing tells why. `file_limit_bytes` is the largest
    file that the stick's file system takes, None without a limit; `missing_bytes` are holes of the
    overlay's file. `device` ("live-rw"), `loop` ("7:1") and `persistence` are known while it is in
    use. `base` and `view` are the superblocks of the base image and of the root file system as the
    overlay shows it, None where it is no ext file system (`root_filesystem` says what it is then).
    `read_only_mount` is where the file system is mounted read-only that holds a folder: a job makes
    only a stick's own mount writable. `refusal` says why nothing at all can be done, and `hint`
    what helps instead.
    """

    place: Place
    illness: Illness
    facts: tuple[Fact, ...]
    cause: Cause | None = None
    header: CowHeader | None = None
    summary: CowSummary | None = None
    header_may_be_lost: bool = False
    file_bytes: int = 0
    missing_bytes: int = 0
    free_bytes: int | None = None
    file_limit_bytes: int | None = None
    in_use: bool = False
    device: str | None = None
    loop: str | None = None
    persistence: Persistence | None = None
    stick_writable: bool | None = None
    read_only_mount: str | None = None
    base_bytes: int | None = None
    base: ExtSuperblock | None = None
    view: ExtSuperblock | None = None
    root_filesystem: str | None = None
    refusal: str = ""
    hint: str = ""
