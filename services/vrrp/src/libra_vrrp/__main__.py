"""`libra-vrrp`: the parent of the machine and the reporter, or one of them (by word)."""

import sys


def main() -> None:
    """Run the process that the first argument names; without one, the parent."""
    match sys.argv[1:]:
        case ["machine", *arguments]:
            from libra_vrrp.shell.machine import main as run
        case ["reporter", *arguments]:
            from libra_vrrp.shell.reporter import main as run
        case arguments:
            from libra_vrrp.shell.service import main as run
    run(arguments)


if __name__ == "__main__":
    main()
