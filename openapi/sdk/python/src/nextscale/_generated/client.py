# Generated from openapi.json by scripts/generate.py. Do not edit.

"""The client that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import TypeVar

import httpx
from typing_extensions import Self, Unpack

from nextscale import _operations as operations
from nextscale._blocking import call, sleep
from nextscale._generated.webhooks_client import WebhookCalls
from nextscale._config import read_config
from nextscale._errors import ConnectionFailed, NextscaleError, WaitTimedOut, with_pictures
from nextscale._events import Follower
from nextscale._generated.events import GenerationEvent
from nextscale._generated.models import (
    EndEvent,
    Generation,
    GenerationList,
    GenerationOutput,
    Model,
    ModelClass,
    Preview,
    ServiceStatus,
)
from nextscale._generated.requests import ContinueRequest, GenerateRequest
from nextscale._keywords import keywords
from nextscale._operations import Operation, is_terminal
from nextscale._picture import Picture
from nextscale._retry import NEVER, Deadline, RetryPolicy
from nextscale._transport import (
    IDLE_STREAM_SECONDS,
    POLL_SECONDS,
    UNHELD_POLL_SECONDS,
    connection_error,
    judge,
    request_of,
    stream_timeout,
    whole_file,
)

T = TypeVar("T")


class Nextscale(WebhookCalls):
    """A Nextscale server.

    `base_url` is `NEXTSCALE_URL`, or `http://127.0.0.1:8080`, unless given; `api_key` is `NEXTSCALE_API_KEY`. `timeout` is
    in seconds, for connecting and for each wait for bytes. What may pass (429, 5xx, a lost connection) is tried
    `max_retries` times more, after the `Retry-After` of the server or else with growing, jittered delays.

    Close it, or use it in a `with` statement.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 4,
    ) -> None:
        self._config = read_config(base_url, api_key, timeout, max_retries)
        self._policy = RetryPolicy(max_retries)
        self._http = httpx.Client()

    @keywords(text=("class_name", "prompt"), number="class_label")
    def generate(self, *, idempotency_key: str | None = None, **request: Unpack[GenerateRequest]) -> Generation:
        """Asks for pictures and returns at once; the generation is usually `queued`.

        Every attempt of one call carries the same `Idempotency-Key`, so a retry never makes a second generation. Give a key of
        your own to have that over calls.
        """
        return self._send(operations.generate(request, idempotency_key))

    @keywords(text=("class_name", "prompt"), number="class_label")
    def generate_and_wait(
        self,
        *,
        on_event: Callable[[GenerationEvent], object] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
        **request: Unpack[GenerateRequest],
    ) -> Generation:
        """Asks for pictures and waits for them, at most `timeout` seconds; `on_event` is called with each event.

        Raises `GenerationFailed` if there are none in the end, `WaitTimedOut` if that takes too long.
        """
        deadline = Deadline(timeout)
        generation = self._send(operations.generate(request, idempotency_key), deadline)
        return with_pictures(self._finish(generation, deadline, on_event))

    def get(self, id: str) -> Generation:
        """Reads a generation as it is now. Its links are minted anew on every read."""
        return (self._send(operations.get(id)))[0]

    def wait(self, id: str, timeout: float | None = None) -> Generation:
        """Waits for the pictures of a generation that was asked for before, at most `timeout` seconds.

        Raises `GenerationFailed` if it ends without them (failed, canceled, expired), `WaitTimedOut` if that takes too long.
        """
        return with_pictures(self._poll(id, Deadline(timeout)))

    @keywords(text="status")
    def list(
        self,
        *,
        status: str | None = None,
        model: str | None = None,
        label: str | None = None,
        page_size: int | None = None,
    ) -> Iterator[Generation]:
        """All generations, newest first; pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = self.list_page(cursor, status=status, model=model, label=label, page_size=page_size)
            for generation in page.data:
                yield generation
            cursor = page.next_cursor
            if cursor is None:
                return

    @keywords(text="status")
    def list_page(
        self,
        cursor: str | None = None,
        *,
        status: str | None = None,
        model: str | None = None,
        label: str | None = None,
        page_size: int | None = None,
    ) -> GenerationList:
        """One page; its `next_cursor` leads to the next."""
        return self._send(operations.list_page(cursor, status, model, label, page_size))

    def cancel(self, id: str) -> Generation:
        """Cancels a generation: at once while it is queued, else at its next scale. One that has ended stays as it is."""
        return self._send(operations.cancel(id))

    def delete(self, id: str) -> None:
        """Erases a generation that has ended, with its pictures. One that is gone already is no error."""
        self._send(operations.delete(id))

    @keywords(number="keep_scales")
    def continue_(self, id: str, *, idempotency_key: str | None = None, **request: Unpack[ContinueRequest]) -> Generation:
        """Takes a draft further, or with `keep_scales` varies a generation. Like `generate`, it returns at once."""
        return self._send(operations.continue_(id, request, idempotency_key))

    def events(self, id: str, last_event_id: str | None = None) -> Generator[GenerationEvent, None, None]:
        """Follows a generation: `snapshot` first, `end` last, each event once.

        What the snapshot has of previews and outputs follows it as `preview` and `output` events with its id, so whoever looks
        at those misses none. Lost connections are taken up again where they broke off. With `last_event_id` it goes on after
        that event.
        """
        return self._follow(id, Follower(last_event_id), NEVER)

    def download(self, output: GenerationOutput | Preview) -> Picture:
        """Fetches a picture or a preview, and checks that it is whole. `save` writes it to a file; a notebook shows it."""
        # A link carries its own permission, and may lead to another host: the key stays here.
        link = Operation("GET", "", lambda response: response.content)
        return whole_file(output, self._send(link, url=output.url))

    def models(self) -> Sequence[Model]:
        """The models that are served, with their scales and defaults."""
        return (self._send(operations.models())).data

    def model(self, id: str) -> Model:
        """One model."""
        return self._send(operations.model(id))

    def classes(self, model: str, q: str | None = None) -> Iterator[ModelClass]:
        """The classes of a model, or those whose name has `q` in it; pages are fetched as they are needed."""
        offset = 0
        while True:
            page = self._send(operations.classes(model, q, offset))
            for each in page.data:
                yield each
            offset += len(page.data)
            if not page.data or offset >= page.total:
                return

    def status(self) -> ServiceStatus:
        """Queue, runners and speed, as they are now."""
        return self._send(operations.status())

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.root!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _send(self, operation: Operation[T], deadline: Deadline = NEVER, url: str | None = None) -> T:
        """Sends an operation until it is answered, or not worth trying again. To a foreign `url` it goes bare."""
        failures = 0
        while True:
            request = request_of(operation, self._config, deadline, url)
            error: NextscaleError | None
            try:
                response = self._http.request(**request)
                error = judge(response)
            except httpx.TransportError as reason:
                error = connection_error(reason, request["url"])
            else:
                if error is None:
                    return operation.read(response)
            delay = self._policy.delay(failures, error, deadline) if operation.repeatable else None
            if delay is None:
                raise error
            failures += 1
            sleep(delay)

    def _poll(self, id: str, deadline: Deadline) -> Generation:
        while True:
            asked = deadline.remaining(POLL_SECONDS)
            began = time.monotonic()
            try:
                generation, retry_after = self._send(operations.get(id, asked), deadline)
            except NextscaleError as error:
                if error.retryable and deadline.passed():
                    raise WaitTimedOut(id, deadline.seconds) from error
                raise
            if is_terminal(generation):
                return generation
            if deadline.passed():
                raise WaitTimedOut(id, deadline.seconds)
            if time.monotonic() - began < asked / 2:
                sleep(deadline.remaining(UNHELD_POLL_SECONDS if retry_after is None else retry_after))

    def _finish(
        self,
        generation: Generation,
        deadline: Deadline,
        on_event: Callable[[GenerationEvent], object] | None,
    ) -> Generation:
        if on_event is None:
            return generation if is_terminal(generation) else self._poll(generation.id, deadline)
        with closing(self._follow_or_poll(generation.id, deadline)) as events:
            for event in events:
                if event.event == "end":
                    generation = event.data
                call(on_event, event)
        return generation

    def _follow_or_poll(self, id: str, deadline: Deadline) -> Generator[GenerationEvent, None, None]:
        """The events; where there can be no stream, those that still follow from the generation in the end."""
        follower = Follower(None)
        try:
            with closing(self._follow(id, follower, deadline)) as events:
                for event in events:
                    yield event
            return
        except NextscaleError as error:
            if isinstance(error, WaitTimedOut) or not error.retryable:
                raise
        generation = self._poll(id, deadline)
        for event in follower.pictures_of(generation):
            yield event
        yield EndEvent(id="", event="end", data=generation)

    def _follow(self, id: str, follower: Follower, deadline: Deadline) -> Generator[GenerationEvent, None, None]:
        url = f"{self._config.root}{operations.events_path(id)}"
        failures = 0
        while True:
            headers = {**self._config.headers, **follower.connect()}
            timeout = stream_timeout(self._config, deadline.remaining(IDLE_STREAM_SECONDS))
            error: NextscaleError | None = None
            try:
                with self._http.stream("GET", url, headers=headers, timeout=timeout) as response:
                    if response.status_code == httpx.codes.NO_CONTENT:
                        return  # There is nothing after the event that was the last.
                    if not response.is_success:
                        response.read()
                        error = judge(response)
                    else:
                        for chunk in response.iter_bytes():
                            for event in follower.feed(chunk):
                                failures = 0
                                yield event
                                if follower.ended:
                                    return
                            if deadline.passed():
                                break
            except httpx.TransportError as reason:
                error = connection_error(reason, url)
            if deadline.passed():
                raise WaitTimedOut(id, deadline.seconds)
            if error is None:
                error = ConnectionFailed(f"{url}: the stream ended before the generation did")
            delay = self._policy.delay(failures, error)
            if delay is None:
                raise error
            if error.retry_after is None and follower.retry_seconds is not None:
                delay = max(delay, follower.retry_seconds)
            failures += 1
            sleep(deadline.remaining(delay))
