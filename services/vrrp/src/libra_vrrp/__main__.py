"""`libra-vrrp`: the parent of the machine and the reporter, or one of them (by word)."""

import sys
from importlib import import_module

from libra_vrrp.shell.privileges import early


def main() -> None:
    """Run the process that the first argument names; none imports what another needs."""
    word, arguments = "service", sys.argv[1:]
    if arguments[:1] in (["machine"], ["reporter"], ["prepare"]):
        word, *arguments = arguments
    if word == "machine":
        early()  # before the imports, which take a while
    import_module(f"libra_vrrp.shell.{word}").main(arguments)


if __name__ == "__main__":
    main()
