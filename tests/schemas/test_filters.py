import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_schemas.filters import (
    DEEPEST,
    Comparison,
    Filter,
    Joined,
    Not,
    Present,
    Substring,
    parse,
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("(uid=ada)", Comparison("=", "uid", b"ada")),
        ("(uid>=a)", Comparison(">=", "uid", b"a")),
        ("(uid<=a)", Comparison("<=", "uid", b"a")),
        ("(uid~=a)", Comparison("~=", "uid", b"a")),
        ("(uid=)", Comparison("=", "uid", b"")),
        ("(cn=a=b)", Comparison("=", "cn", b"a=b")),
        ("(cn;lang-de=ä)", Comparison("=", "cn;lang-de", "ä".encode())),
        ("(2.5.4.3=x)", Comparison("=", "2.5.4.3", b"x")),
        (r"(o=Parens R Us \28for all\29 \2A\5c\00)", Comparison(
            "=", "o", b"Parens R Us (for all) *\\\0")),
        ("(uid=*)", Present("uid")),
        ("(uid=a*)", Substring("uid", (b"a", b""))),
        ("(uid=*a)", Substring("uid", (b"", b"a"))),
        ("(uid=a*b*c)", Substring("uid", (b"a", b"b", b"c"))),
        ("(!(a=b))", Not(Comparison("=", "a", b"b"))),
        ("(&(a=*)(b=*))", Joined(True, (Present("a"), Present("b")))),
        ("(|(a=*)(&(b=*)))", Joined(False, (Present("a"), Joined(True, (Present("b"),))))),
    ],
)  # fmt: skip
def test_a_filter_is_read_as_rfc_4515_writes_it(text: str, found: Filter) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", r"at character 1 a filter starts with \(, not its end"),
        ("uid=ada", r"at character 1 a filter starts with \(, not 'uid=ada'"),
        ("(uid=ada", r"a \) is missing at its end"),
        ("(&(a=b)(c=d)", r"a \) is missing at its end"),
        ("(uid=ada))", r"at character 10 it ends here, not '\)'"),
        ("(uid=(x))", r"at character 6 \) stands here"),
        (r"(uid=\zz)", r"\) stands here"),
        ("(uid)", "at character 5 one of = >= <= ~= stands here"),
        ("(uid:dn:=x)", "one of = >= <= ~= stands here"),
        ("(=x)", "at character 2 an attribute's name stands here"),
        ("(&)", r"a filter starts with \("),
        ("(!(a=b)(c=d))", r"\) stands here"),
        ("(uid>=a*)", r"\* stands after = only"),
        ("(uid=**)", r"nothing stands between two \*"),
        ("(uid=a**b)", r"nothing stands between two \*"),
        ("(!" * DEEPEST + "(a=b)" + ")" * DEEPEST, "nested more than 16 deep"),
    ],
)
def test_what_is_no_filter_is_refused_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse(text)


@given(st.text(alphabet="()&|!=*<>~\\2aä\0\ud800", max_size=60) | st.text(max_size=60))
def test_any_text_is_a_filter_or_a_value_error(text: str) -> None:
    try:
        parse(text)
    except ValueError:
        pass
    else:
        assert text[0] == "("
        assert text[-1] == ")"
