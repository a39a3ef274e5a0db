"""What must be there before a node can run, all of it looked at before anything is started."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from libra_cli.identity import PRIVILEGED
from libra_cli.processes import owner_of
from libra_runtime.nats_server import find_binary, require_version
from libra_runtime.settings import METRICS_PORTS
from libra_schemas.errors import LibraError

_IP_VS = Path("/proc/net/ip_vs")


def obstacles(services: Iterable[str], endpoint: tuple[str, int], metrics: int) -> list[str]:
    """List in one sentence each what is missing; *metrics* is the first metrics port, 0 for none.

    Loads the module ip_vs where that is all that is missing.
    """
    chosen = list(services)
    privileged = sorted(PRIVILEGED.intersection(chosen))
    found: list[str] = []
    if privileged and os.geteuid() != 0:
        found.append(f"{' and '.join(privileged)} need root (CAP_NET_ADMIN): run it with sudo")
    if "ipvs-writer" in chosen and not _has_ipvs():
        found.append(
            f"this kernel offers no IPVS ({_IP_VS} is missing): run `modprobe ip_vs`; where that "
            "fails install the kernel's extra modules (Ubuntu: linux-modules-extra-"
            f"{os.uname().release}) or a kernel with CONFIG_IP_VS"
        )
    found += _taken("nats-server", *endpoint, "choose another with --nats nats://127.0.0.1:PORT")
    for service in chosen if metrics else ():
        port = metrics + METRICS_PORTS[service] - min(METRICS_PORTS.values())
        found += _taken(f"{service}'s metrics", "127.0.0.1", port, "choose others with --metrics")
    return found


def find_server() -> tuple[Path, list[str]]:
    """Find a nats-server that is new enough, or say what to do."""
    try:
        binary = find_binary()
        require_version(binary)
    except LibraError as error:
        return Path("nats-server"), [str(error)]
    return binary, []


def _has_ipvs() -> bool:
    if not _IP_VS.exists() and os.geteuid() == 0 and shutil.which("modprobe"):
        subprocess.run(["modprobe", "ip_vs"], check=False, capture_output=True)
    return _IP_VS.exists()


def _taken(what: str, host: str, port: int, advice: str) -> Iterator[str]:
    """Say who has the address already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            owner = owner_of(port)
            by = f"by {owner}" if owner else f"({error.strerror})"
            yield f"{host}:{port} for {what} is taken {by}: stop that, or {advice}"
