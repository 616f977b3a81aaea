"""Where the server is and how to call it; the one place that reads the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ._version import __version__

DEFAULT_URL = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Config:
    root: str
    """Base of every path, with `/v1`."""
    headers: Mapping[str, str] = field(repr=False)
    """They hold the key, which no message and no trace shows."""
    timeout: float
    max_retries: int


def read_config(base_url: str | None, api_key: str | None, timeout: float, max_retries: int) -> Config:
    url = (base_url or os.environ.get("NEXTSCALE_URL") or DEFAULT_URL).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"base_url (or NEXTSCALE_URL) has to begin with http:// or https://, not {url!r}")
    key = (api_key or os.environ.get("NEXTSCALE_API_KEY") or "").strip()
    if not (key.isascii() and key.isprintable()):
        # It would fail in httpx, which shows it in its message.
        raise ValueError(
            "api_key (or NEXTSCALE_API_KEY) has characters that no key has; give it as `nextscale keys create` prints it"
        )
    return Config(
        root=url if url.endswith("/v1") else f"{url}/v1",
        headers={"User-Agent": f"nextscale-python/{__version__}", **({"Authorization": f"Bearer {key}"} if key else {})},
        timeout=timeout,
        max_retries=max_retries,
    )
