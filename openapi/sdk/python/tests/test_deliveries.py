from __future__ import annotations

import pytest

from nextscale import NextscaleError

from .conftest import Caller
from .stand_in import DELIVERY_ID, DOCUMENT, Answer, StandIn, delivery, example, problem

SECRET = {**example("/webhooks/secret"), "secret": "whsec_AAAA"}


def test_pages_of_deliveries_are_followed_to_the_end(call: Caller, server: StandIn) -> None:
    pages: list[dict[str, object]] = [{"data": [delivery(), delivery()], "next_cursor": "c/1"}]
    pages += [{"data": [], "next_cursor": "c/2"}, {"data": [delivery(event=None)], "next_cursor": None}]
    server.says(*(Answer(200, page) for page in pages))
    found = call("webhook_deliveries", status="failed", generation_id="gen_x", page_size=2)
    assert [each.event for each in found] == ["generation.succeeded", "generation.succeeded", None]
    filters = {"status": ["failed"], "generation_id": ["gen_x"], "limit": ["2"]}
    assert [request.query for request in server.requests] == [
        filters,
        {**filters, "cursor": ["c/1"]},
        {**filters, "cursor": ["c/2"]},
    ]


def test_each_method_is_one_operation_of_the_contract(call: Caller, server: StandIn) -> None:
    server.says(Answer(202, delivery()))
    given = [call("test_webhook", "https://x/y"), call("redeliver_webhook", DELIVERY_ID), call("webhook_delivery", DELIVERY_ID)]
    assert all(each.id == DELIVERY_ID for each in given)
    assert server.requests[0].body == {"url": "https://x/y"}
    server.says(Answer(200, SECRET))
    assert [call(name).secret for name in ("webhook_secret", "rotate_webhook_secret")] == ["whsec_AAAA", "whsec_AAAA"]
    server.says(Answer(200, {"keys": []}))
    assert call("webhook_keys").keys == []
    server.says(Answer(200, {"data": [], "next_cursor": None}))
    assert call("webhook_deliveries_page").data == []
    spoken = {(request.method.lower(), request.path.removeprefix("/v1")) for request in server.requests}
    for method, path in spoken:
        assert method in DOCUMENT["paths"][path.replace(DELIVERY_ID, "{id}")], (method, path)
    assert len(spoken) == 7


def test_attempts_are_read_also_those_that_ended_in_a_new_way(call: Caller, server: StandIn) -> None:
    attempt = {"at": "2026-01-01T00:00:00.000Z", "outcome": "eaten", "status_code": None, "latency_ms": 1.5}
    server.says(Answer(200, delivery(attempts=[{**attempt, "error": "by a dog", "response": None}])))
    [read] = call("webhook_delivery", DELIVERY_ID).attempts
    assert (read.outcome, read.error, read.at.year) == ("eaten", "by a dog", 2026)


def test_ids_of_deliveries_cannot_leave_their_place(call: Caller, server: StandIn) -> None:
    server.says(problem(404, "delivery_not_found"))
    with pytest.raises(NextscaleError):
        call("webhook_delivery", "../models?x=1")
    assert server.requests[0].path == "/v1/webhook-deliveries/..%2Fmodels%3Fx%3D1"


def test_reading_the_secret_is_tried_again(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(Answer(hang_up=True, body=SECRET), Answer(200, SECRET))
    assert call("webhook_secret").secret == "whsec_AAAA"
    assert len(slept) == 1


@pytest.mark.parametrize("answer", [Answer(hang_up=True, body=SECRET), problem(503, "queue_unavailable", retryable=True)])
def test_rotating_it_is_not(call: Caller, server: StandIn, slept: list[float], answer: Answer) -> None:
    """A second rotation would end the secret that receivers know."""
    server.says(answer, Answer(200, SECRET))
    with pytest.raises(NextscaleError):
        call("rotate_webhook_secret")
    assert (len(server.requests), slept) == (1, [])
