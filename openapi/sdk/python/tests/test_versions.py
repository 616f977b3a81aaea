"""A server may be older than its client, or newer."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from nextscale import GenerationFailed
from nextscale._generated import models

from .conftest import Caller
from .stand_in import GENERATION_ID, SCHEMAS, StandIn, ended, example, generation

LATER = "added-later"
ANSWERS: dict[str, type[BaseModel]] = {
    name: getattr(models, name) for name in SCHEMAS if "properties" in SCHEMAS[name] and hasattr(models, name)
}


def kinds_of(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", "object")
    return [kinds] if isinstance(kinds, str) else list(kinds)


def newer(schema: dict[str, Any]) -> Any:
    """What a newer server may send: names that the contract does not list, and in every object another field."""
    if "$ref" in schema:
        return newer(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "const" in schema:
        return schema["const"]
    if "anyOf" in schema:
        return newer(next(kind for kind in schema["anyOf"] if kind.get("type") != "null"))
    match kinds_of(schema)[0]:
        case "object":
            fields = {name: newer(value) for name, value in schema.get("properties", {}).items()}
            return {**fields, LATER: {"deep": [1]}} if fields else {}
        case "array":
            return [newer(schema["items"])]
        case "string" if schema.get("format") == "date-time":
            return "2026-01-01T12:00:00.000Z"
        case "string":
            return LATER
        case "boolean":
            return True
        case _:
            return 1


def is_since(schema: dict[str, Any]) -> bool:
    """Whether a server of before may lack the field without harm."""
    return "null" in kinds_of(schema) or {"type": "null"} in schema.get("anyOf", []) or kinds_of(schema) == ["array"]


@pytest.mark.parametrize("name", ANSWERS)
def test_fields_and_names_that_a_newer_server_adds_are_read(name: str) -> None:
    record = ANSWERS[name].model_validate(newer(SCHEMAS[name]))
    assert record.model_extra == {LATER: {"deep": [1]}}
    assert record.model_dump(mode="json", warnings="error")[LATER] == {"deep": [1]}


@pytest.mark.parametrize("name", ANSWERS)
def test_nulls_and_lists_that_an_older_server_has_not_are_none_and_empty(name: str) -> None:
    whole, properties = newer(SCHEMAS[name]), SCHEMAS[name]["properties"]
    told = {field: value for field, value in whole.items() if not is_since(properties.get(field, {}))}
    if told.keys() <= {LATER}:
        return  # It is made of such fields alone.
    record = ANSWERS[name].model_validate(told)
    for field in properties.keys() - told.keys():
        assert getattr(record, field) == ([] if kinds_of(properties[field]) == ["array"] else None), field


def test_every_answer_is_looked_at() -> None:
    assert {"Generation", "SnapshotEvent", "ServiceStatus", "Model", "Problem", "WebhookDelivery"} <= ANSWERS.keys()
    assert len(ANSWERS) > 40


@pytest.mark.parametrize("name", ["GenerationList", "ModelList", "ModelClassList", "WebhookDeliveryList", "WebhookKeySet"])
def test_what_is_no_page_is_not_an_empty_one(name: str) -> None:
    with pytest.raises(ValidationError):
        ANSWERS[name].model_validate({"hello": "world"})


def test_a_queue_and_a_status_of_the_first_release_are_read() -> None:
    queued = models.Generation.model_validate(generation(queue={"position": 3, "eta_ms": 10}))
    assert queued.queue
    assert (queued.queue.position, queued.queue.message) == (3, None)
    status = {name: value for name, value in example("/status").items() if name != "unserved"}
    assert models.ServiceStatus.model_validate(status).unserved == []


def test_an_end_of_a_newer_kind_ends_the_waiting(call: Caller, server: StandIn) -> None:
    server.says(ended("withdrawn", completed_at="2026-01-01T12:00:01.000Z"))
    with pytest.raises(GenerationFailed) as raised:
        call("wait", GENERATION_ID, timeout=20)
    assert raised.value.code == "withdrawn"
    assert len(server.requests) == 1
