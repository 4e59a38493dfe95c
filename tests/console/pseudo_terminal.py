"""A program on a pseudo-terminal, its bytes read by an emulator."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte

_PATIENCE_SECONDS = 30.0


class Terminal:
    """A program on a terminal, as a person at it sees it.

    `bytes` are all that it has sent there. `size` is the terminal's, rows and columns; `told` what
    its kernel says where that is another one.
    """

    def __init__(
        self,
        *command: str | Path,
        environment: dict[str, str],
        size: tuple[int, int] = (25, 80),
        told: tuple[int, int] | None = None,
    ) -> None:
        rows, columns = size
        self.screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self._fd, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", *(told or size), 0, 0))
        self.process = subprocess.Popen(
            command,
            stdin=end,
            stdout=end,
            stderr=end,
            env={"PATH": os.environ["PATH"]} | environment,
            start_new_session=True,
        )
        os.close(end)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def go(self, keys: str, words: str) -> None:
        """Press these keys; until these words are there."""
        self.press(keys)
        self.until(words)

    def read(self) -> bool:
        """Take what has come; whether there was anything."""
        ready, _, _ = select.select([self._fd], [], [], 0.1)
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            # The last one that had the terminal open has ended.
            return False
        self.bytes += data
        self._stream.feed(data)
        return bool(data)

    def until(self, words: str, seconds: float = _PATIENCE_SECONDS) -> None:
        end = time.monotonic() + seconds
        while words not in "\n".join(self.screen.display):
            assert time.monotonic() < end, f"{words!r} in vain:\n" + "\n".join(self.screen.display)
            self.read()

    def until_gone(self, words: str) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while words in "\n".join(self.screen.display):
            assert time.monotonic() < end, "\n".join(self.screen.display)
            self.read()

    def exit_code(self) -> int:
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end:\n" + "\n".join(self.screen.display)
            self.read()
        while self.read():
            pass
        return self.process.returncode

    def hang_up(self) -> None:
        """Close it, as a window or an ssh that is gone. It controls nobody: no SIGHUP is sent."""
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._fd >= 0:
            os.close(self._fd)


def python(
    program: str,
    *arguments: str,
    environment: dict[str, str],
    told: tuple[int, int] | None = None,
) -> Terminal:
    """A program of Python, which can import what lies beside this."""
    beside = {"PYTHONPATH": str(Path(__file__).parent)}
    command = (sys.executable, "-c", program, *arguments)
    return Terminal(*command, environment=beside | environment, told=told)
