"""Runs pytest on tests/vm/dm as root in a real Linux kernel, on this machine's own files.

    python tests/vm/dm_lane.py [pytest arguments]

The guest sees this machine's `/` read-only under a tmpfs: the same Python, the same checkout, and
nothing that a test does is left behind. Its console goes to standard output as it comes. Ends with
pytest's exit code; 124 when the deadline passes, 125 when the guest dies without one.
"""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import CACHE, CHECKOUT, PATIENCE, qemu_base

DEADLINE_SECONDS = float(os.environ.get("LIVEOS_VM_DM_DEADLINE", "2400")) * PATIENCE
_WISHES = ("LIVEOS_VM_THOROUGH",)
TIMED_OUT = 124
NO_EXIT_CODE = 125


def run(command: str, memory_mib: int = 2048) -> int:
    """Run a shell command in the guest; its exit code."""
    with tempfile.TemporaryDirectory(prefix="liveos-dm-") as folder:
        result = Path(folder)
        (result / "command").write_text(command + "\n")
        image = CACHE / "dm"
        share = "local,security_model=none,multidevs=remap"
        machine = subprocess.Popen(
            [
                *qemu_base(memory_mib),
                *("-kernel", str(image / "vmlinuz"), "-initrd", str(image / "initrd.img")),
                *("-append", "console=ttyS0 quiet loglevel=3 mitigations=off nokaslr panic=-1"),
                *("-virtfs", f"{share},path=/,mount_tag=host,readonly=on"),
                *("-virtfs", f"{share},path={result},mount_tag=result"),
                *("-serial", "stdio"),
            ],
            stdin=subprocess.DEVNULL,
        )
        try:
            machine.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            print(f"dm lane: not done in {DEADLINE_SECONDS:.0f} s", flush=True)
            return TIMED_OUT
        finally:
            machine.kill()
            machine.wait()
        try:
            return int((result / "exit-code").read_text())
        except (OSError, ValueError):
            print("dm lane: the guest ended without an exit code", flush=True)
            return NO_EXIT_CODE


def main(arguments: list[str]) -> int:
    """Run pytest in the guest."""
    chosen = any(not argument.startswith("-") and "tests/" in argument for argument in arguments)
    # The lane's memory is its disk.
    keep_nothing = ("-p", "no:cacheprovider", "-o", "tmp_path_retention_policy=failed")
    # The guest has an environment of its own.
    wishes = [f"{name}={os.environ[name]}" for name in _WISHES if name in os.environ]
    words = ["env", *wishes, sys.executable, "-m", "pytest", *keep_nothing, *arguments]
    if not chosen:
        words.append("tests/vm/dm")
    return run(f"cd {shlex.quote(str(CHECKOUT))} && exec {shlex.join(words)}")


if __name__ == "__main__":
    # Ended by the other lane's end: the machine goes, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TIMED_OUT))
    sys.exit(main(sys.argv[1:]))
