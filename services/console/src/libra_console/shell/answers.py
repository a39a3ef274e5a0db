"""The gateway's refusals, in words."""

import pwd
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus

from pydantic import ValidationError

from libra_console.shell.http import Response
from libra_schemas.errors import Problem


def author(claimed: str, uid: int) -> str:
    """Name who asks: what they call themselves, and whom the kernel says they are."""
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    return user if claimed in {"", user} else f"{claimed} ({user})"


def invalid(wrong: Sequence[Problem], logged: Response) -> Response:
    """Answer with every problem of a config at once, and the sequence where the log holds it."""
    problems = [asdict(each) for each in wrong]
    count = len(problems)
    return Response.error(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"the config has {count} error{'s' if count != 1 else ''}; nothing was changed",
        problems=problems,
        sequence=logged.body.get("sequence"),
        unlogged=logged.body.get("error", ""),
    )


def bad_request(sentence: str) -> Response:
    """Answer to what is no request of ours."""
    return Response.error(HTTPStatus.BAD_REQUEST, f"bad request: {sentence}")


def one_line(error: ValidationError) -> str:
    """Say all that is wrong with a body in one line."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
        for each in error.errors(include_url=False, include_input=False)
    )
