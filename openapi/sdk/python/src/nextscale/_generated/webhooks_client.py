# Generated from openapi.json by scripts/generate.py. Do not edit.

"""Calls about webhooks, which block."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import TypeVar

from nextscale import _webhook_operations as operations
from nextscale._generated.models import WebhookDelivery, WebhookDeliveryList, WebhookKeySet, WebhookSecret
from nextscale._keywords import keywords
from nextscale._operations import Operation
from nextscale._webhooks import verify_webhook

T = TypeVar("T")


class WebhookCalls(ABC):
    """What was delivered, and the keys it is signed with."""

    @abstractmethod
    def _send(self, operation: Operation[T]) -> T: ...

    @keywords(text="status")
    def webhook_deliveries(
        self,
        *,
        status: str | None = None,
        generation_id: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[WebhookDelivery]:
        """All deliveries, newest first; pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = self.webhook_deliveries_page(cursor, status=status, generation_id=generation_id, page_size=page_size)
            for delivery in page.data:
                yield delivery
            cursor = page.next_cursor
            if cursor is None:
                return

    @keywords(text="status")
    def webhook_deliveries_page(
        self,
        cursor: str | None = None,
        *,
        status: str | None = None,
        generation_id: str | None = None,
        page_size: int | None = None,
    ) -> WebhookDeliveryList:
        """One page; its `next_cursor` leads to the next."""
        return self._send(operations.deliveries_page(cursor, status, generation_id, page_size))

    def webhook_delivery(self, id: str) -> WebhookDelivery:
        """A delivery and every attempt to make it."""
        return self._send(operations.delivery(id))

    def redeliver_webhook(self, id: str) -> WebhookDelivery:
        """Sends a webhook again, now, under the same `webhook-id`."""
        return self._send(operations.redeliver(id))

    def test_webhook(self, url: str) -> WebhookDelivery:
        """Sends a `webhook.test` event; `webhook_delivery` tells what the receiver answered."""
        return self._send(operations.test(url))

    def webhook_secret(self) -> WebhookSecret:
        """The secret that signs the webhooks of the API key that asks."""
        return self._send(operations.secret())

    def rotate_webhook_secret(self) -> WebhookSecret:
        """Replaces the secret; the one before it signs as well for a day.

        It is never tried again by itself: a second rotation would end the secret that receivers know. After an error, read
        `webhook_secret` to see whether it took place.
        """
        return self._send(operations.rotate_secret())

    def webhook_keys(self) -> WebhookKeySet:
        """Public keys of the Ed25519 signatures, for `verify_webhook`."""
        return self._send(operations.keys())

    verify_webhook = staticmethod(verify_webhook)
