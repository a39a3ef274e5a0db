import pytest
from hypothesis import given
from hypothesis import strategies as st

from libra_lab.frames import Frame, Frames, Kind

FRAMES = st.lists(st.builds(Frame, st.integers(0, 9), st.sampled_from(Kind), st.binary()))


def test_a_frame_is_its_visit_its_kind_and_its_data() -> None:
    golden = bytes.fromhex("00000007 04 00000002") + b"hi"
    assert Frame(7, Kind.OUTPUT, b"hi").encode() == golden
    assert list(Frames().feed(golden)) == [Frame(7, Kind.OUTPUT, b"hi")]


@given(FRAMES, st.integers(1, 30))
def test_frames_survive_being_cut_anywhere(sent: list[Frame], step: int) -> None:
    line = b"".join(frame.encode() for frame in sent)
    frames = Frames()
    pieces = [line[at : at + step] for at in range(0, len(line), step)]
    assert [frame for piece in pieces for frame in frames.feed(piece)] == sent


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="99"):
        list(Frames().feed(bytes.fromhex("00000001 63 00000000")))
