"""Writes `nextscale/_generated`: from `openapi.json` requests as typed dicts, answers as pydantic models, and events;
from the client for asyncio the one that blocks.

    python scripts/generate.py [folder to write to]

A server may be newer than its client. So answers are read loosely: limits are left to the server that keeps them, and
where the contract lists names, other strings are read as well.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT.parents[1] / "openapi.json"
GENERATED = ROOT / "src" / "nextscale" / "_generated"
HEADER = "# Generated from openapi.json by scripts/generate.py. Do not edit."

REQUESTS = ("GenerateRequest", "ContinueRequest")
LIMITS = {"minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "pattern", "minItems", "maxItems"}
LIMITS |= {"uniqueItems", "maxProperties", "propertyNames", "examples"}
COMMON: tuple[str, ...] = (
    "--input-file-type=jsonschema",
    "--target-python-version=3.10",
    "--disable-timestamp",
    "--enum-field-as-literal=all",
    "--use-standard-collections",
    "--use-union-operator",
    "--skip-root-model",
    "--use-schema-description",
    "--use-field-description",
    "--use-annotated",
    "--formatters=ruff-format",
    f"--custom-file-header={HEADER}",
)
MODELS = ("--output-model-type=pydantic_v2.BaseModel", "--base-class=nextscale._record.Record", "--use-standard-primitive-types")

SOURCE = ROOT / "src" / "nextscale"
UNASYNC = {
    r"\b_async_webhooks\b": "_generated.webhooks_client",
    r"\b_async\b": "_blocking",
    r"Awaitable\[object\] \| object": "object",
    r"\bAsyncGenerator, AsyncIterator, Awaitable, Callable\b": "Callable, Generator, Iterator",
    r"\bAsyncGenerator\[(\w+), None\]": r"Generator[\1, None, None]",
    r"\bAsync(?=Nextscale|Client|Iterator|WebhookCalls)": "",
    "an `async with`": "a `with`",
    r"\b(?:async|await) ": "",
    r"\ba(?=close\b|closing\b|read\b|iter_bytes\b)|(?<=__)a(?=enter__|exit__)": "",
}

Schema = dict[str, Any]


def camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def hoisted(schema: Any, name: str, found: dict[str, Schema]) -> Any:
    """The schema with each object inside it moved to `found`, named after the path that leads there."""
    if isinstance(schema, list):
        return [hoisted(item, name, found) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: value if key == "properties" else hoisted(value, name, found) for key, value in schema.items()}
    for variant in result.get("anyOf", ()):
        # What is said of a value that may be null is said of the field.
        if "description" not in result and "description" in variant:
            result["description"] = variant.pop("description")
    if "properties" not in schema:
        return result
    result["properties"] = {key: hoisted(value, name + camel(key), found) for key, value in schema["properties"].items()}
    found[name] = result
    return {"$ref": f"#/components/schemas/{name}"}


def flat(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """The schemas with no object inside another."""
    found: dict[str, Schema] = {}
    for name, schema in schemas.items():
        rest = hoisted(schema, name, found)
        if name not in found:
            found[name] = rest
    return found


def opened(schema: Any, *, names: bool, is_properties: bool = False) -> Any:
    """The schema without limits, and with `names` open to names it does not know."""
    if isinstance(schema, list):
        return [opened(item, names=names) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if is_properties:
        return {name: opened(value, names=names) for name, value in schema.items()}
    result = {key: opened(value, names=names, is_properties=key == "properties") for key, value in schema.items()}
    for limit in LIMITS & result.keys():
        del result[limit]
    if "properties" in result:
        result.pop("additionalProperties", None)
    if result.get("format") != "date-time":
        result.pop("format", None)
    if "enum" not in result or not names:
        return result
    description = {"description": result.pop("description")} if "description" in result else {}
    return {"anyOf": [result, {"type": "string"}], **description}


def event_kinds(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Each kind of event as a schema of its own: `SnapshotEvent` and so on."""
    kinds = {}
    for kind in schemas["GenerationEvent"]["anyOf"]:
        name = camel(kind["properties"]["event"]["const"])
        kinds[f"{name}Event" if f"{name}Event" not in schemas else f"{name}ChangeEvent"] = kind
    return kinds


def write_events(kinds: dict[str, Schema], target: Path) -> None:
    """The union of all events, and each by its name on the wire."""
    names = ", ".join(kinds)
    by_event = "".join(f'    "{kind["properties"]["event"]["const"]}": {name},\n' for name, kind in kinds.items())
    target.write_text(
        f"{HEADER}\n\nfrom typing import TypeAlias\n\nfrom .models import {names}\n\n"
        f"GenerationEvent: TypeAlias = {' | '.join(kinds)}\n\n"
        f"EVENTS: dict[str, type[GenerationEvent]] = {{\n{by_event}}}\n"
    )


def write_webhooks(webhooks: dict[str, Schema], target: Path) -> None:
    """The union of what webhooks tell of, and each by its type."""
    names = {type: webhook_name(type) for type in webhooks}
    by_type = "".join(f'    "{type}": {name},\n' for type, name in names.items())
    target.write_text(
        f"{HEADER}\n\nfrom typing import Any, TypeAlias\n\nfrom pydantic import AwareDatetime\n\n"
        f"from .._record import Record\nfrom .models import {', '.join(names.values())}\n\n\n"
        'class UnknownWebhook(Record):\n    """What a newer server tells of."""\n\n'
        "    type: str\n    timestamp: AwareDatetime\n    data: Any\n\n\n"
        f"WebhookEvent: TypeAlias = {' | '.join([*names.values(), 'UnknownWebhook'])}\n\n"
        f"WEBHOOKS: dict[str, type[WebhookEvent]] = {{\n{by_type}}}\n"
    )


def webhook_name(type: str) -> str:
    """`generation.failed` is a `GenerationFailedWebhook`, and `webhook.test` a `TestWebhook`."""
    return camel(type.removeprefix("webhook.").replace(".", "_")) + "Webhook"


def webhook_kinds(webhooks: dict[str, Any]) -> dict[str, Schema]:
    """The body of each webhook as a schema of its own."""
    bodies = {type: webhook["post"]["requestBody"]["content"] for type, webhook in webhooks.items()}
    return {webhook_name(type): body["application/json"]["schema"] for type, body in bodies.items()}


def write_blocking(source: str, docstring: str, target: Path) -> None:
    """What blocks, from what is for asyncio."""
    text = (SOURCE / source).read_text()
    text = re.sub(r'\A"""[^"]*"""', f'{HEADER}\n\n"""{docstring}"""', text)
    for pattern, replacement in UNASYNC.items():
        text = re.sub(pattern, replacement, text)
    target.write_text(text)


def write(schemas: dict[str, Schema], target: Path, options: tuple[str, ...]) -> None:
    """Runs the generator over these schemas alone."""
    text = json.dumps({"$defs": schemas}).replace("#/components/schemas/", "#/$defs/")
    # The formatter takes its settings from the folders above the file: in this one there are none.
    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "schemas.json", Path(folder) / target.name
        source.write_text(text)
        program = [sys.executable, "-m", "datamodel_code_generator", "--input", str(source), "--output", str(result)]
        subprocess.run([*program, *COMMON, *options], check=True, cwd=folder)
        target.write_text(result.read_text())


def main(folder: Path) -> None:
    document = json.loads(DOCUMENT.read_text())
    schemas: dict[str, Schema] = document["components"]["schemas"]
    webhooks: dict[str, Any] = document["webhooks"]
    requests = opened({name: schemas[name] for name in REQUESTS}, names=False, is_properties=True)
    kinds = event_kinds(schemas)
    answers = {name: schema for name, schema in schemas.items() if name not in (*REQUESTS, "GenerationEvent")}
    answers |= kinds | webhook_kinds(webhooks)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(f"{HEADER}\n")
    write(flat(requests), folder / "requests.py", ("--output-model-type=typing.TypedDict",))
    write(flat(opened(answers, names=True, is_properties=True)), folder / "models.py", MODELS)
    write_blocking("_async_client.py", "The client that blocks.", folder / "client.py")
    write_blocking("_async_webhooks.py", "Calls about webhooks, which block.", folder / "webhooks_client.py")
    write_events(kinds, folder / "events.py")
    write_webhooks(webhooks, folder / "webhooks.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else GENERATED)
