"""Start the health service."""

from __future__ import annotations

import sys

from libra_health.settings import Settings
from libra_health.shell.service import serve
from libra_runtime.run import run


def main() -> None:
    """Run until SIGTERM or SIGINT; exit as libra_runtime.run says."""
    sys.exit(run(lambda: serve(Settings.from_environment())))


if __name__ == "__main__":
    main()
