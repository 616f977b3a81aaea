"""What both clients do around a request."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import httpx

from ._config import Config
from ._errors import ConnectionFailed, NextscaleError, ResponseInvalid, error_of
from ._generated.models import GenerationOutput, Preview
from ._operations import Operation
from ._picture import Picture
from ._retry import Deadline

IDLE_STREAM_SECONDS = 60.0
"""The server sends a comment well before; a stream that is silent for longer is dead."""
POLL_SECONDS = 30.0
"""How long one request of `wait` is held. Proxies often end those of a minute."""
GRACE_SECONDS = 2.0
"""How long an answer that was held until the deadline may take to arrive."""
UNHELD_POLL_SECONDS = 1.0
"""Between two polls of a server that answers at once and does not say when to come back."""


def request_of(operation: Operation[Any], config: Config, deadline: Deadline, link: str | None) -> dict[str, Any]:
    """The arguments of httpx for an operation. A link is taken as it is, and the key is not shown to it."""
    patience = min(config.timeout + operation.held_seconds, deadline.remaining(math.inf) + GRACE_SECONDS)
    timeout = httpx.Timeout(config.timeout, read=patience)
    if link is not None:
        return {"method": operation.method, "url": link, "timeout": timeout}
    return {
        "method": operation.method,
        "url": f"{config.root}{operation.path}",
        "params": dict(operation.params),
        "headers": {"Accept": "application/json", **config.headers, **operation.headers},
        "json": operation.body,
        "timeout": timeout,
    }


def stream_timeout(config: Config, read_seconds: float) -> httpx.Timeout:
    return httpx.Timeout(config.timeout, read=max(0.001, read_seconds))


def connection_error(error: httpx.TransportError, url: str) -> ConnectionFailed:
    reason = str(error) or type(error).__name__
    return ConnectionFailed(f"{url} cannot be reached: {reason}. Check that the server runs and the URL is right.")


def judge(response: httpx.Response) -> NextscaleError | None:
    """The error a whole answer stands for, or `None`."""
    return None if response.is_success else error_of(response)


def whole_file(output: GenerationOutput | Preview, content: bytes) -> Picture:
    """The content, once it is known to be all of it and unchanged."""
    if len(content) != output.bytes:
        raise ResponseInvalid(f"{output.url} has {len(content)} bytes, not {output.bytes}")
    if isinstance(output, GenerationOutput) and hashlib.sha256(content).hexdigest() != output.sha256:
        raise ResponseInvalid(f"{output.url} has not the sha256 of the output")
    return Picture(content, output.content_type, output.width, output.height)
