import os
import sqlite3
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

from nextscale import (
    GenerationCanceledWebhook,
    GenerationExpiredWebhook,
    GenerationFailedWebhook,
    GenerationSucceededWebhook,
    Nextscale,
    NextscaleError,
    WebhookEvent,
    WebhookInvalid,
    parse_webhook,
    verify_webhook,
)

SECRETS = [secret for secret in os.environ.get("WEBHOOK_SECRETS", "").split(",") if secret]  # While one replaces another, both.
if not SECRETS:
    raise SystemExit("Set WEBHOOK_SECRETS to what `nextscale webhooks secret` prints.")
FOLDER = Path(os.environ.get("PICTURES", "pictures"))
LARGEST_BODY = 1_000_000
TABLE = "webhooks (id TEXT PRIMARY KEY, body BLOB NOT NULL, done INTEGER NOT NULL DEFAULT 0)"

client = Nextscale(os.environ.get("NEXTSCALE_URL", "http://localhost:8080"))
taken: Queue[str] = Queue()


def execute(sql: str, *values: object) -> tuple[int, list[tuple[Any, ...]]]:
    """How many rows it changed, and those it found."""
    with closing(sqlite3.connect(FOLDER / "webhooks.db")) as database, database:
        cursor = database.execute(sql, values)
        return cursor.rowcount, cursor.fetchall()


def handle(event: WebhookEvent) -> None:
    if isinstance(event, GenerationSucceededWebhook):
        for output in event.data.outputs:
            path = FOLDER / f"{event.data.id}-{output.index}.{output.content_type.removeprefix('image/')}"
            path.write_bytes(client.download(output))
            print("saved", path, flush=True)
    elif isinstance(event, (GenerationFailedWebhook, GenerationCanceledWebhook, GenerationExpiredWebhook)):
        print(f"no picture: {event.data.id} is {event.data.status}", flush=True)
    else:  # The test event, events on the way, and what newer servers send.
        print("nothing to do for", event.type, flush=True)


def work() -> None:
    """What is not done when this ends, or fails, is done at the next start."""
    while True:
        id = taken.get()
        try:
            [(body,)] = execute("SELECT body FROM webhooks WHERE id = ?", id)[1]
            handle(parse_webhook(body))
            execute("UPDATE webhooks SET done = 1 WHERE id = ?", id)
        except (NextscaleError, OSError, sqlite3.Error) as error:
            print(f"not done: {id}: {error}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    timeout = 10

    def do_POST(self) -> None:
        # The signature is of the bytes as they came: JSON that was parsed and written anew has others.
        body = self.rfile.read(min(int(self.headers.get("content-length") or 0), LARGEST_BODY))
        try:
            webhook = verify_webhook(body, dict(self.headers), SECRETS)
        except WebhookInvalid as error:
            print("refused:", error.detail, flush=True)
            return self.answer(400)
        # Kept before it is answered for; the same delivery once only.
        is_new, _ = execute("INSERT OR IGNORE INTO webhooks (id, body) VALUES (?, ?)", webhook.id, body)
        print("took" if is_new else "had", webhook.id, webhook.event.type, flush=True)
        if is_new:
            taken.put(webhook.id)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing beyond what is printed above."""


FOLDER.mkdir(parents=True, exist_ok=True)
execute(f"CREATE TABLE IF NOT EXISTS {TABLE}")
for (id,) in execute("SELECT id FROM webhooks WHERE done = 0")[1]:
    taken.put(id)
Thread(target=work, daemon=True).start()
with ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "3000"))), Receiver) as server:
    print(f"listening at http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
