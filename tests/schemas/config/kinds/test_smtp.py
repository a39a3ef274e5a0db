import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, SmtpSpec


def test_a_mail_server_is_greeted_without_anything_written() -> None:
    assert CheckConfig.model_validate("smtp").smtp == SmtpSpec(helo="localhost")


@pytest.mark.parametrize("helo", ["", "two words", "a\r\nRSET", "ä"])
def test_what_would_break_the_line_is_refused(helo: str) -> None:
    with pytest.raises(ValidationError):
        SmtpSpec(helo=helo)
