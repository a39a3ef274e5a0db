"""nsd (Debian: nsd), a name server with authority over the zone `example.net` and nothing else.

`many` has so many addresses that they do not fit into a datagram of 512 bytes.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.daemons.process import Daemon, folder, free_port, put, running

MANY = 60

_CONFIG = """\
server:
    ip-address: 127.0.0.1
    port: {port}
    username: ""
    chroot: ""
    server-count: 1
    database: ""
    pidfile: ""
    zonesdir: "{where}"
    zonelistfile: "{where}/zones"
    xfrdfile: "{where}/xfrd"
    xfrdir: "{where}"
remote-control:
    control-enable: no
zone:
    name: example.net
    zonefile: zone
"""
_ZONE = """\
$ORIGIN example.net.
$TTL 60
@ SOA ns hostmaster 2026112301 7200 3600 1209600 300
@ NS ns
@ MX 10 mail
@ MX 20 mail.example.org.
@ TXT "v=spf1 mx " "-all"
ns A 127.0.0.1
www A 192.0.2.7
www A 192.0.2.8
www AAAA 2001:db8::7
web CNAME www
_ldap._tcp SRV 0 5 389 ns
7.2.0 PTR www
"""


@contextmanager
def nsd() -> Iterator[Daemon]:
    """Run nsd; it answers by UDP and by TCP at one port."""
    with folder() as where:
        port = free_port()
        many = "".join(f"many A 198.51.100.{number}\n" for number in range(MANY))
        put(where / "zone", _ZONE + many)
        config = put(where / "conf", _CONFIG.format(port=port, where=where))
        with running(["/usr/sbin/nsd", "-d", "-c", config], where, port) as daemon:
            yield daemon
