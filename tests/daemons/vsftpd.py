"""vsftpd (Debian: vsftpd), for anonymous users, with an empty directory."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.daemons.process import Daemon, folder, free_port, prepare, put, running

_CONFIG = """\
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
one_process_model=NO
anonymous_enable=YES
anon_root={where}/empty
secure_chroot_dir={where}/empty
session_support=NO
seccomp_sandbox=NO
log_ftp_protocol=YES
xferlog_enable=YES
xferlog_std_format=NO
vsftpd_log_file={where}/log
"""


@contextmanager
def vsftpd(*options: str) -> Iterator[Daemon]:
    """Run vsftpd with further *options* of vsftpd.conf(5)."""
    with folder() as where:
        port = free_port()
        prepare(["mkdir", "-m", "555", where / "empty"], where)
        text = _CONFIG.format(port=port, where=where) + "\n".join(options) + "\n"
        config = put(where / "conf", text)
        command = ["/usr/sbin/vsftpd", str(config)]
        with running(command, where, port, log=where / "log") as daemon:
            yield daemon
