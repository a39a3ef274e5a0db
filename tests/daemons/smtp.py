"""aiosmtpd (Python: aiosmtpd), an SMTP server that takes every mail and keeps none.

`USER` may log in with `PASSWORD`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.process import Daemon, folder, free_port, put, running

USER = "ada"
PASSWORD = "loved by the lab"  # noqa: S105  of a server that lives for a test

_PROGRAM = """\
import asyncio, logging, ssl
from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP, AuthResult

def allow(server, session, envelope, mechanism, data):
    known = (data.login, data.password) == ({user!r}.encode(), {password!r}.encode())
    return AuthResult(success=known, handled=False)

async def main():
    context = None
    if {files!r}:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*{files!r})
    made = lambda: SMTP(
        Sink(), authenticator=allow, auth_require_tls={require}, hostname="mx.example",
        tls_context=None if {implicit} else context, auth_exclude_mechanism={exclude!r},
    )
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        made, "127.0.0.1", {port}, ssl=context if {implicit} else None
    )
    await server.serve_forever()

logging.basicConfig()
logging.getLogger("mail.log").setLevel(logging.DEBUG)
asyncio.run(main())
"""


@contextmanager
def smtp(
    *, tls: tuple[Path, Path] | None = None, implicit: bool = False, exclude: tuple[str, ...] = ()
) -> Iterator[Daemon]:
    """Run aiosmtpd, which says on its log what it was told.

    It lets `USER` log in, where it has TLS only by TLS.

    `tls`: PEM files of certificate and key that the daemon's user can read; STARTTLS then works,
    and with `implicit` TLS is spoken from the first byte on. `exclude`: ways to log in it lacks.
    """
    with folder() as where:
        port = free_port()
        files = tuple(map(str, tls or ()))
        text = _PROGRAM.format(
            user=USER, password=PASSWORD, files=files, implicit=implicit, port=port,
            exclude=exclude, require=tls is not None and not implicit,
        )  # fmt: skip
        command = [sys.executable, str(put(where / "server.py", text))]
        with running(command, where, port) as daemon:
            yield daemon
