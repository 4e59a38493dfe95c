"""The bundle on a stick's own FAT32: run in place by root, with nothing installed for it.

That it writes nothing to the root is shown in test_harmless.py.
"""

import json
import statistics

import bundled
import pytest
from kernel import PROGRAM, Boot
from stick import LIVE, Stick

pytestmark = pytest.mark.thorough

FOLDER = f"{LIVE}/liveos-tui"
READ_ONLY = "/run/ro/liveos-tui/liveos-tui"
RUNS = 3
LIMIT = 3.0

# Opens a console on a terminal of its own and prints the seconds until it shows the overlay.
_FIRST_FRAME = r"""
import fcntl, os, pty, re, struct, sys, termios, time
began = time.monotonic()
pid, terminal = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 25, 80, 0, 0))
    os.environ.update(TERM="linux", LANG="C.UTF-8")
    os.execvp(sys.argv[1], sys.argv[1:])
shown = b""
while not re.search(rb"(?s)Overlay.*\d %", re.sub(rb"\x1b\[[^A-Za-z]*[A-Za-z]", b"", shown)):
    shown += os.read(terminal, 65536)
print(time.monotonic() - began)
os.write(terminal, b"q")
try:
    while os.read(terminal, 65536):
        pass
except OSError:
    os.waitpid(pid, 0)
"""


def figures(stick: Stick, program: str) -> dict[str, object]:
    """What `status` tells, but for the figures of this very second."""
    found = json.loads(stick.run(f"{program} status --json", timeout=180).stdout)
    found["overlay"] = {
        key: value
        for key, value in found["overlay"].items()
        if key not in {"rate_bytes_per_second", "seconds_until_full"}
    }
    return dict(found)


def test_it_tells_what_the_installed_one_tells(boot: Boot) -> None:
    stick = boot()
    bundled.carry(stick)
    stick.install()
    for _ in range(6):
        before, found, after = (
            figures(stick, each) for each in (PROGRAM, bundled.PROGRAM, PROGRAM)
        )
        if before == after:
            assert found == before
            return
    raise AssertionError("the system does not stand still long enough to be asked")


def test_a_copy_on_fat_is_replaced_by_a_whole_one(boot: Boot) -> None:
    stick = boot()
    bundled.carry(stick)
    stick.run(f"echo rotten >> {FOLDER}/source.zip")
    bundled.carry(stick, replaced="a damaged copy")

    stick.run(f"cd {FOLDER} && sha256sum --check --strict SHA256SUMS")
    assert stick.run(f"ls {LIVE}").stdout.split() == ["LiveOS", "liveos-tui"]


def test_it_starts_in_three_times_the_time_of_the_installed_one(boot: Boot) -> None:
    stick = boot()
    bundled.carry(stick)
    stick.install()
    # The stick itself stays writable: its overlay is in use.
    stick.run(f"mkdir /run/ro && mount --bind {LIVE} /run/ro")
    stick.run("mount -o remount,bind,ro,noexec /run/ro")
    stick.run("cat > /run/first-frame", stdin=_FIRST_FRAME.encode())
    # The installed one is in memory; what both need of the system is not.
    ask = "echo 3 > /proc/sys/vm/drop_caches; exec python3 /run/first-frame "

    def seconds(command: str) -> float:
        return float(stick.run(ask + command, timeout=300).stdout)

    for mounted, program in (("rw", bundled.PROGRAM), ("ro", f"sh {READ_ONLY}")):
        times = [(seconds(program), seconds(PROGRAM)) for _ in range(RUNS)]
        bundle, installed = (statistics.median(each) for each in zip(*times, strict=True))
        print(f"first frame, {mounted}, no cache: {bundle:.1f} s; installed {installed:.1f} s")
        assert bundle <= LIMIT * installed
