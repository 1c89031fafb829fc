"""The page of a verification as Chromium renders it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

import ctfast as ct
from browser import CHROMIUM, NAMES, Browser, browser
from signed import HOUR, Chain

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"no Chromium: none of {', '.join(NAMES)} is installed")

STATES = ("valid", "empty", "gap", "unknown", "missing", "invalid")
WIDTHS = (1280, 390)
# Title and centre of each rectangle, in coordinates of the whole page.
MIDDLES = """[...document.querySelectorAll('SELECTOR')].map(found => {
    const box = found.getBoundingClientRect();
    return [found.textContent, box.left + Math.min(box.width / 2, 6) + scrollX, box.top + box.height / 2 + scrollY];
})"""
# Elements that are wider than the window or than their parent and would be cut off, text in particular.
CUT_OFF = """[...document.body.querySelectorAll('*')].filter(found => {
    const box = found.getBoundingClientRect();
    const cut = found.scrollWidth > found.clientWidth + 1;
    return box.left < 0 || box.right > document.documentElement.clientWidth + 0.5 || cut &&
        getComputedStyle(found).display !== 'inline' && !(found instanceof SVGElement);
}).map(found => found.outerHTML.slice(0, 200))"""
# The size of all text, in pixels.
SMALLEST = (
    "Math.min(...[...document.body.querySelectorAll('*')].map(found => parseFloat(getComputedStyle(found).fontSize)))"
)
TITLE = re.compile(r"(?P<day>\S+) (?P<begin>\d\d):00-(?P<end>\d\d):00: (?P<state>\w+), .*")


@dataclass
class Shown:
    """A page in a window."""

    browser: Browser
    image: Image

    def colours(self, selector: str) -> list[tuple[str, tuple[int, ...]]]:
        """The titles of some elements, and their colours on the screen."""
        found = self.browser.evaluate(MIDDLES.replace("SELECTOR", selector))
        return [(text, self.pixel(left, top)) for text, left, top in found]

    def pixel(self, left: float, top: float) -> tuple[int, ...]:
        found = self.image.getpixel((int(left), int(top)))
        assert isinstance(found, tuple)
        return found

    def legend(self) -> dict[str, tuple[int, ...]]:
        return dict(zip(STATES, [colour for _, colour in self.colours(".legend rect")], strict=True))


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


def show(chromium: Browser, folder: Path, found: ct.Verification, width: int, *, dark: bool) -> Shown:
    path = folder / "page.html"
    path.write_text(found.html(title="s3://" + "a-bucket-with-a-long-name/" * 5), encoding="utf-8")
    chromium.open(path, width, dark=dark)
    return Shown(chromium, chromium.screenshot())


@pytest.fixture
def tampered(chain: Chain) -> ct.Verification:
    """An archive with every state, and a name that is longer than a line."""
    chain.hour([])
    chain.end, chain.previous = chain.end + 3 * HOUR, None
    for _ in range(4):
        chain.hour()
    chain.logs[2].unlink()
    chain.digests[3].unlink()
    unsigned = {name: saved for name, saved in chain.signatures.items() if not name.endswith(chain.digests[4].name)}
    chain.digests[5].write_bytes(b"no digest")
    return chain.verify(signatures=unsigned, until=chain.end + HOUR)


def hours(shown: Shown) -> dict[tuple[str, int], tuple[str, tuple[int, ...]]]:
    """Day and hour of each cell of the calendars, with the state in its title and its colour."""
    cells = {}
    for title, colour in shown.colours(".calendar rect"):
        match = TITLE.fullmatch(title)
        assert match, title
        for hour in range(int(match["begin"]), int(match["end"])):
            cells[match["day"], hour] = match["state"], colour
    return cells


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_calendar_shows_every_state_in_its_colour(
    chromium: Browser, tmp_path: Path, tampered: ct.Verification, width: int, *, dark: bool
) -> None:
    shown = show(chromium, tmp_path, tampered, width, dark=dark)
    legend = shown.legend()
    assert all(distance(one, other) > 60 for one, other in combinations(legend.values(), 2)), legend
    cells = hours(shown)
    assert {state for state, _ in cells.values()} == set(STATES)
    assert [(place, state) for place, (state, colour) in cells.items() if colour != legend[state]] == []
    known = tampered.coverage.select("hour", "state").rows()
    assert {place: state for place, (state, _) in cells.items()} == {
        (f"{hour:%Y-%m-%d}", hour.hour): state for hour, state in known
    }


def distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("dark", [False, True])
def test_only_what_was_tampered_with_is_red(chromium: Browser, tmp_path: Path, chain: Chain, *, dark: bool) -> None:
    clean = show(chromium, tmp_path, chain.verify(), 1280, dark=dark)
    red = clean.legend()["invalid"]
    box = chromium.evaluate(
        "(({left, top, right, bottom}) => [left, top, right, bottom])("
        "document.querySelector('.calendar').getBoundingClientRect())"
    )
    assert red not in colours_of(clean.image.crop(tuple(box)))
    assert verdict(clean) == clean.legend()["valid"]
    chain.logs[0].write_bytes(b"")
    broken = show(chromium, tmp_path, chain.verify(), 1280, dark=dark)
    assert red in colours_of(broken.image.crop(tuple(box)))
    assert verdict(broken) == red


def colours_of(image: Image) -> set[Any]:
    return {colour for _, colour in image.getcolors(image.width * image.height)}


def verdict(shown: Shown) -> tuple[int, ...]:
    """The colour of the bar before the verdict."""
    left, top, height = shown.browser.evaluate(
        "(({left, top, height}) => [left, top, height])(document.querySelector('.verdict').getBoundingClientRect())"
    )
    return shown.pixel(left + 3, top + height / 2)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_cut_off(
    chromium: Browser, tmp_path: Path, tampered: ct.Verification, width: int, *, dark: bool
) -> None:
    show(chromium, tmp_path, tampered, width, dark=dark)
    assert chromium.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert chromium.evaluate(CUT_OFF) == []
    assert chromium.evaluate(SMALLEST) >= 11
    chromium.evaluate("document.querySelector('.cards').style.width = '2000px'")
    assert chromium.evaluate(CUT_OFF) != []


def test_light_and_dark(chromium: Browser, tmp_path: Path, tampered: ct.Verification) -> None:
    light, dark = (show(chromium, tmp_path, tampered, 1280, dark=dark).image.getpixel((2, 2)) for dark in (False, True))
    assert min(light) > 200
    assert max(dark) < 50


def test_the_page_sends_no_requests(chromium: Browser, tmp_path: Path, tampered: ct.Verification) -> None:
    show(chromium, tmp_path, tampered, 1280, dark=False)
    assert [event["request"]["url"] for event in chromium.told("Network.requestWillBeSent")] == [
        (tmp_path / "page.html").as_uri()
    ]
    assert chromium.told("Log.entryAdded") == []


def test_markup_in_a_name_sends_no_requests(chromium: Browser, tmp_path: Path, chain: Chain) -> None:
    path = tmp_path / "page.html"
    # Even if the page had not escaped it, its content security policy would keep it from loading.
    text = chain.verify().html(title="TITLE")
    path.write_text(
        text.replace("TITLE", "<img src='http://127.0.0.1:9/x'><script>document.title = 'ran'</script>"),
        encoding="utf-8",
    )
    chromium.open(path, 1280, dark=False)
    assert chromium.evaluate("document.title") != "ran"
    loaded = {event["requestId"] for event in chromium.told("Network.responseReceived")}
    asked = {event["requestId"]: event["request"]["url"] for event in chromium.told("Network.requestWillBeSent")}
    assert {asked[request] for request in loaded} <= {path.as_uri()}
    assert chromium.told("Log.entryAdded")
