"""Check `file`: a file of the node's says how a backend is."""

from typing import Literal

from pydantic import StrictBool

from libra_schemas.config.fields import FilePath, Span
from libra_schemas.model import Strict


class FileSpec(Strict):
    """Read a file of each node."""

    path: FilePath
    """The file, by its whole path: `up` or 0 passes, `down` or any other whole number fails, all
    else and over 256 bytes changes nothing and is told by `/healthz`. Replace it by renaming.
    """
    weight: StrictBool = False
    """Whether a number, 0 to 65535, is the backend's weight in points; each passes then."""
    missing: Literal["up", "down", "error"] = "error"
    """What a file that is not there means. `error`: nothing, the backend stays as it is."""
    older_than: Span | None = None
    """How long the file may stay as it was written; after that it fails."""
