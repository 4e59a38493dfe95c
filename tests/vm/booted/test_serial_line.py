"""The running system is merged by someone at a serial line."""

import time

import pytest
from kernel import PROGRAM, Boot
from live_cuts import WORKS
from photographs import STARTS
from serial_line import BYTES_A_SECOND, SerialLine


@pytest.mark.thorough
def test_a_merge_leaves_half_of_the_line(boot: Boot) -> None:
    stick = boot()
    stick.install()
    stick.run("dd if=/dev/urandom of=/srv/old bs=1M count=8 conv=fsync")
    line = SerialLine(stick, PROGRAM)
    line.wait_for("GiB free", STARTS)
    line.wait_for("q Quit", STARTS)
    first = line.count
    line.press("m")
    line.wait_for("Enter Merge it", WORKS)
    line.press("\r")
    line.wait_for("Type its name", STARTS)
    line.press("\t\t")
    line.wait_for("LIVE: > _", STARTS)
    line.press("LIVE")
    line.wait_for("LIVE: > LIVE", STARTS)
    line.press("\r")
    line.wait_for("RUN ", STARTS)
    before, began = line.count, time.monotonic()
    line.wait_for("Result .*DONE", WORKS)
    count, seconds = line.count - before, time.monotonic() - began
    print(f"first frame {first} bytes; merge {count} bytes in {seconds:.0f} s")
    assert first < 2 * BYTES_A_SECOND
    assert count < seconds * BYTES_A_SECOND / 2
    line.press("q")
    stick.wait_until("grep -qx 0 /run/liveos/serial.exit", 60)
