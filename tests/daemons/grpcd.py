"""A gRPC server (grpcio) with the health service of grpcio-health-checking, or without it.

`SERVICES` are what it knows and how they are; "" is the server itself.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.process import Daemon, folder, free_port, put, running

SERVICES = {"": "SERVING", "mail.Mailbox": "SERVING", "mail.Queue": "NOT_SERVING", "a": "UNKNOWN"}

_PROGRAM = """\
import sys
from concurrent import futures
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

port, knows, chain, key = sys.argv[1:]
server = grpc.server(futures.ThreadPoolExecutor(2))
if knows:
    servicer = health.HealthServicer()
    for pair in knows.split(","):
        name, _, status = pair.partition("=")
        servicer.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(status))
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
if chain:
    files = (Path(key).read_bytes(), Path(chain).read_bytes())
    server.add_secure_port(f"127.0.0.1:{port}", grpc.ssl_server_credentials([files]))
else:
    server.add_insecure_port(f"127.0.0.1:{port}")
server.start()
server.wait_for_termination()
"""


@contextmanager
def grpcd(*, healthy: bool = True, tls: tuple[Path, Path] | None = None) -> Iterator[Daemon]:
    """Run it; `tls`: PEM files of certificate and key that the daemon's user can read."""
    knows = ",".join(f"{name}={status}" for name, status in SERVICES.items()) if healthy else ""
    with folder() as where:
        program = put(where / "server.py", _PROGRAM)
        port = free_port()
        command = [sys.executable, program, str(port), knows, *(tls or ("", ""))]
        with running(command, where, port) as daemon:
            yield daemon
