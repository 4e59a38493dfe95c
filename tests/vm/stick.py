"""A real LiveOS stick, booted in QEMU by dracut's own code, and commands in it over ssh.

    with Stick(tmp_path) as stick:                       # boots with its persistent overlay
        stick.install()                                  # liveos-tui, in /run: no byte on the root
        print(stick.run("dmsetup status").stdout)
        with stick.terminal("/run/liveos/liveos-tui") as terminal:
            terminal.wait_for(r"Overlay")
            terminal.send("q")
        stick.kill()                                     # pull the plug
        stick.boot(NO_OVERLAY)                           # the same stick, other kernel options

Every `Stick` works on a copy of the cached disk (`disk`, raw FAT32: mtools read it when the stick
is off), so a test may do to it what it likes.
"""

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Self
from weakref import WeakSet

from machine import CACHE, CHECKOUT, PATIENCE, Machine, MachineError, free_port, wait_for
from terminal import Terminal

# What a boot loader passes. The last line is for emulation: nothing of it is about LiveOS.
_ALWAYS = (
    "root=live:LABEL=LIVE",
    "rd.live.image",
    "selinux=0",
    "console=ttyS0",
    *("mitigations=off", "nokaslr", "audit=0", "8250.nr_uarts=1", "net.ifnames=0"),
)

# Kernel options by what they do. Any other tuple may be passed.
PERSISTENT = ("rw", "rd.live.overlay=LABEL=LIVE")
"""As people boot: the stick writable, the overlay on it in use (table PO)."""

NO_OVERLAY = ("rw",)
"""The overlay in memory at this boot, while one lies on the stick. The way to a rescue."""

READ_ONLY_OVERLAY = ("rw", "rd.live.overlay=LABEL=LIVE", "rd.live.overlay.readonly")
"""The overlay of the stick is read (`live-ro`), changes go to memory."""

READ_ONLY_STICK = ("rd.live.overlay=LABEL=LIVE",)
"""Without `rw`: the stick is mounted read-only, its overlay is in use all the same."""

LIVE = Path("/run/initramfs/live")
"""Where the stick is mounted in the booted system."""

OVERLAY = "overlay-LIVE-12AB-CDEF"
"""Name of the overlay file in the live directory."""

SECOND_STICK = CACHE / "stick" / "second.img"
"""Another LiveOS stick for `attach`: FAT32, label STICK2, its overlay is Invalid."""

# What the console says when a boot will not go on by itself.
_STOPPED = (b"dracut:/#", b"Entering emergency mode", b"emergency shell", b"Kernel panic")
_SITE = CACHE / "site"
_running: WeakSet["Stick"] = WeakSet()


def consoles() -> Mapping[str, str]:
    """The last lines of the console of every stick that is on, by the folder of the stick."""
    return MappingProxyType({str(stick.folder): stick.console_tail() for stick in _running})


class Stick:
    """One stick and the machine it is in. Entering the `with` block boots it.

    `folder` receives the copy of the disk and the console log (`console.log`, appended to by each
    boot). `options` are kernel options, see PERSISTENT and the others. With `usb` the stick is a
    USB device (sda, removable) and not a virtio disk (vda): true to life, and slower. `vga` adds a
    graphics card with the 80x25 text console, for `photograph`.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = PERSISTENT,
        *,
        usb: bool = False,
        vga: bool = False,
        memory_mib: int = 1024,
    ) -> None:
        self.folder = folder
        self.options = tuple(options)
        self.disk = folder / "disk.img"
        self.console_log = folder / "console.log"
        self._image = CACHE / "stick"
        if not (self._image / "disk.img").exists():
            raise MachineError(f"{self._image} is not built: run tests/vm/run stick")
        self._usb, self._vga, self._memory_mib = usb, vga, memory_mib
        self._machine: Machine | None = None
        self._ssh: subprocess.Popen[bytes] | None = None
        # ssh allows 100 characters for its socket, less than pytest's folders have.
        self._sockets = Path(tempfile.mkdtemp(prefix="liveos-ssh-"))
        self._port = 0
        self._console_start = 0

    def __enter__(self) -> Self:
        try:
            self.boot()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- on and off ---

    def boot(self, options: Sequence[str] | None = None, *, wait_seconds: float = 240) -> None:
        """Switch on, with `options` (default: as before), and wait until ssh answers.

        Raises MachineError with the end of the console when the boot stops or takes too long.
        """
        if self._machine is not None:
            raise MachineError("the stick is on")
        if options is not None:
            self.options = tuple(options)
        self._start()
        self._connect(wait_seconds)

    def kill(self) -> None:
        """A power cut: the machine is gone at once. Go on with `boot`."""
        if self._ssh is not None:
            self._ssh.kill()
            self._ssh.wait()
            self._ssh = None
        if self._machine is not None:
            self._machine.close()
            self._machine = None
        _running.discard(self)

    def reboot(self, options: Sequence[str] | None = None) -> None:
        """Shut down cleanly, then boot with `options` (default: as before)."""
        self.shut_down()
        self.boot(options)

    def shut_down(self) -> None:
        """Shut down cleanly: file systems unmounted, services stopped."""
        machine = self._on()
        self.run("systemctl --no-block poweroff", check=False)
        try:
            machine.wait(120)
        except MachineError as problem:
            raise self._with_console(str(problem)) from None
        self.kill()

    def close(self) -> None:
        """Switch off and remove the copy of the disk. The console log stays."""
        self.kill()
        self.disk.unlink(missing_ok=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    # --- in the booted system ---

    def run(
        self,
        command: str,
        *,
        check: bool = True,
        timeout: float = 60,
        stdin: bytes = b"",
    ) -> subprocess.CompletedProcess[str]:
        """Run a shell command as root and return what it said; 0.1 s each, one connection for all.

        With `check`, an exit code other than 0 raises MachineError that quotes the command's
        standard error. `timeout` is in seconds.
        """
        self._on()
        try:
            finished = subprocess.run(
                [*self.ssh_command(), command],
                input=stdin,
                capture_output=True,
                timeout=timeout * PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._with_console(f"{command!r}: no answer in {timeout} s") from None
        output = finished.stdout.decode(errors="surrogateescape")
        errors = finished.stderr.decode(errors="surrogateescape")
        if check and finished.returncode != 0:
            raise MachineError(f"{command!r} ended with {finished.returncode}:\n{output}{errors}")
        return subprocess.CompletedProcess(command, finished.returncode, output, errors)

    def read(self, path: Path | str) -> str:
        """The text of a file of the booted system."""
        return self.run(f"cat '{path}'").stdout

    def wait_until(self, command: str, seconds: float = 30) -> str:
        """Run a command again and again until it ends with 0; its output."""

        def answer() -> str | None:
            finished = self.run(command, check=False)
            return finished.stdout if finished.returncode == 0 else None

        return wait_for(answer, f"{command!r} with exit code 0", seconds)

    def settle(self, seconds: float = 240) -> None:
        """Wait until the boot is over and the disk is quiet, so that figures stand still.

        ssh answers before the last services have started.
        """
        self.run("systemctl is-system-running --wait", check=False, timeout=seconds)
        self.run("udevadm settle; sync")

    def install(self) -> None:
        """Put liveos-tui of this checkout into /run/liveos, a tmpfs: the root is not written.

        After it `/run/liveos/liveos-tui` is a command like any other.
        """
        if not _SITE.exists():
            raise MachineError(f"{_SITE} is not built: run tests/vm/run stick")
        no_caches = "--exclude=__pycache__"
        archive = subprocess.run(
            ["tar", "-c", no_caches, "-C", CHECKOUT, "liveos_tui", "-C", _SITE.resolve(), "."],
            capture_output=True,
            check=True,
        )
        wrapper = (
            "#!/bin/sh\n"
            'PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/run/liveos/lib exec python3 -m liveos_tui "$@"\n'
        )
        self.run(
            "mkdir -p /run/liveos/lib && tar -x -C /run/liveos/lib --no-same-owner",
            stdin=archive.stdout,
            timeout=120,
        )
        # Without compiled modules each start would compile all of textual again. They are in
        # memory, as on a system where the package manager has made them.
        self.run("python3 -m compileall -q -j 0 /run/liveos/lib", check=False, timeout=300)
        self.run(
            "cat > /run/liveos/liveos-tui && chmod 755 /run/liveos/liveos-tui",
            stdin=wrapper.encode(),
        )

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

    # --- the machine around it ---

    def monitor(self, command: str) -> str:
        """Run a line of QEMU's human monitor, as "info usb"."""
        return self._on().monitor(command)

    def attach(self, image: Path = SECOND_STICK, name: str = "second") -> None:
        """Plug in a USB stick with this raw image. What is written to it is dropped with it.

        The booted system sees it some seconds later: `wait_until("test -b /dev/sda")`.
        """
        machine = self._on()
        copy = self.folder / f"{name}.img"
        _copy_sparse(image, copy)
        file = {"driver": "file", "filename": str(copy)}
        machine.execute("blockdev-add", {"driver": "raw", "node-name": name, "file": file})
        device: dict[str, object] = {"driver": "usb-storage", "bus": "xhci.0", "removable": True}
        machine.execute("device_add", device | {"id": name, "drive": name, "serial": name})

    def detach(self, name: str = "second") -> None:
        """Pull the USB stick out, without a warning to the system."""
        machine = self._on()
        machine.execute("device_del", {"id": name})

        def released() -> bool:
            try:
                machine.execute("blockdev-del", {"node-name": name})
            except MachineError:
                return False
            return True

        wait_for(released, f"the end of {name}", 20)
        (self.folder / f"{name}.img").unlink()

    def photograph(self, picture: Path) -> None:
        """Write what the text console shows to `picture` (PPM). Needs `vga`."""
        self._on().execute("screendump", {"filename": str(picture)})

    def console_tail(self, lines: int = 60) -> str:
        """The last lines of the serial console: kernel messages and systemd's."""
        if not self.console_log.exists():
            return ""
        text = self.console_log.read_bytes().decode(errors="replace")
        return "\n".join(text.replace("\r", "").splitlines()[-lines:])

    def copy_out(self, name: str, target: Path) -> Path:
        """Copy a file of the live directory while the stick is off; `target` is returned."""
        source = f"::/LiveOS/{name}"
        subprocess.run(["mcopy", "-n", "-i", self.disk, source, target], check=True)
        return target

    def ssh_command(self) -> list[str]:
        """The arguments of ssh that reach this stick; a shell command may follow."""
        return [
            "ssh",
            *("-q", "-F", "none", "-i", str(self._image / "key"), "-p", str(self._port)),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "BatchMode=yes", "-o", f"ControlPath={self._sockets}/ssh"),
            "root@127.0.0.1",
        ]

    # --- inside ---

    def _on(self) -> Machine:
        if self._machine is None:
            raise MachineError("the stick is off")
        if not self._machine.running:
            raise self._with_console("the machine has ended")
        return self._machine

    def _with_console(self, problem: str) -> MachineError:
        return MachineError(f"{problem}\n--- end of the console ---\n{self.console_tail()}")

    def _start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if not self.disk.exists():
            _copy_sparse(self._image / "disk.img", self.disk)
        self.console_log.touch()
        self._console_start = self.console_log.stat().st_size
        self._port = free_port()
        stick_device = "usb-storage,bus=xhci.0,removable=on" if self._usb else "virtio-blk-pci"
        # cache=unsafe: QEMU does not sync the host's disk. A killed QEMU loses nothing by it.
        drive = f"if=none,id=stick,file={self.disk},format=raw,cache=unsafe"
        network = f"user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:{self._port}-:22"
        self._machine = Machine(
            [
                *("-kernel", str(self._image / "vmlinuz")),
                *("-initrd", str(self._image / "initrd.img")),
                *("-append", " ".join((*_ALWAYS, *self.options))),
                *("-device", "qemu-xhci,id=xhci"),
                *("-drive", drive, "-device", f"{stick_device},drive=stick,serial=LIVE"),
                *("-nic", network),
                *(("-vga", "std") if self._vga else ()),
            ],
            self.console_log,
            self._memory_mib,
        )
        _running.add(self)

    def _connect(self, seconds: float) -> None:
        def answers() -> bool:
            console = self.console_log.read_bytes()[self._console_start :]
            if any(sign in console for sign in _STOPPED):
                raise self._with_console("the boot has stopped")
            self._on()
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=2) as probe:
                    return probe.recv(4) == b"SSH-"
            except OSError:
                return False

        try:
            wait_for(answers, "an answer of ssh", seconds, pause=0.5)
        except MachineError as problem:
            raise self._with_console(str(problem)) from None
        self._ssh = subprocess.Popen(
            [*self.ssh_command(), "-M", "-N"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        check = [*self.ssh_command(), "-O", "check"]

        def connected() -> bool:
            return subprocess.run(check, capture_output=True, check=False).returncode == 0

        wait_for(connected, "ssh's connection", 60)


def _copy_sparse(source: Path, target: Path) -> None:
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", source, target], check=True)
