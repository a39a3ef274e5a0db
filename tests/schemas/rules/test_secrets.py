import pytest

from libra_schemas.rules.secrets import is_secret, is_secret_argument, is_secret_option, names_file


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Proxy-Authorization",
        "COOKIE",
        "X-Api-Key",
        "X-Auth-Token",
        "X-Auth",
        "X-Vault-Token",
        "DBPWD",
        "PGPASSWORD",
        "DB_PASS",
        "apikey",
        "AWS_SECRET_ACCESS_KEY",
        "PRIVATE-KEY",
        "Credentials",
        "Ocp-Apim-Subscription-Key",
        "passwd",
        "PASS_PHRASE",
    ],
)
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "Accept",
        "User-Agent",
        "X-Author",
        "X-Authority",
        "PASSIVE",
        "BYPASS",
        "COMPASS",
        "PWD",
        "OLDPWD",
        "PGPASSFILE",
        "TOKENIZERS_PARALLELISM",
        "X-Key",
        "Host",
        "X-Authenticated-User",
    ],
)
def test_a_name_that_looks_like_one_is_no_secrets(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("--password=x", True),
        ("-token=x", True),
        ("API_KEY=x", True),
        ("--password", False),
        ("--password=", False),
        ("--token-file=/x", False),
        ("--auth=basic", False),
        ("https://a/?token=x", False),
        ("--depth=2", False),
    ],
)
def test_an_argument_gives_a_secret_where_it_names_one(argument: str, expected: bool) -> None:
    assert is_secret_argument(argument) is expected


def test_the_name_of_a_file_ends_so() -> None:
    assert (names_file("PGPASSWORD_FILE"), names_file("PROFILE")) == (True, False)


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("--password", "hunter2", True),
        ("--api-key", "abc", True),
        ("--no-auth-warning", "ping", False),
        ("--no-password", "mydb", False),
        ("--skip-password", "ping", False),
        ("--no-pass", "x", False),
        ("--cookie-jar", "f", False),
        ("--token-type", "Bearer", False),
        ("--password-env", "DBPW", False),
        ("--db-password", "hunter2", True),
        ("--client_secret", "hunter2", True),
        ("-password", "hunter2", True),
        ("--password", "-", False),
        ("--password", "--verbose", False),
        ("--password", "/etc/libra/pw", False),
        ("--password", "", False),
        ("--password-file", "pw", False),
        ("--auth", "basic", False),
        ("password", "reset", False),
        ("--host", "a", False),
    ],
)
def test_an_option_gives_a_secret_by_the_argument_after_it(
    option: str, value: str, expected: bool
) -> None:
    assert is_secret_option(option, value) is expected
