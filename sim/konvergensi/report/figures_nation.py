"""Maps of the nation: provinces by their shapes, districts as equal tiles grouped by province.

Province shapes: "Indonesia GeoJSON & TopoJSON Maps (38 Provinces)", CC BY 4.0, simplified, codes of four provinces of
Papua corrected (scenarios/country/provinces.geojson). Equal tiles, as no free file of district boundaries was found and
as the area of Papua would drown Java.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from konvergensi.base.words import Lang, number, word
from konvergensi.inputs import country
from konvergensi.report import axes as panel
from konvergensi.report import theme
from konvergensi.results.nation import NATION, Nation

# bands of provinces by the first digits of their codes, from west to east
BANDS = (("11", "21"), ("31", "36"), ("51", "65"), ("71", "82"), ("91", "96"))
GAP, HEAD = 1.2, 1.3  # tiles between provinces, and above them for the name
WIDE = 1.9  # a province's block is about so many times as wide as high
NOWHERE = "#DDDDDD"
# figure -> quantity, year, decimals of the scale
MAPS: dict[str, tuple[str, int]] = {
    "level": ("prevalence", 2024),
    "trend": ("trend_points_per_year", 2024),
    "chance": ("chance_of_target", 2029),
    "pooled": ("pooled_share", 2024),
}


@functools.cache
def province_shapes() -> dict[str, list[np.ndarray]]:
    """Outer rings (n, 2), longitude and latitude, of each of the 38 provinces by code."""
    shapes: dict[str, list[np.ndarray]] = {}
    told = json.loads((country.folder() / "provinces.geojson").read_text(encoding="utf-8"))
    for feature in told["features"]:
        geometry = feature["geometry"]
        polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
        shapes[str(feature["properties"]["KODE_PROV"])] = [np.array(each[0], float)[:, :2] for each in polygons]
    return shapes


@functools.cache
def tiles() -> dict[str, tuple[float, float]]:
    """Where each of the 514 districts has its tile, (x, y) in tiles, y downwards: blocks by province."""
    return _layout()[0]


@functools.cache
def _layout() -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]]]:
    """Tiles by district, and where the name of each province stands."""
    codes = country.codes().tolist()
    members = {
        province: [code for code in codes if code[:2] == province] for province in sorted({c[:2] for c in codes})
    }
    places: dict[str, tuple[float, float]] = {}
    names: dict[str, tuple[float, float]] = {}
    top = 0.0
    for first, last in BANDS:
        left, height = 0.0, 0
        for province in (each for each in members if first <= each <= last):
            own = members[province]
            across = max(math.ceil(math.sqrt(len(own) * WIDE)), 5)
            for i, code in enumerate(own):
                places[code] = (left + i % across, top + HEAD + i // across)
            names[province] = (left, top + HEAD)
            height = max(height, -(-len(own) // across))
            left += across + GAP
        top += HEAD + height + 0.3
    return places, names


@functools.cache
def _short(province: str) -> str:
    """A province's name as it fits above its block."""
    name = country.province_of(next(code for code in country.codes() if code[:2] == province))
    for long, short in (
        ("Kepulauan", "Kep."), ("Sumatera", "Sum."), ("Kalimantan", "Kal."), ("Sulawesi", "Sul."), ("Papua", "Papua"),
        ("Nusa Tenggara", "NT"), ("Daerah Khusus Ibukota", "DKI"), ("Daerah Istimewa", "DI"), ("Pegunungan", "Peg."),
        ("Bangka Belitung", "Babel"), ("Tenggara", "Tengg."),
    ):  # fmt: skip
        name = name.replace(long, short)
    return name


@theme.themed
def level(found: Nation, lang: Lang) -> Figure:
    """Fitted prevalence in the middle of 2024."""
    return _map(found, "level", lang)


@theme.themed
def trend(found: Nation, lang: Lang) -> Figure:
    """Fitted change a year from 2018 to 2024."""
    return _map(found, "trend", lang)


@theme.themed
def chance(found: Nation, lang: Lang) -> Figure:
    """Chance of the target of 2029."""
    return _map(found, "chance", lang)


@theme.themed
def pooled(found: Nation, lang: Lang) -> Figure:
    """How much of a district's own part its surveys leave open."""
    return _map(found, "pooled", lang)


def values(found: Nation, name: str, length: int) -> dict[str, float]:
    """What a map shows, by code; length of the codes: 5 districts, 2 provinces."""
    quantity, year = MAPS[name]
    column = "middle"
    if quantity == "pooled_share":
        quantity, column = "prevalence", "pooled_share"
    table = found.of(quantity, year, length)
    return {str(code): float(value) for code, value in table[column].items() if code != NATION}


def _map(found: Nation, name: str, lang: Lang) -> Figure:
    figure = theme.new_figure(11.0, 9.6)
    above, below = figure.subplots(2, 1, height_ratios=(0.72, 1.0))
    provinces, districts = values(found, name, 2), values(found, name, 5)
    every = np.array([*provinces.values(), *districts.values()])
    edge = float(np.abs(every).max()) if name == "trend" else 0.0
    low, high = (-edge, edge) if name == "trend" else (0.0, 1.0) if name in ("chance", "pooled") else (0.0, every.max())
    scale = matplotlib.colormaps["RdBu_r" if name == "trend" else theme.SCALE]
    norm = Normalize(low, max(high, low + 1e-9))
    _provinces(above, provinces, scale, norm)
    drawn = _districts(below, districts, scale, norm)
    bar = figure.colorbar(drawn, ax=[above, below], orientation="horizontal", fraction=0.03, pad=0.02, aspect=50)
    panel.value_axis(bar.ax, lang, word(f"nation.scale.{name}", lang), "x")
    title = word(f"nation.figure.{name}", lang, **_title(found, name, lang))
    return theme.frame(figure, title, origin(found, lang), word("nation.figure.note", lang), bottom=credit(lang))


def _title(found: Nation, name: str, lang: Lang) -> dict[str, str]:
    """Numbers of a map's headline."""
    districts = np.array(list(values(found, name, 5).values()))
    words = {"n": number(len(districts), lang)}
    if name == "chance":
        words |= {"likely": number(int((districts >= 0.5).sum()), lang)}
    elif name == "pooled":
        words |= {"middle": number(100 * float(np.median(districts)), lang)}
    else:
        low, middle, high = np.quantile(districts, (0.05, 0.5, 0.95))
        words |= {"low": number(low, lang, 1), "middle": number(middle, lang, 1), "high": number(high, lang, 1)}
    return words


def _provinces(axes: Axes, shown: dict[str, float], scale: Any, norm: Normalize) -> None:
    rings, colours = [], []
    for code, shape in province_shapes().items():
        colour = scale(norm(shown[code])) if code in shown else NOWHERE
        rings += shape
        colours += [colour] * len(shape)
    axes.add_collection(PolyCollection(rings, facecolors=colours, edgecolors="white", linewidths=0.4))
    axes.set_xlim(94.5, 141.5)
    axes.set_ylim(-11.3, 6.2)
    axes.set_aspect("equal")
    axes.set_axis_off()


def _districts(axes: Axes, shown: dict[str, float], scale: Any, norm: Normalize) -> PatchCollection:
    places, names = _layout()
    squares = [Rectangle(at, 0.92, 0.92) for at in places.values()]
    colours = [scale(norm(shown[code])) if code in shown else NOWHERE for code in places]
    drawn = PatchCollection(squares, facecolors=colours, edgecolors="none", cmap=scale, norm=norm)
    axes.add_collection(drawn)
    for province, (x, y) in names.items():
        axes.text(x, y - 0.2, _short(province), fontsize=6.6, va="bottom", ha="left", color=theme.INK)
    axes.set_xlim(-0.3, max(x for x, _ in places.values()) + 1.3)
    axes.set_ylim(max(y for _, y in places.values()) + 1.2, -0.1)
    axes.set_aspect("equal")
    axes.set_axis_off()
    return drawn


@theme.themed
def help_(found: Nation, lang: Lang) -> Figure:
    """Each policy in each district: what it brings per child across, per rupiah up, where both can be told."""
    names = found.policies()
    figure = theme.new_figure(11.0, 4.6)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for axes, name in zip(panels, names):
        across, up = found.of(f"cases_per_1000:{name}", 2029), found.of(f"cases_per_billion_rp:{name}", 2029)
        told = (across["low"] > 0) | (across["high"] < 0)
        for mask, colour, size in ((~told, theme.GREY, 7), (told, theme.BLUE, 14)):
            axes.scatter(across["middle"][mask], up["middle"][mask], s=size, color=colour, zorder=size)
        if up["middle"].isna().all():
            said = word("nation.figure.costs_nothing", lang)
            axes.text(0.5, 0.7, said, transform=axes.transAxes, ha="center", fontsize=theme.SMALL, color=theme.GREY)
        axes.axvline(0, color=theme.GREY, lw=0.8)
        axes.axhline(0, color=theme.GREY, lw=0.8)
        title = found.manifest["policies"][name][lang]
        axes.set_title(theme.wrap(title, 3.2, theme.TEXT, "bold"), loc="left", fontsize=theme.TEXT, fontweight="bold")
        panel.value_axis(axes, lang, word("nation.axis.per_child", lang), "x")
        panel.value_axis(axes, lang, word("nation.axis.per_rupiah", lang) if axes is panels[0] else "")
    title = word("nation.figure.help", lang)
    return theme.frame(figure, title, origin(found, lang), word("nation.figure.help_note", lang), panels=3.6)


def origin(found: Nation, lang: Lang) -> str:
    """The line that says where it comes from."""
    manifest = found.manifest
    words = {"version": manifest["version"], "samples": manifest["samples"], "draws": manifest["draws"]}
    return word("nation.origin", lang, n=number(manifest["districts"], lang), **words)


def credit(lang: Lang) -> str:
    """Whose province shapes these are."""
    return word("nation.credit", lang)


FIGURES: dict[str, Callable[[Any, Lang], Figure]] = {
    "level": level,
    "trend": trend,
    "chance": chance,
    "pooled": pooled,
    "help": help_,
}
