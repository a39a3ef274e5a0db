"""Why bytes are refused."""

from libra_vrrp.codec.malformed import MalformedAdvertisement, Reason


def test_a_refusal_says_why_what_was_received_and_whom_it_was_about() -> None:
    wrong = MalformedAdvertisement(Reason.TTL, "TTL 254", 51)
    assert (str(wrong), wrong.reason, wrong.vrid) == ("ttl: TTL 254", Reason.TTL, 51)
    assert MalformedAdvertisement(Reason.SHORT, "3 octets").vrid is None
