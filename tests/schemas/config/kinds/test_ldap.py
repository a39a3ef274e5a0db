from typing import Any

import pytest
from pydantic import ValidationError

from libra_schemas.config import CheckConfig, LdapSpec


def test_a_directory_is_bound_to_without_anything_written() -> None:
    made = CheckConfig.model_validate("ldap").ldap
    assert made == LdapSpec()
    assert made is not None
    assert (made.bind_dn, made.base, made.filter) == (None, None, "(objectClass=*)")


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ({"filter": "uid=x"}, "at character 1 a filter starts with"),
        ({"bind_dn": ""}, "at least 1 character"),
        ({"scope": "children"}, "'base', 'one' or 'sub'"),
        ({"at_least": 1001}, "less than or equal to 1000"),
    ],
)
def test_what_cannot_be_asked_is_refused(written: Any, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        LdapSpec.model_validate(written)
