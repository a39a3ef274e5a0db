"""`lab/run`: choose a kernel with IPVS and run a command as root on it."""

import argparse
import os
import sys
from pathlib import Path

from libra_lab.errors import LabUnavailable
from libra_lab.job import Job, carried, outermost
from libra_lab.native import is_privileged, offers_ipvs, run_natively
from libra_lab.uml import MODULES, run_in_uml, size_of

FAILED = 125
ADMIN_PATH = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def parser() -> argparse.ArgumentParser:
    """Return the command line's grammar."""
    grammar = argparse.ArgumentParser(
        prog="lab/run",
        usage="lab/run [options] -- COMMAND...",
        description="Run COMMAND as root on a kernel with IPVS, in the current directory.",
        epilog="Exit status: the command's own; 124 after --timeout, 125 if the lab itself failed, "
        "127 if there is no such command, 128+N after signal N.",
    )
    place = grammar.add_mutually_exclusive_group()
    place.add_argument("--uml", action="store_true", help="boot the lab kernel (User-Mode Linux)")
    place.add_argument("--native", action="store_true", help="use this host's kernel (needs root)")
    grammar.add_argument("--no-ipvs", action="store_true", help="a native kernel may lack IPVS")
    grammar.add_argument("--mem", default="2G", help="the lab kernel's memory (default: 2G)")
    grammar.add_argument(
        "--timeout", type=float, metavar="S", help="end the command after S seconds"
    )
    grammar.add_argument("--env", action="append", default=[], metavar="NAME", help="carry NAME in")
    grammar.add_argument(
        "--bind", action="append", default=[], metavar="PATH",
        help="show a host path inside although it lies under /tmp or /run",
    )  # fmt: skip
    grammar.add_argument("command", nargs="+", metavar="COMMAND")
    return grammar


def environment_for(place: str, names: list[str]) -> dict[str, str]:
    """Return what the command finds in its environment."""
    result = carried(os.environ, names)
    path = result.get("PATH", os.defpath).split(os.pathsep)
    path += [entry for entry in ADMIN_PATH if entry not in path]
    return {"HOME": "/root", **result, "PATH": os.pathsep.join(path), "LIBRA_LAB": place}


def job_for(place: str, arguments: argparse.Namespace) -> Job:
    """Return the job that the command line asks for, to be run at `place`."""
    environment = environment_for(place, arguments.env)
    cwd = str(Path.cwd())
    repository = str(Path(__file__).resolve().parents[3])
    visible = [str(Path(path).absolute()) for path in arguments.bind]
    if "KEEPALIVED" in environment and Path(environment["KEEPALIVED"]).is_file():
        visible.append(str(Path(environment["KEEPALIVED"]).resolve()))
    terminal = os.isatty(1) and os.isatty(2)
    size = os.get_terminal_size(1) if terminal else os.terminal_size((80, 24))
    return Job(
        argv=arguments.command,
        cwd=cwd,
        environment=environment,
        writable=outermost([cwd, repository]),
        visible=visible,
        modules=str(MODULES),
        terminal=terminal,
        size=(size.lines, size.columns),
    )


def run(arguments: argparse.Namespace) -> int:
    """Run what the command line asks for; return its exit status."""
    native = arguments.native or arguments.no_ipvs
    if not native and not arguments.uml:
        native = is_privileged() and offers_ipvs()
    if native:
        ipvs = not arguments.no_ipvs
        return run_natively(job_for("native", arguments), arguments.timeout, ipvs=ipvs)
    return run_in_uml(job_for("uml", arguments), size_of(arguments.mem), arguments.timeout)


def main(argv: list[str]) -> int:
    """Run the command line and return the exit status."""
    arguments = parser().parse_args(argv)
    try:
        return run(arguments)
    except (LabUnavailable, ValueError) as error:
        print(f"lab/run: {error}", file=sys.stderr)
        return FAILED
