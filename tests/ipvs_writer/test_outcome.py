"""What the acknowledgements say about the steps, and which removals they allow."""

from errno import EEXIST, ENOENT, ESRCH

from libra_ipvs_writer.outcome import Result, by_key, due, judge, unsettled
from libra_ipvs_writer.plan import Step
from libra_schemas.operations import AddDestination, AddService, DeleteDestination, SetService
from libra_schemas.table import Destination, Service, ServiceKey

WEB = ServiceKey.of("tcp", "192.0.2.10", 80)
SERVICE = AddService(Service(WEB, "nosuch"))
ADD = AddDestination(WEB, Destination("10.0.0.1", 80))
OTHER = AddDestination(WEB, Destination("10.0.0.2", 80))
DELETE = DeleteDestination(WEB, "10.0.0.3", 80)


def test_an_acknowledged_step_is_done_and_a_silent_one_unknown() -> None:
    assert judge([Step(ADD), Step(OTHER)], [0, None]) == [
        Result(ADD, "done"),
        Result(OTHER, "unknown"),
    ]


def test_a_refusal_says_why() -> None:
    (result,) = judge([Step(ADD)], [EEXIST])
    assert (result.status, result.error) == ("refused", "EEXIST: File exists")


def test_a_scheduler_that_the_kernel_lacks_is_named_with_the_way_to_get_it() -> None:
    for operation in (SERVICE, SetService(SERVICE.service)):
        (result,) = judge([Step(operation)], [ENOENT])
        assert result.missing == "ip_vs_nosuch"
        assert result.error.startswith(
            "ENOENT: No such file or directory; this kernel lacks the module ip_vs_nosuch: "
            "load it with `modprobe ip_vs_nosuch`"
        )
    assert Result(ADD, "refused", ENOENT).missing is None
    assert Result(SERVICE, "refused", EEXIST).missing is None


def test_a_destination_of_a_refused_service_counts_as_cancelled() -> None:
    results = judge([Step(SERVICE), Step(ADD, (SERVICE,))], [ENOENT, ESRCH])
    assert [each.status for each in results] == ["refused", "cancelled"]


def test_a_destination_refused_for_itself_is_refused() -> None:
    results = judge([Step(SERVICE), Step(ADD, (SERVICE,))], [0, EEXIST])
    assert [each.status for each in results] == ["done", "refused"]


def test_a_failed_addition_cancels_the_removal_that_depends_on_it() -> None:
    go, stay = due([Step(DELETE, (ADD,))], [Result(ADD, "refused", EEXIST)])
    assert (go, stay) == ([], [Result(DELETE, "cancelled")])


def test_one_addition_of_several_is_enough_for_a_removal() -> None:
    step = Step(DELETE, (ADD, OTHER))
    assert due([step], [Result(ADD, "refused", EEXIST), Result(OTHER, "done")]) == ([step], [])


def test_a_removal_that_needs_nothing_goes_whatever_was_refused() -> None:
    assert due([Step(DELETE)], [Result(ADD, "refused", EEXIST)])[0] == [Step(DELETE)]


def test_nothing_is_taken_away_while_anything_is_unknown() -> None:
    assert due([Step(DELETE)], [Result(ADD, "unknown")]) == ([], [Result(DELETE, "cancelled")])


def test_results_are_sorted_by_the_service_they_are_of() -> None:
    mark = ServiceKey.marked(7)
    other = Result(AddService(Service(mark)), "done")
    results = [Result(ADD, "done"), other, Result(OTHER, "refused", EEXIST)]
    assert by_key(results) == {WEB: [results[0], results[2]], mark: [other]}


def test_what_was_cancelled_for_anothers_unknown_fate_is_unsettled() -> None:
    assert unsettled([Result(ADD, "done"), Result(DELETE, "cancelled")])
    assert unsettled([Result(ADD, "unknown")])
    assert not unsettled([Result(ADD, "refused", EEXIST), Result(DELETE, "cancelled")])
    assert not unsettled([Result(ADD, "done")])
