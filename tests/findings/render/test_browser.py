"""The report in a real browser: it sorts, searches, asks for nothing, and runs nothing that a log holds."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from tests.tools.corpus import ROOT
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import HV, at_minutes, plain, record

webdriver = pytest.importorskip("selenium.webdriver")
BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver"),
    pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib"),
]

AXE_FILES = (os.environ.get("AXE_CORE", ""), ROOT / "node_modules" / "axe-core" / "axe.min.js")
AXE = next((Path(file) for file in AXE_FILES if file and Path(file).is_file()), None)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
OWNED = "document.title='owned'"
EVIL = f'<script>{OWNED}</script><img src=\'http://127.0.0.1:9/x\' onerror="{OWNED}">]]></text><svg onload="{OWNED}">'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    driver.get("about:blank")  # the first tab shows a page of the browser's own
    driver.get_log("performance")
    yield driver
    driver.quit()


def show(browser: Any, page: str, tmp_path: Path) -> None:
    """Open a page; nothing may be complained about or asked for."""
    path = tmp_path / "page.html"
    path.write_text(page, encoding="utf-8")
    browser.get(path.as_uri())
    check_quiet(browser)


def check_quiet(browser: Any) -> None:
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]
    assert not [url for url in asked if not url.startswith("file://") or not url.endswith("/page.html")]


def size(browser: Any, width: int, theme: str) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    feature = {"name": "prefers-color-scheme", "value": theme}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def column(browser: Any, name: str) -> list[str]:
    """What a column of the first table shows, from top to bottom."""
    cells = browser.execute_script(
        "return [...document.querySelectorAll('table')[0].querySelectorAll(`td[data-name=\"${arguments[0]}\"]`)]"
        ".filter(cell => cell.checkVisibility()).map(cell => cell.textContent)",
        name,
    )
    return list(cells)


@pytest.fixture(scope="module")
def sample() -> hv.Triage:
    guests = hv.GuestInventory.load(FOLDER / "guests.json")
    return hv.triage([FOLDER / "hv2012r2", FOLDER / "hv2022"], guests=guests)


def test_a_click_on_a_heading_sorts_and_another_one_turns_round(
    browser: Any, sample: hv.Triage, tmp_path: Path
) -> None:
    show(browser, sample.to_html(), tmp_path)
    as_read = column(browser, "#")
    assert as_read == [str(number) for number in range(1, len(as_read) + 1)]
    heads = {
        head.text: head
        for head in browser.find_elements("css selector", "thead")[0].find_elements("css selector", "th")
    }
    keys: dict[str, Callable[[str], Any]] = {"#": int, "last, UTC": str}
    for name, key in keys.items():
        heads[name].find_element("css selector", "button").click()
        assert heads[name].get_attribute("aria-sort") == "ascending"
        upwards = column(browser, name)
        assert upwards == sorted(upwards, key=key)
        assert len(set(upwards)) > 1
        heads[name].find_element("css selector", "button").click()
        assert heads[name].get_attribute("aria-sort") == "descending"
        assert [key(one) for one in column(browser, name)] == sorted(map(key, upwards), reverse=True)
    assert len(browser.find_elements("css selector", "[aria-sort]")) == 1
    heads["last, UTC"].find_element("css selector", "button").click()
    assert column(browser, "#") == as_read
    check_quiet(browser)


def test_search_shows_the_rows_that_hold_the_text(browser: Any, sample: hv.Triage, tmp_path: Path) -> None:
    show(browser, sample.to_html(), tmp_path)
    field = browser.find_element("css selector", "input")
    field.send_keys("SECURE boot")
    assert column(browser, "VM") == ["web22"]
    assert browser.find_element("css selector", "output").text.startswith("1 of ")
    field.clear()
    field.send_keys("no such text")
    assert column(browser, "VM") == []
    check_quiet(browser)


@pytest.mark.parametrize("width", [1280, 720, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits_its_window_and_follows_its_theme(
    browser: Any, sample: hv.Triage, tmp_path: Path, width: int, theme: str
) -> None:
    size(browser, width, theme)
    fragment = f"<!doctype html><meta charset=utf-8><body style='margin:0'>{sample._repr_html_()}"
    for page in (sample.to_html(), fragment):
        show(browser, page, tmp_path)
        assert browser.execute_script("return document.documentElement.scrollWidth") == width
        luminance = "return getComputedStyle(document.querySelector('.hvd')).{}.match(/\\d+/)[0]"
        background, ink = (
            int(browser.execute_script(luminance.format(name))) for name in ("backgroundColor", "color")
        )
        assert (background > 200 > 60 > ink) if theme == "light" else (background < 60 < 200 < ink)


def test_a_theme_of_jupyter_wins_over_the_system(browser: Any, sample: hv.Triage, tmp_path: Path) -> None:
    size(browser, 1280, "dark")
    show(browser, f"<!doctype html><body data-jp-theme-light='true'>{sample._repr_html_()}", tmp_path)
    color = browser.execute_script("return getComputedStyle(document.querySelector('.hvd')).backgroundColor")
    assert color == "rgb(255, 255, 255)"


def test_what_a_log_holds_is_never_run(browser: Any, tmp_path: Path) -> None:
    events = [
        record(provider, event_id, level, (("VmName", EVIL), ("VmId", EVIL), (EVIL, EVIL)))._replace(
            computer=EVIL
        )
        for provider, event_id, level in ((HV + "VMMS", 19100, 2), (HV + "VMMS", 41010, 2), ("storvsp", 6, 3))
    ]
    triage = hv.triage(events)
    # Without the page's policy nothing but escaping stands between a log and the browser.
    fragment = f"<!doctype html><meta charset=utf-8><title>safe</title>{triage._repr_html_()}"
    bare = triage.to_html(title="safe").replace("Content-Security-Policy", "x")
    for page in (triage.to_html(title="safe"), fragment, bare):
        show(browser, page, tmp_path)
        assert browser.title == "safe"
        assert browser.find_elements("css selector", "img, svg[onload]") == []
        assert EVIL in browser.execute_script("return document.querySelector('td.vm').textContent")


def fleet(size: int) -> hv.Triage:
    """As many findings, of a handful of problems."""
    events = []
    for number in range(size):
        event = plain("VMMS", (19100, 10102, 64999)[number % 3], 2 + (number % 3 == 2))
        names = {"VmName": f"vm{number:05}", "VmId": f"{number:08X}-0000-0000-0000-000000000000"}
        events.append(at_minutes(event._replace(data=tuple(names.items())), number))
    return hv.triage(events)


@pytest.mark.slow
def test_ten_thousand_findings_open_sort_and_are_searched(browser: Any, tmp_path: Path) -> None:
    size(browser, 1280, "light")
    triage = fleet(10_000)
    show(browser, triage.to_html(), tmp_path)
    opened = browser.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    assert opened < 4000  # under 2 s on an idle machine
    assert len(browser.find_elements("css selector", "td.number")) <= 600
    assert browser.find_element("css selector", ".note").text.startswith("The first 500 of 6667 rows.")
    for _ in range(2):
        browser.find_element("css selector", "th:nth-child(7) button").click()
    assert column(browser, "VM")[0] == "vm09999"  # of all rows, not of those that were shown
    browser.find_element("css selector", "input").send_keys("vm00042")
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, 10).until(lambda _: column(browser, "VM") == ["vm00042"])
    assert browser.find_element("css selector", "output").text == "1 of 10000 rows"


def test_more_rows_come_on_demand(browser: Any, tmp_path: Path) -> None:
    show(browser, fleet(900).to_html(), tmp_path)
    shown = len(column(browser, "VM"))
    more = browser.find_element("css selector", ".note button")
    more.click()
    assert len(column(browser, "VM")) == min(600, shown + 200)
    assert len(set(column(browser, "#"))) == len(column(browser, "#"))


@pytest.mark.skipif(
    AXE is None, reason="needs axe-core: npm install axe-core, or AXE_CORE names its axe.min.js"
)
@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(
    browser: Any, sample: hv.Triage, tmp_path: Path, width: int, theme: str
) -> None:
    """With no finding and with many, all parts open."""
    size(browser, width, theme)
    for triage in (hv.triage([]), sample, fleet(30)):
        show(browser, triage.to_html(), tmp_path)
        browser.execute_script("document.querySelectorAll('details').forEach(part => part.open = true)")
        browser.execute_script(AXE.read_text(encoding="utf-8") if AXE else "")
        run = (
            "axe.run().then(found => arguments[0](found.violations.map(one => [one.id, one.nodes[0].html])))"
        )
        assert browser.execute_async_script(run) == []
