"""The report of an error: it tells what helps, and nothing of whose machine it is."""

import json
from dataclasses import replace
from pathlib import Path

import layouts
import pytest
from layouts import USED
from machines import MachineBuilder, store
from test_captured import Capture

from liveos_tui.commands.bug_report import Findings, bug_report
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    JobState,
    OutputEvent,
    StepEvent,
    StepState,
)
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.evidence import gather
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import Finding, Operation, Severity
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import OpenStick
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.system.personal import personal_words

PERSONAL = (
    "wonderland",  # the host
    "alice", "Liddell",  # a user and her name
    "ALICES_KEY", "BEEF-CAFE",  # the stick
    "4C53000129", "wwn-0x5000",  # its serial number
    "bob", "BOBS_KEY", "0BAD-F00D", "0815-4711",  # another stick, that a journal tells of
    "6f1e1fd0", "52:54:00", "192.168.1.20", "fe80::1",  # a disk, a network
    "diary", "letter", "secret", "hunter2", "evilname",  # files and passwords
)  # fmt: skip

TOLD = (
    CommandEvent(0, ("e2fsck", "-f", "-y", "/dev/mapper/liveos-tui-rw")),
    OutputEvent(0, "Pass 2: Checking directory structure"),
    OutputEvent(0, "Entry 'diary' in ??? (12) has deleted/unused inode 34.  Clear? yes"),
    OutputEvent(0, "Symlink /home/alice/letter (inode #12) is invalid."),
    OutputEvent(0, "34/1234 files (0.0% non-contiguous), 2345/6789 blocks"),
    StepEvent(0, StepState.FAILED, "The stick of alice was pulled out."),
    EndEvent(JobState.FAILED, "It failed.", "Plug BOBS_KEY in again."),
)

DMESG = """\
[    1.000000] Command line: passwd=hunter2
[    2.000000] loop: module loaded
[    3.000000] EXT4-fs (sdb2): mounted filesystem 6f1e1fd0-3b5c-4d0c-9d8e-0f7f2f6a1b2c r/w
[    4.000000] EXT4-fs error (device dm-0): ext4_lookup:1: inode #2: comm evilname: 'diary' linked
[    5.000000] device-mapper: snapshots: Snapshot overflowed: Unable to allocate exception.
[    6.000000] e1000: eth0: 52:54:00:12:34:56 192.168.1.20
"""


def somebodys(machine: MachineBuilder) -> None:
    """A live system on a stick of a person, who has left her name wherever there is a place."""
    machine.cmdline(
        "root=live:CDLABEL=ALICES_KEY rd.live.image rw rd.live.overlay=UUID=BEEF-CAFE "
        "rd.luks.key=/secret passwd=hunter2 ip=192.168.1.20"
    )
    machine.text("/proc/sys/kernel/hostname", "wonderland.example.org\n")
    machine.text("/etc/hostname", "wonderland\n")
    machine.text("/proc/sys/kernel/osrelease", "6.1.0-13-amd64\n")
    machine.text(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000:Alice Liddell,,,:/home/alice:/bin/sh\n",
    )
    machine.path("/home/alice/diary").touch()
    path = layouts.stick(machine, label="ALICES_KEY", uuid="BEEF-CAFE", overlay=store(USED))
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, f"/{path}", of=f"{layouts.STICK}/{path}", filesystem="8:17")
    machine.loop(3, "/home/alice/letter.img")
    layouts.snapshot_root(machine, "PO")
    machine.dm(5, "alice-backup", ["loop3"], "0 8 crypt aes secret 0 7:3 0", "0 8 crypt ")
    machine.mount("254:5", "/home/alice/secret", "ext4", "/dev/mapper/alice-backup")
    machine.mount("0:60", "/home", "nfs4", "192.168.1.20:/alice", super_options="rw,addr=fe80::1")
    row = {"label": "ALICES_KEY", "uuid": "BEEF-CAFE", "serial": "4C53000129", "wwn": "wwn-0x5000"}
    machine.answer("lsblk --json --list", json.dumps({"blockdevices": [row]}))
    machine.answer("dmesg", DMESG)
    machine.answer("dmsetup version", "Library version:   1.02.185\n")


def jobs_of_bob() -> tuple[Job, ...]:
    place = Place(
        target="/media/bob/BOBS_KEY",
        name="BOBS_KEY",
        overlay="LiveOS/overlay-BOBS_KEY-0BAD-F00D",
        mount_point="/media/bob/BOBS_KEY",
        label="BOBS_KEY",
        uuid="0BAD-F00D",
        serial="0815-4711",
    )
    steps = (Step(OpenStick(), "Lock, check again", "Nobody else works on it."),)
    plan = Plan(Operation.RECOVER, place, "Recover BOBS_KEY", steps, Confirmation.ENTER)
    message = "/media/bob/BOBS_KEY is gone. Among the files: home/bob/diary, letter to alice."
    return (Job("recover-1", plan, JobState.FAILED, 1000.0, 0, message),)


@pytest.fixture
def report(machine: MachineBuilder) -> str:
    somebodys(machine)
    probes = machine.probes()
    watch = LocalWatch(probes, "live")
    finding = Finding(Severity.NOTICE, "x", "ALICES_KEY of alice", "See /home/alice/diary")
    sample = watch.sample()
    system = replace(sample, findings=(*sample.findings, finding))
    facts = (
        Fact("Header", "magic right, on wonderland at 52:54:00:12:34:56"),
        Fact("Cause", "The log says: EXT4-fs error: comm evilname: 'diary' linked"),
    )
    problems = ("/run/media/alice/ALICES_KEY does not answer 192.168.1.20.",)
    found = Findings("live", system, facts, jobs_of_bob(), problems, {"recover-1": TOLD})
    evidence = gather(probes, system.target.mount_point)
    return bug_report(evidence, found, personal_words(probes, ("alice",)))


def test_nothing_tells_whose_machine_it_is(report: str) -> None:
    assert [word for word in PERSONAL if word.casefold() in report.casefold()] == []


@pytest.mark.parametrize(
    "line",
    [
        "kernel: 6.1.0-13-amd64",
        "dmsetup: Library version:   1.02.185",
        "live-rw: 0 4194304 snapshot 7:1 7:2 PO 8",
        "loop1 7:1 writable LiveOS/rootfs.img",
        "loop2 7:2 writable LiveOS/overlay-<label-1>-<uuid-1>",
        "loop3 7:3 writable (of something else)",
        "/run/initramfs/live: 8:17 vfat /dev/sdb1 rw,relatime rw",
        "rd.live.overlay=UUID=<uuid-1>",
        "3 words are left out.",
        "Header: magic right, on <host-2> at <address-1>",
        "  | $ e2fsck -f -y /dev/mapper/liveos-tui-rw",
        "  | Pass 2: Checking directory structure",
        "  | 34/1234 files (0.0% non-contiguous), 2345/6789 blocks",
        "  | step 1: failed The stick of <user-",
        "  | Plug <label-",
        "  The end of what it told, without 2 lines that name files:",
        "recover-1: failed, begun 1970-01-01 00:16:40 UTC, 0 of 1 steps done",
        "[    5.000000] device-mapper: snapshots: Snapshot overflowed: Unable to allocate",
    ],
)
def test_what_helps_is_there(report: str, line: str) -> None:
    assert any(each.startswith(line) for each in report.splitlines()), report


def test_a_target_that_is_none_is_a_report_too(machine: MachineBuilder) -> None:
    found = Findings("/dev/sdb1", problems=("/dev/sdb1 is a disk with partitions.",))
    text = bug_report(gather(machine.probes(privileged=False)), found, {})

    assert "/dev/sdb1 is a disk with partitions." in text
    assert "asked by a user without root's rights" in text


def test_what_could_not_be_found_out_has_its_reason(machine: MachineBuilder) -> None:
    machine.answer("dmesg", "dmesg: read kernel buffer failed: Operation not permitted", code=1)
    text = bug_report(gather(machine.probes(privileged=False)), Findings("live"), {})

    assert "It could not be found out: The program dmsetup is not installed." in text
    assert "It could not be found out: dmesg: read kernel buffer failed: Operation" in text


def test_of_jobs_of_other_sticks_only_the_number_is_told(machine: MachineBuilder) -> None:
    text = bug_report(gather(machine.probes()), Findings("/dev/sdb1", other_jobs=19), {})

    assert "19 of other sticks are left out" in text


def test_of_a_job_that_was_undone_no_steps_are_told_as_done(machine: MachineBuilder) -> None:
    (job,) = jobs_of_bob()
    undone = replace(job, state=JobState.ROLLED_BACK, done=1)
    text = bug_report(gather(machine.probes()), Findings("live", jobs=(undone,)), {})

    assert "recover-1: rolled back, begun 1970-01-01 00:16:40 UTC\n" in text
    assert "Lock, check again" not in text


def test_no_escape_sequence_reaches_the_terminal(machine: MachineBuilder) -> None:
    machine.answer("dmesg", b"[ 1.0] EXT4-fs (sda1): \x1b]0;owned\x07\xc2\x9b31m\n")
    text = bug_report(gather(machine.probes()), Findings("live\x1b[31m"), {})

    assert all(line.isprintable() for line in text.splitlines())


def test_a_real_stick_that_has_overflowed(tmp_path: Path) -> None:
    probes = Capture("overflow", tmp_path / "machine").probes()
    system = LocalWatch(probes, "live").sample()
    text = bug_report(
        gather(probes, system.target.mount_point), Findings("live", system), personal_words(probes)
    )

    assert "BROKEN: The overlay has overflowed" in text
    assert "live-rw: 0 4194304 snapshot Overflow" in text
    assert "LiveOS/overlay-<label-1>-<uuid-1>" in text
    assert "12AB-CDEF" not in text
