"""What the data of several event types share."""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from libra_schemas.model import Fact

MAX_CAUSES = 100

EvidenceText = Annotated[str, StringConstraints(max_length=4 * 512)]
"""Text from a backend: cut to 512 bytes before escaping (see `libra_schemas.text`)."""


class Causes(Fact):
    """All first causes of a fact: at most 100 event ids and how many there were."""

    ids: Annotated[tuple[str, ...], Field(max_length=MAX_CAUSES)] = ()
    count: Annotated[int, Field(ge=0)] = 0


class Data(Fact):
    """The data of an event: the entity's whole new state with its evidence."""

    VERSION: ClassVar[int] = 1

    causes: Causes = Causes()
