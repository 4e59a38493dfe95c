"""What the booted system itself says of its sticks: `dmsetup`, `df`, `ls`, `od`."""

import json
import subprocess
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from stick import LIVE, Stick

PROGRAM = "/run/liveos/liveos-tui"

Boot = Callable[..., Stick]
"""What the fixture `boot` is: boots a stick of the test's own, with kernel options."""


@dataclass(frozen=True)
class Moment:
    """`status --json`, and what the kernel said right before and right after it, the same."""

    status: dict[str, Any]
    exit_code: int
    dmsetup: dict[str, str]
    df: dict[str, tuple[int, int, int]]
    sizes: dict[str, int]


_ASK = (
    "dmsetup status --noflush; echo ==; "
    f"df --block-size=1 --output=target,size,used,avail / /home {LIVE}; echo ==; "
    f"ls -ln {LIVE}/LiveOS"
)


def moment(stick: Stick, arguments: str = "", user: str = "root") -> Moment:
    """Ask liveos-tui and the kernel at the same moment.

    A running system writes now and then. What the kernel says before and after must be the same;
    otherwise the moment was none, and is tried again.
    """
    command = f"{PROGRAM} status --json {arguments}"
    asked = command if user == "root" else f"runuser -u {user} -- {command}"
    script = f"{{ {_ASK}; }} > /run/before; {asked} > /run/status; code=$?; "
    script += f"{{ {_ASK}; }} > /run/after; echo $code; cat /run/status; echo ====; cat /run/before"
    script += "; cmp -s /run/before /run/after"
    for _ in range(6):
        finished = stick.run(script, check=False, timeout=180)
        if finished.returncode == 0:
            break
    else:
        raise AssertionError("the system does not stand still long enough to be asked")
    code, _, rest = finished.stdout.partition("\n")
    document, _, said = rest.partition("====\n")
    dmsetup, df, listing = said.split("==\n")
    return Moment(
        json.loads(document) if document.strip() else {},
        int(code),
        dict(line.split(": ", 1) for line in dmsetup.splitlines()),
        {
            words[0]: (int(words[1]), int(words[2]), int(words[3]))
            for words in (line.split() for line in df.splitlines()[1:])
        },
        {words[-1]: int(words[4]) for words in map(str.split, listing.splitlines()[1:])},
    )


def snapshot_sectors(status: str) -> tuple[int, int, int]:
    """Allocated, total and metadata sectors of a line of `dmsetup status`."""
    figures, metadata = status.split()[3:5]
    allocated, total = figures.split("/")
    return int(allocated), int(total), int(metadata)


def told(stick: Stick, words: str) -> Generator[dict[str, Any], None, None]:
    """What a command in the booted system tells as lines of JSON, as it comes.

    Closed before its end, it drops ssh.
    """
    with subprocess.Popen(
        [*stick.ssh_command(), f"{PROGRAM} {words}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.startswith("{"):
                    yield json.loads(line)
        finally:
            process.kill()
