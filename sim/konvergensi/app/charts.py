"""Small pictures as SVG inside a page: lines over months, bars, a circle of agencies, tiles.

No script and no inline style, so that the page's own rules hold; colours are those of the report. What a picture shows
also stands beside it as text or table.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from konvergensi.base.months import format_month, parse_month
from konvergensi.base.words import Lang, month_name, number

BLUE, RED, GREEN, ORANGE, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#CC79A7"
INK, GREY, PALE = "#1A1A1A", "#5F5F5F", "#E4E4E4"
STEPS = ("#00204C", "#31446B", "#666970", "#958F78", "#CBBA69")  # cividis, dark for high
WIDTH, HEIGHT = 460.0, 240.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 22.0, 14.0, 30.0
LINE_HEIGHT = 17.0  # of names in a circle of agencies

SIGNS = {
    "field": '<rect width="18" height="12" rx="2" fill="{}"/>',
    "line": '<line x2="18" y1="6" y2="6" stroke="{}" stroke-width="3"/>',
    "dashed": '<line x2="18" y1="6" y2="6" stroke="{}" stroke-width="3" stroke-dasharray="6 4"/>',
    "dot": '<circle cx="9" cy="6" r="5" fill="{}"/>',
    "hollow": '<circle cx="9" cy="6" r="4.5" fill="#fff" stroke="{}" stroke-width="2"/>',
}


@dataclass(frozen=True)
class Line:
    """A line over months, "YYYY-MM"; `low`, `high`: a band around it."""

    label: str
    months: Sequence[str]
    values: Sequence[float]
    colour: str = BLUE
    dashed: bool = False
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class Mark:
    """A point with its interval, as a survey gives."""

    month: str
    value: float
    low: float = math.nan
    high: float = math.nan
    colour: str = RED
    hollow: bool = False


@dataclass
class _Plane:
    """From months and values to the picture."""

    first: int
    last: int
    floor: float
    ceiling: float
    parts: list[str] = field(default_factory=list)

    def x(self, month: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (month - self.first) / max(self.last - self.first, 1)

    def y(self, value: float) -> float:
        inside = (value - self.floor) / (self.ceiling - self.floor)
        return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - inside)


def lines(
    told: str, drawn: Sequence[Line], marks: Sequence[Mark], lang: Lang, unit: str = "", since: str = ""
) -> Markup:
    """Lines and points over months. told: what the picture says, for who does not see it; since: a month marked."""
    months = [parse_month(each) for line in drawn for each in line.months]
    values = [value for line in drawn for value in (*line.values, *line.low, *line.high)]
    values += [value for mark in marks for value in (mark.value, mark.low, mark.high)]
    values = [value for value in values if math.isfinite(value)]
    if not months or not values:
        return Markup("")
    ticks = _ticks(min(values), max(values))
    plane = _Plane(min(months), max(months), ticks[0], ticks[-1])
    _axes(plane, ticks, lang, unit)
    if since:
        x = plane.x(parse_month(since))
        plane.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="since"/>')
    for line in drawn:
        _line(plane, line)
    for mark in marks:
        _mark(plane, mark)
    return _svg(WIDTH, HEIGHT, told, plane.parts)


def _ticks(low: float, high: float) -> list[float]:
    """Round values from below the lowest to above the highest, so that what stands at a line is where it lies."""
    rough = max(high - low, 1e-6) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * each for each in (1, 2, 5, 10) if size * each >= rough * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * k for k in range(first, max(last, first + 1) + 1)]


def _axes(plane: _Plane, ticks: Sequence[float], lang: Lang, unit: str) -> None:
    decimals = min(3, max(0, -math.floor(math.log10(ticks[1] - ticks[0]) + 1e-9)))
    for value in ticks:
        y = plane.y(value)
        plane.parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{PALE}"/>')
        text = number(value, lang, decimals) + unit
        plane.parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" class="tick">{escape(text)}</text>')
    if plane.last - plane.first < 24:
        for month, anchor in ((plane.first, "start"), (plane.last, "end")):
            text = month_name(format_month(month), lang)
            at = f'x="{plane.x(month):.1f}" y="{HEIGHT - 10}" text-anchor="{anchor}"'
            plane.parts.append(f'<text {at} class="tick">{escape(text)}</text>')
        return
    every = max(1, math.ceil((plane.last - plane.first) / 12 / 7))
    for year in range(plane.first // 12, plane.last // 12 + 1, every):
        if plane.first <= year * 12 <= plane.last:
            x = plane.x(year * 12)
            plane.parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 10}" text-anchor="middle" class="tick">{year}</text>')


def _line(plane: _Plane, line: Line) -> None:
    at = [plane.x(parse_month(month)) for month in line.months]
    if line.low:
        upper = [f"{x:.1f},{plane.y(value):.1f}" for x, value in zip(at, line.high)]
        lower = [f"{x:.1f},{plane.y(value):.1f}" for x, value in zip(at, line.low)]
        plane.parts.append(
            f'<polygon points="{" ".join([*upper, *reversed(lower)])}" fill="{line.colour}" fill-opacity="0.18"/>'
        )
    points = " ".join(f"{x:.1f},{plane.y(value):.1f}" for x, value in zip(at, line.values) if math.isfinite(value))
    dash = ' stroke-dasharray="6 4"' if line.dashed else ""
    plane.parts.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="2.5"{dash}/>')


def _mark(plane: _Plane, mark: Mark) -> None:
    x, y = plane.x(parse_month(mark.month)), plane.y(mark.value)
    if math.isfinite(mark.low) and math.isfinite(mark.high):
        plane.parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{plane.y(mark.low):.1f}" y2="{plane.y(mark.high):.1f}" '
            f'stroke="{mark.colour}" stroke-width="2"/>'
        )
    fill = "#fff" if mark.hollow else mark.colour
    plane.parts.append(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{fill}" stroke="{mark.colour}" stroke-width="2"/>'
    )


def key(entries: Iterable[tuple[str, str] | tuple[str, str, str]]) -> Markup:
    """What colours and signs are: name, colour and, where it is no filled field, the sign as in SIGNS."""
    parts = [
        Markup('<span class="key"><svg width="18" height="12" aria-hidden="true">{}</svg> {}</span>').format(
            Markup(SIGNS[sign[0] if sign else "field"]).format(colour), name
        )
        for name, colour, *sign in entries
    ]
    return Markup('<p class="keys">{}</p>').format(Markup(" ").join(parts))


def circle(told: str, nodes: Mapping[str, str], ties: Iterable[tuple[str, str, str, float]], colours: Mapping[str, str],
           apart: Iterable[str] = ()) -> Markup:  # fmt: skip
    """Agencies on a circle, tied by lines as thick as the tie is strong.

    nodes: id -> name; ties: layer, one, other, strength 0..1; colours: layer -> colour; apart: ids drawn hollow.
    """
    width, height, radius, hollow = 620.0, 480.0, 160.0, set(apart)
    middle, level = width / 2, height / 2
    place = {
        name: (
            middle + radius * math.sin(2 * math.pi * k / len(nodes)),
            level - radius * math.cos(2 * math.pi * k / len(nodes)),
        )
        for k, name in enumerate(nodes)
    }
    offset = {layer: 3.0 * k for k, layer in enumerate(colours)}
    parts = []
    for layer, one, other, weight in ties:
        (x1, y1), (x2, y2) = place[one], place[other]
        shift = offset[layer]
        parts.append(
            f'<line x1="{x1 + shift:.1f}" y1="{y1:.1f}" x2="{x2 + shift:.1f}" y2="{y2:.1f}" '
            f'stroke="{colours[layer]}" stroke-width="{0.5 + 5 * weight:.1f}" stroke-opacity="0.55"/>'
        )
    for name, shown in nodes.items():
        x, y = place[name]
        out = 1.0 + 18.0 / radius
        told_in = _in_lines(shown)
        # below the middle a name hangs from its circle, above it stands on it
        shift = LINE_HEIGHT * (len(told_in) - 1) * ((level - y) / radius + 1) / 2
        tx, ty = middle + (x - middle) * out, level + (y - level) * out + 5 - shift
        anchor = "middle" if abs(x - middle) < 12 else "start" if x > middle else "end"
        spans = "".join(
            f'<tspan x="{tx:.1f}" y="{ty + k * LINE_HEIGHT:.1f}">{escape(each)}</tspan>'
            for k, each in enumerate(told_in)
        )
        fill = "#fff" if name in hollow else INK
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="{fill}" stroke="{INK}" stroke-width="2"/>')
        parts.append(f'<text text-anchor="{anchor}" class="node"><title>{escape(shown)}</title>{spans}</text>')
    return _svg(width, height, told, parts)


def dots(told: str, places: Sequence[tuple[float, float, float, bool]]) -> Markup:
    """Villages where they lie: east and north in km, size 0..1, whether it is filled."""
    if not places:
        return Markup("")
    xs, ys = [each[0] for each in places], [each[1] for each in places]
    width, height = max(xs) - min(xs) or 1.0, max(ys) - min(ys) or 1.0
    scale = min(600 / width, 420 / height)
    parts = []
    for x, y, size, filled in places:
        cx, cy = 20 + (x - min(xs)) * scale, 20 + (max(ys) - y) * scale
        parts.append(
            f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="{2.5 + 7 * math.sqrt(size):.1f}" '
            f'fill="{ORANGE if filled else BLUE}" fill-opacity="0.7" stroke="#fff"/>'
        )
    return _svg(width * scale + 40, height * scale + 40, told, parts)


def tiles(told: str, entries: Iterable[tuple[int, int, str, str, str, str]]) -> Markup:
    """Linked squares: column, row, short name, whole name, address, colour."""
    parts, across, down = [], 0, 0
    for column, row, short, whole, address, colour in entries:
        across, down = max(across, column + 1), max(down, row + 1)
        ink = "#fff" if colour in STEPS[:3] else INK
        parts.append(
            f'<a href="{escape(address)}" aria-label="{escape(whole)}"><rect x="{column * 54 + 2}" y="{row * 54 + 2}" '
            f'width="50" height="50" rx="6" fill="{colour}"/><text x="{column * 54 + 27}" y="{row * 54 + 32}" '
            f'text-anchor="middle" class="tile" fill="{ink}">{escape(short)}</text><title>{escape(whole)}</title></a>'
        )
    return _svg(across * 54, down * 54, told, parts, "group")


def step_of(value: float, edges: Sequence[float]) -> str:
    """Colour of a value: the darker the higher; grey where it is not known."""
    if not math.isfinite(value):
        return PALE
    above = sum(value >= edge for edge in edges)
    return STEPS[len(edges) - above]


def _in_lines(text: str) -> list[str]:
    """A name in at most four short lines."""
    return textwrap.wrap(text, 13, max_lines=4, placeholder=" …", break_long_words=False)


def _svg(width: float, height: float, told: str, parts: Sequence[str], role: str = "img") -> Markup:
    head = Markup('<svg viewBox="0 0 {:.0f} {:.0f}" role="{}" aria-label="{}" class="picture">').format(
        width, height, role, told
    )
    return head + Markup("".join(parts)) + Markup("</svg>")  # texts inside are escaped where they are put


def months_between(first: str, last: str) -> list[str]:
    """Every month from first to last."""
    return [format_month(month) for month in range(parse_month(first), parse_month(last) + 1)]
