"""The report in a real browser: no errors, nothing cut on a phone, a desk or paper, in both languages.

Chromium is found by its usual names, or by the variable CHROMIUM (tests/browsers.py); without it these tests are
skipped and say so, and in CI they fail. It is driven by its own command line: no driver that has to match its version.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from browsers import chromium_path, needs_chromium
from fake_comparison import compared

from konvergensi.base.words import LANGUAGES, Lang, word
from konvergensi.report.comparison import Drawn, as_svg, in_page, page
from konvergensi.report.figures_comparison import FIGURES, figures_of

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --hide-scrollbars --enable-logging=stderr"
).split()
SECONDS = 120
WIDTHS = {"phone": 390, "desk": 1280}

pytestmark = [pytest.mark.slow, needs_chromium("the report was")]  # a browser is started for each page

# Runs outside the report, which itself allows no script: the page stands in a frame as wide as the screen.
MEASURE = """
const seen = {errors: []};
window.addEventListener("error", (event) => seen.errors.push(String(event.message)));
function measure(frame) {
  const page = frame.contentDocument, root = page.documentElement, found = {};
  const shown = (each) => each.checkVisibility();
  const mains = [...page.querySelectorAll("main")].filter(shown);
  found.language = mains.map((each) => each.lang);
  found.heading = mains[0].querySelector("h1").textContent;
  found.scroll = [root.scrollWidth, root.clientWidth];
  found.figures = [...mains[0].querySelectorAll("figure svg")].filter(shown).length;
  const cut = [];
  for (const each of mains[0].querySelectorAll("*")) {
    if (!shown(each) || each.closest("thead") || each.closest("svg")) continue;
    const box = each.getBoundingClientRect();
    const wider = each.clientWidth > 0 && each.scrollWidth > each.clientWidth + 1;
    if (wider) cut.push(each.tagName + ": " + each.textContent);
    if (box.width > 0 && (box.left < -1 || box.right > root.clientWidth + 1)) cut.push(each.tagName + " outside");
  }
  for (const svg of mains[0].querySelectorAll("figure svg")) {
    const edge = svg.getBoundingClientRect();
    for (const each of svg.querySelectorAll("text")) {
      const box = each.getBoundingClientRect();
      const inside = box.left > edge.left - 2 && box.right < edge.right + 2 && box.top > edge.top - 2 &&
        box.bottom < edge.bottom + 2;
      if (!inside) cut.push(svg.parentNode.className + ": " + each.textContent);
    }
  }
  found.cut = cut;
  const sizes = [...mains[0].querySelectorAll("figure svg")].map((svg) => {
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return Math.min(...[...svg.querySelectorAll("text")].map((each) => parseFloat(each.style.fontSize) * scale));
  });
  found.smallest = Math.min(...sizes);
  const duplicates = {};
  for (const each of page.querySelectorAll("[id]")) duplicates[each.id] = (duplicates[each.id] || 0) + 1;
  found.duplicates = Object.keys(duplicates).filter((id) => duplicates[id] > 1);
  return found;
}
window.addEventListener("load", () => {
  for (const frame of document.querySelectorAll("iframe")) {
    const before = measure(frame);
    frame.contentDocument.querySelector("input:not(:checked)").click();
    seen[frame.id] = {before: before, after: measure(frame)};
  }
  document.getElementById("seen").textContent = JSON.stringify(seen);
});
"""


def browse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Chromium with a profile of its own, gone when it is done."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [chromium_path(), *FLAGS, f"--user-data-dir={profile}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=True)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same comparison written in each language, with a title as awkward as a title can be."""
    long = 'Kebijakan <b>dengan</b> judul yang panjang & "aneh": NamaTanpaSpasiYangSangatPanjangSekaliSampaiTidakMuat'
    comparison = compared(("baseline", "one-list", "full-convergence"))  # the last moves the most levers there are
    comparison.manifest["titles"] = comparison.manifest["titles"] | {"one-list": {"en": long, "id": long}}
    pictures: dict[Lang, dict[str, Drawn]] = {lang: {} for lang in LANGUAGES}
    for name, (make, _) in figures_of(comparison).items():
        for lang in LANGUAGES:
            figure = make(comparison, lang)
            pictures[lang][name] = in_page(as_svg(figure, name), figure, name, lang)
    found = {}
    for lang in LANGUAGES:  # the figures are the same, whatever language it opens in
        found[lang] = tmp_path_factory.mktemp(f"report-{lang}") / "report.html"
        found[lang].write_text(page(comparison, lang, pictures), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def seen(reports: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """What the browser measured, by language of the report; and what it wrote to its console."""
    found = {}
    for lang, report in reports.items():
        content = html.escape(report.read_text(encoding="utf-8"))
        frames = [
            f'<iframe id="{name}" style="border: 0; width: {width}px; height: 900px" srcdoc="{content}"></iframe>'
            for name, width in WIDTHS.items()
        ]
        outside = tmp_path_factory.mktemp("frame") / "frame.html"
        outside.write_text(
            f'<!DOCTYPE html><meta charset="utf-8"><pre id="seen"></pre><script>{MEASURE}</script>{"".join(frames)}',
            encoding="utf-8",
        )
        done = browse("--window-size=1800,1000", "--virtual-time-budget=20000", "--dump-dom", outside.as_uri())
        told = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
        assert told is not None, done.stderr
        found[lang] = json.loads(html.unescape(told[1]))
        found[lang]["console"] = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return found


@pytest.mark.parametrize("lang", ["en", "id"])
def test_the_browser_finds_nothing_wrong(seen: dict[str, dict], lang: str) -> None:
    assert seen[lang]["console"] == []
    assert seen[lang]["errors"] == []


@pytest.mark.parametrize("screen", WIDTHS)
@pytest.mark.parametrize("lang", ["en", "id"])
def test_no_text_is_cut_and_nothing_scrolls_sideways(seen: dict[str, dict], lang: str, screen: str) -> None:
    for moment in ("before", "after"):
        measured = seen[lang][screen][moment]
        assert measured["cut"] == []
        assert measured["scroll"][0] <= measured["scroll"][1]
        assert measured["duplicates"] == []
        assert measured["figures"] == len(FIGURES)
        assert measured["smallest"] >= 9  # pixels, in figures


@pytest.mark.parametrize("screen", WIDTHS)
@pytest.mark.parametrize(("lang", "other"), [("en", "id"), ("id", "en")])
def test_it_opens_in_the_language_asked_for_and_the_switch_shows_the_other(
    seen: dict[str, dict], lang: str, other: str, screen: str
) -> None:
    for moment, shown in (("before", lang), ("after", other)):
        measured = seen[lang][screen][moment]
        assert measured["language"] == [shown]
        assert measured["heading"] == word("report.title", shown, district="Kabupaten Lebak")


@pytest.mark.parametrize("lang", ["en", "id"])
def test_printed_the_sheet_stands_alone_on_the_first_page(reports: dict[str, Path], lang: str, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    browse("--no-pdf-header-footer", f"--print-to-pdf={paper}", reports[lang].as_uri())
    content = paper.read_bytes()
    assert content.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", content))
    assert 6 <= pages <= 30
    if shutil.which("pdftotext") is None:
        return  # without it the pages are only counted
    said = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    first, second, *_ = said.split("\f")
    shown = " ".join(first.split())
    for name in ("do", "sure", "costs", "unseen", "changes"):
        assert word(f"front.heading.{name}", lang) in shown
    assert word("report.heading.glance", lang) not in shown
    assert word("decision.heading.do", lang) in second and word("decision.heading.do", lang) not in shown
    other = "id" if lang == "en" else "en"
    assert word("report.heading.assumptions", lang) in said
    assert word("report.heading.assumptions", other) not in said


def test_a_screenshot_is_no_blank_page(reports: dict[str, Path], tmp_path: Path) -> None:
    shot = tmp_path / "report.png"
    browse("--window-size=1280,2000", f"--screenshot={shot}", reports["en"].as_uri())
    from matplotlib.image import imread

    pixels = imread(shot)[..., :3]
    assert pixels.shape[1] == 1280
    assert 0.02 < (pixels.mean(axis=2) < 0.5).mean() < 0.5  # some ink, and paper around it
