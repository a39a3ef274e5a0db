"""Start the ipvs-writer."""

import sys

from libra_ipvs_writer.settings import Settings
from libra_ipvs_writer.shell.service import serve
from libra_runtime.run import run


def main() -> None:
    """Run until SIGTERM or SIGINT; exit as libra_runtime.run says."""
    sys.exit(run(lambda: serve(Settings.from_environment())))


if __name__ == "__main__":
    main()
