"""The captures of what two kernels say of their packet filters."""

from pathlib import Path

FOLDER = Path(__file__).parent


def _lines(name: str) -> list[tuple[str, str]]:
    lines = (FOLDER / name).read_text().splitlines()
    words = [line.partition(" ") for line in lines if not line.startswith("#")]
    return [(first, rest) for first, _, rest in words]


def ip_tables() -> dict[str, tuple[bytes, bytes]]:
    """Read by command what it made: struct ipt_getinfo, and the entries behind their head."""
    found: dict[str, tuple[bytes, bytes]] = {}
    command, info = "", b""
    for word, rest in _lines("ip_tables.golden"):
        if word == "$":
            command = rest
        elif word == "info":
            info = bytes.fromhex(rest)
        else:
            found[command] = info, bytes.fromhex(rest)[40:]
    return found


def nf_tables() -> dict[str, list[bytes]]:
    """Read the payloads by what was asked for."""
    found: dict[str, list[bytes]] = {}
    for word, rest in _lines("nf_tables.golden"):
        found.setdefault(word, []).append(bytes.fromhex(rest))
    return found


IP_TABLES = ip_tables()
NF_TABLES = nf_tables()
