# Generated from openapi.json by scripts/generate.py. Do not edit.

from typing import Any, TypeAlias

from pydantic import AwareDatetime

from .._record import Record
from .models import GenerationStartedWebhook, GenerationProgressWebhook, GenerationOutputWebhook, GenerationSucceededWebhook, GenerationFailedWebhook, GenerationCanceledWebhook, GenerationExpiredWebhook, TestWebhook


class UnknownWebhook(Record):
    """What a newer server tells of."""

    type: str
    timestamp: AwareDatetime
    data: Any


WebhookEvent: TypeAlias = GenerationStartedWebhook | GenerationProgressWebhook | GenerationOutputWebhook | GenerationSucceededWebhook | GenerationFailedWebhook | GenerationCanceledWebhook | GenerationExpiredWebhook | TestWebhook | UnknownWebhook

WEBHOOKS: dict[str, type[WebhookEvent]] = {
    "generation.started": GenerationStartedWebhook,
    "generation.progress": GenerationProgressWebhook,
    "generation.output": GenerationOutputWebhook,
    "generation.succeeded": GenerationSucceededWebhook,
    "generation.failed": GenerationFailedWebhook,
    "generation.canceled": GenerationCanceledWebhook,
    "generation.expired": GenerationExpiredWebhook,
    "webhook.test": TestWebhook,
}
