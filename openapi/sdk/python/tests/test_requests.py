from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable

import pytest

import nextscale
from nextscale import Nextscale, NextscaleError, ResponseInvalid

from .conftest import Caller
from .stand_in import DOCUMENT, GENERATION_ID, Answer, StandIn, accepted, ended, example, generation, output, problem

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


@pytest.mark.parametrize(
    ("name", "given", "written"),
    [
        ("generate", ("fox",), 'generate(class_name="fox") or generate(prompt="fox")'),
        ("generate", (7,), "generate(class_label=7)"),
        ("generate", ({"class_name": "fox"},), "generate(**request)"),
        ("generate_and_wait", ("fox",), 'generate_and_wait(class_name="fox") or generate_and_wait(prompt="fox")'),
        ("generate_and_wait", (None,), "generate_and_wait(class_name=…)"),
        ("continue_", (GENERATION_ID, 3), "continue_(id, keep_scales=3)"),
        ("continue_", (GENERATION_ID, {"seed": 8}), "continue_(id, **request)"),
        ("list", ("failed",), 'list(status="failed")'),
        ("list_page", ("c/1", "failed"), 'list_page(cursor, status="failed")'),
        ("webhook_deliveries", ("failed",), 'webhook_deliveries(status="failed")'),
        ("webhook_deliveries_page", ("c/1", "failed"), 'webhook_deliveries_page(cursor, status="failed")'),
    ],
)
def test_what_is_no_keyword_is_told_how_to_be_one(
    call: Caller, server: StandIn, name: str, given: tuple[object, ...], written: str
) -> None:
    with pytest.raises(TypeError) as raised:
        call(name, *given)
    assert str(raised.value) == f"{name}() takes what is asked for as keywords: write {written}"
    assert server.requests == []


def test_no_method_refuses_positional_arguments_without_that_sentence() -> None:
    for client in (Nextscale, nextscale.AsyncNextscale):
        methods = inspect.getmembers(client, inspect.isfunction)
        named = [name for name, method in methods if not name.startswith("_") and takes_keywords_alone(method)]
        named.remove("verify_webhook")  # It sends no request.
        assert len(named) == 7
        assert all(hasattr(getattr(client, name), "__wrapped__") for name in named), named


def takes_keywords_alone(method: Callable[..., object]) -> bool:
    return any(each.kind is each.KEYWORD_ONLY for each in inspect.signature(method).parameters.values())


NO_KEY = example("/generate", "post", 401)
WHERE_KEYS_ARE = "api_key= or NEXTSCALE_API_KEY: `npm start` keeps that of a local service in the file .nextscale/api-key"


def test_who_has_no_key_is_told_where_keys_are(call: Caller, server: StandIn) -> None:
    server.says(Answer(401, NO_KEY))
    with pytest.raises(NextscaleError) as raised:
        call("models")
    error = raised.value
    assert (error.code, error.status) == ("unauthorized", 401)
    assert error.detail.startswith(f"This server asks for an API key. Give one as {WHERE_KEYS_ARE}, and ")
    assert error.errors == ()
    assert str(error).count("API key") == 1


def test_who_has_a_wrong_key_is_told_what_is_wrong_with_it(kind: str, server: StandIn) -> None:
    caller = Caller(kind, server.url, api_key="ns_wrong")
    wrong = "There is no such API key, or it was revoked. Check it, or have a new one made."
    server.says(Answer(401, {**NO_KEY, "detail": wrong, "errors": [{"pointer": "/headers/authorization", "detail": wrong}]}))
    with pytest.raises(NextscaleError) as raised:
        caller("models")
    caller.close()
    assert raised.value.detail.startswith(f"{wrong} Give one as {WHERE_KEYS_ARE}")
    assert str(raised.value).count(wrong) == 1


def test_keys_are_shown_by_nothing(kind: str, server: StandIn) -> None:
    caller = Caller(kind, server.url, api_key="ns_secret")
    shown = f"{caller.client!r} {vars(caller.client)}"
    caller.close()
    assert server.url in repr(caller.client)
    assert "ns_secret" not in shown
