"""Boots a stick to work with by hand, and says how to reach it.

tests/vm/run shell [kernel options]         default: rw rd.live.overlay=LABEL=LIVE
"""

import shlex
import signal
import sys
import tempfile
from pathlib import Path

from machine import MachineError
from stick import PERSISTENT, SECOND_STICK, Stick

_HELP = """\
The stick is on, with liveos-tui in it. In another terminal:

  {ssh} -t /run/liveos/liveos-tui
  {ssh}

Here: a (attach a second stick), d (detach it), k (power cut and boot again), m COMMAND (QEMU's
monitor), i (install liveos-tui of the checkout again), q (quit).
"""


def _obey(stick: Stick, line: str) -> None:
    match line.split(maxsplit=1):
        case ["a"]:
            stick.attach(SECOND_STICK)
        case ["d"]:
            stick.detach()
        case ["i"]:
            stick.install()
        case ["k"]:
            stick.kill()
            stick.boot()
            stick.install()
            print(_HELP.format(ssh=_ssh(stick)))
        case ["m", command]:
            print(stick.monitor(command))
        case _:
            print(_HELP.format(ssh=_ssh(stick)))


def _ssh(stick: Stick) -> str:
    return shlex.join(stick.ssh_command())


def main(options: list[str]) -> None:
    """Boot, and obey until q or the end of standard input (then: until a signal)."""
    with (
        tempfile.TemporaryDirectory(prefix="liveos-stick-") as folder,
        Stick(Path(folder), options or PERSISTENT) as stick,
    ):
        stick.install()
        print(_HELP.format(ssh=_ssh(stick)), flush=True)
        for line in map(str.strip, sys.stdin):
            if line == "q":
                return
            try:
                _obey(stick, line)
            except MachineError as problem:
                print(problem)
        signal.pause()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        print()
