"""Against the server of this repository."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import httpx
import pytest

import nextscale
from nextscale import GenerationFailed, NextscaleError

from .conftest import Caller
from .deployment import Deployment, until
from .hook import Hook

# Long enough to be followed and interrupted: many pictures, one batch after another.
LONG: dict[str, Any] = {"num_images": 16, "class_name": "fox"}


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    deployment = Deployment()
    yield deployment
    deployment.close()


@pytest.fixture
def live(kind: str, deployment: Deployment) -> Iterator[Caller]:
    caller = Caller(kind, deployment.url)
    yield caller
    caller.close()


def test_a_picture_is_asked_for_awaited_and_fetched(live: Caller) -> None:
    done = live("generate_and_wait", class_name="fox", seed=7, output={"format": "webp", "quality": 80}, timeout=60)
    [output] = done.outputs
    assert (done.status, done.input.class_name, output.seed, output.content_type) == ("succeeded", "fox", 7, "image/webp")
    picture = live("download", output)
    assert (picture[:4], picture[8:12], len(picture)) == (b"RIFF", b"WEBP", output.bytes)


def test_a_generation_is_read_awaited_and_erased(live: Caller) -> None:
    accepted = live("generate", seed=3, metadata={"mine": "yes"})
    assert live("get", accepted.id).metadata == {"mine": "yes"}
    assert live("wait", accepted.id, timeout=60).status == "succeeded"
    live("delete", accepted.id)
    live("delete", accepted.id)
    with pytest.raises(NextscaleError) as raised:
        live("get", accepted.id)
    assert (raised.value.status, raised.value.code) == (410, "generation_gone")


def test_pages_of_the_list_join_up(live: Caller) -> None:
    label = str(uuid.uuid4())
    ids = [live("generate", label=label).id for _ in range(5)]
    assert [each.id for each in live("list", label=label, page_size=2)] == ids[::-1]


def test_a_generation_is_canceled(live: Caller) -> None:
    ids = [live("generate", **LONG).id for _ in range(4)]
    live("cancel", ids[-1])
    with pytest.raises(GenerationFailed) as raised:
        live("wait", ids[-1], timeout=60)
    assert (raised.value.code, raised.value.generation.status) == ("canceled", "canceled")
    for id in ids:
        live("cancel", id)


def test_models_classes_and_status_are_read(live: Caller) -> None:
    [model] = [each for each in live("models") if each.default]
    assert live("model", model.id) == model
    classes = live("classes", model.id)
    assert [each.label for each in classes] == list(range(model.num_classes))
    assert "fox" in [each.name for each in live("classes", model.id, "fox")]
    assert live("status").runners == 1


def test_a_refusal_names_the_field(live: Caller) -> None:
    with pytest.raises(NextscaleError) as raised:
        live("generate", seed=-1)
    assert (raised.value.status, raised.value.code) == (400, "invalid_request")
    assert [error.pointer for error in raised.value.errors] == ["/seed"]
    assert raised.value.request_id


def test_the_same_key_makes_one_generation(live: Caller) -> None:
    key = str(uuid.uuid4())
    first = live("generate", seed=5, idempotency_key=key)
    assert live("generate", seed=5, idempotency_key=key).id == first.id
    with pytest.raises(NextscaleError) as raised:
        live("generate", seed=6, idempotency_key=key)
    assert raised.value.code == "idempotency_mismatch"


def test_events_lead_from_the_snapshot_to_the_end(live: Caller) -> None:
    accepted = live("generate", previews="auto", **LONG)
    events = live("events", accepted.id)
    names = [event.event for event in events]
    assert (names[0], names[-1], names.count("output")) == ("snapshot", "end", 16)
    assert events[-1].data.status == "succeeded"
    rest = live("events", accepted.id, events[2].id)
    assert rest[-1].event == "end"
    assert {event.id for event in rest}.isdisjoint(event.id for event in events[:3])
    assert live("events", accepted.id, events[-1].id) == []


def scales(events: list[Any]) -> list[int]:
    return [event.data.scale for event in events if event.event == "preview"]


@pytest.mark.parametrize("late", [False, True])
def test_whoever_looks_at_previews_sees_all_of_them_coarse_to_fine(live: Caller, late: bool) -> None:
    accepted = live("generate", class_name="fox", previews=[1, 3, 5])
    if late:
        live("wait", accepted.id, timeout=60)
    events = live("events", accepted.id)
    assert scales(events) == [1, 3, 5]
    assert [event.data.index for event in events if event.event == "output"] == [0]


def test_events_are_told_of_while_it_waits(live: Caller) -> None:
    seen: list[Any] = []
    done = live("generate_and_wait", on_event=seen.append, class_name="fox", previews=[1, 3, 5], timeout=60)
    assert (done.status, seen[0].event, seen[-1].event, scales(seen)) == ("succeeded", "snapshot", "end", [1, 3, 5])


def test_a_draft_is_taken_to_full_size(live: Caller) -> None:
    draft = live("generate_and_wait", seed=11, class_name="fox", stop_at_scale=3, timeout=60)
    whole = live("wait", live("continue_", draft.id).id, timeout=60)
    assert (whole.status, whole.parent.id, whole.input.seed) == ("succeeded", draft.id, 11)
    direct = live("generate_and_wait", seed=11, class_name="fox", timeout=60)
    assert whole.outputs[0].sha256 == direct.outputs[0].sha256
    other = live("wait", live("continue_", direct.id, keep_scales=3, seed=12).id, timeout=60)
    assert (other.parent.keep_scales, other.input.keep.seed, other.input.seed) == (3, 11, 12)


@pytest.fixture
def hook(live: Caller) -> Iterator[Hook]:
    receiver = Hook(live("webhook_secret").secret)
    yield receiver
    receiver.close()


def test_a_webhook_arrives_signed_and_arrives_again_when_asked_for(live: Caller, hook: Hook) -> None:
    accepted = live("generate", class_name="fox", webhook={"url": hook.url})
    until("the end is announced", lambda: len(hook.taken) == 1)
    event = hook.taken[0].event
    assert isinstance(event, nextscale.GenerationSucceededWebhook)
    assert len(live("download", event.data.outputs[0])) == event.data.outputs[0].bytes
    [delivery] = live("webhook_deliveries", generation_id=accepted.id)
    assert hook.taken[0].id == delivery.id
    until("its answer is noted", lambda: live("webhook_delivery", delivery.id).status == "delivered")
    live("redeliver_webhook", delivery.id)
    until("it comes again", lambda: len(hook.taken) == 2)
    assert [taken.id for taken in hook.taken] == [delivery.id, delivery.id]
    until("both are noted", lambda: [each.status_code for each in live("webhook_delivery", delivery.id).attempts] == [204, 204])


def test_the_secret_before_a_rotation_is_good_for_a_day(live: Caller, hook: Hook) -> None:
    rotated = live("rotate_webhook_secret")
    assert rotated == live("webhook_secret")
    assert rotated.previous_expires_at > datetime.now(timezone.utc)
    assert hook.secret != rotated.secret
    delivery = live("test_webhook", hook.url)
    until("the test arrives", lambda: [taken.id for taken in hook.taken] == [delivery.id])
    assert live("webhook_keys").keys == []


def test_deliveries_that_are_not_there_are_named(live: Caller) -> None:
    with pytest.raises(NextscaleError) as raised:
        live("webhook_delivery", f"whd_{'a' * 26}")
    assert (raised.value.status, raised.value.code) == (404, "delivery_not_found")


@pytest.mark.parametrize("following", ["wait", "events"])
def test_an_api_that_is_started_again_is_found_again(kind: str, deployment: Deployment, following: str) -> None:
    patient = Caller(kind, deployment.url, max_retries=10)
    accepted = [patient("generate", **LONG) for _ in range(4)][-1]
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(patient(following, accepted.id)))
    thread.start()
    deployment.api.end()
    deployment.start_api()
    thread.join(120)
    patient.close()
    assert found, "it gave up"
    end = found[0] if following == "wait" else found[0][-1].data
    assert end.status == "succeeded"


@pytest.fixture(scope="module")
def guarded() -> Iterator[tuple[str, str]]:
    """The address of a server that asks for a key, and a key that may only read."""
    deployment = Deployment()
    try:
        key = deployment.create_key("read")
        # Processes of the API remember for a second that there was none.
        until("a key is asked for", lambda: httpx.get(f"{deployment.url}/v1/models").status_code == 401)
        yield deployment.url, key
    finally:
        deployment.close()


def test_a_key_opens_what_its_scopes_say(kind: str, guarded: tuple[str, str]) -> None:
    url, key = guarded
    bare, reader = Caller(kind, url), Caller(kind, url, api_key=key)
    with pytest.raises(NextscaleError) as raised:
        bare("models")
    assert (raised.value.status, raised.value.code) == (401, "unauthorized")
    assert reader("models")
    with pytest.raises(NextscaleError) as raised:
        reader("generate")
    assert (raised.value.status, raised.value.code) == (403, "missing_scope")
    bare.close()
    reader.close()
