from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest
from standardwebhooks import Webhook

from nextscale import Nextscale, WebhookInvalid, verify_webhook

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER = "whsec_" + base64.b64encode(b"another one, just as long").decode()
BODY = json.dumps({"type": "generation.succeeded", "data": {"label": "füchse"}}, ensure_ascii=False)


def signed(secret: str = SECRET, body: str = BODY, age_seconds: float = 0) -> dict[str, str]:
    """The headers as the reference implementation makes them."""
    moment = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    signature = Webhook(secret).sign("msg_1", moment, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


@pytest.mark.parametrize("body", [BODY, BODY.encode()])
def test_what_the_reference_signs_is_believed(body: str | bytes) -> None:
    assert verify_webhook(body, signed(), SECRET) == json.loads(BODY)
    assert Nextscale.verify_webhook(body, signed(), SECRET)["type"] == "generation.succeeded"


def test_what_is_believed_the_reference_believes() -> None:
    headers = signed()
    assert Webhook(SECRET).verify(BODY, headers) == verify_webhook(BODY, headers, SECRET)


def test_the_case_of_headers_and_the_prefix_do_not_matter() -> None:
    headers = {name.title(): value for name, value in signed().items()}
    assert verify_webhook(BODY, headers, SECRET.removeprefix("whsec_"))


def test_several_secrets_and_several_signatures_are_tried() -> None:
    assert verify_webhook(BODY, signed(OTHER), [SECRET, OTHER])
    both = {**signed(), "webhook-signature": f"v1a,other v1,AAAA {signed(OTHER)['webhook-signature']}"}
    assert verify_webhook(BODY, both, OTHER)
    with pytest.raises(WebhookInvalid, match="no signature"):
        verify_webhook(BODY, both, SECRET)


@pytest.mark.parametrize("age_seconds", [290, -290])
def test_five_minutes_are_tolerated(age_seconds: float) -> None:
    assert verify_webhook(BODY, signed(age_seconds=age_seconds), SECRET)


@pytest.mark.parametrize("age_seconds", [310, -310, 86400])
def test_more_is_not(age_seconds: float) -> None:
    with pytest.raises(WebhookInvalid, match="300 s away"):
        verify_webhook(BODY, signed(age_seconds=age_seconds), SECRET)
    assert verify_webhook(BODY, signed(age_seconds=age_seconds), SECRET, tolerance=100_000)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"webhook-id": "msg_2"}, "no signature"),
        ({"webhook-signature": "v1,AAAA"}, "no signature"),
        ({"webhook-signature": ""}, "no signature"),
        ({"webhook-signature": "v1,ä"}, "no signature"),
        ({"webhook-timestamp": "soon"}, "no number"),
        ({"webhook-timestamp": "9" * 5000}, "no number"),
    ],
)
def test_anything_changed_is_refused(change: dict[str, str], reason: str) -> None:
    with pytest.raises(WebhookInvalid, match=reason):
        verify_webhook(BODY, {**signed(), **change}, SECRET)


def test_a_changed_body_is_refused() -> None:
    with pytest.raises(WebhookInvalid, match="no signature"):
        verify_webhook(BODY.replace("succeeded", "failed"), signed(), SECRET)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(WebhookInvalid, match=name):
        verify_webhook(BODY, headers, SECRET)


def test_a_signed_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(WebhookInvalid, match="no JSON object"):
        verify_webhook("[1]", signed(body="[1]"), SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_a_secret_that_is_none_is_the_fault_of_the_caller(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as raised:
        verify_webhook(BODY, signed(), secret)
    assert not isinstance(raised.value, WebhookInvalid)
