"""Words of this machine that are nobody's business, so that a report can leave them out."""

import json
from collections.abc import Iterator
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.disguise import Known, Personal
from liveos_tui.formats.text import clean
from liveos_tui.system.probes import Probes

_COLUMNS = {
    "label": Personal.LABEL,
    "uuid": Personal.UUID,
    "partuuid": Personal.UUID,
    "ptuuid": Personal.UUID,
    "serial": Personal.SERIAL,
    "wwn": Personal.SERIAL,
}
_FIRST_PERSON = 1000
_LEAST_WORD = 3


def personal_words(probes: Probes, users: tuple[str, ...] = ()) -> Known:
    """What this machine, its users and its disks are called; `users` is who asks.

    What cannot be found out is left out: what looks personal is disguised all the same.
    """
    found: dict[Personal, list[str]] = {
        Personal.HOST: list(_hosts(probes)),
        Personal.USER: [*filter(None, users), *_users(probes)],
    }
    for kind, word in _of_disks(probes):
        found.setdefault(kind, []).append(word)
    return {kind: tuple(dict.fromkeys(words)) for kind, words in found.items()}


def _hosts(probes: Probes) -> Iterator[str]:
    info = probes.text("/etc/machine-info") or ""
    named = [
        line.partition("=")[2].strip("\"'") for line in info.splitlines() if "HOSTNAME" in line
    ]
    for name in (
        probes.text("/proc/sys/kernel/hostname") or "",
        probes.text("/etc/hostname") or "",
        *named,
    ):
        word = clean(name.strip())
        yield from (word, word.partition(".")[0])


def _users(probes: Probes) -> Iterator[str]:
    for line in (probes.text("/etc/passwd") or "").splitlines():
        fields = line.split(":")
        if len(fields) < 6 or not fields[2].isdecimal():
            continue
        if _FIRST_PERSON <= int(fields[2]) < (1 << 16) - 2:
            yield clean(fields[0])
            # The first field of the comment is the person's name: as a whole, and each part.
            name = clean(fields[4].partition(",")[0])
            yield name
            yield from (word for word in name.split() if len(word) >= _LEAST_WORD)
            yield clean(Path(fields[5]).name)
    for homes in ("/home", "/var/home"):
        folder = probes.path(homes)
        try:
            yield from (clean(each.name) for each in folder.iterdir())
        except OSError:
            continue


def _of_disks(probes: Probes) -> Iterator[tuple[Personal, str]]:
    argv = ["lsblk", "--json", "--list", "--output", ",".join(_COLUMNS).upper()]
    try:
        rows = json.loads(probes.runner.run(argv, timeout=10.0).stdout)["blockdevices"]
        for row in rows:
            for column, kind in _COLUMNS.items():
                value = row.get(column)
                if isinstance(value, str):
                    yield kind, clean(value.strip())
    except (LiveosError, ValueError, KeyError, TypeError, AttributeError):
        return
