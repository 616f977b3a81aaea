"""Client of a Nextscale server: image generation with VAR models.

from nextscale import Nextscale

with Nextscale() as nextscale:
    generation = nextscale.generate_and_wait(class_name="fox", seed=7)
    picture = nextscale.download(generation.outputs[0])
"""

from ._async_client import AsyncNextscale
from ._errors import ConnectionFailed, GenerationFailed, NextscaleError, ResponseInvalid, WaitTimedOut, WebhookInvalid
from ._generated.client import Nextscale
from ._generated.events import GenerationEvent
from ._generated.models import (
    EndEvent,
    Generation,
    GenerationList,
    GenerationOutput,
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
)
from ._generated.requests import ContinueRequest, GenerateRequest
from ._webhooks import verify_webhook

__all__ = [
    "AsyncNextscale",
    "ConnectionFailed",
    "ContinueRequest",
    "EndEvent",
    "GenerateRequest",
    "Generation",
    "GenerationEvent",
    "GenerationFailed",
    "GenerationList",
    "GenerationOutput",
    "Model",
    "ModelClass",
    "Nextscale",
    "NextscaleError",
    "OutputEvent",
    "Preview",
    "PreviewEvent",
    "Progress",
    "ProgressEvent",
    "ResponseInvalid",
    "ServiceStatus",
    "SnapshotEvent",
    "StatusChangeEvent",
    "WaitTimedOut",
    "WebhookInvalid",
    "verify_webhook",
]
