"""Writes `nextscale/_generated`: from `openapi.json` requests as typed dicts, answers as pydantic models, and events;
from the client for asyncio the one that blocks.

    python scripts/generate.py [folder to write to]

A server may be newer than its client, or older. So answers are read loosely: limits are left to the server that keeps them,
where the contract lists names, other strings are read as well, and what may be null or is a list may be missing.
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
    "--strict-nullable",
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
    if names and "properties" in result:
        result = forgiving(result)
    return as_kinds(result, is_open=names and "enum" in result)


def forgiving(schema: Schema) -> Schema:
    """The object as servers of before may send it, without the fields that were added since: those are `None`, or empty lists.

    A list that nothing else would tell the object by stays required: a page of a list, or what is no answer at all.
    """
    properties = {name: dict(value) for name, value in schema["properties"].items()}
    needed = [name for name in schema.get("required", []) if {"type": "null"} not in properties[name].get("anyOf", [])]
    telling = [name for name in needed if properties[name].get("type") != "array"] or needed
    for name in set(needed) - set(telling):
        properties[name]["default"] = []
    return {**schema, "properties": properties, "required": telling}


def as_kinds(schema: Schema, *, is_open: bool) -> Schema:
    """The schema with `null`, and where it is open any string, as kinds of their own, as the generator likes them."""
    is_nullable = isinstance(schema.get("type"), list)
    if not is_nullable and not is_open:
        return schema
    rest = {key: value for key, value in schema.items() if key not in ("description", "default")}
    if is_nullable:
        rest["type"] = next(name for name in schema["type"] if name != "null")
    if "enum" in rest:
        rest["enum"] = [value for value in rest["enum"] if value is not None]
    kinds = [rest, *([{"type": "string"}] if is_open else []), *([{"type": "null"}] if is_nullable else [])]
    return {"anyOf": kinds, **{key: schema[key] for key in ("description", "default") if key in schema}}


def name_in(reference: Schema) -> str:
    """The schema that a reference leads to."""
    return str(reference["$ref"]).rpartition("/")[2]


def reached(names: tuple[str, ...], schemas: dict[str, Schema]) -> set[str]:
    """These schemas, and those they refer to."""
    found: set[str] = set()
    open_names = list(names)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names += re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schemas[name]))
    return found


def write_events(schemas: dict[str, Schema], target: Path) -> None:
    """The union of all events, and each by its name on the wire."""
    kinds = {name: schemas[name] for name in map(name_in, schemas["GenerationEvent"]["anyOf"])}
    names = ", ".join(kinds)
    by_event = "".join(f'    "{kind["properties"]["event"]["const"]}": {name},\n' for name, kind in kinds.items())
    target.write_text(
        f"{HEADER}\n\nfrom typing import TypeAlias\n\nfrom .models import {names}\n\n"
        f"GenerationEvent: TypeAlias = {' | '.join(kinds)}\n\n"
        f"EVENTS: dict[str, type[GenerationEvent]] = {{\n{by_event}}}\n"
    )


def write_webhooks(items: dict[str, Any], target: Path) -> None:
    """The union of what webhooks tell of, and each by its type."""
    bodies = {type: item["post"]["requestBody"]["content"]["application/json"] for type, item in items.items()}
    names = {type: name_in(body["schema"]) for type, body in bodies.items()}
    by_type = "".join(f'    "{type}": {name},\n' for type, name in names.items())
    target.write_text(
        f"{HEADER}\n\nfrom typing import Any, TypeAlias\n\nfrom pydantic import AwareDatetime\n\n"
        f"from .._record import Record\nfrom .models import {', '.join(names.values())}\n\n\n"
        'class UnknownWebhook(Record):\n    """What a newer server tells of."""\n\n'
        "    type: str\n    timestamp: AwareDatetime\n    data: Any\n\n\n"
        f"WebhookEvent: TypeAlias = {' | '.join([*names.values(), 'UnknownWebhook'])}\n\n"
        f"WEBHOOKS: dict[str, type[WebhookEvent]] = {{\n{by_type}}}\n"
    )


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
    asked = reached(REQUESTS, schemas)
    requests = {name: schema for name, schema in schemas.items() if name in asked}
    answers = {name: schema for name, schema in schemas.items() if name not in {*asked, "GenerationEvent"}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "__init__.py").write_text(f"{HEADER}\n")
    typed_dicts = ("--output-model-type=typing.TypedDict",)
    write(opened(requests, names=False, is_properties=True), folder / "requests.py", typed_dicts)
    write(opened(answers, names=True, is_properties=True), folder / "models.py", MODELS)
    write_blocking("_async_client.py", "The client that blocks.", folder / "client.py")
    write_blocking("_async_webhooks.py", "Calls about webhooks, which block.", folder / "webhooks_client.py")
    write_events(schemas, folder / "events.py")
    write_webhooks(document["components"]["pathItems"], folder / "webhooks.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else GENERATED)
