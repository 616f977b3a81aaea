from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECEIVERS = ROOT.parents[2] / "tests" / "src" / "receivers"
MYPY: list[str] = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), "--cache-dir"]

RIGHT = """
from nextscale import AsyncNextscale, GenerationFailedWebhook, Nextscale, verify_webhook
client = Nextscale()
generation = client.generate(class_name="fox", seed=7, output={"format": "webp", "quality": 80}, previews=[2, 4])
reveal_type(generation.outputs[0].url_expires_at)
reveal_type(client.download(generation.outputs[0]))
reveal_type(client.download(generation.previews[0]).save("fox.webp"))
reveal_type(client.continue_("id", keep_scales=3))
for event in client.events("id"):
    if event.event == "progress":
        reveal_type(event.data.scale)
webhook = verify_webhook(b"", {}, "whsec_")
if isinstance(webhook.event, GenerationFailedWebhook):
    reveal_type(webhook.event.data)
for delivery in client.webhook_deliveries(status="failed"):
    reveal_type(delivery)
async def main() -> None:
    reveal_type(await AsyncNextscale().wait("id"))
"""
WRONG = """
from nextscale import Nextscale
client = Nextscale()
client.generate(class_nme="fox")
client.generate(seed="seven")
client.generate(output={"format": "gif"})
client.continue_("id", class_name="fox")
client.generate("fox")
client.list("failed")
"""


def check(text: str, folder: Path) -> str:
    program = folder / "program.py"
    program.write_text(text)
    result = subprocess.run([*MYPY, str(folder / "cache"), str(program)], cwd=ROOT, check=False, capture_output=True, text=True)
    return result.stdout


def test_everything_passes_the_strict_checker(tmp_path: Path) -> None:
    result = subprocess.run([*MYPY, str(tmp_path)], cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_code_is_formatted_and_free_of_lint() -> None:
    options = ["--no-cache", "--config", str(ROOT / "pyproject.toml"), ".", str(RECEIVERS)]
    for command in (["format", "--check"], ["check"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *options], cwd=ROOT, check=False, capture_output=True, text=True
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_a_program_sees_the_types(tmp_path: Path) -> None:
    shown = [line.split('"')[1].rpartition(".")[2] for line in check(RIGHT, tmp_path).splitlines() if "Revealed" in line]
    assert shown == ["datetime", "Picture", "Path", "Generation", "int", "Generation", "WebhookDelivery", "Generation"]


def test_mistakes_are_found_before_they_are_sent(tmp_path: Path) -> None:
    found = [int(line.split(":")[1]) for line in check(WRONG, tmp_path).splitlines() if ": error:" in line]
    assert found == [4, 5, 6, 7, 8, 9]
