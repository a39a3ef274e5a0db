"""The entry point `libra-notifier`."""

import sys

from libra_notifier.shell.service import serve
from libra_runtime.run import run


def main() -> None:
    """Run until a signal ends it."""
    sys.exit(run(serve))


if __name__ == "__main__":
    main()
