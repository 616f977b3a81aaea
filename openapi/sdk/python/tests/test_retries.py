from __future__ import annotations

import socket
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from nextscale import ConnectionFailed, NextscaleError, ResponseInvalid

from .conftest import Caller
from .stand_in import GENERATION_ID, Answer, StandIn, accepted, ended, problem


def keys(server: StandIn) -> list[str]:
    return [request.headers["idempotency-key"] for request in server.requests]


def test_a_retried_call_keeps_its_idempotency_key(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(503, "queue_unavailable", retryable=True), Answer(502, b"<html>"), accepted())
    assert call("generate", class_name="fox").id == GENERATION_ID
    assert len(keys(server)) == 3
    assert len(set(keys(server))) == 1
    assert [request.body for request in server.requests] == [{"class_name": "fox"}] * 3


def test_each_call_has_a_key_of_its_own_or_the_given_one(call: Caller, server: StandIn) -> None:
    server.says(accepted())
    call("generate")
    call("generate")
    call("generate", idempotency_key="mine")
    call("continue_", GENERATION_ID, idempotency_key="mine too")
    first, second, *given = keys(server)
    assert first != second
    assert given == ["mine", "mine too"]


def test_a_connection_that_breaks_is_tried_again(call: Caller, server: StandIn, slept: list[float]) -> None:
    broken = accepted()
    broken.hang_up = True
    server.says(broken, accepted())
    assert call("generate").id == GENERATION_ID
    assert len(set(keys(server))) == 1
    assert len(server.requests) == 2


def test_retry_after_in_seconds_is_kept_to_exactly(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(429, "rate_limited", retryable=True, headers={"Retry-After": "7"}), ended())
    call("get", GENERATION_ID)
    assert slept == [7.0]


def test_retry_after_as_a_date_is_kept_to(call: Caller, server: StandIn, slept: list[float]) -> None:
    now = datetime.now(timezone.utc)
    date = format_datetime(now.replace(microsecond=0) + timedelta(seconds=90), usegmt=True)
    server.says(problem(503, "queue_full", retryable=True, headers={"Retry-After": date}), ended())
    call("get", GENERATION_ID)
    [delay] = slept
    # Never before the date, and no second after it.
    assert 0 < delay <= 90


def test_a_date_that_has_passed_means_now(call: Caller, server: StandIn, slept: list[float]) -> None:
    headers = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.says(problem(503, "queue_full", retryable=True, headers=headers), ended())
    call("get", GENERATION_ID)
    assert slept == [0.0]


def test_without_retry_after_delays_grow_and_vary(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(503, "queue_full", retryable=True))
    with pytest.raises(NextscaleError):
        call("get", GENERATION_ID)
    assert len(slept) == 4
    for delay, longest in zip(slept, [0.5, 1, 2, 4], strict=True):
        assert longest / 2 <= delay <= longest
    assert len({delay / longest for delay, longest in zip(slept, [0.5, 1, 2, 4], strict=True)}) > 1


def test_a_retry_after_of_minutes_is_left_to_the_caller(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(429, "rate_limited", retryable=True, headers={"Retry-After": "3600"}))
    with pytest.raises(NextscaleError) as raised:
        call("get", GENERATION_ID)
    assert (raised.value.retry_after, slept, len(server.requests)) == (3600.0, [], 1)


def test_what_cannot_succeed_is_not_tried_again_and_says_why(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(422, "out_of_range_for_model"))
    with pytest.raises(NextscaleError) as raised:
        call("generate", seed=-1)
    error = raised.value
    assert (error.status, error.code, error.title) == (422, "out_of_range_for_model", "It did not work")
    assert error.type == "https://nextscale.dev/problems/out_of_range_for_model"
    assert error.detail == "Set seed to a number from 0 to 4294967295."
    assert (error.request_id, error.retryable, error.retry_after) == ("req-1", False, None)
    assert [(each.pointer, each.detail) for each in error.errors] == [("/seed", "must be a number")]
    assert "/seed: must be a number" in str(error)
    assert "req-1" in str(error)
    assert (slept, len(server.requests)) == ([], 1)


def test_a_code_of_a_newer_server_is_read(call: Caller, server: StandIn) -> None:
    server.says(problem(418, "made_up_later"))
    with pytest.raises(NextscaleError) as raised:
        call("get", GENERATION_ID)
    assert raised.value.code == "made_up_later"


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (404, 1), (429, 5), (502, 5), (504, 5)])
def test_answers_of_a_proxy_are_judged_by_status(
    call: Caller, server: StandIn, slept: list[float], status: int, attempts: int
) -> None:
    server.says(Answer(status, b"<html>no</html>"))
    with pytest.raises(NextscaleError) as raised:
        call("get", GENERATION_ID)
    assert (raised.value.status, raised.value.code) == (status, f"http_{status}")
    assert len(server.requests) == attempts


def test_a_server_that_is_not_there_is_named(kind: str, slept: list[float]) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        caller = Caller(kind, url, max_retries=2)
        with pytest.raises(ConnectionFailed, match=url) as raised:
            caller("status")
        caller.close()
    assert (raised.value.retryable, raised.value.status, len(slept)) == (True, None, 2)


def test_a_silent_server_is_given_up(kind: str, slept: list[float]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        caller = Caller(kind, f"http://127.0.0.1:{silent.getsockname()[1]}", max_retries=1, timeout=0.1)
        with pytest.raises(ConnectionFailed):
            caller("status")
        caller.close()
    assert len(slept) == 1


def test_an_answer_that_is_no_generation_is_refused(call: Caller, server: StandIn) -> None:
    server.says(Answer(200, {"hello": "world"}))
    with pytest.raises(ResponseInvalid, match="no Generation"):
        call("get", GENERATION_ID)
