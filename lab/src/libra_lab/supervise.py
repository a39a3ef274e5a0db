"""Run the lab's one command as process 1: pass signals in, output and the exit status out.

The control channel carries lines: `signal NUMBER` inwards, `started` and `exit STATUS` outwards.
When it closes, whoever started the lab is gone, and so is the reason to go on.
"""

import contextlib
import os
import selectors
import signal
from dataclasses import dataclass, field

from libra_lab.job import Job
from libra_lab.program import become

CHUNK = 65536


@dataclass(slots=True)
class Streams:
    """Where the command's output goes: `pumps` maps our end of a pipe to the real output."""

    out: int
    err: int
    pumps: dict[int, int] = field(default_factory=dict)


def piped(out: int, err: int) -> Streams:
    """Return streams that look like pipes to the command, as they are to the caller."""
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    return Streams(out_write, err_write, {out_read: out, err_read: err})


def spawn(job: Job, streams: Streams) -> int:
    """Start the command in a session of its own; return its process id once signals reach it."""
    reached, reaches = os.pipe()
    child = os.fork()
    if child == 0:
        os.setsid()
        silence = os.open(os.devnull, os.O_RDONLY)
        become(job.argv, job.cwd, job.environment, (silence, streams.out, streams.err))
    os.close(reaches)
    os.read(reached, 1)
    os.close(reached)
    return child


def reap(child: int) -> int | None:
    """Collect every dead process; return the exit status if `child` is among them."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while True:
            process, code = os.waitpid(-1, os.WNOHANG)
            if process == 0:
                break
            if process == child:
                code = os.waitstatus_to_exitcode(code)
                status = code if code >= 0 else 128 - code
    return status


def pump(source: int, sink: int) -> bool:
    """Copy what `source` holds to `sink`; return False at its end."""
    data = os.read(source, CHUNK)
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]
    return bool(data)


def obey(control: int, child: int) -> bool:
    """Pass the signals that arrived on to the command; return False when the channel closed."""
    try:
        data = os.read(control, CHUNK)
    except OSError:
        return False
    for line in data.decode(errors="replace").split("\n"):
        match line.split():
            case ["signal", number] if number.isdigit():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child, int(number))
            case _:
                pass
    return bool(data)


def supervise(job: Job, streams: Streams, control: int) -> int:
    """Run the job to its end, then kill whatever it left behind; return its exit status."""
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    os.set_blocking(wake_read, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    child = spawn(job, streams)
    os.write(control, b"started\n")
    if streams.pumps:
        os.close(streams.out)
        os.close(streams.err)
    with selectors.DefaultSelector() as selector:
        for descriptor in (wake_read, control, *streams.pumps):
            selector.register(descriptor, selectors.EVENT_READ)
        status = _until_dead(selector, child, control, streams.pumps)
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    for source, sink in streams.pumps.items():
        while pump(source, sink):
            pass
    return status


def _until_dead(
    selector: selectors.BaseSelector, child: int, control: int, pumps: dict[int, int]
) -> int:
    while True:
        for key, _ in selector.select():
            descriptor = key.fd
            if descriptor in pumps:
                if not pump(descriptor, pumps[descriptor]):
                    selector.unregister(descriptor)
            elif descriptor == control:
                if not obey(control, child):
                    os.kill(-1, signal.SIGKILL)
                    selector.unregister(control)
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(descriptor, CHUNK)
                status = reap(child)
                if status is not None:
                    return status
