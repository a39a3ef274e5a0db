"""What the notifier holds itself to; what it tells whom is the config's."""

from dataclasses import dataclass

SERVICE = "notifier"


@dataclass(frozen=True, slots=True)
class Settings:
    """*window* events of one sink are open at most, *at_once* attempts of them run together."""

    window: int = 256
    at_once: int = 8
