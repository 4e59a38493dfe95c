"""Making a squashfs that holds one file, which is read as it is made: a pseudo-file of mksquashfs.

mksquashfs runs a pseudo-file's command with /bin/sh, its output a pipe. The command here is fixed:
it tells its process number, and waits to be told how it ends; meanwhile the pipe is opened by that
number and filled from here. So no byte goes through another program, and a file that was not filled
to its end fails mksquashfs (with -exit-on-error; without it, it would go on with an empty file).
"""

import fcntl
import os
import select
import tempfile
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats.mksquashfs import (
    MksquashfsOutput,
    SquashLine,
    Version,
    parse_compressors,
    parse_version,
)
from liveos_tui.formats.squash_command import SquashOptions, squash_command
from liveos_tui.formats.text import clean
from liveos_tui.system.merged import MergedReader
from liveos_tui.system.private_folder import state_folder
from liveos_tui.system.runner import CommandError, Runner
from liveos_tui.system.streaming import never, stream
from liveos_tui.system.writable_file import NoRoomError, WritableFile

STREAMED = "stream"
"""The engine that feeds mksquashfs a pseudo-file."""

_NO_SUCH_COMPRESSOR = "-"
_MIB = 1 << 20
# What mksquashfs takes of memory, besides what its compressors need: more makes it no faster, and
# lets it lag behind what it was given.
_LEAST_MEMORY, _MOST_MEMORY = 64 * _MIB, 256 * _MIB
_WAIT_SECONDS = 0.1
_JOIN_SECONDS = 2.0
_SYNC_SECONDS = 1.0


def version(runner: Runner) -> Version:
    """The version of mksquashfs here. Raises LiveosError when there is none, or it tells none."""
    finished = runner.run(["mksquashfs", "-version"], ok=range(256), timeout=10.0)
    found = parse_version(finished.stdout + finished.stderr)
    if found is None:
        raise LiveosError(
            "mksquashfs does not tell its version.",
            "Nothing was changed. squashfs-tools 4.4 or later is needed.",
        )
    return found


def compressors(runner: Runner) -> frozenset[str]:
    """The compressors that mksquashfs here was built with. Raises LiveosError."""
    # Not in /tmp: on a live system that may be the overlay.
    with tempfile.TemporaryDirectory(dir=state_folder(), prefix="compressors-") as folder:
        argv = ["mksquashfs", folder, f"{folder}/none", "-comp", _NO_SUCH_COMPRESSOR]
        finished = runner.run(argv, ok=range(256), timeout=10.0)
    return parse_compressors(finished.stdout + finished.stderr)


def trouble_of(found: Version, engine: str) -> str | None:
    """Why this version of mksquashfs must not be used with an engine ("stream", "mirror").

    Reported of squashfs-tools, and not tried here: 4.7 to 4.7.4 can corrupt sparse files, 4.7.3 and
    4.7.4 what is read from a pipe, which both engines do.
    """
    words = ".".join(map(str, found))
    if (4, 7, 3) <= found <= (4, 7, 4):
        return f"mksquashfs {words} can corrupt what it reads from a pipe. Use 4.6.1, or 4.7.5."
    if engine != STREAMED and (4, 7, 0) <= found <= (4, 7, 4):
        return f"mksquashfs {words} can corrupt sparse files. Use 4.6.1, or 4.7.5."
    if found < (4, 4, 0):
        return f"mksquashfs {words} is too old: 4.4 or later is needed."
    return None


def squash(
    reader: MergedReader,
    target: WritableFile,
    member: str,
    options: SquashOptions,
    *,
    scratch: Path,
    on_line: Callable[[str], None],
    on_progress: Callable[[int, int], None],
    cancelled: Callable[[], bool],
    paused: Callable[[], bool] = never,
) -> None:
    """Write a squashfs to `target`, with `member` read from `reader`; all of it is on the medium.

    `scratch` is a private folder for an empty folder, the image's top. Callbacks are called in the
    thread of the caller. Raises NoRoomError, UnreadableError, CancelledError, LiveosError; the
    target is then good for nothing.
    """
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch, prefix="top-")))
        top.chmod(options.top_mode)
        feeder = stack.enter_context(_Feeder(reader))
        stack.enter_context(_WritingOut(target))
        output = f"/proc/self/fd/{target.fileno()}"
        argv = squash_command(output, member, options, source=str(top), feed=feeder.command)
        messages = MksquashfsOutput()

        def hear(data: bytes) -> None:
            for event in messages.feed(data):
                if isinstance(event, SquashLine):
                    on_line(event.text)

        def ask() -> bool:
            on_progress(reader.done_bytes, reader.size_bytes)
            return cancelled()

        try:
            stream(
                [*argv, "-mem", f"{_memory_bytes() // _MIB}M", "-no-progress"],
                on_output=hear,
                cancelled=ask,
                paused=paused,
                pass_fds=(target.fileno(), *feeder.descriptors),
            )
        except CommandError as error:
            feeder.end()
            raise feeder.error or _failed(error) from error
        feeder.end()
        if feeder.error is not None:
            raise feeder.error
        if reader.done_bytes != reader.size_bytes:
            raise LiveosError(
                f"mksquashfs took {reader.done_bytes} bytes of {reader.size_bytes} only.",
                "The new image is not used; the old one is as it was.",
            )
    if cancelled():
        raise CancelledError("Cancelled.")
    target.sync()
    on_progress(reader.size_bytes, reader.size_bytes)


class _Feeder:
    """Fills the pipe of a pseudo-file, in a thread. A context manager.

    `command` is the pseudo-file's, which needs `descriptors`.
    """

    def __init__(self, reader: MergedReader) -> None:
        self._reader = reader
        self._stop = threading.Event()
        self._held = ExitStack()
        # High numbers: the shell's command uses 3 itself.
        self._number, told = self._pipe()
        asked, self._result = self._pipe()
        self.descriptors = (told, asked)
        # Standard output is another file while `echo` writes: the pipe is kept as 3.
        self.command = (
            f"exec 3>&1; echo $$ >/proc/self/fd/{told}; "
            f"read result </proc/self/fd/{asked}; exit ${{result:-1}}"
        )
        self.error: LiveosError | None = None
        self._thread = threading.Thread(target=self._work, name="feeder", daemon=True)

    def __enter__(self) -> "_Feeder":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        if not self._thread.is_alive():
            self._held.close()

    def end(self) -> None:
        """Feed nothing any more: mksquashfs has ended."""
        self._stop.set()
        # One that waits for a dead device is left behind, with its descriptors.
        self._thread.join(_JOIN_SECONDS)

    def _pipe(self) -> tuple[int, int]:
        ends = []
        for end in os.pipe():
            ends.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10))
            os.close(end)
            self._held.callback(os.close, ends[-1])
        return ends[0], ends[1]

    def _work(self) -> None:
        try:
            self._feed()
        except BrokenPipeError:
            return  # mksquashfs has ended, and says why itself
        except LiveosError as error:
            self.error = error
        except OSError as error:
            self.error = LiveosError(
                f"What mksquashfs reads cannot be written: {error.strerror}.",
                "The new image is not used; the old one is as it was.",
            )
        if self.error is not None:
            self._tell(1)

    def _feed(self) -> None:
        process = self._process()
        if process is None:
            return
        pipe = os.open(f"/proc/{process}/fd/3", os.O_WRONLY | os.O_CLOEXEC)
        try:
            self._reader.send(pipe, self._stop)
        finally:
            os.close(pipe)
        if not self._stop.is_set():
            self._tell(0)

    def _process(self) -> int | None:
        """The number of the process that holds the pipe; None when mksquashfs ends before."""
        told = b""
        while not self._stop.is_set():
            if select.select([self._number], [], [], _WAIT_SECONDS)[0]:
                told += os.read(self._number, 64)
                if told.endswith(b"\n"):
                    return int(told)
        return None

    def _tell(self, result: int) -> None:
        with suppress(OSError):
            os.write(self._result, b"%d\n" % result)


class _WritingOut:
    """Has what was written go to the medium soon, from a thread. A context manager.

    Else all of it waits in memory for the last sync, which tells nothing and cannot be cancelled.
    """

    def __init__(self, target: WritableFile) -> None:
        self._target = target
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="writing-out", daemon=True)
        self._error: LiveosError | None = None

    def __enter__(self) -> "_WritingOut":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stop.set()
        self._thread.join(_JOIN_SECONDS if kind else None)
        if kind is None and self._error is not None:
            raise self._error

    def _work(self) -> None:
        while not self._stop.wait(_SYNC_SECONDS):
            try:
                self._target.sync()
            except LiveosError as error:
                # The kernel tells it once: the last sync would know nothing of it.
                self._error = error
                return


def _memory_bytes() -> int:
    """A quarter of the memory that is free, within bounds."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(_LEAST_MEMORY, min(_MOST_MEMORY, free // 4))


def _failed(error: CommandError) -> LiveosError:
    """What became of mksquashfs, by its own words."""
    words = error.finished.stdout.decode("utf-8", "replace")
    last = _telling(words.splitlines())
    if "No space left on device" in words or "Disk quota exceeded" in words:
        return NoRoomError(
            "The new image has no room on the stick.",
            "The old image and the overlay are as they were. Free room on the stick, or choose a "
            "stronger compression.",
        )
    if "File too large" in words:
        return NoRoomError(
            "The new image becomes larger than a file can be there (FAT: 4 GiB - 1).",
            "The old image and the overlay are as they were. Choose a stronger compression.",
        )
    return LiveosError(
        f"mksquashfs could not make the new image: {last}",
        "The old image and the overlay are as they were.",
    )


def _telling(lines: Iterable[str]) -> str:
    said = [clean(line.strip()) for line in lines if line.strip()]
    return (said or ["it said nothing"])[-1]
