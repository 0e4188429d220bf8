"""The HTML page and notebook view: everything from logs is escaped, nothing is loaded from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import hvdegraded as hv
from hvdegraded.cli.main import main
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import HV, plain, record

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&\x1b"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "img", "br", "wbr", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def evil() -> hv.Triage:
    events = [
        record(provider, event_id, level, (("VmName", EVIL), ("VmId", EVIL), (EVIL, EVIL)))._replace(
            computer=EVIL
        )
        for provider, event_id, level in ((HV + "VMMS", 19100, 2), (HV + "VMMS", 41010, 2), ("storvsp", 6, 3))
    ]
    return hv.triage(events)


def test_markup_in_names_stays_text() -> None:
    for page in (evil().to_html(title=EVIL), evil()._repr_html_()):
        tags = Tags(page)
        assert not tags.open
        scripts = [attributes for tag, attributes in tags.tags if tag == "script"]
        assert sum(attributes.get("type") != "application/json" for attributes in scripts) <= 1
        assert not any(tag == "img" for tag, _ in tags.tags)
        assert not any(name.startswith("on") for _, attributes in tags.tags for name in attributes)
        assert "&lt;script&gt;" in page
        assert "\x1b" not in page


def test_the_page_asks_for_nothing() -> None:
    page = hv.triage(FOLDER / "hv2012r2").to_html()
    tags = Tags(page)
    assert not any(name in ("src", "srcset") for _, attributes in tags.tags for name in attributes)
    links = [(tag, attributes["href"]) for tag, attributes in tags.tags if "href" in attributes]
    assert links
    assert {tag for tag, _ in links} == {"a"}  # which ask only when they are clicked
    assert all(link and link.startswith("https://") for _, link in links)
    assert not re.search(r"url\((?!#)|@import", page)
    policy = next(attributes["content"] for tag, attributes in tags.tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_each_problem_has_its_reason_and_its_sources_proven_noise_too() -> None:
    found = hv.triage(FOLDER / "hv2012r2", guests=FOLDER / "guests.json")
    page = found.to_html()
    proven = page[page.index("id='proven'") : page.index("</details>", page.index("id='proven'"))]
    assert "Guests other than Windows are meant to speak older versions" in proven
    assert "href='https://support.microsoft.com/kb/2956569'" in proven
    assert page.count("class='why'") == sum(len(list(found.document.problems(one))) for one in hv.Section)


def test_it_tells_what_the_triage_tells() -> None:
    guests = hv.GuestInventory.load(FOLDER / "guests.json")
    page = hv.triage(FOLDER / "hv2012r2", guests=guests).to_html()
    for part in ("<b>8</b><span>To act on</span>", "278 events", "build01", "legacy-pbx", "Secure Boot"):
        assert part in page


def test_the_command_writes_it(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert main(["triage", str(FOLDER / "hv2022"), "--html", str(target)]) == 1
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["triage", str(FOLDER / "hv2022"), "--html", str(tmp_path / "no" / "x.html")]) == 2


def test_each_finding_names_the_record_that_explain_takes() -> None:
    system = hv.triage(FOLDER / "hv2012r2" / "System.evtx")
    assert "<small>storvsp 5, record 1454</small>" in system.to_html()
    (worker,) = (part for part in hv.triage(FOLDER / "hv2022").groups if part.event_id == 9)
    assert (worker.count, worker.last_record_id) == (5, 8004)


def test_a_result_of_nothing_is_not_good_news() -> None:
    """Of a folder without Hyper-V events, and of inputs that could not be read."""
    other = hv.EventRecord(
        "Disk", 7, record_id=1, time_ticks=133_782_174_832_356_205, channel="System", computer="hv1"
    )
    assert "Nothing to act on" not in hv.triage(hv.evtx_bytes([other])).to_html()
    assert "not all was" in hv.triage([]).to_html()
    quiet = hv.triage([plain("VMMS", 41010, 4)], min_level="error")
    assert "<b>Nothing to act on, nothing to check.</b>" in quiet.to_html()


def test_what_concerns_a_host_has_no_blank_cell() -> None:
    page = hv.triage([plain("VMMS", 14050)._replace(data=())]).to_html()
    assert "<td data-name='VM' class='vm'>(host)</td>" in page
    assert "class='vm'></td>" not in page
