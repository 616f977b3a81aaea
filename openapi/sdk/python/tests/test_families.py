"""Models of another kind than the shipped one, on the server of this repository."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nextscale import NextscaleError

from .conftest import Caller
from .deployment import REPOSITORY, Deployment, until

RECTANGLES = "gpu-runner/src/testing/rectangles"


@pytest.fixture(scope="module")
def deployment() -> Iterator[Deployment]:
    deployment = Deployment()
    try:
        deployment.start_runner(f"{RECTANGLES}/start.ts", {"MODELS": str(REPOSITORY / RECTANGLES / "model")})
        yield deployment
    finally:
        deployment.close()


@pytest.fixture
def live(kind: str, deployment: Deployment) -> Iterator[Caller]:
    caller = Caller(kind, deployment.url)
    until("both models are known", lambda: len(caller("models")) == 2)
    yield caller
    caller.close()


def test_a_picture_is_made_by_a_prompt_in_a_size_of_the_model(live: Caller) -> None:
    model = live("model", "rectangles")
    assert (model.family, model.num_classes, model.vocabulary_size) == ("rectangles", None, None)
    assert {"prompt", "size"} <= set(model.capabilities)
    assert [(size.width, size.height) for size in model.sizes] == [(24, 16), (16, 24)]
    done = live("generate_and_wait", model="rectangles", prompt="a red fox", size="16x24", seed=7, timeout=60)
    [output] = done.outputs
    assert (done.input.prompt, done.input.class_name, output.width, output.height) == ("a red fox", None, 16, 24)
    picture = live("download", output)
    assert (picture.width, picture.height, len(picture)) == (16, 24, output.bytes)


def test_what_a_model_does_not_take_is_refused_with_what_it_does(live: Caller) -> None:
    for request, pointer in [({"prompt": "a fox"}, "/prompt"), ({"model": "rectangles", "class_name": "fox"}, "/class_name")]:
        with pytest.raises(NextscaleError, match="; it takes ") as raised:
            live("generate", **request)
        assert (raised.value.code, raised.value.errors[0].pointer) == ("unsupported_for_model", pointer)
    with pytest.raises(NextscaleError, match="it takes prompt, negative_prompt"):
        live("classes", "rectangles")
