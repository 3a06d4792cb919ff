"""Commands on their way: one at a time, repeated under the same number, urgent ones first, given up in the end."""

from ccdmon.link.command_queue import CommandQueue
from ccdmon.link.retries import GIVE_UP_S, RETRY_S, command_numbers
from ccdmon_fw import wire


def sent(data: bytes) -> tuple[int, int]:
    ((kind, number, _),) = wire.Unframer().feed(data)
    return kind, number


def ack(kind: int, number: int, result: int = wire.OK, detail: int = 0) -> dict[str, int]:
    return {"command_sequence": number, "command": kind, "result": result, "detail": detail}


def test_repeated_under_the_same_number_until_answered() -> None:
    queue, answers = CommandQueue(), list[tuple[str | None, int]]()
    queue.add(wire.ARM, on_answer=lambda result, detail: answers.append((result, detail)))
    first = queue.due(0.0)
    assert queue.due(RETRY_S / 2) == b""
    assert queue.due(RETRY_S) == first
    assert queue.due(2.5 * RETRY_S) == b"", "the pause doubles"
    assert queue.due(3.0 * RETRY_S) == first
    kind, number = sent(first)
    queue.answered(ack(kind, number ^ 1))
    assert not answers
    queue.answered(ack(kind, number, wire.LATCHED, 7))
    assert answers == [("latched", 7)]
    assert len(queue) == 0


def test_one_at_a_time_in_order() -> None:
    queue = CommandQueue()
    queue.add(wire.IDENTIFY)
    queue.add(wire.GET_STATUS)
    kind, number = sent(queue.due(0.0))
    assert kind == wire.IDENTIFY
    assert queue.due(0.1) == b""
    queue.answered(ack(kind, number))
    assert sent(queue.due(0.2))[0] == wire.GET_STATUS


def test_a_trip_overtakes() -> None:
    queue = CommandQueue()
    queue.add(wire.GET_STATUS)
    queue.due(0.0)
    queue.add_urgent(wire.FORCE_TRIP)
    kind, number = sent(queue.due(0.01))
    assert kind == wire.FORCE_TRIP
    queue.answered(ack(kind, number))
    assert sent(queue.due(0.02))[0] == wire.GET_STATUS


def test_given_up_in_the_end() -> None:
    queue, answers = CommandQueue(), list[str | None]()
    queue.add(wire.ARM, on_answer=lambda result, _: answers.append(result))
    queue.due(0.0)
    queue.due(GIVE_UP_S + 1)
    assert answers == [None]
    assert len(queue) == 0


def test_after_a_break_under_a_new_number() -> None:
    """The device that was reset has forgotten the old one, and another one would only answer again."""
    queue = CommandQueue()
    queue.add(wire.ARM)
    _, number = sent(queue.due(0.0))
    queue.restart()
    assert sent(queue.due(0.1)) == (wire.ARM, number % 0xFFFF + 1)


def test_an_answer_to_another_kind_of_command_is_none() -> None:
    """A board that was reset counts anew: the same number may be another command's."""
    queue, answers = CommandQueue(), list[str | None]()
    queue.add(wire.ARM, on_answer=lambda result, _: answers.append(result))
    kind, number = sent(queue.due(0.0))
    queue.answered(ack(wire.DISARM, number))
    assert not answers
    queue.answered(ack(kind, number, 200))
    assert answers == ["unknown_result"]


def test_what_waits_and_what_is_on_its_way_is_counted() -> None:
    queue = CommandQueue()
    for count in range(1, 4):
        queue.add(wire.GET_STATUS)
        assert len(queue) == count
    kind, number = sent(queue.due(0.0))
    assert len(queue) == 3, "one of them on its way"
    queue.answered(ack(kind, number))
    assert len(queue) == 2
    assert (queue.due(0.1), queue.due(0.2)) != (b"", b"")
    queue.add_urgent(wire.DISARM)
    assert len(queue) == 3


def test_values_and_body_of_a_command_follow_one_another() -> None:
    queue = CommandQueue()
    queue.add(wire.RESET_TRIP, 7, body=b"ab")
    ((_, _, body),) = wire.Unframer().feed(queue.due(0.0))
    assert body == wire.pack(wire.RESET_TRIP, 7) + b"ab"
    queue.add_urgent(wire.RESET_TRIP, 8, body=b"cd")
    ((_, _, body),) = wire.Unframer().feed(queue.due(0.1))
    assert body == wire.pack(wire.RESET_TRIP, 8) + b"cd"


def test_each_try_waits_twice_as_long_and_the_last_result_counts() -> None:
    queue = CommandQueue()
    queue.add(wire.ARM)
    tries = [n / 100 for n in range(3100) if queue.due(n / 100)]
    assert tries == [0.0, 1.0, 3.0, 7.0, 15.0]
    answers = list[str | None]()
    queue.add(wire.ARM, on_answer=lambda result, _: answers.append(result))
    kind, number = sent(queue.due(31.0))
    queue.answered(ack(kind, number, len(wire.RESULTS) - 1))
    assert answers == [wire.RESULTS[-1]]
    assert queue.due(32.0) == b"" and len(queue) == 0


def test_numbers_go_round_without_zero() -> None:
    numbers = command_numbers(65534)
    assert [next(numbers) for _ in range(4)] == [65534, 65535, 1, 2]
    assert len({next(command_numbers()) for _ in range(200)}) > 100
    assert max(next(command_numbers()) for _ in range(200)) > 1 << 15
    every = command_numbers(3)
    assert sorted(next(every) for _ in range(65535)) == list(range(1, 65536))
