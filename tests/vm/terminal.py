"""A program in tmux in the booted system: keys in, the lines of its screen out."""

import itertools
import re
import shlex
from collections.abc import Callable, Mapping
from subprocess import CompletedProcess
from typing import Self

from machine import MachineError, wait_for

_CONFIGURATION = """\
set -g status off
set -g default-terminal tmux-256color
set -g escape-time 0
set -g remain-on-exit on
set -g remain-on-exit-format ""
set -g history-limit 0
"""
_numbers = itertools.count(1)


class Terminal:
    """A screen of exactly `columns` x `rows` with one program on it. Made by `Stick.terminal`.

    The screen stays when the program ends (`ended`, `exit_code`), so its last words can be read;
    `close`, or leaving the `with` block, ends both. tmux keeps its socket in /run.
    """

    def __init__(
        self,
        run: Callable[..., CompletedProcess[str]],
        command: str,
        columns: int,
        rows: int,
        environment: Mapping[str, str],
    ) -> None:
        self._run = run
        self._name = f"liveos-{next(_numbers)}"
        self._rows = rows
        run("mkdir -p /run/liveos && cat > /run/liveos/tmux.conf", stdin=_CONFIGURATION.encode())
        settings = [f"{name}={value}" for name, value in environment.items()]
        # tmux 3.3a does not always notice how the program of a pane has ended.
        self._exit_file = f"/run/liveos/{self._name}.exit"
        script = f"rm -f {self._exit_file}; {command}; echo $? > {self._exit_file}"
        shown = shlex.join(["env", *settings, "sh", "-c", script])
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows), shown)
        size = self._ask("#{pane_width}x#{pane_height}")
        if size != f"{columns}x{rows}":
            raise MachineError(f"the screen in tmux is {size}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def ended(self) -> bool:
        """Whether the program has ended, and how is known."""
        return self.exit_code is not None

    @property
    def exit_code(self) -> int | None:
        """The exit code of a program that has ended, as the shell says it; None while it runs."""
        code = self._run(f"cat {self._exit_file}", check=False).stdout.strip()
        return int(code) if code else None

    def send(self, *keys: str) -> None:
        """Press keys, by tmux's names: "q", "Enter", "Escape", "Tab", "Up", "F1"."""
        self.tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type text as it is."""
        self.tmux("send-keys", "-l", "--", text)

    def lines(self) -> list[str]:
        """The screen from top to bottom, `rows` lines, without the spaces at their ends."""
        lines = [line.rstrip() for line in self.tmux("capture-pane", "-p").split("\n")]
        return (lines + [""] * self._rows)[: self._rows]

    def colours(self) -> str:
        """The screen with its escape sequences."""
        return self.tmux("capture-pane", "-p", "-e")

    def wait_for(self, pattern: str, seconds: float = 30) -> list[str]:
        """Wait until a line of the screen has this regular expression; the screen's lines.

        Raises MachineError that shows the screen as it is at the deadline.
        """
        return self._wait(shows(pattern), pattern, seconds)

    def wait_without(self, pattern: str, seconds: float = 30) -> list[str]:
        """Wait until no line of the screen has this regular expression; the screen's lines."""
        return self._wait(
            lambda lines: not shows(pattern)(lines),
            f"a screen without {pattern}",
            seconds,
        )

    def wait_end(self, seconds: float = 30) -> int | None:
        """Wait until the program has ended; its exit code."""
        self._wait(lambda _: self.ended, "the program's end", seconds)
        return self.exit_code

    def record(self, path: str) -> None:
        """Write every byte that the program sends to its terminal, from now on, to a file there.

        A path in /run: a file on the root would fill the overlay that is watched.
        """
        self.tmux("pipe-pane", f"cat >> {shlex.quote(path)}")

    def tmux(self, command: str, *arguments: str) -> str:
        """Run a command of tmux on this terminal; its output."""
        name = "-s" if command == "new-session" else "-t"
        words = ["tmux", "-S", "/run/liveos/tmux", "-f", "/run/liveos/tmux.conf"]
        return self._run(shlex.join([*words, command, name, self._name, *arguments])).stdout

    def close(self) -> None:
        """End the program and the screen."""
        words = ["tmux", "-S", "/run/liveos/tmux", "kill-session", "-t", self._name]
        self._run(shlex.join(words), check=False)

    def _ask(self, question: str) -> str:
        return self.tmux("display-message", "-p", question).strip()

    def _wait(self, satisfied: Callable[[list[str]], bool], what: str, seconds: float) -> list[str]:
        return wait_for_lines(self.lines, satisfied, what, seconds)


def wait_for_lines(
    look: Callable[[], list[str]],
    satisfied: Callable[[list[str]], bool],
    what: str,
    seconds: float,
) -> list[str]:
    """Look at a screen until its lines satisfy; the lines.

    Raises MachineError that shows the screen as it is at the deadline.
    """
    lines: list[str] = []

    def looked() -> list[str] | None:
        lines[:] = look()
        return lines if satisfied(lines) else None

    try:
        return list(wait_for(looked, what, seconds))
    except MachineError as problem:
        screen = "\n".join(lines)
        raise MachineError(f"{problem}. The screen:\n{screen}") from None


def shows(pattern: str) -> Callable[[list[str]], bool]:
    """Whether one of the lines has this regular expression."""
    return lambda lines: any(re.search(pattern, line) for line in lines)
