"""`status`: the JSON document of schema 1, the exit codes, one screen of text."""

import json
from dataclasses import replace

import layouts
import pytest
from layouts import USED
from machines import GIB, MachineBuilder, store, used_sectors

from liveos_tui.errors import ExitCode
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import Host, LiveSystem, Usage
from liveos_tui.live.report import document, exit_code, text


def look(machine: MachineBuilder) -> LiveSystem:
    return LocalWatch(machine.probes(), "live").sample()


def test_the_document_has_every_field_of_schema_1(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    found = json.loads(json.dumps(document(look(machine))))

    assert found["schema"] == 1
    assert found["target"].keys() >= {"kind", "path", "label", "uuid", "filesystem", "writable"}
    assert found["layout"].keys() >= {"kind", "image", "base"}
    assert found["overlay"].keys() >= {
        "state", "path", "in_use", "persistent", "table", "used_bytes", "total_bytes",
        "metadata_bytes", "fraction", "rate_bytes_per_second", "seconds_until_full",
    }  # fmt: skip
    assert found["root"].keys() >= {"used_bytes", "total_bytes"}
    assert found["home"].keys() >= {"path", "state", "used_bytes", "total_bytes"}
    assert found["host"].keys() >= {"used_bytes", "total_bytes", "free_bytes"}
    assert found["operations"].keys() == {"recover", "grow", "merge", "reset"}
    assert found["operations"]["grow"] == {"possible": True, "why_not": None}


def test_the_document_is_in_bytes(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    overlay = document(look(machine))["overlay"]

    assert overlay["used_bytes"] == used_sectors(USED) * 512
    assert overlay["metadata_bytes"] == 640 * 512


def test_what_is_not_known_is_null(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    found = document(look(machine))

    assert found["overlay"]["rate_bytes_per_second"] is None
    assert found["overlay"]["seconds_until_full"] is None
    assert found["home"]["used_bytes"] is None


def test_a_finding_says_what_helps(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine, status="Overflow")
    (finding,) = document(look(machine))["findings"]

    assert finding["severity"] == "broken"
    assert finding["code"] == "overlay-overflow"
    assert "grown by up to 3.4 GiB" in finding["action"]


def test_an_overlay_that_is_getting_full_has_its_next_steps(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine, status="776000/1048576 640")
    (finding,) = document(look(machine))["findings"]

    assert (finding["severity"], finding["text"][:24]) == ("notice", "The overlay is 74 % full")
    assert "It can be grown by up to" in finding["action"]
    assert "A merge (m, or `liveos-tui merge`) empties it." in finding["action"]
    assert "$ liveos-tui grow live" in text(look(machine))


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("1000/1048576 640", ExitCode.WELL),
        ("754975/1048576 640", ExitCode.WELL),
        ("838912/1048576 640", ExitCode.NEEDS_ATTENTION),
        ("1048576/1048576 640", ExitCode.BROKEN),
        ("Overflow", ExitCode.BROKEN),
        ("Invalid", ExitCode.BROKEN),
    ],
)
def test_the_exit_code_is_the_worst_finding(
    machine: MachineBuilder, status: str, code: ExitCode
) -> None:
    layouts.fedora_30(machine, status=status)

    assert exit_code(look(machine)) == code


def test_the_text_fits_a_screen(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    lines = text(look(machine)).splitlines()

    assert len(lines) <= 24
    assert lines[2].startswith("Overlay")


def test_the_text_names_the_worst_first(machine: MachineBuilder) -> None:
    layouts.unused_overlay(machine, store(USED, valid=False))
    findings = [line for line in text(look(machine)).splitlines() if line[:1].isupper()]

    assert any(line.startswith("BROKEN: LiveOS/overlay-LIVE-12AB-CDEF") for line in findings)


def test_of_a_full_overlay_it_is_said_that_nothing_is_left(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine, status="1048576/1048576 4096")

    assert "nothing left, in use" in text(look(machine))


def test_what_is_neither_used_nor_free_on_the_stick_is_told_as_reserved(
    machine: MachineBuilder,
) -> None:
    layouts.fedora_30(machine)
    found = look(machine)
    reserving = replace(found, host=Host(Usage(27 * GIB, 251 * GIB, 73 * GIB)))
    rounded = replace(found, host=Host(Usage(27 * GIB, 100 * GIB, 73 * GIB - 1)))

    # Of what can be used, as df counts it.
    assert "27 %  27 GiB of 251 GiB  vfat  73 GiB free, 151 GiB reserved" in text(reserving)
    assert "reserved" not in text(rounded)
