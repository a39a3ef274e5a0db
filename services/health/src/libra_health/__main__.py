"""`libra-health`: the service; `libra-health probe`: every check once."""

import sys

from libra_health.settings import Settings
from libra_health.shell.probe import main as probe
from libra_health.shell.service import serve
from libra_runtime.run import run


def main() -> None:
    """Run until SIGTERM or SIGINT; exit as libra_runtime.run says."""
    if sys.argv[1:2] == ["probe"]:
        sys.exit(probe(sys.argv[2:]))
    sys.exit(run(lambda: serve(Settings.from_environment())))


if __name__ == "__main__":
    main()
