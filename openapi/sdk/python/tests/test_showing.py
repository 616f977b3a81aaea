"""What people see who print an answer, or look at a picture in a notebook."""

from __future__ import annotations

import base64
import copy
import pickle
from pathlib import Path

import pytest

from nextscale import Generation, GenerationOutput, Picture, PreviewEvent, ProgressEvent, SnapshotEvent
from nextscale._generated import models

from .stand_in import GENERATION_ID, SCHEMAS, example, generation, output, preview
from .test_versions import ANSWERS, newer

CONTENT = b"\x89PNG not really"
FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/webp": "webp"}


def picture(content_type: str = "image/png") -> Picture:
    return Picture(CONTENT, content_type, 32, 24)


def test_a_picture_is_its_bytes_and_says_what_they_are() -> None:
    assert picture() == CONTENT
    assert repr(picture()) == str(picture()) == "<Picture image/png, 32 x 24, 15 bytes>"
    for again in (copy.copy(picture()), pickle.loads(pickle.dumps(picture()))):
        assert (again, repr(again)) == (CONTENT, repr(picture()))


def test_notebooks_show_each_format_in_the_one_way_that_is_for_it() -> None:
    shown = {kind: (picture(kind)._repr_png_(), picture(kind)._repr_jpeg_(), picture(kind)._repr_html_()) for kind in FORMATS}
    assert shown["image/png"] == (CONTENT, None, None)
    assert shown["image/jpeg"] == (None, CONTENT, None)
    data = base64.b64encode(CONTENT).decode()
    assert shown["image/webp"] == (None, None, f'<img src="data:image/webp;base64,{data}" width="32" height="24">')


def test_html_of_a_picture_is_no_page_of_the_server() -> None:
    assert "<script" not in str(picture('"><script>')._repr_html_())


@pytest.mark.parametrize(("content_type", "name"), [*FORMATS.items(), ("image/jpeg", "JPG"), ("image/png", "part")])
def test_a_picture_is_saved(tmp_path: Path, content_type: str, name: str) -> None:
    path = picture(content_type).save(tmp_path / f"fox.{name}")
    assert (path, path.read_bytes()) == (tmp_path / f"fox.{name}", CONTENT)
    assert picture(content_type).save(str(path)) == path


@pytest.mark.parametrize(("content_type", "name"), [("image/png", "jpg"), ("image/png", "WEBP"), ("image/webp", "png")])
def test_a_name_of_another_format_is_refused(tmp_path: Path, content_type: str, name: str) -> None:
    with pytest.raises(ValueError, match=rf"save it as fox\.{FORMATS[content_type]}\."):
        picture(content_type).save(tmp_path / f"fox.{name}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_printed_in_one_line(name: str) -> None:
    for value in (newer(SCHEMAS[name]), *({**newer(SCHEMAS[name]), f"a{i}": "x\ny" * 999} for i in range(2))):
        record = ANSWERS[name].model_validate(value)
        assert len(str(record)) < 500
        assert str(record) == repr(record)
        assert "\n" not in str(record)
        assert str(record).startswith(f"{name}(")


def test_a_line_says_what_people_look_for() -> None:
    done = Generation.model_validate(example("/generations/{id}"))
    progress = "Progress(scale=7, scales=7, tokens=155, tokens_total=155)"
    told = f"Generation(id={GENERATION_ID!r}, status='succeeded', progress={progress}, outputs=[1 GenerationOutput])"
    assert repr(done) == told
    waits = Generation.model_validate(generation())
    assert repr(waits) == f"Generation(id={GENERATION_ID!r}, status='queued', stage='queued')"
    snapshot = SnapshotEvent(id="1", event="snapshot", data=waits)
    assert repr(snapshot) == f"SnapshotEvent(id='1', event='snapshot', data={waits!r})"
    size = "width=32, height=32, bytes=3454"
    made = GenerationOutput.model_validate(output())
    assert repr(made) == f"GenerationOutput(index=0, seed=7, content_type='image/png', {size})"
    early = PreviewEvent(id="2", event="preview", data=models.Preview.model_validate(preview()))
    assert repr(early).endswith(f"data=Preview(index=0, scale=2, content_type='image/webp', {size}))")
    event = ProgressEvent(id="3", event="progress", data=models.Progress(scale=1, scales=7, tokens=1, tokens_total=155))
    assert repr(event).endswith("data=Progress(scale=1, scales=7, tokens=1, tokens_total=155))")
