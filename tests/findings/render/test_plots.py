"""Pictures: told apart by shape, readable with one VM and with many, safe with any name."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

import hvdegraded as hv
from hvdegraded.findings.render.plots import draw
from hvdegraded.records.record import EventRecord
from tests.tools.sample_logs import FOLDER
from tests.tools.verdict_cases import ID, VM, at_minutes, device, integration, plain, storvsp

pytest.importorskip("matplotlib")

LONG = "a-very-long-name-that-somebody-once-gave-to-this-machine-{}"
ODD = ("{}", LONG, "web $\\frac{{{}}}$ _^ <b>&amp;", "データベース-{}", "\x1b[31m\n{}", "‮{}", "ﷺ" * 40 + "{}")


def of_vm(event: EventRecord, number: int, name: str) -> EventRecord:
    vm_id = f"{number:08X}{ID[8:]}"
    data = tuple((key, {VM: name, ID: vm_id}.get(value, value)) for key, value in event.data)
    return event._replace(data=data)


def fleet(size: int) -> hv.Triage:
    events = []
    for number in range(size):
        name = ODD[number % len(ODD)].format(number)
        noise = [storvsp(6, "6.0", "5.1"), device(23014, "3.3", "3.2")]
        noise += [integration(service) for service in ("-KvpExchange", "-TimeSync", "-VSS")]
        if number % 3 == 1:
            noise.append(integration("-RDV"))  # which only Windows has
        if number % 3 == 0:
            noise += [plain("VMMS", 19100), storvsp(5, "65535.65535", "65535.65534")]
        events += [
            at_minutes(of_vm(one, number, name), 700 * place + number) for place, one in enumerate(noise)
        ]
    return hv.triage(events)


def texts(figure: Any) -> list[Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(figure).draw()
    return [one for one in figure.findobj(Text) if one.get_visible() and one.get_text()]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["timeline", "versions"])
@pytest.mark.parametrize("size", [1, 5, 60])
@pytest.mark.filterwarnings("ignore:Glyph")
def test_labels_never_overlap_nor_leave_the_picture(kind: str, size: int) -> None:
    figure = fleet(size).plot(kind).figure
    boxes = [(one.get_text(), one.get_window_extent()) for one in texts(figure)]
    assert len(boxes) > size
    for text, box in boxes:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
    boxes.sort(key=lambda pair: pair[1].y0)
    for place, (text, box) in enumerate(boxes):
        for other, second in boxes[place + 1 :]:
            if second.y0 >= box.y1:
                break
            assert second.x0 >= box.x1 or second.x1 <= box.x0, (text, other)


def test_noise_what_to_check_and_what_to_act_on_differ_in_shape_and_colour() -> None:
    lines = [line for line in fleet(3).plot().figure.axes[0].lines if len(line.get_xdata())]
    looks = {(line.get_marker(), line.get_markeredgecolor()) for line in lines}
    assert {marker for marker, _ in looks} == {"o", "^", "D"}
    assert len({color for _, color in looks}) == len(looks) == 3


def test_a_mark_stands_where_its_event_happened() -> None:
    from matplotlib.dates import num2date

    event = plain("VMMS", 19100)
    (line,) = [line for line in hv.triage([event]).plot().figure.axes[0].lines if line.get_marker() == "^"]
    shown = num2date(line.get_xdata()[0])
    assert event.time_created is not None
    assert abs((shown - event.time_created).total_seconds()) < 0.001


def test_a_picture_does_not_depend_on_the_order_of_reading() -> None:
    events = [at_minutes(storvsp(6, "6.0", "5.1"), minute) for minute in (0, 1, 2, 900)]
    events += [at_minutes(device(23014, "3.3", "3.2"), minute) for minute in (3, 1, 899)]
    pictures = {hv.triage(order).plot().svg() for order in (events, events[::-1], events[2:] + events[:2])}
    assert len(pictures) == 1


def test_the_heat_map_names_the_versions_of_guest_and_host() -> None:
    triage = hv.triage(FOLDER / "hv2012r2", guests=hv.GuestInventory.load(FOLDER / "guests.json"))
    svg = triage.vm("db02").plot("versions").svg()
    shown = {"".join(map(str, text.itertext())) for text in etree.fromstring(svg.encode()).iter("{*}text")}
    for words in (
        "db02",
        "storage",
        "display",
        "data exchange",
        "5.1 | 6.0",
        "3.2 | 3.3",
        "4.0 | 5.0",
        "×60",
    ):
        assert any(words in one for one in shown), words
    assert not any("▲ ×" in one for one in shown)
    assert "▲ ×2" in triage.vm("app08").plot("versions").svg()


def test_a_long_list_is_cut_and_says_so() -> None:
    for kind in ("timeline", "versions"):
        assert "2 more VMs are not shown" in draw(fleet(7).groups, kind, most_rows=5).svg()


@pytest.mark.parametrize("kind", ["timeline", "versions"])
def test_a_picture_is_saved_as_png_and_svg(tmp_path: Path, kind: str) -> None:
    picture = fleet(4).plot(kind)
    picture.save(tmp_path / "one.png")
    picture.save(tmp_path / "one.SVG")
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert etree.fromstring((tmp_path / "one.SVG").read_bytes()).tag == "{http://www.w3.org/2000/svg}svg"
    assert picture.svg() == fleet(4).plot(kind).svg()
    with pytest.raises(hv.HvdegradedError, match=r"\.png or \.svg"):
        picture.save(tmp_path / "one.pdf")


@pytest.mark.parametrize("kind", ["timeline", "versions"])
def test_the_inline_picture_takes_its_colours_from_the_page(kind: str) -> None:
    svg = fleet(4).plot(kind).inline_svg()
    assert svg.startswith("<svg")
    assert "http" not in svg
    wanted = {"var(--fg)", "var(--act)"} | ({"var(--dot)", "var(--check)"} if kind == "timeline" else set())
    assert set(re.findall(r"var\(--\w+\)", svg)) == wanted


@pytest.mark.parametrize("kind", ["timeline", "versions"])
def test_there_is_a_picture_of_nothing(kind: str) -> None:
    assert "no " in hv.triage([]).plot(kind).svg()
    times = [None, 0, 2**63, 2_650_467_743_999_999_999]
    events = [storvsp(6, "6.0", "5.1")._replace(time_ticks=ticks) for ticks in times]
    assert hv.triage(events).plot(kind).png()
    assert hv.triage([events[0]]).plot(kind).svg()


def test_no_shared_state_is_touched() -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    fleet(2).plot().png()
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()


def test_what_is_missing_or_unknown_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(hv.HvdegradedError, match="timeline, versions"):
        fleet(1).plot("pie")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(hv.HvdegradedError, match=r"hvdegraded\[notebook\]"):
        fleet(1).plot()
    assert "hvdegraded[notebook]" in fleet(1).to_html()
