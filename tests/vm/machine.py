"""A machine in QEMU: its process, its monitor, its console log.

Emulated in software, since that works everywhere: set LIVEOS_VM_ACCEL=kvm where KVM does.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("LIVEOS_VM_CACHE", CHECKOUT / ".cache" / "vm"))

# Emulation is several times slower than a machine, and builders are shared: every deadline of the
# lanes is multiplied by this.
PATIENCE = float(os.environ.get("LIVEOS_VM_PATIENCE", "1"))

# Nehalem: "max" makes the guest use AVX, which is slow to emulate, and load modules for
# virtual machines of its own.
_ACCEL = os.environ.get("LIVEOS_VM_ACCEL", "tcg,thread=multi")
# One processor: two that wait for each other on a busy builder are slower than one.
_CPU = "host" if _ACCEL.startswith("kvm") else "Nehalem"


def qemu_base(memory_mib: int) -> list[str]:
    """QEMU and the arguments that every machine of the lanes has: no devices but those named."""
    return [
        "qemu-system-x86_64",
        *("-accel", _ACCEL, "-cpu", _CPU, "-smp", os.environ.get("LIVEOS_VM_CPUS", "1")),
        *("-m", str(memory_mib), "-nodefaults", "-display", "none", "-no-reboot"),
    ]


class MachineError(Exception):
    """The machine did not do what it was told. Says what, with the end of its console."""


Answer = TypeVar("Answer")


def wait_for(
    question: Callable[[], Answer | None],
    what: str,
    seconds: float,
    pause: float = 0.2,
) -> Answer:
    """Ask until the answer is neither None nor False, at most `seconds` (times PATIENCE).

    Raises MachineError, which names `what` was waited for.
    """
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        answer = question()
        if answer is not None and answer is not False:
            return answer
        if time.monotonic() > deadline:
            raise MachineError(f"{what}: not within {seconds * PATIENCE:.0f} s")
        time.sleep(pause)


def free_port() -> int:
    """A TCP port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Machine:
    """A running QEMU. Made by `Stick`; `close` or leaving the `with` block ends it at once.

    `arguments` are QEMU's, without accelerator, console and monitor. The first serial port goes
    to `console_log`.
    """

    def __init__(self, arguments: Sequence[str], console_log: Path, memory_mib: int = 1024) -> None:
        self.console_log = console_log
        self._folder = Path(tempfile.mkdtemp(prefix="liveos-vm-"))
        monitor = self._folder / "monitor"
        console_log.touch()
        self._process = subprocess.Popen(
            [
                *qemu_base(memory_mib),
                *("-chardev", f"file,id=console,path={console_log},append=on"),
                *("-serial", "chardev:console"),
                *("-qmp", f"unix:{monitor},server=on,wait=off"),
                *arguments,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            self._monitor = self._connect(monitor)
            self._lines = self._monitor.makefile("rw", encoding="utf-8")
            self._receive()  # the greeting
            self.execute("qmp_capabilities")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether QEMU is there. It ends when the guest powers off or reboots (`-no-reboot`)."""
        return self._process.poll() is None

    def monitor(self, command: str) -> str:
        """Run a line of QEMU's human monitor ("info block"); MachineError when it refuses."""
        answer = self.execute("human-monitor-command", {"command-line": command})
        text = str(answer).strip()
        if text.startswith("Error"):
            raise MachineError(f"{command}: {text}")
        return text

    def execute(self, command: str, arguments: dict[str, object] | None = None) -> object:
        """Run a command of QMP, QEMU's machine protocol, and return what it returns."""
        request: dict[str, object] = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._lines.write(json.dumps(request) + "\n")
        self._lines.flush()
        while "return" not in (answer := self._receive()):
            if "error" in answer:
                raise MachineError(f"{command}: {answer['error']}")
        return answer["return"]

    def save(self, target: str) -> None:
        """Send the state of the paused machine to `target` ("exec:cat > FILE")."""
        self.execute("migrate-set-parameters", {"max-bandwidth": 1 << 40})
        self.execute("migrate", {"uri": target})
        self._wait_for_state("saving", 120)

    def wake(self) -> None:
        """Let a machine that was started from a saved state go on."""
        self._wait_for_state("waking", 60)
        self.execute("cont")

    def wait(self, seconds: float) -> None:
        """Wait until QEMU has ended by itself."""
        wait_for(lambda: not self.running, "QEMU's end", seconds)

    def close(self) -> None:
        """End QEMU at once, as a power cut does."""
        self._process.kill()
        self._process.communicate()
        if hasattr(self, "_lines"):
            self._lines.close()
            self._monitor.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _connect(self, path: Path) -> socket.socket:
        def connected() -> socket.socket | None:
            if not self.running:
                raise MachineError(f"QEMU did not start: {self._process.communicate()[1].strip()}")
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                return None
            connection.settimeout(60 * PATIENCE)
            return connection

        return wait_for(connected, "QEMU's monitor", 20, pause=0.05)

    def _wait_for_state(self, what: str, seconds: float) -> None:
        def done() -> bool:
            answer = self.execute("query-migrate")
            status = answer.get("status") if isinstance(answer, dict) else None
            if status in ("failed", "cancelled"):
                raise MachineError(f"{what}: QEMU says {answer}")
            return status == "completed"

        wait_for(done, what, seconds, pause=0.05)

    def _receive(self) -> dict[str, object]:
        line = self._lines.readline()
        if not line:
            raise MachineError("QEMU has ended")
        message: dict[str, object] = json.loads(line)
        return message
