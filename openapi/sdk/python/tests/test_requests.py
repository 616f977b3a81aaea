from __future__ import annotations

import hashlib

import pytest

import nextscale
from nextscale import Nextscale, NextscaleError, ResponseInvalid

from .conftest import Caller
from .stand_in import DOCUMENT, GENERATION_ID, Answer, StandIn, accepted, ended, generation, output, problem

PICTURE = b"\x89PNG not really"


def picture(server: StandIn, **changes: object) -> nextscale.GenerationOutput:
    sha256 = hashlib.sha256(PICTURE).hexdigest()
    fields = {"url": f"{server.url}/v1/objects/a.png?signature=s", "bytes": len(PICTURE), "sha256": sha256, **changes}
    return nextscale.GenerationOutput.model_validate(output(**fields))


def test_pages_are_followed_to_the_end(call: Caller, server: StandIn) -> None:
    ids = [f"gen_{letter * 26}" for letter in "abc"]
    pages: list[dict[str, object]] = [{"data": [generation(id=ids[0]), generation(id=ids[1])], "next_cursor": "c/1"}]
    pages += [{"data": [], "next_cursor": "c/2"}, {"data": [generation(id=ids[2])], "next_cursor": None}]
    server.says(*(Answer(200, page) for page in pages))
    found = call("list", status="queued", label="mine", page_size=2)
    assert [each.id for each in found] == ids
    filters = {"status": ["queued"], "label": ["mine"], "limit": ["2"]}
    assert [request.query for request in server.requests] == [
        filters,
        {**filters, "cursor": ["c/1"]},
        {**filters, "cursor": ["c/2"]},
    ]


def test_classes_are_followed_to_the_end(call: Caller, server: StandIn) -> None:
    names = ["arctic fox", "fox", "red fox"]
    entries = [{"label": label, "name": name} for label, name in enumerate(names)]
    server.says(Answer(200, {"data": entries[:2], "total": 3}), Answer(200, {"data": entries[2:], "total": 3}))
    assert [each.name for each in call("classes", "emoji-32", "fox")] == names
    assert [request.query for request in server.requests] == [{"q": ["fox"]}, {"q": ["fox"], "offset": ["2"]}]


def test_each_method_is_one_operation_of_the_contract(call: Caller, server: StandIn) -> None:
    listed = Answer(200, {"data": [], "total": 0, "next_cursor": None})
    server.says(accepted())
    called = [call("generate"), call("continue_", GENERATION_ID), call("cancel", GENERATION_ID)]
    server.says(ended())
    called += [call("get", GENERATION_ID)]
    server.says(Answer(204))
    call("delete", GENERATION_ID)
    server.says(listed)
    call("list"), call("models"), call("classes", "emoji-32")
    assert all(each.id == GENERATION_ID for each in called)
    spoken = {(request.method.lower(), request.path.removeprefix("/v1")) for request in server.requests}
    for method, path in spoken:
        template = path.replace(GENERATION_ID, "{id}").replace("emoji-32", "{id}")
        assert method in DOCUMENT["paths"][template], (method, template)
    assert len(spoken) == 8


def test_ids_cannot_leave_their_place(call: Caller, server: StandIn) -> None:
    server.says(problem(404, "generation_not_found"))
    with pytest.raises(nextscale.NextscaleError):
        call("get", "../models?x=1")
    assert server.requests[0].path == "/v1/generations/..%2Fmodels%3Fx%3D1"


def test_the_key_is_sent_to_the_server_and_to_no_link(kind: str, server: StandIn) -> None:
    caller = Caller(kind, f"{server.url}/v1/", api_key="secret")
    server.says(ended(), Answer(200, PICTURE))
    caller("get", GENERATION_ID)
    assert caller("download", picture(server)) == PICTURE
    caller.close()
    api, link = server.requests
    assert (api.path, api.headers["authorization"]) == (f"/v1/generations/{GENERATION_ID}", "Bearer secret")
    assert (link.path, link.query) == ("/v1/objects/a.png", {"signature": ["s"]})
    assert "authorization" not in link.headers


@pytest.mark.parametrize(("field", "value"), [("sha256", "0" * 64), ("bytes", 3)])
def test_a_picture_that_is_not_whole_is_refused(call: Caller, server: StandIn, field: str, value: object) -> None:
    server.says(Answer(200, PICTURE))
    with pytest.raises(ResponseInvalid, match=field):
        call("download", picture(server, **{field: value}))


def test_a_download_that_breaks_is_tried_again(call: Caller, server: StandIn, slept: list[float]) -> None:
    server.says(Answer(200, PICTURE[:5], hang_up=True), Answer(503, b""), Answer(200, PICTURE))
    assert call("download", picture(server)) == PICTURE


def test_the_environment_says_where_the_server_is(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTSCALE_URL", server.url)
    monkeypatch.setenv("NEXTSCALE_API_KEY", "from the environment")
    server.says(ended())
    with Nextscale() as client:
        client.get(GENERATION_ID)
    assert server.requests[0].headers["authorization"] == "Bearer from the environment"


def test_an_address_without_http_is_refused() -> None:
    with pytest.raises(ValueError, match="http://"):
        Nextscale("localhost:8080")


def test_fields_of_a_newer_server_are_kept(call: Caller, server: StandIn) -> None:
    server.says(ended(mood="fine", status="pondering"), ended())
    seen = call("get", GENERATION_ID)
    assert (seen.status, seen.model_extra) == ("pondering", {"mood": "fine"})


def test_a_key_may_end_in_a_line_and_a_broken_one_is_refused_unseen(kind: str, server: StandIn) -> None:
    server.says(ended())
    caller = Caller(kind, server.url, api_key="secret\n")
    caller("get", GENERATION_ID)
    caller.close()
    assert server.requests[-1].headers["authorization"] == "Bearer secret"
    for key in ("sec\nret", "ns_…"):
        with pytest.raises(ValueError, match="api_key .* no key has") as raised:
            Caller(kind, server.url, api_key=key)
        assert key not in str(raised.value)


def test_a_field_at_fault_is_told_of_once(call: Caller, server: StandIn) -> None:
    answer = problem(400, "invalid_request")
    assert isinstance(answer.body, dict)
    server.says(Answer(400, {**answer.body, "detail": "/seed: must be a number"}))
    with pytest.raises(NextscaleError) as raised:
        call("generate", seed="seven")
    assert str(raised.value) == "invalid_request: /seed: must be a number (request req-1)"
