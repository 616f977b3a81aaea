from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook, WebhookVerificationError

import nextscale
from nextscale import Nextscale, WebhookInvalid, WebhookKey, WebhookKeySet, parse_webhook, verify_webhook

from .stand_in import DOCUMENT, output

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()
OTHER = "whsec_" + base64.b64encode(b"another one, just as long").decode()
EXAMPLES = {
    type: webhook["post"]["requestBody"]["content"]["application/json"]["example"]
    for type, webhook in DOCUMENT["components"]["pathItems"].items()
}
TIMESTAMP = "2026-01-01T12:00:00.000Z"
BODY = json.dumps({"type": "webhook.test", "timestamp": TIMESTAMP, "data": {"message": "füchse"}}, ensure_ascii=False)


def signed(secret: str = SECRET, body: str = BODY, age_seconds: float = 0) -> dict[str, str]:
    """The headers as the reference implementation makes them."""
    moment = datetime.now(timezone.utc) - timedelta(seconds=age_seconds)
    signature = Webhook(secret).sign("msg_1", moment, body)
    return {"webhook-id": "msg_1", "webhook-timestamp": str(int(moment.timestamp())), "webhook-signature": signature}


class Signer:
    """An Ed25519 key as services publish it, and signatures by it; the reference has HMAC alone."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, headers: dict[str, str], body: str = BODY) -> str:
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
        return f"v1a,{base64.b64encode(self._key.sign(content)).decode()}"

    @property
    def whpk(self) -> str:
        return f"whpk_{base64.b64encode(self._public).decode()}"

    @property
    def jwk(self) -> dict[str, str]:
        x = base64.urlsafe_b64encode(self._public).decode().rstrip("=")
        return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "kid", "use": "sig", "alg": "EdDSA"}


def key_set(*signers: Signer) -> WebhookKeySet:
    return WebhookKeySet.model_validate({"keys": [signer.jwk for signer in signers]})


@pytest.mark.parametrize("body", [BODY, BODY.encode()])
def test_what_the_reference_signs_is_believed(body: str | bytes) -> None:
    headers = signed()
    webhook = verify_webhook(body, headers, SECRET)
    assert isinstance(webhook.event, nextscale.TestWebhook)
    assert (webhook.id, webhook.event.data.message) == ("msg_1", "füchse")
    assert str(int(webhook.timestamp.timestamp())) == headers["webhook-timestamp"]
    assert Nextscale.verify_webhook(body, headers, SECRET) == webhook


def test_what_is_believed_the_reference_believes_and_nothing_else() -> None:
    headers = signed()
    assert Webhook(SECRET).verify(BODY, headers)["type"] == verify_webhook(BODY, headers, SECRET).event.type
    forged = {**headers, "webhook-id": "msg_2"}
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, forged)
    with pytest.raises(WebhookInvalid):
        verify_webhook(BODY, forged, SECRET)


@pytest.mark.parametrize("type", EXAMPLES)
def test_every_webhook_of_the_contract_has_its_type(type: str) -> None:
    body = json.dumps(EXAMPLES[type])
    event = verify_webhook(body, signed(body=body), SECRET).event
    assert event.type == type
    assert parse_webhook(body) == event
    assert not isinstance(event, nextscale.UnknownWebhook)
    assert event.data.model_dump(mode="json").keys() >= EXAMPLES[type]["data"].keys()


def test_a_picture_of_an_event_can_be_downloaded() -> None:
    event = verify_webhook(
        json.dumps(EXAMPLES["generation.output"]), signed(body=json.dumps(EXAMPLES["generation.output"])), SECRET
    ).event
    assert isinstance(event, nextscale.GenerationOutputWebhook)
    assert event.data.output.model_dump().keys() == output().keys()


def test_what_is_not_known_yet_is_read_all_the_same() -> None:
    body = json.dumps({"type": "generation.dreamt", "timestamp": TIMESTAMP, "data": {"of": "sheep"}, "more": 1})
    event = verify_webhook(body, signed(body=body), SECRET).event
    assert isinstance(event, nextscale.UnknownWebhook)
    assert (event.type, event.data) == ("generation.dreamt", {"of": "sheep"})
    newer = json.dumps({"type": "webhook.test", "timestamp": TIMESTAMP, "data": {"message": "m", "more": 1}})
    assert isinstance(verify_webhook(newer, signed(body=newer), SECRET).event, nextscale.TestWebhook)


def test_ed25519_signatures_fit_any_key_of_the_set() -> None:
    old, current = Signer(), Signer()
    headers = signed(OTHER)
    hmac = headers["webhook-signature"]
    fitting: list[tuple[str, WebhookKey | list[WebhookKey]]] = [
        (f"{hmac} {current.sign(headers)}", key_set(old, current)),
        (f"{hmac} {old.sign(headers)}", [old.whpk, current.whpk]),
        (f"v1a,! {current.sign(headers)}", [SECRET, key_set(current)]),
    ]
    for signatures, keys in fitting:
        assert verify_webhook(BODY, {**headers, "webhook-signature": signatures}, keys)
    others: list[WebhookKey | list[WebhookKey]] = [key_set(old), key_set(), [old.whpk, SECRET]]
    for keys in others:
        with pytest.raises(WebhookInvalid, match="no signature"):
            verify_webhook(BODY, {**headers, "webhook-signature": current.sign(headers)}, keys)


def test_a_signature_of_one_version_is_none_of_another() -> None:
    signer = Signer()
    headers = signed()
    hmac = headers["webhook-signature"]
    for signature in (hmac.replace("v1,", "v1a,"), hmac.replace("v1,", "v2,"), signer.sign(headers).replace("v1a,", "v1,")):
        with pytest.raises(WebhookInvalid, match="no signature"):
            verify_webhook(BODY, {**headers, "webhook-signature": signature}, [SECRET, signer.whpk])
    assert verify_webhook(BODY, {**headers, "webhook-signature": f"v2,abc v1  {hmac}"}, SECRET)


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
        verify_webhook(BODY.replace("f", "F"), signed(), SECRET)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_named(name: str) -> None:
    headers = signed()
    del headers[name]
    with pytest.raises(WebhookInvalid, match=name):
        verify_webhook(BODY, headers, SECRET)


@pytest.mark.parametrize("body", ["", "[1]", "null", "{", '{"type":"webhook.test","data":{}}', '{"data":{}}'])
def test_a_signed_body_that_is_no_event_is_refused(body: str) -> None:
    with pytest.raises(WebhookInvalid, match="no event"):
        verify_webhook(body, signed(body=body), SECRET)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!", "whpk_AAAA"])
def test_a_secret_that_is_none_is_the_fault_of_the_caller(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_|whpk_") as raised:
        verify_webhook(BODY, signed(), secret)
    assert not isinstance(raised.value, WebhookInvalid)
