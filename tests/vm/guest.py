"""A booted system behind an ssh port of this machine: commands in it over one connection."""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from machine import PATIENCE, MachineError, free_port, wait_for
from terminal import Terminal


class Guest:
    """What can be done in a booted system. `Stick` is one.

    `key` is the private key of its root. `port` of 127.0.0.1 leads to its ssh.
    """

    def __init__(self, key: Path) -> None:
        self._key = key
        # ssh allows 100 characters for its socket, less than pytest's folders have.
        self._sockets = Path(tempfile.mkdtemp(prefix="liveos-ssh-"))
        self._connection: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: bytes = b"",
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root and return what it said; some 0.1 s each.

        With `check`, an exit code other than 0 raises MachineError that quotes the command's
        standard error. `timeout` is in seconds.
        """
        finished = self._finish(command, timeout, stdin)
        output = finished.stdout.decode(errors="surrogateescape")
        errors = finished.stderr.decode(errors="surrogateescape")
        if check and finished.returncode != 0:
            raise self.problem(f"{command!r} ended with {finished.returncode}:\n{output}{errors}")
        return subprocess.CompletedProcess(command, finished.returncode, output, errors)

    def run_bytes(self, command: str, *, timeout: float = 60, stdin: bytes = b"") -> bytes:
        """As `run`, for output that is no text. Raises MachineError when the command fails."""
        finished = self._finish(command, timeout, stdin)
        if finished.returncode != 0:
            errors = finished.stderr.decode(errors="replace")
            raise self.problem(f"{command!r} ended with {finished.returncode}:\n{errors}")
        return finished.stdout

    def read(self, path: Path | str) -> str:
        """The text of a file of the booted system."""
        return self.run(f"cat '{path}'").stdout

    def wait_until(self, command: str, seconds: float = 30) -> str:
        """Run a command again and again until it ends with 0; its output."""

        def answer() -> str | None:
            finished = self.run(command, check=False)
            return finished.stdout if finished.returncode == 0 else None

        return wait_for(answer, f"{command!r} with exit code 0", seconds)

    def terminal(
        self,
        command: str,
        *,
        columns: int = 80,
        rows: int = 25,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Terminal:
        """Start `command` in tmux in the booted system, on a screen of exactly that size."""
        return Terminal(self.run, command, columns, rows, environment)

    def ssh_command(self) -> list[str]:
        """The arguments of ssh that reach the booted system; a shell command may follow."""
        return [
            "ssh",
            *("-q", "-F", "none", "-i", str(self._key), "-p", str(self.port)),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "BatchMode=yes", "-o", f"ControlPath={self._sockets}/ssh"),
            "root@127.0.0.1",
        ]

    def answers(self) -> bool:
        """Whether ssh greets at the port. QEMU takes connections long before the guest does."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe:
                return probe.recv(4) == b"SSH-"
        except OSError:
            return False

    def connect(self) -> None:
        """Open the connection that all commands share."""
        self._connection = subprocess.Popen(
            [*self.ssh_command(), "-M", "-N"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        check = [*self.ssh_command(), "-O", "check"]

        def connected() -> bool:
            return subprocess.run(check, capture_output=True, check=False).returncode == 0

        wait_for(connected, "ssh's connection", 60)

    def disconnect(self, *, cleanly: bool = False) -> None:
        """Close the connection; `cleanly` so that the guest learns of it."""
        if self._connection is None:
            return
        if cleanly:
            self._connection.terminate()
        else:
            self._connection.kill()
        self._connection.wait()
        self._connection = None
        (self._sockets / "ssh").unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove what this machine keeps for the connection."""
        self.disconnect()
        shutil.rmtree(self._sockets, ignore_errors=True)

    def problem(self, text: str) -> MachineError:
        """The error to raise when something went wrong in the guest."""
        return MachineError(text)

    def _finish(
        self, command: str, timeout: float, stdin: bytes
    ) -> subprocess.CompletedProcess[bytes]:
        if self._connection is None:
            raise self.problem("the stick is off")
        try:
            return subprocess.run(
                [*self.ssh_command(), command],
                input=stdin,
                capture_output=True,
                timeout=timeout * PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self.problem(f"{command!r}: no answer in {timeout} s") from None
