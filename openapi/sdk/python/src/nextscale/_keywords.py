"""Requests are keywords: a type checker knows them. Who gives something else is told what to write."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TypeVar

from typing_extensions import ParamSpec

P = ParamSpec("P")
R = TypeVar("R")


def keywords(*, text: str | tuple[str, ...] = (), number: str | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Has calls with too many positional arguments say what to write. `text` and `number` are the names they likely lack;
    of several texts each is written."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        parameters = inspect.signature(method).parameters.values()
        places = [each.name for each in parameters if each.kind is each.POSITIONAL_OR_KEYWORD]

        @wraps(method)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            if len(args) > len(places):
                name = method.__name__
                said = _as_keywords(args[len(places)], (text,) if isinstance(text, str) else text, number)
                calls = [f"{name}({', '.join([*places[1:], keyword])})" for keyword in said]
                raise TypeError(f"{name}() takes what is asked for as keywords: write {' or '.join(calls)}")
            return method(*args, **kwargs)

        return checked

    return decorate


def _as_keywords(value: object, texts: tuple[str, ...], number: str | None) -> list[str]:
    if isinstance(value, Mapping):
        return ["**request"]
    if isinstance(value, str) and texts:
        return [f"{text}={json.dumps(value, ensure_ascii=False)}" for text in texts]
    if isinstance(value, int) and number:
        return [f"{number}={value}"]
    return [f"{[*texts, number][0]}=…"]
