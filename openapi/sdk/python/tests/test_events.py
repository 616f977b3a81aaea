from __future__ import annotations

import json

import pytest

from nextscale import ConnectionFailed, GenerationEvent, NextscaleError, OutputEvent, PreviewEvent, ProgressEvent, ResponseInvalid
from nextscale._events import Follower

from .conftest import Caller
from .stand_in import GENERATION_ID, Answer, StandIn, generation, message, output, preview, problem, stream

PROGRESS = {"scale": 1, "scales": 8, "tokens": 1, "tokens_total": 85}
SNAPSHOT = message("1", "snapshot", generation())
RUNNING = message("2", "status", {"status": "running", "stage": "sampling", "attempt": 1})
SCALE = message("3", "progress", PROGRESS)
END = message("4", "end", generation(status="succeeded", stage=None))


def names(events: list[GenerationEvent]) -> list[str]:
    return [event.event for event in events]


def decode(*chunks: bytes) -> list[GenerationEvent]:
    follower = Follower(None)
    follower.connect()
    return [event for chunk in chunks for event in follower.feed(chunk)]


def test_events_come_typed_and_in_order_until_the_end(call: Caller, server: StandIn) -> None:
    server.says(stream(SNAPSHOT, RUNNING, SCALE, END, message("5", "progress", PROGRESS)))
    events = call("events", GENERATION_ID)
    assert names(events) == ["snapshot", "status", "progress", "end"]
    progress = events[2]
    assert isinstance(progress, ProgressEvent)
    assert (progress.id, progress.data.scale, progress.data.tokens_total) == ("3", 1, 85)
    [request] = server.requests
    assert request.path == f"/v1/generations/{GENERATION_ID}/events"
    assert request.headers["accept"] == "text/event-stream"
    assert "last-event-id" not in request.headers


@pytest.mark.parametrize("hang_up", [False, True])
def test_a_dropped_stream_goes_on_after_the_last_event(call: Caller, server: StandIn, slept: list[float], hang_up: bool) -> None:
    # The second answer repeats an event, the first ends in the middle of one.
    server.says(stream(SNAPSHOT, RUNNING, SCALE[:20], hang_up=hang_up), stream(RUNNING, SCALE, END))
    events = call("events", GENERATION_ID)
    assert [event.id for event in events] == ["1", "2", "3", "4"]
    assert server.requests[1].headers["last-event-id"] == "2"
    assert len(slept) == 1


def test_a_stream_can_be_taken_up_by_another_program(call: Caller, server: StandIn) -> None:
    server.says(stream(SCALE, END))
    assert names(call("events", GENERATION_ID, "2")) == ["progress", "end"]
    assert server.requests[0].headers["last-event-id"] == "2"


def test_a_stream_that_goes_on_may_drop_any_number_of_times(call: Caller, server: StandIn, slept: list[float]) -> None:
    drops = [stream(message(f"p{i}", "progress", PROGRESS)) for i in range(12)]
    server.says(stream(SNAPSHOT), *drops, stream(END))
    assert len(call("events", GENERATION_ID)) == 14


def test_a_stream_that_never_says_anything_is_given_up(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(stream(b": still here\n\n"))
    with pytest.raises(ConnectionFailed, match="ended before the generation did"):
        call("events", GENERATION_ID)
    assert len(server.requests) == 5


def test_too_many_streams_waits_as_long_as_it_is_told(call: Caller, server: StandIn, slept: list[float]) -> None:
    busy = problem(429, "too_many_streams", retryable=True, headers={"Retry-After": "3"})
    server.says(stream(SNAPSHOT), busy, stream(END))
    assert names(call("events", GENERATION_ID)) == ["snapshot", "end"]
    assert slept[1] == 3.0


def test_the_server_may_set_the_delay_between_connections(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(stream(b"retry: 1500\n\n", SNAPSHOT), stream(END))
    call("events", GENERATION_ID)
    assert slept == [1.5]


def test_nothing_follows_the_end(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(Answer(204))
    assert call("events", GENERATION_ID, "4") == []
    assert len(server.requests) == 1


def test_an_unknown_generation_ends_it_at_once(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(problem(404, "generation_not_found"))
    with pytest.raises(NextscaleError) as raised:
        call("events", GENERATION_ID)
    assert (raised.value.code, slept) == ("generation_not_found", [])


def test_kinds_of_a_newer_server_are_passed_over_but_counted(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(stream(SNAPSHOT, message("9", "confetti", {})), stream(END))
    assert names(call("events", GENERATION_ID)) == ["snapshot", "end"]
    assert server.requests[1].headers["last-event-id"] == "9"


def previews(*places: tuple[int, int]) -> list[dict[str, object]]:
    return [preview(index=index, scale=scale) for index, scale in places]


def pictures(events: list[GenerationEvent]) -> list[tuple[str, int, int | None]]:
    """The previews and outputs that events tell of."""
    kinds = (PreviewEvent, OutputEvent)
    return [(each.event, each.data.index, getattr(each.data, "scale", None)) for each in events if isinstance(each, kinds)]


def test_what_the_snapshot_holds_is_told_of_after_it_coarse_to_fine(call: Caller, server: StandIn) -> None:
    held = generation(previews=previews((0, 2), (0, 4), (1, 2)), outputs=[output()])
    server.says(stream(message("1", "snapshot", held), message("2", "preview", preview(index=1, scale=4)), END))
    events = call("events", GENERATION_ID)
    assert names(events) == ["snapshot", "preview", "preview", "preview", "output", "preview", "end"]
    seen = [("preview", 0, 2), ("preview", 1, 2), ("preview", 0, 4), ("output", 0, None), ("preview", 1, 4)]
    assert pictures(events) == seen
    # A program that stops at one of them goes on after the snapshot.
    assert [event.id for event in events] == ["1", "1", "1", "1", "1", "2", "4"]


def test_each_picture_is_told_of_once_over_all_connections(call: Caller, server: StandIn, slept: list[float]) -> None:
    # The second server does not know the id, and begins anew.
    first = message("a1", "snapshot", generation(previews=previews((0, 2))))
    again = message("b1", "snapshot", generation(previews=previews((0, 2), (0, 4)), outputs=[output()]))
    made_again = message("b2", "preview", preview(index=0, scale=4))
    server.says(stream(first, message("a2", "preview", preview(scale=3))), stream(again, made_again, END))
    events = call("events", GENERATION_ID)
    assert server.requests[1].headers["last-event-id"] == "a2"
    assert pictures(events) == [("preview", 0, 2), ("preview", 0, 3), ("preview", 0, 4), ("output", 0, None)]
    assert names(events).count("snapshot") == 2


def test_events_may_be_cut_anywhere() -> None:
    whole = b"\xef\xbb\xbf" + SNAPSHOT + RUNNING + END
    assert decode(*(whole[i : i + 1] for i in range(len(whole)))) == decode(whole)
    assert len(decode(whole)) == 3


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_any_way(line_end: bytes) -> None:
    whole = (SNAPSHOT + RUNNING + SCALE).replace(b"\n", line_end) + b": one more"
    assert names(decode(whole)) == ["snapshot", "status", "progress"]
    assert names(decode(*(whole[i : i + 1] for i in range(len(whole))))) == ["snapshot", "status", "progress"]


def test_only_line_ends_end_lines() -> None:
    label = "a\u2028b\u2029c\u0085d\x0be\x0cf"
    data = json.dumps(generation(label=label), ensure_ascii=False)
    [event] = decode(f"id: 1\nevent: snapshot\ndata: {data}\n\n".encode())
    assert event.event == "snapshot"
    assert event.data.label == label


def test_fields_are_read_as_the_standard_says() -> None:
    text = b": comment\nid:7\nevent:progress\nunknown: x\ndata\n\n"
    with pytest.raises(ResponseInvalid):
        decode(text)
    split = json.dumps(PROGRESS).replace(", ", ",\ndata:")
    [event] = decode(f"id:7\nevent:progress\ndata:{split}\n\n\n\nevent: progress\n\n".encode())
    assert (event.id, event.event) == ("7", "progress")


def test_an_event_that_is_broken_is_refused(call: Caller, server: StandIn) -> None:
    server.says(Answer(200, b"id: 1\nevent: progress\ndata: {oops\n\n"))
    with pytest.raises(ResponseInvalid, match="no ProgressEvent"):
        call("events", GENERATION_ID)
