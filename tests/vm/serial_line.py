"""A program on the booted system's serial line, whose bytes are counted.

QEMU's line is as fast as the builder: what 115200 baud would do is computed. All that is sent is in
the console's log; keys are put into the line inside the system (TIOCSTI).
"""

import re
import time

import pyte
from machine import PATIENCE, MachineError
from stick import Stick
from text_console import start_on

BYTES_A_SECOND = 115_200 // 10
"""What the line carries: ten bits for each byte."""

_DEVICE = "/dev/ttyS0"
_PRESS = f"""\
import fcntl, sys, termios
with open({_DEVICE!r}, "rb", buffering=0) as line:
    for byte in sys.stdin.buffer.read():
        fcntl.ioctl(line, termios.TIOCSTI, bytes([byte]))
"""


class SerialLine:
    """A program on ttyS0, on a screen of 80x24. `count` bytes have come from it."""

    def __init__(self, stick: Stick, command: str, term: str = "vt220") -> None:
        self.count = 0
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._stick = stick
        # The kernel writes there as well. Its size is not known there, as after any login.
        stick.run(f"dmesg -n 1; stty -F {_DEVICE} 115200")
        stick.run("cat > /run/liveos/press.py", stdin=_PRESS.encode())
        self._begin = stick.console_log.stat().st_size
        environment = {"TERM": term, "LANG": "C.UTF-8"}
        start_on(stick, _DEVICE, command, environment, "/run/liveos/serial")

    def press(self, keys: str) -> None:
        """Send keys, as a terminal does."""
        self._stick.run("python3 /run/liveos/press.py", stdin=keys.encode())

    def wait_for(self, pattern: str, seconds: float) -> None:
        """Read until the screen has this regular expression. Raises MachineError that shows it."""
        deadline = time.monotonic() + seconds * PATIENCE
        with self._stick.console_log.open("rb") as log:
            while True:
                log.seek(self._begin + self.count)
                data = log.read()
                self.count += len(data)
                self._stream.feed(data)
                text = "\n".join(self.screen.display)
                if re.search(pattern, text):
                    return
                if time.monotonic() > deadline:
                    raise MachineError(f"no {pattern} on the serial line. Its screen:\n{text}")
                time.sleep(0.2)
