"""Recover and grow on a real stick: what was synced before it filled is there afterwards.

Nothing of it is judged by the program itself: the kernel says what the overlay is like, e2fsck
whether the file system is sound, and the hashes of acknowledged files are kept on the builder.
"""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kernel import PROGRAM, Boot, snapshot_sectors, told
from machine import wait_for
from rescue import (
    OWN,
    SECOND,
    Files,
    Found,
    examine,
    fill,
    fill_unused,
    lost,
    second_mounted,
    writing,
)
from rescue import filled_second as make_filled_second
from stick import LIVE, NO_OVERLAY, OVERLAY, PERSISTENT, Stick
from terminal import Terminal

MIB = 1 << 20
STARTS = 120
"""Seconds that Textual may need to start on an emulated machine that others use too."""
WORKS = 400
"""Seconds that a recovery of the stick's 2 GiB may need there."""


@contextmanager
def console(stick: Stick) -> Iterator[Terminal]:
    """The console in the booted system, as a person sees it over ssh; left with q."""
    with stick.terminal(PROGRAM, environment={"LANG": "C.UTF-8"}) as terminal:
        terminal.wait_for(r"GiB free", STARTS)
        yield terminal
        terminal.send("q")
        assert terminal.wait_end() == 0


def confirm(terminal: Terminal) -> None:
    """Go to the button that is not the default, and press it."""
    terminal.wait_for(r"» \[ Cancel \]", STARTS)
    terminal.send("Tab")
    terminal.wait_without(r"» \[ Cancel \]", STARTS)
    terminal.send("Enter")


def kernel_figures(stick: Stick) -> tuple[int, int, int]:
    """Allocated, total and metadata sectors of the running root's overlay."""
    return snapshot_sectors(stick.run("dmsetup status live-rw").stdout)


def expect_writable_root(stick: Stick) -> None:
    stick.run("echo written > /root/after && sync && echo 3 > /proc/sys/vm/drop_caches")
    assert stick.read("/root/after") == "written\n"
    assert "EXT4-fs error" not in stick.run("dmesg").stdout


def test_an_overlay_that_overflowed_while_the_console_ran_in_it(boot: Boot) -> None:
    stick = boot()
    stick.install()
    with console(stick) as terminal:
        files = fill(stick)
        terminal.wait_for(r"OVERFLOW 100 %", STARTS)
        terminal.send("g")
        terminal.wait_for(r"Grow by: .*M", STARTS)
        terminal.send("Enter")
        terminal.wait_for(r"Enter Grow it", STARTS)
        terminal.send("Enter")
        confirm(terminal)
        result = "\n".join(terminal.wait_for(r"Result .* DONE", STARTS))
        assert re.search(r"[Rr]eboot|[Bb]oot again", result), "what is left to do"
    size = int(stick.run(f"stat -c %s {LIVE}/LiveOS/{OVERLAY}").stdout)
    assert size > 64 * MIB
    assert "Overflow" in stick.run("dmsetup status live-rw").stdout, "the kernel keeps the flag"

    stick.kill()
    stick.boot()

    assert kernel_figures(stick)[1] * 512 == size
    assert lost(stick, files) == []
    expect_writable_root(stick)


def test_a_stick_recovers_its_own_overlay_by_the_keyboard_and_boots_with_it(boot: Boot) -> None:
    stick = boot(NO_OVERLAY)
    stick.install()
    files = fill_unused(stick, OWN, "P")
    with console(stick) as terminal:
        terminal.wait_for(r"BROKEN .*r Recover", STARTS)
        terminal.send("r")
        terminal.wait_for(r"Enter Begin", STARTS)
        terminal.send("Enter")
        terminal.wait_for(r"WAIT +2 Rehearse", STARTS)
        terminal.send("Enter")
        terminal.wait_for(r"WAIT +3 Back up", WORKS)
        terminal.send("a")
        confirm(terminal)
        terminal.wait_for(r"Result .* DONE", WORKS)
    assert stick.run("dmsetup ls").stdout.count("\n") == 2, "live-rw and live-base"

    stick.kill()
    stick.boot(PERSISTENT)

    assert kernel_figures(stick)[1] * 512 > 64 * MIB
    assert lost(stick, files) == []
    expect_writable_root(stick)


def test_the_running_root_grows_under_a_program_that_writes(boot: Boot) -> None:
    stick = boot()
    stick.install()
    assert kernel_figures(stick)[1] * 512 == 64 * MIB
    with writing(stick) as files:
        said = stick.run(f"{PROGRAM} grow --to 96M --yes", check=False, timeout=200)
        # More than there was room for before.
        more = stick.run("dd if=/dev/urandom of=/srv/more bs=1M count=64 conv=fsync", timeout=120)

    assert said.returncode == 0, said.stdout + said.stderr
    assert more.returncode == 0
    allocated, total, _ = kernel_figures(stick)
    assert total * 512 == 96 * MIB
    assert allocated * 512 > 64 * MIB
    assert len(files) > 20
    stick.run("sync; echo 3 > /proc/sys/vm/drop_caches")
    assert lost(stick, files) == []


# The attached stick.


@pytest.fixture(scope="module")
def filled_second(looked_at: Stick, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    """A second stick that has run full, and what was synced on it."""
    looked_at.install()
    return make_filled_second(looked_at, tmp_path_factory.mktemp("second"))


@pytest.fixture
def second(looked_at: Stick, filled_second: tuple[Path, Files]) -> Iterator[Files]:
    """The filled stick, plugged in as /dev/sda."""
    looked_at.attach(filled_second[0])
    looked_at.wait_until("test -b /dev/sda && udevadm settle")
    yield filled_second[1]
    looked_at.detach()


def expect_second_recovered(stick: Stick, files: Files) -> None:
    with second_mounted(stick):
        found = examine(stick, SECOND, files)
    assert re.fullmatch(r"0 65536 snapshot \d+/\d+ \d+", found.status)
    assert found == Found(0, found.status, ())


def test_an_attached_stick_comes_back(looked_at: Stick, second: Files) -> None:
    said = looked_at.run(f"{PROGRAM} recover /dev/sda --yes", check=False, timeout=WORKS)

    assert said.returncode == 0, said.stdout + said.stderr
    status = json.loads(looked_at.run(f"{PROGRAM} status --json /dev/sda", timeout=120).stdout)
    assert status["overlay"]["state"] == "ok"
    assert "liveos-tui" not in looked_at.run("dmsetup ls; losetup --list; mount").stdout
    expect_second_recovered(looked_at, second)


@pytest.mark.thorough
def test_a_recovery_ends_by_itself_when_ssh_is_cut(looked_at: Stick, second: Files) -> None:
    ssh, *words = looked_at.ssh_command()
    own_connection = [ssh, "-o", "ControlPath=none", *words, "-tt"]
    with subprocess.Popen(
        [*own_connection, f"{PROGRAM} recover /dev/sda --yes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as person:
        assert person.stdout is not None
        assert any("Step 2 of" in line for line in person.stdout)
        person.kill()

    def ended() -> bool:
        said = looked_at.run(f"{PROGRAM} jobs list --json", timeout=120).stdout
        newest = json.loads(said)["jobs"][0]
        assert newest["state"] in {"running", "done"}
        return bool(newest["state"] == "done")

    wait_for(ended, "the end of the job", WORKS, pause=1)
    with console(looked_at) as terminal:
        terminal.send("j")
        terminal.wait_for(r"DONE .*STICK2|STICK2.* DONE", STARTS)
        terminal.send("Escape")
    expect_second_recovered(looked_at, second)


def test_a_stick_that_is_pulled_out_in_the_middle_comes_back_when_it_is_plugged_in(
    looked_at: Stick, filled_second: tuple[Path, Files], tmp_path: Path
) -> None:
    image, files = filled_second
    pulled = tmp_path / "pulled.img"
    looked_at.attach(image)
    looked_at.wait_until("test -b /dev/sda && udevadm settle")
    ends: list[dict[str, str]] = []
    for event in told(looked_at, "recover /dev/sda --yes --json"):
        match event:
            case {"event": "step", "step": 6, "state": "running"}:
                looked_at.detach(keep=pulled)
            case {"event": "end"}:
                ends.append(event)
    assert ends[0]["state"] == "failed"
    assert ends[0]["hint"]
    looked_at.wait_until("! test -b /dev/sda")
    assert "liveos-tui" not in looked_at.run("dmsetup ls; losetup --list; mount").stdout

    looked_at.attach(pulled)
    looked_at.wait_until("test -b /dev/sda && udevadm settle")
    said = looked_at.run(f"{PROGRAM} jobs list --target /dev/sda --json", timeout=120).stdout
    newest = json.loads(said)["jobs"][0]
    assert newest["can_resume"]
    resume = f"{PROGRAM} jobs resume {newest['id']} --yes --target /dev/sda"
    resumed = looked_at.run(resume, check=False, timeout=WORKS)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    expect_second_recovered(looked_at, files)
    looked_at.detach()
