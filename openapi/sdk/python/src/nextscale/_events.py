"""Server-sent events of one generation, over as many connections as it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic_core import from_json

from ._errors import ResponseInvalid
from ._generated.events import EVENTS, GenerationEvent
from ._generated.models import Generation, GenerationOutput, OutputEvent, Preview, PreviewEvent

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass
class Message:
    """One message as the stream has it."""

    id: str | None = None
    event: str = "message"
    data: list[bytes] = field(default_factory=list)


class Decoder:
    """Cuts the bytes of one connection into messages, as the HTML standard says.

    Lines end with CR, LF or both, and with nothing else: JSON may hold U+2028 and its like as they are.
    """

    def __init__(self) -> None:
        self.retry_seconds: float | None = None
        self._rest = b""
        self._started = False
        self._message = Message()
        self._id: str | None = None

    def feed(self, chunk: bytes) -> Iterator[Message]:
        text = self._rest + chunk
        # A CR at the end may be half of a CR LF.
        held = b"\r" if text.endswith(b"\r") else b""
        text = text[: len(text) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, rest = text.split(b"\n")
        self._rest = rest + held
        for line in lines:
            if not self._started:
                self._started = True
                line = line.removeprefix(BYTE_ORDER_MARK)
            if line:
                self._field(line)
                continue
            message, self._message = self._message, Message()
            if message.data:
                message.id = self._id
                yield message

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._message.data.append(value)
        elif name == b"event":
            self._message.event = value.decode(errors="replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode(errors="replace")
        elif name == b"retry" and value.isdigit():
            self.retry_seconds = int(value) / 1000


class Follower:
    """What is known over all connections: where to go on, and what has been told already."""

    def __init__(self, last_event_id: str | None) -> None:
        self.last_event_id = last_event_id
        self.retry_seconds: float | None = None
        self.ended = False
        self._seen: set[str] = set() if last_event_id is None else {last_event_id}
        self._told: set[tuple[int, int | None]] = set()
        self._decoder = Decoder()

    def connect(self) -> dict[str, str]:
        """Begins another connection, and gives the headers for it."""
        self._decoder = Decoder()
        resume = {"Last-Event-ID": self.last_event_id} if self.last_event_id is not None else {}
        return {"Accept": "text/event-stream", "Cache-Control": "no-store", **resume}

    def feed(self, chunk: bytes) -> Iterator[GenerationEvent]:
        """The events of a chunk that are new, of kinds this version knows; those a snapshot stands for come after it."""
        for message in self._decoder.feed(chunk):
            self.retry_seconds = self._decoder.retry_seconds
            kind = EVENTS.get(message.event)
            if message.id is not None:
                if message.id in self._seen:
                    continue
                self._seen.add(message.id)
                self.last_event_id = message.id
            if kind is None:
                continue
            try:
                data = from_json(b"\n".join(message.data))
                event = kind.model_validate({"id": message.id or "", "event": message.event, "data": data})
            except ValueError as error:
                raise ResponseInvalid(f"an event is no {kind.__name__}: {error}") from error
            if isinstance(event, (PreviewEvent, OutputEvent)) and not self._is_new(event.data):
                continue
            self.ended = event.event == "end"
            yield event
            if self.ended:
                return
            if event.event == "snapshot":
                yield from self.pictures_of(event.data, event.id)

    def pictures_of(self, generation: Generation, id: str = "") -> Iterator[PreviewEvent | OutputEvent]:
        """Its previews, coarse to fine, and its outputs, as events: those that were not told of."""
        for preview in sorted(generation.previews, key=lambda each: (each.scale, each.index)):
            if self._is_new(preview):
                yield PreviewEvent(id=id, event="preview", data=preview)
        for output in generation.outputs:
            if self._is_new(output):
                yield OutputEvent(id=id, event="output", data=output)

    def _is_new(self, picture: Preview | GenerationOutput) -> bool:
        """Whether a picture has not been told of before; from now on it has."""
        key = (picture.index, picture.scale if isinstance(picture, Preview) else None)
        is_new = key not in self._told
        self._told.add(key)
        return is_new
