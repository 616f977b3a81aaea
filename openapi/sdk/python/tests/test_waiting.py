from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nextscale import AsyncNextscale, ConnectionFailed, GenerationFailed, Nextscale, WaitTimedOut

from .conftest import Caller
from .stand_in import GENERATION_ID, Answer, StandIn, accepted, ended, generation, message, output, preview, problem, stream

SNAPSHOT = message("1", "snapshot", generation())


def test_it_polls_until_the_pictures_are_there(call: Caller, server: StandIn, slept: list[float]) -> None:
    running = Answer(200, generation(status="running"), {"Retry-After": "2"})
    server.says(accepted(), running, ended(outputs=[output()]))
    done = call("generate_and_wait", class_name="fox", num_images=1)
    assert (done.status, done.outputs[0].seed) == ("succeeded", 7)
    assert server.requests[0].body == {"class_name": "fox", "num_images": 1}
    assert [request.query for request in server.requests[1:]] == [{"wait": ["30"]}] * 2
    # This server did not hold the request: it is not asked again sooner than it says.
    assert slept == [2.0]


def test_what_is_done_at_once_is_not_asked_for_again(call: Caller, server: StandIn) -> None:
    server.says(ended())
    call("generate_and_wait")
    assert len(server.requests) == 1


def test_a_server_that_answers_at_once_is_not_overrun(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(Answer(200, generation()), Answer(200, generation()), ended())
    call("wait", GENERATION_ID)
    assert slept == [1.0, 1.0]


@pytest.mark.parametrize("name", ["wait", "generate_and_wait"])
@pytest.mark.parametrize("status", ["failed", "canceled", "expired"])
def test_an_end_without_pictures_is_an_error_with_the_generation(call: Caller, server: StandIn, status: str, name: str) -> None:
    error = {"code": "sampler_failed", "message": "no memory", "retryable": True} if status == "failed" else None
    server.says(*([accepted()] if name == "generate_and_wait" else []), ended(status, error=error))
    with pytest.raises(GenerationFailed) as raised:
        call(name, *([GENERATION_ID] if name == "wait" else []))
    assert raised.value.generation.status == status
    assert raised.value.code == ("sampler_failed" if status == "failed" else status)
    assert raised.value.retryable == (status == "failed")
    assert raised.value.detail.startswith(f"{GENERATION_ID}: ")


@pytest.mark.parametrize("name", ["wait", "generate_and_wait"])
def test_time_that_runs_out_names_the_generation(call: Caller, server: StandIn, name: str) -> None:
    server.says(Answer(200, generation()))
    with pytest.raises(WaitTimedOut) as raised:
        call(name, *([GENERATION_ID] if name == "wait" else []), timeout=0.2)
    assert isinstance(raised.value, TimeoutError)
    assert (raised.value.id, raised.value.code) == (GENERATION_ID, "wait_timed_out")


def test_no_retry_outlasts_the_time(call: Caller, server: StandIn, slept: list[float]) -> None:
    busy = problem(429, "too_many_in_flight", retryable=True, headers={"Retry-After": "60"})
    server.says(busy)
    with pytest.raises(Exception, match="too_many_in_flight"):
        call("generate_and_wait", timeout=5)
    assert slept == []


def test_events_are_told_of_while_it_waits(call: Caller, server: StandIn) -> None:
    server.says(accepted(), stream(SNAPSHOT, message("2", "end", generation(status="succeeded"))))
    seen: list[Any] = []
    assert call("generate_and_wait", on_event=seen.append, seed=3).status == "succeeded"
    assert [event.event for event in seen] == ["snapshot", "end"]
    assert server.requests[0].body == {"seed": 3}
    assert len(server.requests) == 2


def test_without_a_stream_it_polls(call: Caller, server: StandIn, slept: list[float]) -> None:
    busy = problem(429, "too_many_streams", retryable=True)
    server.says(accepted(), *[busy] * 5, ended(previews=[preview(scale=4), preview()], outputs=[output()]))
    seen: list[Any] = []
    assert call("generate_and_wait", on_event=seen.append).status == "succeeded"
    assert [event.event for event in seen] == ["preview", "preview", "output", "end"]
    assert [event.data.scale for event in seen[:2]] == [2, 4]
    assert [request.path.endswith("/events") for request in server.requests] == [False, *[True] * 5, False]


def test_what_the_stream_has_told_of_is_not_told_again_where_it_polls(call: Caller, server: StandIn, slept: list[float]) -> None:
    busy = problem(429, "too_many_streams", retryable=True)
    held = stream(message("1", "snapshot", generation(previews=[preview()])))
    server.says(accepted(), held, *[busy] * 4, ended(previews=[preview(), preview(scale=4)], outputs=[output()]))
    seen: list[Any] = []
    call("generate_and_wait", on_event=seen.append)
    assert [event.event for event in seen] == ["snapshot", "preview", "preview", "output", "end"]


def test_a_stream_that_goes_on_for_too_long_is_left(call: Caller, server: StandIn) -> None:
    server.says(accepted(), stream(SNAPSHOT))
    with pytest.raises(WaitTimedOut):
        call("generate_and_wait", on_event=lambda event: None, timeout=0.3)


def test_errors_of_the_callback_come_through(call: Caller, server: StandIn) -> None:
    answers = [accepted(), stream(SNAPSHOT)]
    server.says(*answers, *answers)

    def refuse(event: object) -> None:
        raise error

    for error in (KeyError("mine"), ConnectionFailed("mine")):
        with pytest.raises(type(error), match="mine"):
            call("generate_and_wait", on_event=refuse)
    assert not any("wait" in request.query for request in server.requests)


async def _await_callback(url: str, seen: list[str]) -> None:
    async def on_event(event: Any) -> None:
        seen.append(event.event)

    async with AsyncNextscale(url) as nextscale:
        await nextscale.generate_and_wait(on_event=on_event)


def test_the_callback_may_be_a_coroutine(server: StandIn) -> None:
    seen: list[str] = []
    server.says(accepted(), stream(SNAPSHOT, message("2", "end", generation(status="succeeded"))))
    asyncio.run(_await_callback(server.url, seen))
    assert seen == ["snapshot", "end"]


def test_leaving_the_events_early_ends_the_connection(server: StandIn) -> None:
    server.says(stream(SNAPSHOT, SNAPSHOT), ended())
    with Nextscale(server.url) as nextscale:
        events = nextscale.events(GENERATION_ID)
        next(events)
        events.close()
        assert nextscale.get(GENERATION_ID).status == "succeeded"
