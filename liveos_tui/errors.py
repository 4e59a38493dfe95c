"""Errors that a person can act on: what is wrong, what was left as it is, what to do now."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller.

    USAGE: what was typed cannot be (a word, a name, a size, a place that is not there); typed
    otherwise it may. FAILED: it was tried, or the stick, the machine or the moment is against it.
    """

    WELL = 0
    FAILED = 1
    USAGE = 2
    NOT_A_LIVEOS = 3
    MORE_PRIVILEGE = 4
    NEEDS_ATTENTION = 10
    BROKEN = 20
    CANCELLED = 130


class LiveosError(Exception):
    """An error with a message (what is wrong), a hint (what to do now) and an exit code."""

    exit_code: ExitCode = ExitCode.FAILED

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class FormatError(LiveosError):
    """Bytes or text that are not what their format says."""


class NotALiveosError(LiveosError):
    """The target is no LiveOS, or another kind of live system."""

    exit_code = ExitCode.NOT_A_LIVEOS


class PrivilegeError(LiveosError):
    """Root is needed for this."""

    exit_code = ExitCode.MORE_PRIVILEGE


class TargetGoneError(LiveosError):
    """The target was there and is not any more: pulled out, unmounted, removed."""


class CancelledError(LiveosError):
    """A person has ended it before its end."""

    exit_code = ExitCode.CANCELLED


class UnreadableError(LiveosError):
    """The target, or a part of it, cannot be read."""

    exit_code = ExitCode.BROKEN
