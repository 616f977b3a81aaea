"""Webhooks, signed as Standard Webhooks 1.0 says."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Iterable, Mapping
from typing import Any

from ._errors import WebhookInvalid

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise ValueError(f"secret has to be {PREFIX} and base64, as the server shows it")
    return key


def verify_webhook(
    body: bytes | str,
    headers: Mapping[str, str],
    secret: str | Iterable[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
) -> dict[str, Any]:
    """Checks that a webhook is from your server and fresh, and gives its body.

    `body` is the body as it was received, not parsed and written anew. `secret` may be several while one replaces
    another. `tolerance` is in seconds, into the past and the future. A delivery may come twice: `webhook-id` names it.

    Raises `WebhookInvalid` if a header is missing, the time is off or no signature fits; `ValueError` for a bad secret.
    """
    keys = [_key_of(each) for each in ([secret] if isinstance(secret, str) else secret)]
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
    expected = [base64.b64encode(hmac.digest(key, content, hashlib.sha256)) for key in keys]
    found = [part.removeprefix("v1,").encode() for part in signatures.split(" ") if part.startswith("v1,")]
    # All pairs are compared, each in constant time: how long it takes tells nothing.
    if not sum(hmac.compare_digest(mine, theirs) for mine in expected for theirs in found):
        raise WebhookInvalid("no signature in webhook-signature fits the body and the secret")
    try:
        payload = json.loads(raw)
    except ValueError:
        payload = None
    if not isinstance(payload, dict):
        raise WebhookInvalid("the body is no JSON object")
    return payload
