"""Keys that webhooks are signed with: secrets (HMAC-SHA256, `v1`) and public keys (Ed25519, `v1a`)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from ._generated.models import WebhookKeySet

WebhookKey: TypeAlias = str | WebhookKeySet
"""A secret (`whsec_…`), a public key (`whpk_…`), or the key set of a service (`webhook_keys()`)."""

Verifier: TypeAlias = tuple[str, Callable[[bytes, bytes], bool]]
"""A version of signatures, and whether a signature of it fits the bytes."""

ED25519_KEY_BYTES = 32
URL_SAFE = str.maketrans("-_", "+/")


def decode(text: str) -> bytes | None:
    """The bytes of base64, as it is or as it is written in URLs; `None` where it is neither."""
    plain = text.rstrip("=").translate(URL_SAFE)
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _secret(text: str) -> Verifier:
    key = decode(text)
    if not key:
        raise ValueError("a secret has to be whsec_ and base64, as the server shows it")

    def fits(signature: bytes, content: bytes) -> bool:
        return hmac.compare_digest(hmac.digest(key, content, hashlib.sha256), signature)

    return "v1", fits


def _public_key(text: str) -> Verifier:
    raw = decode(text)
    if raw is None or len(raw) != ED25519_KEY_BYTES:
        raise ValueError("a public key has to be whpk_ and the base64 of 32 bytes (Ed25519)")
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError as error:
        raise ImportError("Ed25519 signatures need the package cryptography: pip install 'nextscale[ed25519]'") from error
    key = Ed25519PublicKey.from_public_bytes(raw)

    def fits(signature: bytes, content: bytes) -> bool:
        try:
            key.verify(signature, content)
        except InvalidSignature:
            return False
        return True

    return "v1a", fits


def verifiers(keys: WebhookKey | Iterable[WebhookKey]) -> Iterator[Verifier]:
    """One for each key. Raises `ValueError` for a key that is none."""
    for key in [keys] if isinstance(keys, (str, WebhookKeySet)) else keys:
        if isinstance(key, WebhookKeySet):
            # A set may hold keys of kinds that are not known yet.
            yield from (_public_key(each.x) for each in key.keys if each.crv == "Ed25519")
        elif key.startswith("whpk_"):
            yield _public_key(key.removeprefix("whpk_"))
        else:
            yield _secret(key.removeprefix("whsec_"))
