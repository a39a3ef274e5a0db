"""dovecot (Debian: dovecot-imapd, dovecot-pop3d), for anybody whose password is `x`."""

import grp
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from tests.daemons.process import Daemon, account, folder, free_port, put, running

_CONFIG = """\
protocols = imap pop3
listen = 127.0.0.1
base_dir = {where}/run
state_dir = {where}/run
log_path = {where}/log
info_log_path = {where}/log
mail_location = maildir:{where}/mail/%u
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
login_trusted_networks =
passdb {{
  driver = static
  args = password=x
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={where}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@contextmanager
def dovecot() -> Iterator[tuple[Daemon, Daemon]]:
    """Run dovecot; gives its IMAP side and its POP3 side."""
    user = pwd.getpwnam(account())
    gid = user.pw_gid if os.geteuid() == 0 else os.getegid()
    with folder() as where:
        imap, pop3 = free_port(), free_port()
        text = _CONFIG.format(
            where=where, user=user.pw_name, group=grp.getgrgid(gid).gr_name, imap=imap, pop3=pop3
        )
        config = put(where / "conf", text)
        command = ["/usr/sbin/dovecot", "-F", "-c", str(config)]
        with running(command, where, imap, pop3, log=where / "log") as daemon:
            yield daemon, replace(daemon, port=pop3)
