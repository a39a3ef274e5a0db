from tests.schemas.conftest import Complain, Document


def test_two_nodes_cannot_have_one_address(document: Document, complaints: Complain) -> None:
    document["nodes"]["b"]["address"] = "10.0.0.2"
    assert complaints(document) == ["nodes.b.address: node a has this address already"]
