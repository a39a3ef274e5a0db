import os
import signal
import threading
import time

import pytest

from libra_lab import session
from libra_lab.session import Session


class Far:
    """The lab's end of a session: what it says, and what it was told."""

    def __init__(self) -> None:
        self.control, self.says = os.pipe()
        self.hears, self.orders = os.pipe()
        self.killed = False

    def kill(self) -> None:
        self.killed = True
        os.close(self.says)

    def session(self, timeout: float | None = None) -> Session:
        return Session(self.control, self.orders, {}, self.kill, timeout)


def test_the_exit_status_is_what_the_lab_said() -> None:
    far = Far()
    os.write(far.says, b"noise\nexit 7\n")
    os.close(far.says)
    assert far.session().follow() == 7


def test_a_lab_that_dies_without_a_word_has_no_exit_status() -> None:
    far = Far()
    os.close(far.says)
    assert far.session().follow() is None


def test_output_is_copied_whole() -> None:
    far = Far()
    out, out_in = os.pipe()
    copied, copy = os.pipe()
    os.write(out_in, b"x" * 5000)
    os.close(out_in)
    os.write(far.says, b"exit 0\n")
    os.close(far.says)
    running = Session(far.control, far.orders, {out: copy}, far.kill)
    assert running.follow() == 0
    assert os.read(copied, 10_000) == b"x" * 5000


def test_a_signal_before_the_command_runs_ends_the_lab() -> None:
    """Whoever presses Ctrl-C while the kernel boots does not wait for it."""
    far = Far()

    def interrupt() -> None:
        while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    assert far.session(timeout=10).follow() == 130
    assert far.killed
    thread.join()


def test_a_boot_that_takes_too_long_is_not_waited_for() -> None:
    far, began = Far(), time.monotonic()
    assert far.session(timeout=0.1).follow() == 124
    assert far.killed
    assert time.monotonic() - began < session.GRACE


def test_output_that_cannot_be_written_ends_the_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = Far()
    out, out_in = os.pipe()
    os.write(far.says, b"started\n")
    os.write(out_in, b"x" * 5000)
    os.close(out_in)
    full = os.open("/dev/full", os.O_WRONLY)
    running = Session(far.control, far.orders, {out: full}, far.kill)

    def end() -> None:
        assert os.read(far.hears, 100) == b"signal 15\n"
        os.write(far.says, b"exit 143\n")
        os.close(far.says)

    thread = threading.Thread(target=end, daemon=True)
    thread.start()
    assert running.follow() == 143
    thread.join()
    assert running.signals == []
    assert "the output cannot be written: No space left on device" in capsys.readouterr().err


def test_a_signal_is_passed_in() -> None:
    far = Far()
    os.write(far.says, b"started\n")

    def behave() -> None:
        while signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)
        told = os.read(far.hears, 100)
        os.write(far.says, b"exit %d\n" % (128 + int(told.split()[1])))
        os.close(far.says)

    thread = threading.Thread(target=behave, daemon=True)
    thread.start()
    assert far.session(timeout=10).follow() == 130
    thread.join()


def test_a_timeout_first_asks_and_then_kills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "GRACE", 0.1)
    far, started = Far(), time.monotonic()
    os.write(far.says, b"started\n")
    assert far.session(timeout=0.1).follow() == 124
    assert far.killed
    assert os.read(far.hears, 100) == b"signal 15\n"
    assert time.monotonic() - started >= 0.2
