# Generated from openapi.json by scripts/generate.py. Do not edit.

from __future__ import annotations

from nextscale._record import Record
from typing import Annotated, Literal
from pydantic import AwareDatetime, Field


class GenerationInputSchedule(Record):
    """
    Settings per scale; what is `null` follows the plain setting.
    """

    cfg: list[float] | None = None
    """
    `cfg[k]` is the strength at scale k as it is, 0 to 20: it does not rise from scale to scale as the plain `cfg` does.
    """
    top_k: list[int] | None = None
    """
    `top_k` of each scale.
    """
    top_p: list[float] | None = None
    """
    `top_p` of each scale.
    """
    class_label: list[int | None] | None = None
    """
    Class index of each scale; `null` is unconditional.
    """


class GenerationInputOutput(Record):
    """
    How the pictures are encoded.
    """

    format: Literal["png", "webp", "jpeg"] | str
    """
    File format of the pictures.
    """
    quality: int | None = None
    """
    Quality of `webp` and `jpeg`; `null` with `png`.
    """
    metadata: bool
    """
    Whether the settings are written into the pictures.
    """


class GenerationInputKeep(Record):
    """
    What a variation keeps of the generation it varies.
    """

    seed: int
    """
    Seed of the scales that are kept.
    """
    scales: int
    """
    How many scales are kept.
    """


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
    """
    Tokens to draw, over all pictures.
    """


class GenerationQueue(Record):
    """
    Its place in the queue.
    """

    position: int | None = None
    """
    Generations ahead of this one.
    """
    eta_ms: float | None = None
    """
    Estimated time to completion.
    """
    message: str | None = None
    """
    What it waits for beside its turn: a runner that serves its revision of the model while none is up, or, with the stage `waiting_for_model`, one that serves it or can load it; else, for example, an object store that is away.
    """


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
    """
    Media type of the file.
    """
    width: int
    """
    Width in pixels.
    """
    height: int
    """
    Height in pixels.
    """
    bytes: int
    """
    Size of the file.
    """


class GenerationOutput(Record):
    """
    A picture, and the link to it.
    """

    index: int
    """
    Which picture of the generation, counted from 0.
    """
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
    """
    Media type of the file.
    """
    width: int
    """
    Width in pixels.
    """
    height: int
    """
    Height in pixels.
    """
    bytes: int
    """
    Size of the file.
    """
    sha256: str
    """
    SHA-256 of the file, in hexadecimal digits.
    """
    tokens_url: str | None = None
    """
    Link to the drawn tokens, like `url`; only with `return_tokens`. Of a model with a `vocabulary_size`, a little-endian bit stream of as many numbers as the `scales` of the model have tokens, `height` times `width` each: all scales one after another (of a draft, those up to `stop_at_scale`), row by row in each. Each takes b = ceil(log2(`vocabulary_size`)) bits, least significant first: token i is `(N >> i * b) & (2^b - 1)`, where N is the whole file read as one little-endian number. The last byte is filled up with zeros: 680 tokens of a vocabulary of 4096 are 1,020 bytes. Models without a `vocabulary_size` pack theirs in a way of their family.
    """


class GenerationError(Record):
    """
    Why a generation failed.
    """

    code: (
        Literal[
            "invalid_job",
            "model_not_served",
            "sampler_failed",
            "sampler_crashed",
            "model_load_failed",
            "object_store_unavailable",
            "runner_lost",
            "deadline_exceeded",
            "internal_error",
        ]
        | str
    )
    """
    What went wrong; stable.
    """
    message: str
    """
    What went wrong, in a sentence.
    """
    retryable: bool
    """
    Whether posting the same request again may succeed.
    """


class GenerationMetrics(Record):
    """
    Where the time went; what is not known is `null`.
    """

    queue_ms: float | None = None
    """
    Acceptance to the start of the last attempt.
    """
    sample_ms: float | None = None
    """
    All scales, as spent by the batches this generation was part of.
    """
    scale_ms: list[float] | None = None
    """
    Milliseconds per scale; one number where a GPU runner does all scales at once.
    """
    decode_ms: float | None = None
    """
    Codes to pixels.
    """
    preview_ms: float | None = None
    """
    Previews: decoding, encoding and storing them; null without any.
    """
    encode_ms: float | None = None
    """
    Pixels to files.
    """
    upload_ms: float | None = None
    """
    Files to the object store.
    """
    total_ms: float | None = None
    """
    Acceptance to completion.
    """
    batch_size: int | None = None
    """
    Largest batch this generation’s pictures were sampled in.
    """


class GenerationParent(Record):
    """
    The generation that another one continues.
    """

    id: str
    """
    Id of a generation.
    """
    keep_scales: int | None = None
    """
    How many of its scales were kept; `null`: it was taken further.
    """


class WebhookState(Record):
    """
    The announcement of the generation’s end. Its status is apart from the generation’s own.
    """

    url: str
    """
    Where it is announced.
    """
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
    ] = []
    """
    What is announced.
    """
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


class GenerationUrls(Record):
    """
    Where a generation is read, canceled and followed.
    """

    self: str
    """
    The generation; with `?wait=` the answer is held until it has ended.
    """
    cancel: str
    """
    POST here to cancel it.
    """
    events: str
    """
    Server-sent events. The link carries a token, so a browser can open it; it is minted anew on every read and works for an hour. Whoever opens it sees no `webhook`, `metadata` or `label`, and no link that outlives it.
    """


class FieldError(Record):
    """
    A field at fault.
    """

    pointer: str
    """
    JSON pointer to the field (`/query/…`, `/path/…` and `/headers/…` outside the body).
    """
    detail: str
    """
    What is wrong with it and how to mend it.
    """


class StatusEvent(Record):
    """
    Status and stage as they are now.
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
    """
    How the generation stands.
    """
    stage: (
        Literal[
            "queued",
            "batching",
            "loading_model",
            "sampling",
            "encoding",
            "uploading",
            "waiting_for_model",
        ]
        | str
        | None
    ) = None
    """
    What is done with it; `null` when it is terminal.
    """
    attempt: int
    """
    Attempts started.
    """


class ProgressEvent(Record):
    """
    Scales were finished. Several that finish at once may be told of once.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["progress"]
    """
    Its name.
    """
    data: Progress
    """
    Scales were finished. Several that finish at once may be told of once.
    """


class PreviewEvent(Record):
    """
    A preview was stored.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["preview"]
    """
    Its name.
    """
    data: Preview
    """
    A preview was stored.
    """


class OutputEvent(Record):
    """
    A picture was stored; only once all of them are.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["output"]
    """
    Its name.
    """
    data: GenerationOutput
    """
    A picture was stored; only once all of them are.
    """


class ModelSize(Record):
    """
    Width and height of a picture.
    """

    width: int
    """
    In pixels.
    """
    height: int
    """
    In pixels.
    """


class ModelScale(Record):
    """
    Height and width of a token map.
    """

    height: int
    """
    Rows of tokens.
    """
    width: int
    """
    Tokens in a row.
    """


class ModelParameters(Record):
    """
    Numbers of weights.
    """

    transformer: int
    """
    Of the transformer, which draws tokens.
    """
    tokenizer: int
    """
    Of the tokenizer, which makes pictures of them.
    """


class ModelDefaults(Record):
    """
    Settings of requests that name none; `null` where the model does not take the field.
    """

    cfg: float | None = None
    """
    Guidance strength.
    """
    top_k: int | None = None
    """
    How many of the likeliest tokens are kept; 0 is all.
    """
    top_p: float | None = None
    """
    Mass of the likeliest tokens that is kept.
    """


class ModelClass(Record):
    """
    A class of a model.
    """

    label: int
    """
    Its index, the `class_label` of requests.
    """
    name: str
    """
    Its name, the `class_name` of requests.
    """


class WebhookAttempt(Record):
    """
    One request to a receiver.
    """

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
    status_code: int | None = None
    """
    Status of the answer; `null` without one.
    """
    latency_ms: float
    """
    How long it took.
    """
    error: str | None = None
    """
    What went wrong, where the answer does not say it.
    """
    response: str | None = None
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
    previous_expires_at: AwareDatetime | None = None
    """
    Until when requests are signed with the secret before this one as well; `null` when they are not.
    """


class WebhookPublicKey(Record):
    """
    JSON Web Key of an Ed25519 key (RFC 8037).
    """

    kty: Literal["OKP"] | str
    """
    Kind of the key.
    """
    crv: Literal["Ed25519"] | str
    """
    Its curve.
    """
    x: str
    """
    The public key: 32 bytes in base64url.
    """
    kid: str
    """
    Thumbprint of the key (RFC 7638).
    """
    use: Literal["sig"] | str
    """
    What it is for: signatures.
    """
    alg: Literal["EdDSA"] | str
    """
    Their algorithm.
    """


class ServiceStatusQueue(Record):
    """
    The queues of all pools together.
    """

    waiting: int
    """
    Generations that wait.
    """
    running: int
    """
    Generations that run.
    """
    oldest_wait_ms: float | None = None
    """
    How long the next one to run has waited.
    """


class ServiceStatusPool(Record):
    """
    A pool: runners that serve the same models, and their queue.
    """

    name: str
    """
    Its name, the `POOL` of its runners.
    """
    waiting: int
    """
    Generations that wait in its queue.
    """
    running: int
    """
    Generations that its runners make.
    """
    oldest_wait_ms: float | None = None
    """
    How long the next one to run has waited.
    """
    runners: int
    """
    Its runners heard of in the last half minute.
    """
    models: list[str] = []
    """
    Models that these runners serve.
    """


class ServiceStatusModel(Record):
    """
    Speed of a model.
    """

    id: str
    """
    Id of a model, one of `GET /models`.
    """
    runners: int
    """
    Of all runners, those that serve this model.
    """
    latency_ms: float | None = None
    """
    Recent time from first scale to stored pictures.
    """
    images_per_second: float | None = None
    """
    What all its runners made lately, together.
    """


class UnservedRevision(Record):
    """
    A revision of a model that generations wait for and no runner serves.
    """

    model: str
    """
    Id of a model, one of `GET /models`.
    """
    revision: str
    """
    Revision of the model.
    """
    waiting: int
    """
    Generations that wait for it, each until its deadline.
    """


class Health(Record):
    """
    That all is well.
    """

    status: Literal["ok"] | str
    """
    All is well.
    """


class WebhookOutput(Record):
    """
    A picture of a generation, as soon as all of them are stored.
    """

    generation_id: str
    """
    Id of a generation.
    """
    output: GenerationOutput
    """
    The picture.
    """
    metadata: dict[str, str]
    """
    The caller’s own texts, as they were sent with the request.
    """
    label: str | None = None
    """
    The caller’s own label.
    """


class TestWebhookData(Record):
    """
    What a test tells.
    """

    message: str
    """
    A sentence that says that this is a test.
    """


class GenerationInput(Record):
    """
    The settings in force, defaults filled in. What the model does not take asks for nothing.
    """

    model: str
    """
    Id of a model, one of `GET /models`.
    """
    model_revision: str
    """
    Revision of the model’s weights: a seed is reproducible within one revision.
    """
    class_label: int | None = None
    """
    Index of the class; `null`: of no class in particular.
    """
    class_name: str | None = None
    """
    Name of the class; `null` without one.
    """
    prompt: str | None = None
    """
    What the pictures show, in words; `null`: nothing in particular.
    """
    negative_prompt: str | None = None
    """
    What the pictures are led away from, in words; `null`: nothing.
    """
    size: str | None = None
    """
    Width and height of the pictures in pixels; `null`: the one size of the model.
    """
    num_images: int
    """
    How many pictures are made.
    """
    seed: int
    """
    Seed of the first picture; picture i has `seed + i`, modulo 2^32.
    """
    cfg: float
    """
    Guidance strength at the last scale; 0 is off.
    """
    top_k: int
    """
    How many of the likeliest tokens are kept; 0 is off.
    """
    top_p: float
    """
    Mass of the likeliest tokens that is kept; 1 is off.
    """
    smooth: bool
    """
    Whether codes are blended by Gumbel-softmax.
    """
    schedule: GenerationInputSchedule | None = None
    """
    Settings per scale; `null`: the plain ones hold at every scale.
    """
    output: GenerationInputOutput
    """
    How the pictures are encoded.
    """
    priority: Literal["low", "normal", "high"] | str
    """
    Head start in the queue.
    """
    stop_at_scale: int | None = None
    """
    The scale a draft stops after, counted from 0; `null`: all scales.
    """
    previews: list[int] = []
    """
    Scales after which a preview is made.
    """
    return_tokens: bool
    """
    Whether the drawn tokens are stored beside each picture.
    """
    keep: GenerationInputKeep | None = None
    """
    Variation: the first `scales` scales are drawn with this `seed` (image i: `seed + i`), the rest with the plain one.
    """
    deadline_seconds: int
    """
    Canceled when not finished this long after acceptance.
    """
    start_deadline_seconds: int | None = None
    """
    Expires when not started this long after acceptance; `null`: never.
    """
    retention_seconds: int
    """
    How long the finished generation is kept.
    """


class Problem(Record):
    """
    RFC 9457 problem details.
    """

    type: str
    """
    Names the kind of problem; stable.
    """
    title: str
    """
    The kind of problem, in words.
    """
    status: int
    """
    The HTTP status.
    """
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
            "text_refused",
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
    """
    The kind of problem, for programs; stable.
    """
    request_id: str
    """
    Id of the request, which the server’s log has as well.
    """
    retryable: bool
    """
    Whether the same request may succeed later.
    """
    errors: Annotated[list[FieldError], Field(validate_default=True)] = []
    """
    The fields at fault; empty when no single field is.
    """


class StatusChangeEvent(Record):
    """
    The status or the stage has changed.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["status"]
    """
    Its name.
    """
    data: StatusEvent
    """
    The status or the stage has changed.
    """


class Model(Record):
    """
    A model that runners have announced.
    """

    id: str
    """
    Id of a model, one of `GET /models`.
    """
    name: str
    """
    Name for people.
    """
    description: str | None = None
    """
    What it draws.
    """
    revision: str
    """
    Changes whenever the weights do: a seed is reproducible within one revision.
    """
    license: str
    """
    Licence of the weights.
    """
    family: str
    """
    The family of models it is one of, which says how it draws.
    """
    sizes: Annotated[list[ModelSize], Field(validate_default=True)] = []
    """
    Sizes of pictures it draws, the default first.
    """
    scales: Annotated[list[ModelScale], Field(validate_default=True)] = []
    """
    Token maps of a picture of the first size, coarse to fine. Pictures of another size have as many scales.
    """
    vocabulary_size: int | None = None
    """
    Number of different tokens; `null` where tokens are not numbers up to one.
    """
    parameters: ModelParameters
    """
    Numbers of weights.
    """
    capabilities: list[str] = []
    """
    Fields of requests this model honours that others may not.
    """
    width: int
    """
    Width of pictures of the first size, in pixels.
    """
    height: int
    """
    Height of pictures of the first size, in pixels.
    """
    tokens_per_image: int
    """
    Tokens of all `scales`: the sum of height times width.
    """
    num_classes: int | None = None
    """
    Number of classes, whose names `GET /models/{id}/classes` has; `null` where the model has none to choose from.
    """
    defaults: ModelDefaults
    """
    Settings of requests that name none.
    """
    unsupported: list[str] = []
    """
    Fields of requests this model does not honour: all that are not among its `capabilities`. Asking for one gives 422 `unsupported_for_model`; its own size may be asked for of any.
    """
    pools: list[str] = []
    """
    Pools of runners that serve it, or did last.
    """
    default: bool
    """
    Whether requests without `model` use this one.
    """


class ModelClassList(Record):
    """
    Classes of a model.
    """

    data: Annotated[list[ModelClass], Field(validate_default=True)] = []
    """
    The classes of this page, by label.
    """
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
    generation_id: str | None = None
    """
    The generation it tells of; `null` for a test.
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
    ) = None
    """
    What it announces; `null` until the generation has ended one way or another.
    """
    url: str
    """
    Where it is sent.
    """
    status: Literal["waiting", "pending", "delivered", "failed", "skipped"] | str
    """
    `waiting`: the generation has not ended. `pending`: due, under way, or to be tried again. `delivered`: the receiver answered 2xx. `failed`: given up. `skipped`: it ended in an event that was not asked for.
    """
    attempts: Annotated[list[WebhookAttempt], Field(validate_default=True)] = []
    """
    First to last.
    """
    next_attempt_at: AwareDatetime | None = None
    """
    When it is tried next; `null` when nothing is planned, or it is due now.
    """
    created_at: AwareDatetime
    """
    When it was made: with its generation, or at its event.
    """
    completed_at: AwareDatetime | None = None
    """
    When it was delivered, given up or skipped.
    """
    expires_at: AwareDatetime | None = None
    """
    Until when it is kept.
    """


class WebhookKeySet(Record):
    """
    Keys whose Ed25519 signatures (`v1a`) requests carry, one each. Empty where the service makes none.
    """

    keys: list[WebhookPublicKey]
    """
    The keys; any of them may have signed.
    """


class ServiceStatus(Record):
    """
    Capacity, as it is now.
    """

    version: str
    """
    Version of the server.
    """
    accepting: bool
    """
    Whether a request would be accepted now.
    """
    queue: ServiceStatusQueue
    """
    The queues of all pools together.
    """
    pools: Annotated[list[ServiceStatusPool], Field(validate_default=True)] = []
    """
    Each pool of runners, the default one first.
    """
    runners: int
    """
    Runners heard of in the last half minute.
    """
    models: Annotated[list[ServiceStatusModel], Field(validate_default=True)] = []
    """
    Speed of each model.
    """
    unserved: Annotated[list[UnservedRevision], Field(validate_default=True)] = []
    """
    Revisions of models that generations wait for and no runner that is up serves: start one with it.
    """


class GenerationOutputWebhook(Record):
    """
    Body of the webhook `generation.output`.
    """

    type: Literal["generation.output"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: WebhookOutput
    """
    What it happened to.
    """


class TestWebhook(Record):
    """
    Body of the webhook `webhook.test`.
    """

    type: Literal["webhook.test"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: TestWebhookData
    """
    What it happened to.
    """


class Generation(Record):
    """
    A generation. Every key is always present; unknown is `null`.
    """

    id: str
    """
    Id of a generation.
    """
    kind: Literal["generate"] | str
    """
    What kind of work it is: `generate` draws pictures from settings alone.
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
    """
    How it stands. `succeeded`, `failed`, `canceled` and `expired` are terminal: nothing changes after them.
    """
    stage: (
        Literal[
            "queued",
            "batching",
            "loading_model",
            "sampling",
            "encoding",
            "uploading",
            "waiting_for_model",
        ]
        | str
        | None
    ) = None
    """
    What is done with it; `null` when it is terminal. `loading_model`: its runner has more models than memory, and loads the one it needs.
    """
    model: str
    """
    Id of the model that draws it.
    """
    input: GenerationInput
    """
    The settings in force, defaults filled in.
    """
    progress: Progress | None = None
    """
    How far sampling has come; `null` before it begins.
    """
    queue: GenerationQueue | None = None
    """
    Its place in the queue; `null` once it has left it.
    """
    previews: Annotated[list[Preview], Field(validate_default=True)] = []
    """
    Coarse to fine, as they are stored.
    """
    outputs: Annotated[list[GenerationOutput], Field(validate_default=True)] = []
    """
    The pictures, all at once when it has succeeded; empty until then.
    """
    error: GenerationError | None = None
    """
    Why it failed; `null` unless it did.
    """
    metrics: GenerationMetrics
    """
    Where the time went.
    """
    parent: GenerationParent | None = None
    """
    The generation this one continues; `null` where it continues none.
    """
    attempt: int
    """
    Attempts started.
    """
    webhook: WebhookState | None = None
    """
    Whom its end is announced to; `null`: nobody.
    """
    created_at: AwareDatetime
    """
    When the request was accepted.
    """
    started_at: AwareDatetime | None = None
    """
    When the last attempt began.
    """
    completed_at: AwareDatetime | None = None
    """
    When the generation reached its terminal status.
    """
    expires_at: AwareDatetime | None = None
    """
    When the finished generation can no longer be read, its links have stopped working, and its pictures are removed.
    """
    urls: GenerationUrls
    """
    Where it is read, canceled and followed.
    """
    metadata: dict[str, str]
    """
    The caller’s own texts, as they were sent with the request.
    """
    label: str | None = None
    """
    The caller’s own label.
    """


class SnapshotEvent(Record):
    """
    The generation as it is when the stream begins.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["snapshot"]
    """
    Its name.
    """
    data: Generation
    """
    The generation as it is when the stream begins.
    """


class EndEvent(Record):
    """
    The terminal generation; the stream ends.
    """

    id: str
    """
    Its place in the stream, for `Last-Event-ID`.
    """
    event: Literal["end"]
    """
    Its name.
    """
    data: Generation
    """
    The terminal generation; the stream ends.
    """


class GenerationList(Record):
    """
    Newest first. With filters, a page may be shorter than `limit` before the end.
    """

    data: list[Generation]
    """
    The generations of this page.
    """
    next_cursor: str | None = None
    """
    Pass as `cursor` for the next page; `null` at the end.
    """


class ModelList(Record):
    """
    Every model that is announced.
    """

    data: list[Model]
    """
    The models, the default first.
    """


class WebhookDeliveryList(Record):
    """
    Newest first. With filters, a page may be shorter than `limit` before the end.
    """

    data: list[WebhookDelivery]
    """
    The deliveries of this page.
    """
    next_cursor: str | None = None
    """
    Pass as `cursor` for the next page; `null` at the end.
    """


class GenerationStartedWebhook(Record):
    """
    Body of the webhook `generation.started`.
    """

    type: Literal["generation.started"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """


class GenerationProgressWebhook(Record):
    """
    Body of the webhook `generation.progress`.
    """

    type: Literal["generation.progress"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """


class GenerationSucceededWebhook(Record):
    """
    Body of the webhook `generation.succeeded`.
    """

    type: Literal["generation.succeeded"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """


class GenerationFailedWebhook(Record):
    """
    Body of the webhook `generation.failed`.
    """

    type: Literal["generation.failed"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """


class GenerationCanceledWebhook(Record):
    """
    Body of the webhook `generation.canceled`.
    """

    type: Literal["generation.canceled"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """


class GenerationExpiredWebhook(Record):
    """
    Body of the webhook `generation.expired`.
    """

    type: Literal["generation.expired"]
    """
    What has happened.
    """
    timestamp: AwareDatetime
    """
    When it happened.
    """
    data: Generation
    """
    What it happened to.
    """
