from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

from nextscale import GenerateRequest, Generation, GenerationEvent
from nextscale._generated.events import EVENTS

from .stand_in import SCHEMAS

ROOT = Path(__file__).parents[1]


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.glob("*.py"))}


def test_generated_files_are_current(tmp_path: Path) -> None:
    """`npm run generate` writes them."""
    subprocess.run([sys.executable, ROOT / "scripts" / "generate.py", tmp_path], check=True)
    assert files(ROOT / "src" / "nextscale" / "_generated") == files(tmp_path)


def test_types_have_the_fields_of_the_contract() -> None:
    assert get_type_hints(GenerateRequest).keys() == SCHEMAS["GenerateRequest"]["properties"].keys()
    assert Generation.model_fields.keys() == SCHEMAS["Generation"]["properties"].keys()


def test_every_event_of_the_contract_is_known() -> None:
    kinds = [SCHEMAS[kind["$ref"].rpartition("/")[2]] for kind in SCHEMAS["GenerationEvent"]["anyOf"]]
    names = [kind["properties"]["event"]["const"] for kind in kinds]
    assert list(EVENTS) == names
    assert set(EVENTS.values()) == set(get_args(GenerationEvent))
