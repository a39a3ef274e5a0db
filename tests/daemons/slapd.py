"""slapd (Debian: slapd), with a small directory: the suffix, and one person.

`BASE` is the suffix, `ADMIN` may read everything with `PASSWORD`, `PERSON` has a `userPassword` of
the same value.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.daemons.process import Daemon, folder, free_port, prepare, put, running

BASE = "dc=example,dc=org"
ADMIN = f"cn=admin,{BASE}"
PERSON = f"uid=ada,{BASE}"
PASSWORD = "loved by the lab"  # noqa: S105  of a directory that lives for a test

_CONFIG = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {where}/pid
argsfile {where}/args
modulepath /usr/lib/ldap
moduleload back_mdb
{options}
database mdb
maxsize 16777216
suffix "{base}"
rootdn "{admin}"
rootpw "{password}"
directory {where}/data
dbnosync
"""
_ENTRIES = f"""\
dn: {BASE}
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: {PERSON}
objectClass: inetOrgPerson
uid: ada
cn: Ada
sn: Lovelace
userPassword: {PASSWORD}
"""


@contextmanager
def slapd(
    *options: str, tls: tuple[Path, Path] | None = None, implicit: bool = False
) -> Iterator[Daemon]:
    """Run slapd with the global *options* of slapd.conf(5), `disallow bind_anon` and such.

    `tls`: PEM files of certificate and key that the daemon's user can read; StartTLS then works,
    and the port speaks LDAP as before, or with `implicit` TLS from the first byte on.
    """
    lines = list(options)
    if tls is not None:
        lines += [f"TLSCertificateFile {tls[0]}", f"TLSCertificateKeyFile {tls[1]}"]
    with folder() as where:
        text = _CONFIG.format(
            where=where, base=BASE, admin=ADMIN, password=PASSWORD, options="\n".join(lines)
        )
        config, entries = put(where / "conf", text), put(where / "ldif", _ENTRIES)
        prepare(["mkdir", where / "data"], where)
        prepare(["/usr/sbin/slapadd", "-q", "-f", config, "-l", entries], where)
        port = free_port()
        listen = f"{'ldaps' if implicit else 'ldap'}://127.0.0.1:{port}/"
        command = ["/usr/sbin/slapd", "-d", "stats", "-f", str(config), "-h", listen]
        with running(command, where, port) as daemon:
            yield daemon
