"""The operations of the contract that are about webhooks, as values."""

from __future__ import annotations

from urllib.parse import quote

from ._generated.models import WebhookDelivery, WebhookDeliveryList, WebhookKeySet, WebhookSecret
from ._operations import Operation, params_of, reader


def _delivery(id: str) -> str:
    return f"/webhook-deliveries/{quote(id, safe='')}"


def deliveries_page(
    cursor: str | None, status: str | None, generation_id: str | None, page_size: int | None
) -> Operation[WebhookDeliveryList]:
    params = params_of(cursor=cursor, status=status, generation_id=generation_id, limit=page_size)
    return Operation("GET", "/webhook-deliveries", reader(WebhookDeliveryList), params=params)


def delivery(id: str) -> Operation[WebhookDelivery]:
    return Operation("GET", _delivery(id), reader(WebhookDelivery))


def redeliver(id: str) -> Operation[WebhookDelivery]:
    return Operation("POST", f"{_delivery(id)}/redeliver", reader(WebhookDelivery))


def test(url: str) -> Operation[WebhookDelivery]:
    return Operation("POST", "/webhooks/test", reader(WebhookDelivery), body={"url": url})


def secret() -> Operation[WebhookSecret]:
    return Operation("GET", "/webhooks/secret", reader(WebhookSecret))


def rotate_secret() -> Operation[WebhookSecret]:
    return Operation("POST", "/webhooks/secret/rotate", reader(WebhookSecret), repeatable=False)


def keys() -> Operation[WebhookKeySet]:
    return Operation("GET", "/webhooks/keys", reader(WebhookKeySet))
