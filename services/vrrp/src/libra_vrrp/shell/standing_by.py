"""What is left to do for a process that no other start would mend: to say why."""

import sys
from typing import NoReturn

from libra_runtime.metrics import serve
from libra_runtime.run import REFUSED, run
from libra_runtime.settings import Edge
from libra_vrrp.shell.say import log


def stand_by(trouble: str) -> NoReturn:
    """Log the trouble once, and have the health check tell it until a signal ends us."""
    log("vrrp cannot work", "error", why=trouble)
    port = Edge.from_environment("vrrp").metrics_port
    sys.exit(run(lambda: serve(port, lambda: trouble)) or REFUSED)
