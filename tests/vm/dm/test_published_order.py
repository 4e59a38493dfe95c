"""The control: what the wiki tells people to do with a full overlay, done by hand.

Set the valid byte, register, `e2fsck -f -y`, and grow afterwards. e2fsck's own repairs need room
that is not there: the store falls ill again before it can be grown. `test_recover` shows the other
order on the same stores.

A PO store is not made worse by it: it still loads, and has its room at the next activation.

Whether it fails is not quite certain: the chunks of the write that was refused last are free again
in the next activation, and after one large write (250 KB, 62 chunks) to a file system with few
folders they can be enough. One of twenty such trials came back. On a system in use they are not.
"""

from pathlib import Path

import pytest
from filled import EACH_TRIAL, FilledStick, Trials, command, exit_code, joined, status

pytestmark = pytest.mark.usefixtures("nothing_left")

OPERATIONAL_ERROR = 8


def published_order(stick: FilledStick) -> tuple[int, str]:
    """Carry it out; e2fsck's exit code, and what the kernel says after it."""
    with stick.store.open("r+b") as store:
        store.seek(4)
        store.write(b"\1")
    with joined(stick.base, stick.store, stick.persistence) as device:
        code = exit_code("e2fsck", "-f", "-y", device)
        said = status()
        with stick.store.open("r+b") as store:
            store.truncate(stick.store.stat().st_size + (32 << 20))
        (loop,) = command("losetup", "-n", "-O", "NAME", "-j", str(stick.store)).split()
        command("losetup", "-c", loop)
    return code, said


@pytest.mark.parametrize("number", EACH_TRIAL)
def test_a_filled_store_is_as_the_kernel_leaves_it(trials: Trials, number: int) -> None:
    stick = trials[number]
    valid = stick.store.read_bytes()[4]
    assert valid == {"P": 0, "PO": 1}[stick.persistence]
    assert len(stick.files) > 50


@pytest.mark.parametrize("number", EACH_TRIAL)
def test_the_published_order_recovers_none(trials: Trials, tmp_path: Path, number: int) -> None:
    stick = trials[number].copy(tmp_path / "stick")
    code, said = published_order(stick)

    assert code & OPERATIONAL_ERROR
    assert said == {"P": "Invalid", "PO": "Overflow"}[stick.persistence]
    if stick.persistence == "P":
        assert stick.store.read_bytes()[4] == 0, "marked invalid again"
    else:
        # Not by e2fsck's word alone: -n leaves the journal out, in which most files are.
        assert stick.check() != 0 or len(stick.kept(tmp_path)) < len(stick.files)
