"""Jobs on a booted stick: services of systemd, which no terminal takes with it."""

import json

from kernel import PROGRAM, Boot, snapshot_sectors
from stick import Stick

MIB = 1024 * 1024

# A job that waits after its first step, so that there is a moment to look in.
_START = f"""\
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Wish
from liveos_tui.live.model import Operation
shop = LocalWorkshop()
plan = shop.propose('live', Wish(Operation.GROW, grow_bytes={8 * MIB})).plan
print(shop.start(plan, allowed=1))
"""
_ENVIRONMENT = "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/run/liveos/code:/run/liveos/lib"


def start_growing(stick: Stick) -> str:
    stick.install()
    job = stick.run(f"{_ENVIRONMENT} python3 -", stdin=_START.encode()).stdout.strip()
    listed = json.loads(stick.run(f"{PROGRAM} jobs list --json").stdout)["jobs"]
    assert [each["id"] for each in listed] == [job]
    return job


def test_the_running_overlay_grows_in_a_service_that_no_terminal_ends(boot: Boot) -> None:
    stick = boot()
    before = snapshot_sectors(stick.run("dmsetup status live-rw").stdout)[1]
    job = start_growing(stick)
    unit = f"liveos-tui-{job}"

    # The ssh that started it has ended.
    assert stick.run(f"systemctl is-active {unit}").stdout.strip() == "active"
    worker = stick.run(f"systemctl show --property=MainPID --value {unit}").stdout.strip()
    assert stick.run(f"ps -o tty= -p {worker}").stdout.strip() == "?"

    found = stick.run(f"{PROGRAM} jobs resume {job} --yes --json", check=False)
    end = json.loads(found.stdout.splitlines()[-1])
    assert (found.returncode, end["state"]) == (0, "done"), found.stdout + found.stderr
    after = snapshot_sectors(stick.run("dmsetup status live-rw").stdout)[1]
    assert after == before + 8 * MIB // 512
    stick.wait_until(f"! systemctl is-active {unit}")


def test_a_stop_by_systemd_cancels_a_job(boot: Boot) -> None:
    stick = boot()
    job = start_growing(stick)
    stick.run(f"systemctl stop liveos-tui-{job}")
    found = stick.run(f"{PROGRAM} jobs attach {job} --json", check=False)

    assert json.loads(found.stdout.splitlines()[-1])["state"] == "cancelled"
    assert found.returncode == 130
