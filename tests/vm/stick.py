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

The first boot with given options is kept (see `states`): the next stick with the same ones goes on
from there, 3 s instead of a minute. `fresh=True` boots in any case; `reboot`, and `boot` after a
`kill`, always do.
"""

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Self
from weakref import WeakSet

from guest import Guest
from machine import CACHE, CHECKOUT, Machine, MachineError, free_port, wait_for
from states import copy_sparse, state_of

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
"""The overlay of the stick is read (`live-ro`), changes go to memory.

Only for an overlay that has been in use: of a fresh one the kernel cannot make the header, and the
boot waits for ever. So boot PERSISTENT first, then `reboot(READ_ONLY_OVERLAY)`.
"""

READ_ONLY_STICK: tuple[str, ...] = ()
"""Neither `rw` nor an overlay: the stick is mounted read-only, the overlay is in memory.

With `rd.live.overlay=` dracut 059 remounts the stick writable, with `rw` or without.
"""

WITHOUT_RW = ("rd.live.overlay=LABEL=LIVE",)
"""The overlay of the stick is in use; the stick is writable all the same."""

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


# Compiled modules carry the path that they were made for; Python does not mind another.
_WRAPPER = b"""\
#!/bin/sh
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/run/liveos/code:/run/liveos/lib
exec python3 -m liveos_tui "$@"
"""


def consoles() -> Mapping[str, str]:
    """The last lines of the console of every stick that is on, by the folder of the stick."""
    return MappingProxyType({str(stick.folder): stick.console_tail() for stick in _running})


def _node(disk: Path, name: str, log: Path | None = None) -> dict[str, object]:
    """A raw disk as QEMU is told of it; with a log of its writes, which begins anew."""
    # QEMU does not sync the builder's disk. A killed QEMU loses nothing by it.
    unsafe = {"direct": False, "no-flush": True}
    file = {"driver": "file", "filename": str(disk), "cache": unsafe}
    raw: dict[str, object] = {"driver": "raw", "file": file, "cache": unsafe}
    if log is None:
        return raw | {"node-name": name}
    log.write_bytes(b"")
    # Flushes reach the log: only what is below it leaves them out.
    return {
        "driver": "blklogwrites",
        "node-name": name,
        "file": raw,
        "log": {"driver": "file", "filename": str(log), "cache": unsafe},
        "log-sector-size": 512,
    }


class Stick(Guest):
    """One stick and the machine it is in. Entering the `with` block boots it.

    `folder` receives the copy of the disk and the console log (`console.log`, appended to by each
    boot). `options` are kernel options, see PERSISTENT and the others. With `usb` the stick is a
    USB device (sda, removable) and not a virtio disk (vda): true to life, and slower. `vga` adds a
    graphics card with the 80x25 text console, for `photograph`. `fresh`: do not use a kept boot.

    With `log` what the first boot writes to the disk is logged there (see `writelog`); the disk as
    it was before is `before`.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = PERSISTENT,
        *,
        usb: bool = False,
        vga: bool = False,
        fresh: bool = False,
        log: Path | None = None,
        memory_mib: int = 1024,
    ) -> None:
        self.folder = folder
        self.options = tuple(options)
        self.disk = folder / "disk.img"
        self.before = folder / "before.img"
        self.console_log = folder / "console.log"
        self._image = CACHE / "stick"
        if not (self._image / "disk.img").exists():
            raise MachineError(f"{self._image} is not built: run tests/vm/run stick")
        super().__init__(self._image / "key")
        self._usb, self._vga, self._memory_mib, self._log = usb, vga, memory_mib, log
        self._keep = not fresh
        self._machine: Machine | None = None
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

    def boot(self, options: Sequence[str] | None = None, *, wait_seconds: float = 480) -> None:
        """Switch on, with `options` (default: as before), and wait until the boot is over.

        Raises MachineError with the end of the console when the boot stops or takes too long.
        """
        if self._machine is not None:
            raise MachineError("the stick is on")
        if options is not None:
            self.options = tuple(options)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console_log.touch()
        if self._keep and not self.disk.exists():
            self._wake_or_boot(wait_seconds)
        else:
            self._boot(wait_seconds)

    def kill(self) -> None:
        """A power cut: the machine is gone at once. Go on with `boot`."""
        self.disconnect()
        if self._machine is not None:
            self._machine.close()
            self._machine = None
        _running.discard(self)

    def pause(self) -> None:
        """Stop the machine's processor until `resume`: an emulated system is never quite idle."""
        self._on().execute("stop")

    def resume(self) -> None:
        """Let a paused machine go on, with the right time of day."""
        self._on().execute("cont")
        self._set_clock()

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
            raise self.problem(str(problem)) from None
        self.kill()

    def close(self) -> None:
        """Switch off and remove the copy of the disk. The console log stays."""
        self.kill()
        self.disk.unlink(missing_ok=True)
        self.before.unlink(missing_ok=True)
        self.forget()

    # --- in the booted system ---

    def settle(self, seconds: float = 480) -> None:
        """Wait until the last services have started and the disk is quiet."""
        self.run("systemctl is-system-running --wait", check=False, timeout=seconds)
        self.run("udevadm settle; sync")

    def install(self) -> None:
        """Put liveos-tui of this checkout into /run/liveos, a tmpfs: the root is not written.

        After it `/run/liveos/liveos-tui` is a command like any other.
        """
        self._install_dependencies()
        checkout = ["tar", "-c", "--exclude=__pycache__", "-C", str(CHECKOUT), "liveos_tui"]
        code = subprocess.run(checkout, capture_output=True, check=True).stdout
        self.run("mkdir -p /run/liveos/code && tar -xoC /run/liveos/code", stdin=code)
        self.run("python3 -m compileall -q /run/liveos/code", timeout=120)
        self.run("cat > /run/liveos/liveos-tui && chmod 755 /run/liveos/liveos-tui", stdin=_WRAPPER)

    # --- the machine around it ---

    def monitor(self, command: str) -> str:
        """Run a line of QEMU's human monitor, as "info usb"."""
        return self._on().monitor(command)

    def attach(
        self,
        image: Path = SECOND_STICK,
        name: str = "second",
        log: Path | None = None,
        *,
        virtio: bool = False,
        slow: bool = False,
    ) -> None:
        """Plug in a USB stick with a copy of this raw image: `attached(name)`, until `detach`.

        With `log` every write to it is logged there (see `writelog`). The booted system sees the
        stick some seconds later: `wait_until("test -b /dev/sda")`. With `virtio` it is no USB
        stick but a virtio disk, which is faster. `slow`: it writes 200 KB a second, so that
        there is time to pull it out.
        """
        machine = self._on()
        copy = self.attached(name)
        copy_sparse(image, copy)
        node = _node(copy, name, log)
        if slow:
            limits = {"qom-type": "throttle-group", "id": f"{name}-slow", "x-bps-write": 200_000}
            machine.execute("object-add", limits)
            below = {key: value for key, value in node.items() if key != "node-name"}
            node = {"driver": "throttle", "node-name": name, "file": below}
            node["throttle-group"] = f"{name}-slow"
        machine.execute("blockdev-add", node)
        device: dict[str, object] = {"driver": "usb-storage", "bus": "xhci.0", "removable": True}
        if virtio:
            device = {"driver": "virtio-blk-pci"}
        machine.execute("device_add", device | {"id": name, "drive": name, "serial": name})

    def detach(self, name: str = "second", keep: Path | None = None) -> None:
        """Pull the USB stick out, without a warning to the system; its disk goes to `keep`."""
        machine = self._on()
        machine.execute("device_del", {"id": name})

        def released() -> bool:
            try:
                machine.execute("blockdev-del", {"node-name": name})
            except MachineError:
                return False
            return True

        wait_for(released, f"the end of {name}", 20)
        with suppress(MachineError):
            machine.execute("object-del", {"id": f"{name}-slow"})
        self.attached(name).replace(keep) if keep else self.attached(name).unlink()

    def attached(self, name: str = "second") -> Path:
        """The disk of an attached stick, as far as the booted system has written it."""
        return self.folder / f"{name}.img"

    def photograph(self, picture: Path) -> None:
        """Write what the text console shows to `picture` (PNG). Needs `vga`."""
        self._on().execute("screendump", {"filename": str(picture), "format": "png"})

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

    def problem(self, text: str) -> MachineError:
        """The error to raise: `text`, and the end of the console."""
        return MachineError(f"{text}\n--- end of the console ---\n{self.console_tail()}")

    # --- inside ---

    def _on(self) -> Machine:
        if self._machine is None:
            raise MachineError("the stick is off")
        if not self._machine.running:
            raise self.problem("the machine has ended")
        return self._machine

    def _devices(self) -> list[str]:
        """QEMU's arguments but for what differs between two runs: port and disk file."""
        device = "usb-storage,bus=xhci.0,removable=on" if self._usb else "virtio-blk-pci"
        return [
            *("-kernel", str(self._image / "vmlinuz")),
            *("-initrd", str(self._image / "initrd.img")),
            *("-append", " ".join((*_ALWAYS, *self.options))),
            *("-device", "qemu-xhci,id=xhci"),
            *("-device", f"{device},drive=stick,serial=LIVE"),
            *("-device", "virtio-net-pci,netdev=wired"),
            *(("-vga", "std") if self._vga else ()),
        ]

    def _start(self, *more: str) -> Machine:
        self._console_start = self.console_log.stat().st_size
        self.port = free_port()
        log, self._log = self._log, None
        if log is not None:
            copy_sparse(self.disk, self.before)
        drive = json.dumps(_node(self.disk, "stick", log))
        network = f"user,id=wired,hostfwd=tcp:127.0.0.1:{self.port}-:22"
        arguments = [*self._devices(), "-blockdev", drive, "-netdev", network, *more]
        if log is not None:
            # Merged, requests have as many pieces as a write can have, and the log adds one more.
            arguments += ["-global", "virtio-blk-device.request-merging=off"]
        self._machine = Machine(arguments, self.console_log, self._memory_mib)
        _running.add(self)
        return self._machine

    def _wake_or_boot(self, seconds: float) -> None:
        with state_of(self._devices(), self._memory_mib) as state:
            if not state.exists:
                self._boot(seconds)
                self._install_dependencies()
                self.disconnect(cleanly=True)
                state.save(self._on(), self.disk)
                self.connect()
                return
            copy_sparse(state.disk, self.disk)
            self._start(*state.incoming).wake()
        self._wait_for_ssh(60)
        self._set_clock()

    def _set_clock(self) -> None:
        self.run(f"date -s @{time.time():.0f}")

    def _boot(self, seconds: float) -> None:
        if not self.disk.exists():
            copy_sparse(self._image / "disk.img", self.disk)
        self._start()
        self._wait_for_ssh(seconds)
        self.settle(seconds)

    def _wait_for_ssh(self, seconds: float) -> None:
        def answers() -> bool:
            console = self.console_log.read_bytes()[self._console_start :]
            if any(sign in console for sign in _STOPPED):
                raise self.problem("the boot has stopped")
            self._on()
            return self.answers()

        try:
            wait_for(answers, "an answer of ssh", seconds, pause=0.5)
        except MachineError as problem:
            raise self.problem(str(problem)) from None
        self.connect()

    def _install_dependencies(self) -> None:
        if self.run("test -e /run/liveos/lib", check=False).returncode == 0:
            return
        archive = ["tar", "-c", "-C", str(_SITE.resolve()), "--exclude=__pycache__", "."]
        packages = subprocess.run(archive, capture_output=True, check=True).stdout
        unpack = "mkdir -p /run/liveos/unpacked && tar -xoC /run/liveos/unpacked"
        self.run(unpack, stdin=packages, timeout=120)
        # Compiled once, as a package manager does it: each start would compile textual again.
        self.run("python3 -m compileall -q /run/liveos/unpacked", check=False, timeout=300)
        self.run("mv /run/liveos/unpacked /run/liveos/lib")
