"""The capture of what ipvsadm sent and Linux answered."""

from pathlib import Path


def golden() -> dict[str, dict[str, list[bytes]]]:
    """Read the capture: command -> direction -> payloads."""
    found: dict[str, dict[str, list[bytes]]] = {}
    for line in (Path(__file__).parent / "ipvsadm.golden").read_text().splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "$":
            command = found.setdefault(rest.removeprefix("ipvsadm "), {">": [], "<": []})
        elif mark in "<>":
            command[mark].append(bytes.fromhex(rest))
    return found


GOLDEN = golden()
