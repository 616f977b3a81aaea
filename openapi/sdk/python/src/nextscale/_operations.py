"""The operations of the contract as values: what to send, and how to read the answer. Both clients send them."""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from ._errors import ResponseInvalid, retry_after_of
from ._generated.models import Generation, GenerationList, Model, ModelClassList, ModelList, ServiceStatus
from ._generated.requests import ContinueRequest, GenerateRequest
from ._record import Record

T = TypeVar("T")
R = TypeVar("R", bound=Record)

TERMINAL = frozenset({"succeeded", "failed", "canceled", "expired"})


def is_terminal(generation: Generation) -> bool:
    """Whether nothing will change any more, also where a newer server has another word for such an end."""
    return generation.status in TERMINAL or generation.completed_at is not None


@dataclass(frozen=True)
class Operation(Generic[T]):
    method: str
    path: str
    read: Callable[[httpx.Response], T]
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object | None = None
    held_seconds: float = 0
    """How long the server may hold the answer beyond the usual."""
    repeatable: bool = True
    """Whether another attempt does no harm where the first may have taken place."""


def reader(model: type[R]) -> Callable[[httpx.Response], R]:
    def read(response: httpx.Response) -> R:
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise ResponseInvalid(f"the answer is no {model.__name__}: {error}") from error

    return read


def params_of(**values: object) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}


def _generation(id: str) -> str:
    return f"/generations/{quote(id, safe='')}"


def _posted(path: str, request: GenerateRequest | ContinueRequest, idempotency_key: str | None) -> Operation[Generation]:
    # The key is part of the operation, so every attempt to send it has the same one.
    key = idempotency_key or str(uuid.uuid4())
    return Operation("POST", path, reader(Generation), headers={"Idempotency-Key": key}, body=request)


def generate(request: GenerateRequest, idempotency_key: str | None) -> Operation[Generation]:
    return _posted("/generate", request, idempotency_key)


def continue_(id: str, request: ContinueRequest, idempotency_key: str | None) -> Operation[Generation]:
    return _posted(f"{_generation(id)}/continue", request, idempotency_key)


def get(id: str, wait_seconds: float = 0) -> Operation[tuple[Generation, float | None]]:
    """Reads a generation, and the `Retry-After` beside it."""
    wait = math.ceil(wait_seconds)
    read = reader(Generation)
    return Operation(
        "GET",
        _generation(id),
        lambda response: (read(response), retry_after_of(response)),
        params=params_of(wait=wait or None),
        held_seconds=wait,
    )


def list_page(
    cursor: str | None, status: str | None, model: str | None, label: str | None, page_size: int | None
) -> Operation[GenerationList]:
    params = params_of(cursor=cursor, status=status, model=model, label=label, limit=page_size)
    return Operation("GET", "/generations", reader(GenerationList), params=params)


def cancel(id: str) -> Operation[Generation]:
    return Operation("POST", f"{_generation(id)}/cancel", reader(Generation))


def delete(id: str) -> Operation[None]:
    return Operation("DELETE", _generation(id), lambda response: None)


def models() -> Operation[ModelList]:
    return Operation("GET", "/models", reader(ModelList))


def model(id: str) -> Operation[Model]:
    return Operation("GET", f"/models/{quote(id, safe='')}", reader(Model))


def classes(model: str, q: str | None, offset: int) -> Operation[ModelClassList]:
    params = params_of(q=q, offset=offset or None)
    return Operation("GET", f"/models/{quote(model, safe='')}/classes", reader(ModelClassList), params=params)


def status() -> Operation[ServiceStatus]:
    return Operation("GET", "/status", reader(ServiceStatus))


def events_path(id: str) -> str:
    return f"{_generation(id)}/events"
