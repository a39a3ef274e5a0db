"""Check `icmp`: ping."""

from typing import Annotated

from pydantic import Field, StrictInt

from libra_schemas.model import Strict


class IcmpSpec(Strict):
    """One echo request."""

    size: Annotated[StrictInt, Field(ge=0, le=1472)] = 56
    """Bytes of payload."""
