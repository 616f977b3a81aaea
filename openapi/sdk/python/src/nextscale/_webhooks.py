"""Webhooks, signed as Standard Webhooks 1.0 says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone

from pydantic import ValidationError

from ._errors import WebhookInvalid
from ._generated.webhooks import WEBHOOKS, UnknownWebhook, WebhookEvent
from ._webhook_keys import WebhookKey, decode, verifiers

TOLERANCE_SECONDS = 300


@dataclass(frozen=True)
class VerifiedWebhook:
    """A webhook that is from your server."""

    id: str
    """The same for every attempt to deliver: what to remember, since webhooks come at least once."""
    timestamp: datetime
    """When this attempt was sent."""
    event: WebhookEvent
    """What it tells, by its `type`; an `UnknownWebhook` where a newer server tells of something new."""


def parse_webhook(body: bytes | str) -> WebhookEvent:
    """The event of a body that was verified before, and kept to be worked on. Raises `WebhookInvalid` if it is none."""
    try:
        value = json.loads(body)
    except ValueError as error:
        raise WebhookInvalid("the body is no event: it is no JSON") from error
    kind = WEBHOOKS.get(str(value.get("type")), UnknownWebhook) if isinstance(value, dict) else UnknownWebhook
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise WebhookInvalid(f"the body is no event: {error}") from error


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    keys: WebhookKey | Iterable[WebhookKey],
    *,
    tolerance: float = TOLERANCE_SECONDS,
) -> VerifiedWebhook:
    """Checks that a webhook is from your server and fresh, and gives what it tells.

    `body` is the body as it was received, not parsed and written anew. `keys` are the secret, or several while one
    replaces another; or public keys. One signature has to fit one of them. `tolerance` is in seconds, into the past and the
    future. A webhook may come twice: `id` names it.

    Raises `WebhookInvalid` if a header is missing, the time is off, no signature fits or the body is no event; `ValueError`
    for a key that is none.
    """
    opened = list(verifiers(keys))
    given = {name.lower(): value for name, value in headers.items()}
    try:
        id, timestamp, signatures = (given[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        raise WebhookInvalid(f"the header {missing.args[0]} is missing") from None
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        raise WebhookInvalid("webhook-timestamp is no number of seconds")
    if abs(time.time() - int(timestamp)) > tolerance:
        raise WebhookInvalid(f"webhook-timestamp is more than {tolerance:g} s away from now")
    raw = body.encode() if isinstance(body, str) else bytes(body)
    content = f"{id}.{timestamp}.".encode() + raw
    parts = [part.partition(",") for part in signatures.split(" ")]
    found = [(version, decode(text) or b"") for version, _, text in parts]
    # All pairs are compared, each in constant time: how long it takes tells nothing.
    if not sum(fits(signature, content) for mine, fits in opened for version, signature in found if version == mine):
        raise WebhookInvalid("no signature in webhook-signature fits the body and the keys")
    return VerifiedWebhook(id, datetime.fromtimestamp(int(timestamp), timezone.utc), parse_webhook(raw))
