# Generated from openapi.json by scripts/generate.py. Do not edit.

from __future__ import annotations

from typing_extensions import NotRequired
from typing import Literal, TypedDict


class GenerateRequestSchedule(TypedDict):
    """
    Settings per scale, coarse to fine, in place of the plain ones. Each array has one entry per scale of the model (`scales`). What is left out, or `null`, follows the plain setting.
    """

    cfg: NotRequired[list[float] | None]
    """
    `cfg[k]` is the strength at scale k as it is: it does not rise from scale to scale as the plain `cfg` does.
    """
    top_k: NotRequired[list[int] | None]
    """
    `top_k` of each scale.
    """
    top_p: NotRequired[list[float] | None]
    """
    `top_p` of each scale.
    """
    class_label: NotRequired[list[int | None] | None]
    """
    Class index of each scale; `null` is unconditional.
    """


class GenerateRequestOutput(TypedDict):
    """
    How pictures are encoded.
    """

    format: NotRequired[Literal["png", "webp", "jpeg"]]
    """
    File format of the pictures.
    """
    quality: NotRequired[int]
    """
    Quality of `webp` and `jpeg`; refused with `png`, which is lossless. Default 90.
    """
    metadata: NotRequired[bool]
    """
    Write the settings into the picture (EXIF `ImageDescription`).
    """


class GenerateRequestWebhook(TypedDict):
    """
    Where to announce what happens to the generation.
    """

    url: str
    """
    `https` only, at a public address, without user name or password.
    """
    events: NotRequired[
        list[
            Literal[
                "generation.started",
                "generation.progress",
                "generation.output",
                "generation.succeeded",
                "generation.failed",
                "generation.canceled",
                "generation.expired",
            ]
        ]
    ]
    """
    What to announce. Default, also of an empty list: the four ends. `generation.started`, `.progress` and `.output` are best effort: each is tried a few times, and may be lost or be overtaken.
    """


class GenerateRequest(TypedDict):
    """
    What to generate. Every field has a default.
    """

    model: NotRequired[str]
    """
    Id of a model, one of `GET /models`.
    """
    class_label: NotRequired[int | None]
    """
    Class index; `null` is unconditional.
    """
    class_name: NotRequired[str | None]
    """
    Name of a class, matched without regard to case.
    """
    num_images: NotRequired[int]
    seed: NotRequired[int]
    """
    Image i uses `seed + i`, modulo 2^32. Drawn by the server when absent; always returned.
    """
    cfg: NotRequired[float]
    """
    Guidance strength at the last scale, rising linearly from 0 at the first; 0 turns guidance off. Default: the model’s.
    """
    top_k: NotRequired[int]
    """
    Keep the k likeliest tokens, ties included; 0 turns it off. At most the vocabulary size. Default: the model’s.
    """
    top_p: NotRequired[float]
    """
    Of what top_k left, keep the likeliest tokens that reach this mass; 1 turns it off. Default: the model’s.
    """
    smooth: NotRequired[bool]
    """
    Gumbel-softmax blending of codes.
    """
    schedule: NotRequired[GenerateRequestSchedule | None]
    stop_at_scale: NotRequired[int | None]
    """
    Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. `null`: all scales.
    """
    output: NotRequired[GenerateRequestOutput]
    previews: NotRequired[Literal["none", "auto"] | list[int]]
    """
    Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them.
    """
    return_tokens: NotRequired[bool]
    """
    Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.
    """
    priority: NotRequired[Literal["low", "normal", "high"]]
    """
    Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.
    """
    deadline_seconds: NotRequired[int]
    """
    Cancel when not finished this long after acceptance. Default 600.
    """
    start_deadline_seconds: NotRequired[int | None]
    """
    Expire when not started this long after acceptance.
    """
    retention_seconds: NotRequired[int]
    """
    Keep the finished generation and its pictures this long. Default 86400.
    """
    metadata: NotRequired[dict[str, str]]
    """
    The caller’s own key-value pairs, echoed back.
    """
    label: NotRequired[str | None]
    """
    The caller’s own label; the list can filter by it.
    """
    webhook: NotRequired[GenerateRequestWebhook | None]


class ContinueRequestOutput(TypedDict):
    """
    How pictures are encoded.
    """

    format: NotRequired[Literal["png", "webp", "jpeg"]]
    """
    File format of the pictures.
    """
    quality: NotRequired[int]
    """
    Quality of `webp` and `jpeg`; refused with `png`, which is lossless.
    """
    metadata: NotRequired[bool]
    """
    Write the settings into the picture (EXIF `ImageDescription`).
    """


class ContinueRequestWebhook(TypedDict):
    """
    Where to announce what happens to the generation.
    """

    url: str
    """
    `https` only, at a public address, without user name or password.
    """
    events: NotRequired[
        list[
            Literal[
                "generation.started",
                "generation.progress",
                "generation.output",
                "generation.succeeded",
                "generation.failed",
                "generation.canceled",
                "generation.expired",
            ]
        ]
    ]
    """
    What to announce. Default, also of an empty list: the four ends. `generation.started`, `.progress` and `.output` are best effort: each is tried a few times, and may be lost or be overtaken.
    """


class ContinueRequest(TypedDict):
    """
    How to go on. What is left out is as in the generation that is continued, `output` field by field, except `stop_at_scale` (all scales), metadata, label and webhook. Of its previews those stay that lie before the scale that makes the picture here.
    """

    keep_scales: NotRequired[int | None]
    """
    Variation: keep the tokens of the first so many scales and draw the rest anew with `seed`. `null`: go on with the same seed, which gives what the whole generation would have given.
    """
    seed: NotRequired[int]
    """
    Only with `keep_scales`: seed of the scales drawn anew. Drawn by the server when absent; always returned.
    """
    stop_at_scale: NotRequired[int | None]
    """
    Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. `null`: all scales.
    """
    output: NotRequired[ContinueRequestOutput]
    previews: NotRequired[Literal["none", "auto"] | list[int]]
    """
    Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them.
    """
    return_tokens: NotRequired[bool]
    """
    Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.
    """
    priority: NotRequired[Literal["low", "normal", "high"]]
    """
    Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.
    """
    deadline_seconds: NotRequired[int]
    """
    Cancel when not finished this long after acceptance.
    """
    start_deadline_seconds: NotRequired[int | None]
    """
    Expire when not started this long after acceptance.
    """
    retention_seconds: NotRequired[int]
    """
    Keep the finished generation and its pictures this long.
    """
    metadata: NotRequired[dict[str, str]]
    """
    The caller’s own key-value pairs, echoed back.
    """
    label: NotRequired[str | None]
    """
    The caller’s own label; the list can filter by it.
    """
    webhook: NotRequired[ContinueRequestWebhook | None]
