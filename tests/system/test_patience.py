import threading

import pytest

from liveos_tui.errors import UnreadableError
from liveos_tui.system.patience import Patience, ProbeTimeoutError


def test_gives_what_the_probe_gives() -> None:
    assert Patience(5).ask("The stick", lambda: 42) == 42


def test_raises_what_the_probe_raises() -> None:
    def probe() -> None:
        raise UnreadableError("Input/output error")

    with pytest.raises(UnreadableError):
        Patience(5).ask("The stick", probe)


def test_a_probe_that_hangs_is_told_by_its_name() -> None:
    hung = threading.Event()
    with pytest.raises(ProbeTimeoutError, match=r"The stick does not answer"):
        Patience(0.01).ask("The stick", hung.wait)
    hung.set()


def test_a_probe_that_still_hangs_is_not_started_again() -> None:
    hung, started = threading.Event(), []

    def probe() -> None:
        started.append(True)
        hung.wait()

    patience = Patience(0.01)
    for _ in range(3):
        with pytest.raises(ProbeTimeoutError):
            patience.ask("The stick", probe)
    hung.set()

    assert len(started) == 1


def test_one_that_hangs_does_not_keep_the_others() -> None:
    hung = threading.Event()
    patience = Patience(0.01)
    with pytest.raises(ProbeTimeoutError):
        patience.ask("The stick", hung.wait)

    assert patience.ask("The root file system", lambda: "well") == "well"
    hung.set()
