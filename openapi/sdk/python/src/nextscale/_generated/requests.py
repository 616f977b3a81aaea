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
    `cfg[k]` is the strength at scale k as it is, 0 to 20: it does not rise from scale to scale as the plain `cfg` does.
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

    format: NotRequired[Literal["png", "webp", "jpeg", "jpg"] | None]
    """
    File format of the pictures. `jpg` is `jpeg`.
    """
    quality: NotRequired[int | None]
    """
    Quality of `webp` and `jpeg`, 1 to 100; refused with `png`, which is lossless. Default 90.
    """
    metadata: NotRequired[bool | None]
    """
    Write the settings into the picture (EXIF `ImageDescription`).
    """


class WebhookRequest(TypedDict):
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
        | None
    ]
    """
    What to announce. Default, also of an empty list: the four ends. `generation.started`, `.progress` and `.output` are best effort: each is tried a few times, and may be lost or be overtaken.
    """


class ContinueRequestOutput(TypedDict):
    """
    How pictures are encoded.
    """

    format: NotRequired[Literal["png", "webp", "jpeg", "jpg"] | None]
    """
    File format of the pictures. `jpg` is `jpeg`.
    """
    quality: NotRequired[int | None]
    """
    Quality of `webp` and `jpeg`, 1 to 100; refused with `png`, which is lossless. Left out: the parent’s where the format is the same, else 90.
    """
    metadata: NotRequired[bool | None]
    """
    Write the settings into the picture (EXIF `ImageDescription`).
    """


class GenerateRequest(TypedDict):
    """
    What to generate. Every field has a default, which holds when it is left out or `null`.
    """

    model: NotRequired[str | None]
    """
    Id of a model, one of `GET /models`. Default: the first of them.
    """
    class_label: NotRequired[int | None]
    """
    Class by its index, counted from 0, of a model that has classes. Without it and `class_name` the picture is of no class in particular.
    """
    class_name: NotRequired[str | None]
    """
    Class by its name, matched without regard to case, underscores, hyphens and the width of spaces.
    """
    prompt: NotRequired[str | None]
    """
    What the picture shows, in words, of a model that takes them: up to 2000 characters, not all of them blank. Without it the picture is of nothing in particular.
    """
    negative_prompt: NotRequired[str | None]
    """
    What the picture is to be led away from, in words: up to 2000 characters, not all of them blank.
    """
    size: NotRequired[str | None]
    """
    Width and height of the pictures in pixels, such as `32x32`: one of the model’s `sizes`. Left out: the first of them. A model with one size takes that one.
    """
    num_images: NotRequired[int | None]
    """
    How many pictures to make, 1 to 16. They differ in their seeds.
    """
    seed: NotRequired[int | None]
    """
    Seed of the first picture, 0 to 4294967295: picture i uses `seed + i`, modulo 2^32. Left out, the server draws one; it is always returned.
    """
    cfg: NotRequired[float | None]
    """
    Guidance strength at the last scale, 0 to 20, rising linearly from 0 at the first; 0 turns guidance off. Default: the model’s.
    """
    top_k: NotRequired[int | None]
    """
    Keep the k likeliest tokens, ties included; 0 turns it off. At most the vocabulary size. Default: the model’s.
    """
    top_p: NotRequired[float | None]
    """
    Of what top_k left, keep the likeliest tokens that reach this mass, above 0 and at most 1; 1 turns it off. Default: the model’s.
    """
    smooth: NotRequired[bool | None]
    """
    Gumbel-softmax blending of codes.
    """
    schedule: NotRequired[GenerateRequestSchedule | None]
    """
    Settings per scale, in place of the plain ones. Left out: the plain ones hold at every scale.
    """
    stop_at_scale: NotRequired[int | None]
    """
    Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. Left out: all scales.
    """
    previews: NotRequired[Literal["none", "auto"] | list[int] | None]
    """
    Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them, `none` makes none.
    """
    return_tokens: NotRequired[bool | None]
    """
    Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.
    """
    start_deadline_seconds: NotRequired[int | None]
    """
    Expire when not started this long after acceptance. Default: none. In seconds, 1 to 86400.
    """
    output: NotRequired[GenerateRequestOutput | None]
    """
    How pictures are encoded.
    """
    priority: NotRequired[Literal["low", "normal", "high"] | None]
    """
    Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.
    """
    deadline_seconds: NotRequired[int | None]
    """
    Cancel when not finished this long after acceptance. Default 600. In seconds, 1 to 86400.
    """
    retention_seconds: NotRequired[int | None]
    """
    Keep the finished generation and its pictures this long. Default 86400. In seconds, 1 to 2592000.
    """
    metadata: NotRequired[dict[str, str] | None]
    """
    The caller’s own texts by name, echoed back: 16 at most, names of up to 64 characters and texts of up to 512.
    """
    label: NotRequired[str | None]
    """
    The caller’s own label, up to 128 characters; the list can filter by it.
    """
    webhook: NotRequired[WebhookRequest | None]
    """
    Where to announce what happens to the generation. Left out: nowhere.
    """


class ContinueRequest(TypedDict):
    """
    How to go on. What is left out or `null` is as in the generation that is continued, `output` field by field, except `stop_at_scale` (all scales), metadata, label and webhook (none), and a `start_deadline_seconds` of `null` (no such deadline). Of its previews those stay that lie before the scale that makes the picture here.
    """

    keep_scales: NotRequired[int | None]
    """
    Variation: keep the tokens of the first so many scales and draw the rest anew with `seed`. Left out: go on with the same seed, which gives what the whole generation would have given.
    """
    seed: NotRequired[int | None]
    """
    Only with `keep_scales`: seed of the scales drawn anew, 0 to 4294967295. Left out, the server draws one; it is always returned.
    """
    stop_at_scale: NotRequired[int | None]
    """
    Draft: stop after this scale, counted from 0, and decode what is there. `POST /generations/{id}/continue` takes it further. Left out: all scales.
    """
    previews: NotRequired[Literal["none", "auto"] | list[int] | None]
    """
    Scales, counted from 0, after which a small picture of the state so far is made. `auto` chooses about three of them, `none` makes none.
    """
    return_tokens: NotRequired[bool | None]
    """
    Store the drawn tokens beside each picture; `outputs[i].tokens_url` is the link to them.
    """
    start_deadline_seconds: NotRequired[int | None]
    """
    Expire when not started this long after acceptance; `null`: never, whatever the parent has. In seconds, 1 to 86400.
    """
    output: NotRequired[ContinueRequestOutput | None]
    """
    How pictures are encoded.
    """
    priority: NotRequired[Literal["low", "normal", "high"] | None]
    """
    Order in the queue: a head start of some minutes, so that nothing waits for ever behind what is more urgent.
    """
    deadline_seconds: NotRequired[int | None]
    """
    Cancel when not finished this long after acceptance. In seconds, 1 to 86400.
    """
    retention_seconds: NotRequired[int | None]
    """
    Keep the finished generation and its pictures this long. In seconds, 1 to 2592000.
    """
    metadata: NotRequired[dict[str, str] | None]
    """
    The caller’s own texts by name, echoed back: 16 at most, names of up to 64 characters and texts of up to 512.
    """
    label: NotRequired[str | None]
    """
    The caller’s own label, up to 128 characters; the list can filter by it.
    """
    webhook: NotRequired[WebhookRequest | None]
    """
    Where to announce what happens to the generation. Left out: nowhere.
    """
