"""The console writes nothing to the root it watches: minutes of it, beside minutes without."""

import bundled
import pytest
from kernel import PROGRAM, Boot
from stick import LIVE
from watched import GRACE_SECTORS, used_sectors, watch


def test_a_minute_of_watching_from_a_folder_of_the_stick(boot: Boot) -> None:
    without, watched = boot(), boot()
    # No package of it is anywhere else: its own are what it runs with.
    watched.run("rm -rf /run/liveos/lib")
    bundled.carry(watched)
    with watched.terminal(bundled.PROGRAM, environment={"LANG": "C.UTF-8"}) as terminal:
        terminal.wait_for(r"Overlay .* OK \d+ %", 120)
        before = used_sectors(without)
        seen = watch(watched, bundled.PROCESS, 60)
        grown = used_sectors(without) - before
        terminal.send("q")
        assert terminal.wait_end() == 0

    assert seen.writes == ()
    assert seen.open_for_writing == ()
    assert seen.grown_sectors <= grown + GRACE_SECTORS
    made = watched.run(f"find / -xdev -newer {LIVE}/liveos-tui/SHA256SUMS -name '*.py*'").stdout
    assert made == "", "nothing was installed, unpacked or compiled into the root"


@pytest.mark.thorough
def test_minutes_of_watching_where_it_is_installed(boot: Boot) -> None:
    without, watched = boot(), boot()
    watched.install()
    with watched.terminal(PROGRAM, environment={"LANG": "C.UTF-8"}) as terminal:
        terminal.wait_for(r"Overlay .* OK \d+ %", 120)
        before = used_sectors(without)
        seen = watch(watched, "python3 -m liveos_tui", 300)
        grown = used_sectors(without) - before
        terminal.send("q")
        terminal.wait_end()

    assert seen.writes == ()
    assert seen.open_for_writing == ()
    assert seen.grown_sectors <= grown + GRACE_SECTORS
