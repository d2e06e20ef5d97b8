"""Charts: bars as inline SVG, one a step of time, in the order of time. What they show is also there as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from framework.pages.html import text

__all__ = ["Bar", "bars"]

_WIDTH, _HEIGHT, _TOP, _LEFT, _BELOW = 640, 150, 16, 56, 28
_WIDEST = 40.0
_LOWEST = 1.5
"""The height of a bar that can just be seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What is shown of one step: its name, and a value for each series, stacked."""

    name: str
    values: tuple[float, ...]


def bars(
    title: str, series: Sequence[str], steps: Sequence[Bar], unit: str = "", colours: Sequence[int] = range(9)
) -> str:
    """A chart of these steps; nothing where there are none. Bars of the series have the classes s0, s1, … by their
    `colours`."""
    if not steps:
        return ""
    highest = _round(max((sum(step.values) for step in steps), default=0))
    wide = min(_WIDEST, (_WIDTH - _LEFT) / len(steps))
    gap = min(2.0, wide / 5)
    drawn = []
    for index, step in enumerate(steps):
        at, bottom = _LEFT + index * wide, float(_TOP + _HEIGHT)
        said = ", ".join(f"{name} {_value(v)}{unit}" for name, v in zip(series, step.values, strict=True))
        parts = []
        for number, value in enumerate(step.values):
            tall = value / highest * _HEIGHT if highest else 0.0
            bottom -= tall
            if tall > 0:
                box = f'x="{at:.1f}" y="{bottom:.1f}" width="{wide - gap:.1f}" height="{max(tall, _LOWEST):.1f}"'
                parts.append(f'<rect class="s{colours[number % 9]}" {box}/>')
        drawn.append(f"<g><title>{text(step.name)}: {text(said)}</title>{''.join(parts)}</g>")
    legend = "".join(
        f'<li><span class="key s{colours[n % 9]}"></span>{text(name)}</li>' for n, name in enumerate(series)
    )
    label = f"{title}, {steps[0].name} to {steps[-1].name}, at most {_value(highest)}{unit}"
    return (
        f"<figure><figcaption>{text(title)}</figcaption>"
        + (f'<ul class="legend">{legend}</ul>' if len(series) > 1 else "")
        + f'<svg viewBox="0 0 {_WIDTH} {_TOP + _HEIGHT + _BELOW}" role="img" aria-label="{text(label)}">'
        + _axis(highest, unit, steps)
        + "".join(drawn)
        + "</svg></figure>"
    )


def _axis(highest: float, unit: str, steps: Sequence[Bar]) -> str:
    lines = []
    for share in (0.0, 0.5, 1.0):
        y = _TOP + _HEIGHT * (1 - share)
        lines.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        value = f"{_short(highest * share)}{unit}"
        lines.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text(value)}</text>')
    y = _TOP + _HEIGHT + 20
    lines.append(f'<text x="{_LEFT}" y="{y}">{text(steps[0].name)}</text>')
    if len(steps) * _WIDEST > _WIDTH / 2:
        lines.append(f'<text x="{_WIDTH}" y="{y}" text-anchor="end">{text(steps[-1].name)}</text>')
    return "".join(lines)


def _round(highest: float) -> float:
    """The end of the axis: the next number with one or two digits and zeros."""
    if highest <= 0:
        return 1.0
    step = 10.0 ** (len(f"{highest:.0f}") - 1) if highest >= 1 else 0.1
    return next(n * step for n in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if n * step >= highest)


def _short(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _value(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}"
