"""A receiver of webhooks that keeps what it could verify."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from nextscale import VerifiedWebhook, WebhookInvalid, verify_webhook


class Hook:
    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.taken: list[VerifiedWebhook] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                try:
                    hook.taken.append(verify_webhook(body, dict(self.headers), hook.secret))
                    self.send_response(204)
                except WebhookInvalid:
                    self.send_response(400)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
