"""Redis, API, control process and runner of this repository as processes, as `tests/src/support/deployment.ts` starts them."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).parents[4]
NODE = REPOSITORY / "node_modules" / ".bin" / "node"
READY_SECONDS = 60.0


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def until(what: str, ask: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ask():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {READY_SECONDS:g} s: {what}")
        time.sleep(0.05)


class Process:
    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        self._log = log
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                command, env={"PATH": os.environ["PATH"], **env}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )

    def printed(self, text: str) -> bool:
        if self._child.poll() is not None:
            raise RuntimeError(f"it ended:\n{self._log.read_text()}")
        return text in self._log.read_text()

    def end(self) -> None:
        self._child.terminate()
        try:
            self._child.wait(15)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()


class Deployment:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._root = Path(self._folder.name)
        self._processes: list[Process] = []
        redis = free_port()
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        objects = self._root / "objects"
        objects.mkdir()
        self._env = {
            "REDIS_URL": f"redis://127.0.0.1:{redis}",
            "OBJECT_DIR": str(objects),
            "PORT": str(port),
            "LOCK_DURATION_MS": "2000",
            "STALLED_INTERVAL_MS": "1000",
            "EGRESS": "any",
        }
        command = ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--dir", str(self._root), "--save", ""]
        try:
            self._start("redis", command, {})
            self.start_api()
            self._start("control", [str(NODE), str(REPOSITORY / "api/src/control/start.ts")], self._env)
            self.start_runner()
            until("requests are accepted", lambda: self._answers("/readyz"))
        except BaseException:
            self.close()
            raise

    def _start(self, name: str, command: list[str], env: dict[str, str]) -> Process:
        process = Process(command, env, self._root / f"{name}-{len(self._processes)}.log")
        self._processes.append(process)
        return process

    def _answers(self, path: str) -> bool:
        try:
            return httpx.get(f"{self.url}{path}").status_code == 200
        except httpx.TransportError:
            return False

    def start_api(self) -> None:
        self.api = self._start("api", [str(NODE), str(REPOSITORY / "api/src/start.ts")], self._env)
        until("the API listens", lambda: self.api.printed("") and self._answers("/healthz"))

    def start_runner(self, program: str = "gpu-runner/src/start.ts", env: Mapping[str, str] | None = None) -> None:
        """Starts a runner: the shipped one, unless another program of the repository is named."""
        self.runner = self._start("runner", [str(NODE), str(REPOSITORY / program)], {**self._env, **(env or {})})
        until("the runner is ready", lambda: self.runner.printed("runner ready"))

    def create_key(self, scopes: str) -> str:
        """Makes an API key, as an operator would; from then on the server asks everyone for one."""
        command = [str(REPOSITORY / "scripts/nextscale.mjs"), "keys", "create", "--name", "sdk", "--scopes", scopes]
        env = {"PATH": f"{NODE.parent}:{os.environ['PATH']}", **self._env}
        result = subprocess.run([str(NODE), *command], check=False, env=env, capture_output=True, text=True)
        found = re.search(r"\bns_\w+", result.stdout)
        if not found:
            raise RuntimeError(f"no key was made:\n{result.stdout}{result.stderr}")
        return found[0]

    def close(self) -> None:
        for process in reversed(self._processes):
            process.end()
        self._folder.cleanup()
