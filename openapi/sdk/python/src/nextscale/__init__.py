"""Client of a Nextscale server: image generation with VAR models.

from nextscale import Nextscale

with Nextscale() as nextscale:
    generation = nextscale.generate_and_wait(class_name="fox", seed=7)
    nextscale.download(generation.outputs[0]).save("fox.png")
"""

from ._async_client import AsyncNextscale
from ._errors import ConnectionFailed, GenerationFailed, NextscaleError, ResponseInvalid, WaitTimedOut, WebhookInvalid
from ._generated.client import Nextscale
from ._generated.events import GenerationEvent
from ._generated.models import (
    EndEvent,
    Generation,
    GenerationCanceledWebhook,
    GenerationExpiredWebhook,
    GenerationFailedWebhook,
    GenerationList,
    GenerationOutput,
    GenerationOutputWebhook,
    GenerationProgressWebhook,
    GenerationStartedWebhook,
    GenerationSucceededWebhook,
    Model,
    ModelClass,
    OutputEvent,
    Preview,
    PreviewEvent,
    Progress,
    ProgressEvent,
    ServiceStatus,
    SnapshotEvent,
    StatusChangeEvent,
    TestWebhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookDeliveryList,
    WebhookKeySet,
    WebhookOutput,
    WebhookSecret,
    WebhookState,
)
from ._generated.requests import ContinueRequest, GenerateRequest
from ._generated.webhooks import UnknownWebhook, WebhookEvent
from ._picture import Picture
from ._version import __version__
from ._webhook_keys import WebhookKey
from ._webhooks import VerifiedWebhook, parse_webhook, verify_webhook

__all__ = [
    "AsyncNextscale",
    "ConnectionFailed",
    "ContinueRequest",
    "EndEvent",
    "GenerateRequest",
    "Generation",
    "GenerationCanceledWebhook",
    "GenerationEvent",
    "GenerationExpiredWebhook",
    "GenerationFailed",
    "GenerationFailedWebhook",
    "GenerationList",
    "GenerationOutput",
    "GenerationOutputWebhook",
    "GenerationProgressWebhook",
    "GenerationStartedWebhook",
    "GenerationSucceededWebhook",
    "Model",
    "ModelClass",
    "Nextscale",
    "NextscaleError",
    "OutputEvent",
    "Picture",
    "Preview",
    "PreviewEvent",
    "Progress",
    "ProgressEvent",
    "ResponseInvalid",
    "ServiceStatus",
    "SnapshotEvent",
    "StatusChangeEvent",
    "TestWebhook",
    "UnknownWebhook",
    "VerifiedWebhook",
    "WaitTimedOut",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryList",
    "WebhookEvent",
    "WebhookInvalid",
    "WebhookKey",
    "WebhookKeySet",
    "WebhookOutput",
    "WebhookSecret",
    "WebhookState",
    "__version__",
    "parse_webhook",
    "verify_webhook",
]
