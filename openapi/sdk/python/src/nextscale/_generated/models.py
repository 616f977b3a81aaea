# Generated from openapi.json by scripts/generate.py. Do not edit.

from __future__ import annotations

from nextscale._record import Record
from typing import Literal
from pydantic import AwareDatetime


class GenerationQueue(Record):
    position: int | None
    """
    Generations ahead of this one.
    """
    eta_ms: float | None
    """
    Estimated time to completion.
    """
    message: str | None
    """
    What it waits for beside its turn: with the stage `waiting_for_model`, a runner that serves its revision of the model.
    """


class GenerationParent(Record):
    """
    The generation this one continues.
    """

    id: str
    """
    Id of a generation.
    """
    keep_scales: int | None


class GenerationUrls(Record):
    self: str
    cancel: str
    events: str
    """
    Server-sent events. The link carries a token, so a browser can open it; it is minted anew on every read and works for an hour. Whoever opens it sees no `webhook`, `metadata` or `label`, and no link that outlives it.
    """


class GenerationInputOutput(Record):
    format: Literal["png", "webp", "jpeg"] | str
    quality: int | None
    metadata: bool


class GenerationInputSchedule(Record):
    """
    Settings per scale; what is `null` follows the plain setting.
    """

    cfg: list[float] | None
    """
    `cfg[k]` is the strength at scale k as it is: it does not rise from scale to scale as the plain `cfg` does.
    """
    top_k: list[int] | None
    """
    `top_k` of each scale.
    """
    top_p: list[float] | None
    """
    `top_p` of each scale.
    """
    class_label: list[int | None] | None
    """
    Class index of each scale; `null` is unconditional.
    """


class GenerationInputKeep(Record):
    """
    Variation: the first `scales` scales are drawn with this `seed` (image i: `seed + i`), the rest with the plain one.
    """

    seed: int
    scales: int


class GenerationInput(Record):
    """
    The settings in force, defaults filled in.
    """

    model: str
    """
    Id of a model, one of `GET /models`.
    """
    model_revision: str
    class_label: int | None
    class_name: str | None
    num_images: int
    seed: int
    cfg: float
    top_k: int
    top_p: float
    output: GenerationInputOutput
    priority: Literal["low", "normal", "high"] | str
    smooth: bool
    schedule: GenerationInputSchedule | None
    return_tokens: bool
    stop_at_scale: int | None
    previews: list[int]
    """
    Scales after which a preview is made.
    """
    keep: GenerationInputKeep | None
    deadline_seconds: int
    start_deadline_seconds: int | None
    retention_seconds: int


class Progress(Record):
    """
    How far sampling has come. It never changes the status.
    """

    scale: int
    """
    Scales finished by every picture of the generation.
    """
    scales: int
    """
    Scales to do: those of the model, or up to `stop_at_scale`.
    """
    tokens: int
    """
    Tokens drawn so far, over all pictures.
    """
    tokens_total: int


class Preview(Record):
    """
    The running sum decoded after a scale: what the picture looks like so far.
    """

    index: int
    """
    Which picture of the generation.
    """
    scale: int
    """
    The scale after which it was made, counted from 0.
    """
    url: str
    """
    Link to the preview, minted anew on every read.
    """
    url_expires_at: AwareDatetime
    """
    When `url` stops working.
    """
    content_type: str
    width: int
    """
    Pixels.
    """
    height: int
    """
    Pixels.
    """
    bytes: int


class GenerationOutput(Record):
    index: int
    seed: int
    """
    Seed that alone reproduces this picture.
    """
    url: str
    """
    Link to the picture, minted anew on every read.
    """
    url_expires_at: AwareDatetime
    """
    When `url` and `tokens_url` stop working.
    """
    content_type: str
    width: int
    """
    Pixels.
    """
    height: int
    """
    Pixels.
    """
    bytes: int
    sha256: str
    tokens_url: str | None
    """
    Link to the drawn tokens, like `url`; only with `return_tokens`. A little-endian bit stream of `tokens_per_image` numbers (see the model), all scales one after another (of a draft, those up to `stop_at_scale`, and so fewer numbers), row by row in each. Each takes b = ceil(log2(`vocabulary_size`)) bits, least significant first: token i is `(N >> i * b) & (2^b - 1)`, where N is the whole file read as one little-endian number. The last byte is filled up with zeros: 680 tokens of a vocabulary of 4096 are 1,020 bytes.
    """


class GenerationError(Record):
    code: (
        Literal[
            "invalid_job",
            "model_not_served",
            "sampler_failed",
            "sampler_crashed",
            "object_store_unavailable",
            "runner_lost",
            "deadline_exceeded",
            "internal_error",
        ]
        | str
    )
    message: str
    retryable: bool
    """
    Whether posting the same request again may succeed.
    """


class GenerationMetrics(Record):
    queue_ms: float | None
    """
    Acceptance to the start of the last attempt.
    """
    sample_ms: float | None
    """
    All scales, as spent by the batches this generation was part of.
    """
    scale_ms: list[float] | None
    """
    Milliseconds per scale; one number where a GPU runner does all scales at once.
    """
    decode_ms: float | None
    """
    Codes to pixels.
    """
    preview_ms: float | None
    """
    Previews: decoding, encoding and storing them; null without any.
    """
    encode_ms: float | None
    """
    Pixels to files.
    """
    upload_ms: float | None
    """
    Files to the object store.
    """
    total_ms: float | None
    """
    Acceptance to completion.
    """
    batch_size: int | None
    """
    Largest batch this generation’s pictures were sampled in.
    """


class WebhookState(Record):
    """
    The announcement of the generation’s end. Its status is apart from the generation’s own.
    """

    url: str
    events: list[
        Literal[
            "generation.started",
            "generation.progress",
            "generation.output",
            "generation.succeeded",
            "generation.failed",
            "generation.canceled",
            "generation.expired",
        ]
        | str
    ]
    delivery_id: str
    """
    Id of a webhook delivery; its requests carry it as `webhook-id`.
    """
    status: Literal["waiting", "pending", "delivered", "failed", "skipped"] | str
    """
    `waiting`: the generation has not ended. `pending`: due, under way, or to be tried again. `delivered`: the receiver answered 2xx. `failed`: given up. `skipped`: it ended in an event that was not asked for.
    """
    attempts: int
    """
    Requests made so far to announce the end.
    """


class ProblemErrors(Record):
    pointer: str
    """
    JSON pointer to the field (`/query/…`, `/path/…` and `/headers/…` outside the body).
    """
    detail: str


class Problem(Record):
    """
    RFC 9457 problem details.
    """

    type: str
    """
    Names the kind of problem; stable.
    """
    title: str
    status: int
    detail: str
    """
    What is wrong here and how to mend it.
    """
    code: (
        Literal[
            "malformed_json",
            "invalid_request",
            "unauthorized",
            "invalid_cursor",
            "link_invalid",
            "missing_scope",
            "host_not_allowed",
            "origin_not_allowed",
            "route_not_found",
            "generation_not_found",
            "model_not_found",
            "delivery_not_found",
            "object_not_found",
            "method_not_allowed",
            "not_acceptable",
            "request_timeout",
            "generation_not_terminal",
            "generation_not_succeeded",
            "generation_not_continuable",
            "delivery_not_due",
            "generation_gone",
            "body_too_large",
            "unsupported_media_type",
            "expectation_failed",
            "unknown_model",
            "unknown_class",
            "ambiguous_class",
            "out_of_range_for_model",
            "unsupported_for_model",
            "webhook_url_refused",
            "idempotency_mismatch",
            "rate_limited",
            "too_many_in_flight",
            "too_many_streams",
            "header_fields_too_large",
            "internal_error",
            "queue_unavailable",
            "queue_full",
            "object_store_unavailable",
            "no_models",
            "shutting_down",
        ]
        | str
    )
    request_id: str
    retryable: bool
    """
    Whether the same request may succeed later.
    """
    errors: list[ProblemErrors]
    """
    The fields at fault; empty when no single field is.
    """


class StatusEvent(Record):
    status: (
        Literal[
            "queued",
            "running",
            "canceling",
            "succeeded",
            "failed",
            "canceled",
            "expired",
        ]
        | str
    )
    stage: (
        Literal[
            "queued",
            "batching",
            "sampling",
            "encoding",
            "uploading",
            "waiting_for_model",
        ]
        | str
        | None
    )
    attempt: int


class ModelParameters(Record):
    transformer: int
    tokenizer: int


class ModelDefaults(Record):
    cfg: float
    top_k: int
    top_p: float


class Model(Record):
    id: str
    """
    Id of a model, one of `GET /models`.
    """
    name: str
    description: str | None
    revision: str
    """
    Changes whenever the weights do: a seed is reproducible within one revision.
    """
    license: str
    resolution: int
    """
    Width and height of the pictures, in pixels.
    """
    scales: list[int]
    """
    Side of each token map, coarse to fine.
    """
    tokens_per_image: int
    """
    Tokens of all scales: the sum of their squared sides.
    """
    vocabulary_size: int
    num_classes: int
    parameters: ModelParameters
    defaults: ModelDefaults
    unsupported: list[str]
    """
    Request fields this model does not honour; asking for one gives 422 `unsupported_for_model`.
    """
    default: bool
    """
    Whether requests without `model` use this one.
    """


class ModelClass(Record):
    label: int
    name: str


class WebhookAttempt(Record):
    at: AwareDatetime
    """
    When the request was made.
    """
    outcome: (
        Literal["delivered", "rejected", "unreachable", "timeout", "refused", "gone"]
        | str
    )
    """
    `delivered`: 2xx. `rejected`: another status, redirects included. `unreachable`: no connection, or one that broke. `timeout`: no whole answer in time. `refused`: the URL leads to an address nothing is sent to. `gone`: nothing is left to tell of, since the generation was deleted.
    """
    status_code: int | None
    latency_ms: float
    error: str | None
    """
    What went wrong, where the answer does not say it.
    """
    response: str | None
    """
    Beginning of the answer’s body: 1 KB at most.
    """


class WebhookTestRequest(Record):
    """
    Where to send a `webhook.test` event.
    """

    url: str
    """
    `https` only, at a public address, without user name or password.
    """


class WebhookSecret(Record):
    """
    Each API key has one.
    """

    secret: str
    """
    Key of the HMAC-SHA256 signatures (`v1`), as Standard Webhooks writes it: base64 after `whsec_`.
    """
    created_at: AwareDatetime
    """
    When it was drawn.
    """
    previous_expires_at: AwareDatetime | None
    """
    Until when requests are signed with the secret before this one as well; `null` when they are not.
    """


class WebhookKeySetKeys(Record):
    kty: Literal["OKP"] | str
    crv: Literal["Ed25519"] | str
    x: str
    """
    The public key: 32 bytes in base64url.
    """
    kid: str
    """
    Thumbprint of the key (RFC 7638).
    """
    use: Literal["sig"] | str
    alg: Literal["EdDSA"] | str


class WebhookKeySet(Record):
    """
    Keys whose Ed25519 signatures (`v1a`) requests carry, one each. Empty where the service makes none.
    """

    keys: list[WebhookKeySetKeys]


class ServiceStatusQueue(Record):
    waiting: int
    """
    Generations that wait.
    """
    running: int
    oldest_wait_ms: float | None
    """
    How long the next one to run has waited.
    """


class ServiceStatusModels(Record):
    id: str
    """
    Id of a model, one of `GET /models`.
    """
    runners: int
    """
    Of them, those that serve this model.
    """
    latency_ms: float | None
    """
    Recent time from first scale to stored pictures.
    """
    images_per_second: float | None
    """
    What all its runners made lately, together.
    """


class ServiceStatusUnserved(Record):
    model: str
    """
    Id of a model, one of `GET /models`.
    """
    revision: str
    waiting: int
    """
    Generations that wait for it, each until its deadline.
    """


class ServiceStatus(Record):
    """
    Capacity, as it is now.
    """

    version: str
    accepting: bool
    """
    Whether a request would be accepted now.
    """
    queue: ServiceStatusQueue
    runners: int
    """
    Runners heard of in the last half minute.
    """
    models: list[ServiceStatusModels]
    unserved: list[ServiceStatusUnserved]
    """
    Revisions of models that generations wait for and no runner that is up serves: start one with it.
    """


class WebhookOutput(Record):
    generation_id: str
    """
    Id of a generation.
    """
    output: GenerationOutput
    metadata: dict[str, str]
    label: str | None


class StatusChangeEvent(Record):
    id: str
    event: Literal["status"]
    data: StatusEvent


class ProgressEvent(Record):
    id: str
    event: Literal["progress"]
    data: Progress


class PreviewEvent(Record):
    id: str
    event: Literal["preview"]
    data: Preview


class OutputEvent(Record):
    id: str
    event: Literal["output"]
    data: GenerationOutput


class GenerationOutputWebhook(Record):
    type: Literal["generation.output"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: WebhookOutput


class TestWebhookData(Record):
    message: str


class TestWebhook(Record):
    type: Literal["webhook.test"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: TestWebhookData


class Generation(Record):
    """
    A generation. Every key is always present; unknown is `null`.
    """

    id: str
    """
    Id of a generation.
    """
    status: (
        Literal[
            "queued",
            "running",
            "canceling",
            "succeeded",
            "failed",
            "canceled",
            "expired",
        ]
        | str
    )
    stage: (
        Literal[
            "queued",
            "batching",
            "sampling",
            "encoding",
            "uploading",
            "waiting_for_model",
        ]
        | str
        | None
    )
    model: str
    input: GenerationInput
    progress: Progress | None
    queue: GenerationQueue | None
    previews: list[Preview]
    """
    Coarse to fine, as they are stored.
    """
    outputs: list[GenerationOutput]
    error: GenerationError | None
    metrics: GenerationMetrics
    parent: GenerationParent | None
    attempt: int
    """
    Attempts started.
    """
    webhook: WebhookState | None
    created_at: AwareDatetime
    """
    When the request was accepted.
    """
    started_at: AwareDatetime | None
    """
    When the last attempt began.
    """
    completed_at: AwareDatetime | None
    """
    When the generation reached its terminal status.
    """
    expires_at: AwareDatetime | None
    """
    When the finished generation can no longer be read, its links have stopped working, and its pictures are removed.
    """
    urls: GenerationUrls
    metadata: dict[str, str]
    label: str | None


class GenerationList(Record):
    """
    Newest first. With filters, a page may be shorter than `limit` before the end.
    """

    data: list[Generation]
    next_cursor: str | None
    """
    Pass as `cursor` for the next page; `null` at the end.
    """


class ModelList(Record):
    data: list[Model]


class ModelClassList(Record):
    data: list[ModelClass]
    total: int
    """
    Classes that match, on this page or not.
    """


class WebhookDelivery(Record):
    """
    One event for one receiver, and every attempt to deliver it.
    """

    id: str
    """
    Id of a webhook delivery; its requests carry it as `webhook-id`.
    """
    generation_id: str | None
    """
    Id of a generation.
    """
    event: (
        Literal[
            "generation.started",
            "generation.progress",
            "generation.output",
            "generation.succeeded",
            "generation.failed",
            "generation.canceled",
            "generation.expired",
            "webhook.test",
        ]
        | str
        | None
    )
    """
    `null` until the generation has ended one way or another.
    """
    url: str
    status: Literal["waiting", "pending", "delivered", "failed", "skipped"] | str
    """
    `waiting`: the generation has not ended. `pending`: due, under way, or to be tried again. `delivered`: the receiver answered 2xx. `failed`: given up. `skipped`: it ended in an event that was not asked for.
    """
    attempts: list[WebhookAttempt]
    """
    First to last.
    """
    next_attempt_at: AwareDatetime | None
    """
    When it is tried next; `null` when nothing is planned, or it is due now.
    """
    created_at: AwareDatetime
    """
    When it was made: with its generation, or at its event.
    """
    completed_at: AwareDatetime | None
    """
    When it was delivered, given up or skipped.
    """
    expires_at: AwareDatetime | None
    """
    Until when it is kept.
    """


class SnapshotEvent(Record):
    id: str
    event: Literal["snapshot"]
    data: Generation


class EndEvent(Record):
    id: str
    event: Literal["end"]
    data: Generation


class GenerationStartedWebhook(Record):
    type: Literal["generation.started"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class GenerationProgressWebhook(Record):
    type: Literal["generation.progress"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class GenerationSucceededWebhook(Record):
    type: Literal["generation.succeeded"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class GenerationFailedWebhook(Record):
    type: Literal["generation.failed"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class GenerationCanceledWebhook(Record):
    type: Literal["generation.canceled"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class GenerationExpiredWebhook(Record):
    type: Literal["generation.expired"]
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation


class WebhookDeliveryList(Record):
    """
    Newest first. With filters, a page may be shorter than `limit` before the end.
    """

    data: list[WebhookDelivery]
    next_cursor: str | None
    """
    Pass as `cursor` for the next page; `null` at the end.
    """
