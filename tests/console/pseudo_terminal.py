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
    """A program of Python on a terminal of 80x25, as a person at it sees it.

    `bytes` are all that it has sent there. `size` is what its kernel says of rows and columns.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        environment: dict[str, str],
        size: tuple[int, int] = (25, 80),
    ) -> None:
        self.screen = pyte.Screen(80, 25)
        self._stream = pyte.ByteStream(self.screen)
        self.bytes = b""
        self._fd, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parent)}
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            env=kept | environment,
            start_new_session=True,
        )
        os.close(end)

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def read(self) -> None:
        ready, _, _ = select.select([self._fd], [], [], 0.1)
        if not ready:
            return
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            # The last one that had the terminal open has ended.
            return
        self.bytes += data
        self._stream.feed(data)

    def until(self, words: str, seconds: float = _PATIENCE_SECONDS) -> None:
        end = time.monotonic() + seconds
        while words not in "\n".join(self.screen.display):
            assert time.monotonic() < end, "\n".join(self.screen.display)
            self.read()

    def until_gone(self, words: str) -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while words in "\n".join(self.screen.display):
            assert time.monotonic() < end, "\n".join(self.screen.display)
            self.read()

    def exit_code(self) -> int:
        end = time.monotonic() + _PATIENCE_SECONDS
        while self.process.poll() is None:
            assert time.monotonic() < end, "it does not end"
            self.read()
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
