import pytest

from libra_lab.order import Order, namespace_of

THERE = ["lab12.0.a", "lab12.0.b", "lab12.0.switch", "lab12.1.b"]


def test_an_order_arrives_as_it_was_given() -> None:
    order = Order(["ls", "-l", "ä b"], "a", "/x", {"A": "1"}, terminal=True, size=(50, 132))
    assert Order.decode(order.encode()) == order


def test_a_node_goes_by_its_short_name_or_its_full_one() -> None:
    assert namespace_of("a", THERE) == "lab12.0.a"
    assert namespace_of("lab12.1.b", THERE) == "lab12.1.b"


@pytest.mark.parametrize(
    ("name", "there", "told"),
    [
        pytest.param("c", THERE[:3], "no node of this lab is called c: it has a, b", id="unknown"),
        pytest.param("a", [], "no node of this lab is called a: it has none", id="no nodes"),
        pytest.param("b", THERE, "name one of lab12.0.b, lab12.1.b", id="several"),
        pytest.param("switch", THERE, "no node of this lab is called switch", id="not a node"),
    ],
)
def test_a_name_that_means_no_node_is_answered_with_those_there_are(
    name: str, there: list[str], told: str
) -> None:
    with pytest.raises(LookupError, match=told):
        namespace_of(name, there)
