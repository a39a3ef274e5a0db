import os

from libra_lab.processor import own_processor

NAME = f"libra-lab-test-{os.getpid()}"
"""Labs that run meanwhile have others."""


def test_each_lab_has_a_processor_of_its_own_and_the_one_too_many_none() -> None:
    with own_processor(NAME) as first:
        there = sorted(os.sched_getaffinity(0))
        assert first in there
        with own_processor(NAME) as second:
            assert second != first
            assert (second is None) == (len(there) == 1)
    with own_processor(NAME) as again:
        assert again == first
