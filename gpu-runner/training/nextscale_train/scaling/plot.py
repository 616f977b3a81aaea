"""One picture of two laws, as SVG: logarithmic axes, points, and the line that fits them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from nextscale_train.scaling.fit import Point, PowerLaw

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 58, 12, 34, 46
MARGIN = 0.06
"""Of the axis, beyond the outermost points."""
INK, LINE, DOT = "#6b7280", "#f97316", "#2563eb"
"""Legible on light and on dark."""


@dataclass(frozen=True)
class Panel:
    """Points, the law that fits them, and what the axes are."""

    title: str
    x_label: str
    y_label: str
    points: Sequence[Point]
    law: PowerLaw
    background: Sequence[Point] = ()
    """Points that the law is not fitted to."""


@dataclass(frozen=True)
class Axis:
    """Values to places, by their logarithms."""

    lowest: float
    highest: float
    start: float
    end: float

    @classmethod
    def around(cls, values: Sequence[float], start: float, end: float) -> "Axis":
        low, high = math.log10(min(values)), math.log10(max(values))
        margin = max(high - low, 0.02) * MARGIN
        return cls(low - margin, high + margin, start, end)

    def place(self, value: float) -> float:
        share = (math.log10(value) - self.lowest) / (self.highest - self.lowest)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        """About three to nine round values."""
        span = self.highest - self.lowest
        if span < 1:
            return self._even_ticks()
        marks = (1,) if span > 2.5 else (1, 3) if span > 1.2 else (1, 2, 5)
        exponents = range(math.floor(self.lowest), math.ceil(self.highest) + 1)
        values = [mark * 10.0**exponent for exponent in exponents for mark in marks]
        return [value for value in values if self.lowest <= math.log10(value) <= self.highest]

    def _even_ticks(self) -> list[float]:
        """Multiples of the least 1, 2 or 5 x 10^n that has at most eight of its steps on the axis."""
        low, high = 10**self.lowest, 10**self.highest
        ten = 10.0 ** math.floor(math.log10((high - low) / 8))
        step = next(mark * ten for mark in (1, 2, 5, 10) if (high - low) <= 8 * mark * ten)
        return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def draw(panels: Sequence[Panel]) -> str:
    """The panels side by side, as the text of an SVG file."""
    size = f'width="{WIDTH * len(panels)}" height="{HEIGHT}" viewBox="0 0 {WIDTH * len(panels)} {HEIGHT}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11" fill="{INK}">']
    for index, panel in enumerate(panels):
        parts += [f'<g transform="translate({index * WIDTH} 0)">', *_draw_panel(panel), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _draw_panel(panel: Panel) -> list[str]:
    every = [*panel.points, *panel.background]
    x = Axis.around([point[0] for point in every], LEFT, WIDTH - RIGHT)
    y = Axis.around([point[1] for point in every], HEIGHT - BOTTOM, TOP)
    parts = [_text(LEFT, 16, panel.title, weight="bold")]
    for value in x.ticks():
        parts += [_line(x.place(value), TOP, x.place(value), HEIGHT - BOTTOM, faint=True)]
        parts += [_text(x.place(value), HEIGHT - BOTTOM + 15, _number(value), anchor="middle")]
    for value in y.ticks():
        parts += [_line(LEFT, y.place(value), WIDTH - RIGHT, y.place(value), faint=True)]
        parts += [_text(LEFT - 6, y.place(value) + 4, _number(value), anchor="end")]
    parts += [_line(LEFT, TOP, LEFT, HEIGHT - BOTTOM), _line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM)]
    parts += [_dot(x.place(a), y.place(b), radius=1.5, opacity=0.35) for a, b in panel.background]
    ends = [f"{x.place(value):.1f},{y.place(panel.law.at(value)):.1f}" for value in _span(panel.points)]
    parts += [f'<polyline points="{" ".join(ends)}" fill="none" stroke="{LINE}" stroke-width="2" stroke-dasharray="6 4"/>']
    parts += [_dot(x.place(a), y.place(b), radius=4, opacity=1) for a, b in panel.points]
    law = f"L = {panel.law.factor:.3g} x^{panel.law.exponent:.3f}, r = {panel.law.correlation:.3f}"
    parts += [_text(WIDTH - RIGHT, TOP - 6, law, anchor="end"), _text(LEFT - 48, TOP - 6, panel.y_label)]
    return [*parts, _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, panel.x_label, anchor="middle")]


def _span(points: Sequence[Point]) -> tuple[float, float]:
    values = [point[0] for point in points]
    return min(values), max(values)


def _number(value: float) -> str:
    """1.5, 20M, 3e+15."""
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if size <= value < 1000 * size and value < 1e12:
            return f"{value / size:g}{letter}"
    return f"{value:g}" if value < 1e4 else f"{value:.0e}"


def _line(x1: float, y1: float, x2: float, y2: float, *, faint: bool = False) -> str:
    opacity = ' stroke-opacity="0.2"' if faint else ""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{INK}"{opacity}/>'


def _dot(x: float, y: float, *, radius: float, opacity: float) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{DOT}" fill-opacity="{opacity}"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "normal") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">{escape(text)}</text>'
