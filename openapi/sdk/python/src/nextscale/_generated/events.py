# Generated from openapi.json by scripts/generate.py. Do not edit.

from typing import TypeAlias

from .models import SnapshotEvent, StatusChangeEvent, ProgressEvent, PreviewEvent, OutputEvent, EndEvent

GenerationEvent: TypeAlias = SnapshotEvent | StatusChangeEvent | ProgressEvent | PreviewEvent | OutputEvent | EndEvent

EVENTS: dict[str, type[GenerationEvent]] = {
    "snapshot": SnapshotEvent,
    "status": StatusChangeEvent,
    "progress": ProgressEvent,
    "preview": PreviewEvent,
    "output": OutputEvent,
    "end": EndEvent,
}
