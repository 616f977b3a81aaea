"""A server that answers as a test says, over real HTTP, and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

DOCUMENT = json.loads((Path(__file__).parents[3] / "openapi.json").read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    status: int = 200
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    """Closes the connection in the middle of the answer."""

    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


Script = Callable[[Request], Answer]


class StandIn:
    """Gives the answers one after the other, the last of them for ever."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer | Script] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                stand_in._handle(self)

            do_GET = do_POST = do_DELETE = handle_any

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def says(self, *answers: Answer | Script) -> None:
        self.answers = list(answers)

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("content-length") or 0)
        raw = handler.rfile.read(length)
        url = urlsplit(handler.path)
        headers = {name.lower(): value for name, value in handler.headers.items()}
        body = json.loads(raw) if raw else None
        request = Request(handler.command, url.path, parse_qs(url.query), headers, body)
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        content = answer.content()
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(content) + answer.hang_up))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def problem(status: int, code: str, *, retryable: bool = False, headers: dict[str, str] | None = None) -> Answer:
    body = {
        "type": f"https://nextscale.dev/problems/{code}",
        "title": "It did not work",
        "status": status,
        "detail": "Set seed to a number from 0 to 4294967295.",
        "code": code,
        "request_id": "req-1",
        "retryable": retryable,
        "errors": [{"pointer": "/seed", "detail": "must be a number"}] if status < 429 else [],
    }
    return Answer(status, body, {"Content-Type": "application/problem+json", **(headers or {})})


def example(path: str, method: str = "get", status: int = 200) -> Any:
    """The answer that the contract shows for an operation, whose own tests hold it to its schemas."""
    [(_, content)] = [
        each for each in DOCUMENT["paths"][path][method]["responses"][str(status)]["content"].items() if "json" in each[0]
    ]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]


def output(**changes: object) -> dict[str, object]:
    return {**example("/generations/{id}")["outputs"][0], **changes}


def preview(**changes: object) -> dict[str, object]:
    shared = {name: value for name, value in output().items() if name in SCHEMAS["Preview"]["properties"]}
    return {**shared, "scale": 2, "content_type": "image/webp", **changes}


def generation(**changes: object) -> dict[str, object]:
    """One that waits, with these changes."""
    return {**example("/generate", "post", 202), **changes}


def delivery(**changes: object) -> dict[str, object]:
    return {**example("/webhook-deliveries/{id}/redeliver", "post", 202), **changes}


GENERATION_ID = str(generation()["id"])
DELIVERY_ID = str(delivery()["id"])


def accepted() -> Answer:
    return Answer(202, generation())


def ended(status: str = "succeeded", **changes: object) -> Answer:
    return Answer(200, generation(status=status, stage=None, queue=None, **changes))


def message(id: str, event: str, data: object) -> bytes:
    return f"id: {id}\nevent: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def stream(*parts: bytes, hang_up: bool = False) -> Answer:
    return Answer(200, b"".join(parts), {"Content-Type": "text/event-stream"}, hang_up)
