"""What can go wrong, as exceptions. All of them are `NextscaleError`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import httpx
from pydantic import ValidationError

from ._generated.models import FieldError, Generation, Problem


class NextscaleError(Exception):
    """A request failed. What the server said of it (RFC 9457) is in the attributes.

    `code` is stable and made for programs, `detail` says what is wrong and how to mend it, `errors` names the fields at
    fault, `retryable` says whether the same request may succeed later, `retry_after` in how many seconds.
    """

    def __init__(
        self,
        detail: str,
        *,
        code: str,
        title: str = "",
        status: int | None = None,
        type: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        errors: Sequence[FieldError] = (),
        retry_after: float | None = None,
    ) -> None:
        # Most details say the fields at fault already.
        fields = [(error.detail, f"{error.pointer}: {error.detail}") for error in errors]
        unsaid = "".join(f"\n  {field[1]}" for field in fields if field[0] != detail and field[1] not in detail)
        reference = f" (request {request_id})" if request_id else ""
        super().__init__(f"{code}: {detail}{reference}{unsaid}")
        self.detail = detail
        self.code = code
        self.title = title or detail
        self.status = status
        self.type = type
        self.request_id = request_id
        self.retryable = retryable
        self.errors = tuple(errors)
        self.retry_after = retry_after


class ConnectionFailed(NextscaleError):
    """No whole answer came: the server could not be reached, was silent, or hung up."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="connection_failed", retryable=True)


class GenerationFailed(NextscaleError):
    """A generation ended without its pictures. `generation` is how it ended; `code` its error's, or its status."""

    def __init__(self, generation: Generation) -> None:
        error = generation.error
        detail = error.message if error else f"it ended as {generation.status}, without pictures"
        super().__init__(
            f"{generation.id}: {detail}",
            code=error.code if error else generation.status,
            retryable=error.retryable if error else False,
        )
        self.generation = generation


def with_pictures(generation: Generation) -> Generation:
    """A generation that has ended, if it has its pictures."""
    if generation.status != "succeeded":
        raise GenerationFailed(generation)
    return generation


class WaitTimedOut(NextscaleError, TimeoutError):
    """The time to wait ran out. The generation goes on: `wait(error.id)` takes it up again."""

    def __init__(self, id: str, timeout: float) -> None:
        super().__init__(f"{id} was not finished within {timeout:g} s", code="wait_timed_out", retryable=True)
        self.id = id


class WebhookInvalid(NextscaleError, ValueError):
    """A webhook is not from the server, or too old. Answer it with 400."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="webhook_invalid")


class ResponseInvalid(NextscaleError):
    """An answer is not what the contract says: this is no Nextscale server, or one of another version."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail, code="response_invalid")


WHERE_KEYS_ARE = (
    "Give one as api_key= or NEXTSCALE_API_KEY: `npm start` keeps that of a local service in the file .nextscale/api-key, "
    "and `nextscale keys create` makes one."
)


def retry_after_of(response: httpx.Response) -> float | None:
    """Seconds until the server wants to be asked again, from a number or an HTTP date."""
    text = response.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return max(0.0, (aware - datetime.now(timezone.utc)).total_seconds())


def error_of(response: httpx.Response) -> NextscaleError:
    """The error that an answer, read in full, tells of. What sends no problem is a proxy: its 429 and 5xx may pass."""
    status = response.status_code
    retry_after = retry_after_of(response)
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        return NextscaleError(
            f"the answer was {status} {response.reason_phrase} without a problem document",
            code=f"http_{status}",
            status=status,
            retryable=status == 429 or status >= 500,
            retry_after=retry_after,
        )
    detail, errors = problem.detail, problem.errors
    if problem.code == "unauthorized":
        # The server speaks of headers, and names them as the field at fault: those are this client's to write.
        wrong = detail if "authorization" in response.request.headers else "This server asks for an API key."
        detail, errors = f"{wrong} {WHERE_KEYS_ARE}", []
    return NextscaleError(
        detail,
        code=problem.code,
        title=problem.title,
        status=status,
        type=problem.type,
        request_id=problem.request_id,
        retryable=problem.retryable or status >= 500,
        errors=errors,
        retry_after=retry_after,
    )
