"""The client for asyncio. `_generated/client.py`, the one that blocks, is this file without `async` and `await`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import TypeVar

import httpx
from typing_extensions import Self, Unpack

from nextscale import _operations as operations
from nextscale._async import call, sleep
from nextscale._async_webhooks import AsyncWebhookCalls
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


class AsyncNextscale(AsyncWebhookCalls):
    """A Nextscale server.

    `base_url` is `NEXTSCALE_URL`, or `http://127.0.0.1:8080`, unless given; `api_key` is `NEXTSCALE_API_KEY`. `timeout` is
    in seconds, for connecting and for each wait for bytes. What may pass (429, 5xx, a lost connection) is tried
    `max_retries` times more, after the `Retry-After` of the server or else with growing, jittered delays.

    Close it, or use it in an `async with` statement.
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
        self._http = httpx.AsyncClient()

    @keywords(text=("class_name", "prompt"), number="class_label")
    async def generate(self, *, idempotency_key: str | None = None, **request: Unpack[GenerateRequest]) -> Generation:
        """Asks for pictures and returns at once; the generation is usually `queued`.

        Every attempt of one call carries the same `Idempotency-Key`, so a retry never makes a second generation. Give a key of
        your own to have that over calls.
        """
        return await self._send(operations.generate(request, idempotency_key))

    @keywords(text=("class_name", "prompt"), number="class_label")
    async def generate_and_wait(
        self,
        *,
        on_event: Callable[[GenerationEvent], Awaitable[object] | object] | None = None,
        timeout: float | None = None,
        idempotency_key: str | None = None,
        **request: Unpack[GenerateRequest],
    ) -> Generation:
        """Asks for pictures and waits for them, at most `timeout` seconds; `on_event` is called with each event.

        Raises `GenerationFailed` if there are none in the end, `WaitTimedOut` if that takes too long.
        """
        deadline = Deadline(timeout)
        generation = await self._send(operations.generate(request, idempotency_key), deadline)
        return with_pictures(await self._finish(generation, deadline, on_event))

    async def get(self, id: str) -> Generation:
        """Reads a generation as it is now. Its links are minted anew on every read."""
        return (await self._send(operations.get(id)))[0]

    async def wait(self, id: str, timeout: float | None = None) -> Generation:
        """Waits for the pictures of a generation that was asked for before, at most `timeout` seconds.

        Raises `GenerationFailed` if it ends without them (failed, canceled, expired), `WaitTimedOut` if that takes too long.
        """
        return with_pictures(await self._poll(id, Deadline(timeout)))

    @keywords(text="status")
    async def list(
        self,
        *,
        status: str | None = None,
        model: str | None = None,
        label: str | None = None,
        page_size: int | None = None,
    ) -> AsyncIterator[Generation]:
        """All generations, newest first; pages are fetched as they are needed."""
        cursor: str | None = None
        while True:
            page = await self.list_page(cursor, status=status, model=model, label=label, page_size=page_size)
            for generation in page.data:
                yield generation
            cursor = page.next_cursor
            if cursor is None:
                return

    @keywords(text="status")
    async def list_page(
        self,
        cursor: str | None = None,
        *,
        status: str | None = None,
        model: str | None = None,
        label: str | None = None,
        page_size: int | None = None,
    ) -> GenerationList:
        """One page; its `next_cursor` leads to the next."""
        return await self._send(operations.list_page(cursor, status, model, label, page_size))

    async def cancel(self, id: str) -> Generation:
        """Cancels a generation: at once while it is queued, else at its next scale. One that has ended stays as it is."""
        return await self._send(operations.cancel(id))

    async def delete(self, id: str) -> None:
        """Erases a generation that has ended, with its pictures. One that is gone already is no error."""
        await self._send(operations.delete(id))

    @keywords(number="keep_scales")
    async def continue_(self, id: str, *, idempotency_key: str | None = None, **request: Unpack[ContinueRequest]) -> Generation:
        """Takes a draft further, or with `keep_scales` varies a generation. Like `generate`, it returns at once."""
        return await self._send(operations.continue_(id, request, idempotency_key))

    def events(self, id: str, last_event_id: str | None = None) -> AsyncGenerator[GenerationEvent, None]:
        """Follows a generation: `snapshot` first, `end` last, each event once.

        What the snapshot has of previews and outputs follows it as `preview` and `output` events with its id, so whoever looks
        at those misses none. Lost connections are taken up again where they broke off. With `last_event_id` it goes on after
        that event.
        """
        return self._follow(id, Follower(last_event_id), NEVER)

    async def download(self, output: GenerationOutput | Preview) -> Picture:
        """Fetches a picture or a preview, and checks that it is whole. `save` writes it to a file; a notebook shows it."""
        # A link carries its own permission, and may lead to another host: the key stays here.
        link = Operation("GET", "", lambda response: response.content)
        return whole_file(output, await self._send(link, url=output.url))

    async def models(self) -> Sequence[Model]:
        """The models that are served, with their scales and defaults."""
        return (await self._send(operations.models())).data

    async def model(self, id: str) -> Model:
        """One model."""
        return await self._send(operations.model(id))

    async def classes(self, model: str, q: str | None = None) -> AsyncIterator[ModelClass]:
        """The classes of a model, or those whose name has `q` in it; pages are fetched as they are needed."""
        offset = 0
        while True:
            page = await self._send(operations.classes(model, q, offset))
            for each in page.data:
                yield each
            offset += len(page.data)
            if not page.data or offset >= page.total:
                return

    async def status(self) -> ServiceStatus:
        """Queue, runners and speed, as they are now."""
        return await self._send(operations.status())

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._config.root!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _send(self, operation: Operation[T], deadline: Deadline = NEVER, url: str | None = None) -> T:
        """Sends an operation until it is answered, or not worth trying again. To a foreign `url` it goes bare."""
        failures = 0
        while True:
            request = request_of(operation, self._config, deadline, url)
            error: NextscaleError | None
            try:
                response = await self._http.request(**request)
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
            await sleep(delay)

    async def _poll(self, id: str, deadline: Deadline) -> Generation:
        while True:
            asked = deadline.remaining(POLL_SECONDS)
            began = time.monotonic()
            try:
                generation, retry_after = await self._send(operations.get(id, asked), deadline)
            except NextscaleError as error:
                if error.retryable and deadline.passed():
                    raise WaitTimedOut(id, deadline.seconds) from error
                raise
            if is_terminal(generation):
                return generation
            if deadline.passed():
                raise WaitTimedOut(id, deadline.seconds)
            if time.monotonic() - began < asked / 2:
                await sleep(deadline.remaining(UNHELD_POLL_SECONDS if retry_after is None else retry_after))

    async def _finish(
        self,
        generation: Generation,
        deadline: Deadline,
        on_event: Callable[[GenerationEvent], Awaitable[object] | object] | None,
    ) -> Generation:
        if on_event is None:
            return generation if is_terminal(generation) else await self._poll(generation.id, deadline)
        async with aclosing(self._follow_or_poll(generation.id, deadline)) as events:
            async for event in events:
                if event.event == "end":
                    generation = event.data
                await call(on_event, event)
        return generation

    async def _follow_or_poll(self, id: str, deadline: Deadline) -> AsyncGenerator[GenerationEvent, None]:
        """The events; where there can be no stream, those that still follow from the generation in the end."""
        follower = Follower(None)
        try:
            async with aclosing(self._follow(id, follower, deadline)) as events:
                async for event in events:
                    yield event
            return
        except NextscaleError as error:
            if isinstance(error, WaitTimedOut) or not error.retryable:
                raise
        generation = await self._poll(id, deadline)
        for event in follower.pictures_of(generation):
            yield event
        yield EndEvent(id="", event="end", data=generation)

    async def _follow(self, id: str, follower: Follower, deadline: Deadline) -> AsyncGenerator[GenerationEvent, None]:
        url = f"{self._config.root}{operations.events_path(id)}"
        failures = 0
        while True:
            headers = {**self._config.headers, **follower.connect()}
            timeout = stream_timeout(self._config, deadline.remaining(IDLE_STREAM_SECONDS))
            error: NextscaleError | None = None
            try:
                async with self._http.stream("GET", url, headers=headers, timeout=timeout) as response:
                    if response.status_code == httpx.codes.NO_CONTENT:
                        return  # There is nothing after the event that was the last.
                    if not response.is_success:
                        await response.aread()
                        error = judge(response)
                    else:
                        async for chunk in response.aiter_bytes():
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
            await sleep(deadline.remaining(delay))
