"""The same event by every route: the same record as far as the route keeps it, the same verdict, losses told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.records.record import EventRecord
from tests.tools.routes import ROUTES, Route, Shipped
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.verdict_cases import DISPLAY, HV, ID, VM, guests, positional, unnamed

TICKS = 133_782_174_832_356_205  # 2024-12-09T11:31:23.2356205Z
IGNORABLE, ACTIONABLE = "ignorable protocol-version mismatch", "actionable"
SHARING = "%%2147942432"


def event(
    provider: str, event_id: int, level: int, payload: str, data: Any, qualifiers: int | None = None
) -> EventRecord:
    return EventRecord(
        provider, event_id, TICKS, level, 4711, f"{provider}-Admin" if qualifiers is None else "System", "hv1.example",
        qualifiers=qualifiers, payload=payload, data=data,
    )  # fmt: skip


USER, EVENT = "UserData/VmlEventLog", "EventData"
CLASSIC = (*unnamed("", VM, "6.0", "5.1", ID), ("Binary", "0000040006000480"))
OFFER = (*unnamed("", VM, "5.1", "6.2", ID), ("Binary", "00000400050004C0"))
SWITCH = tuple(
    zip(
        ("VMNameLen", "VMName", "VMIdLen", "VMId", "ServerVersionLen", "ServerVersion", "ClientVersionLen", "ClientVersion"),
        (str(len(VM)), VM, "36", ID, "6", "196610", "6", "327680"),
        strict=True,
    )
)  # fmt: skip
LOST = "incomplete_evidence"
EVENTS = {  # what is expected where the fields arrive, and what where they do not
    "storvsp 6": (event("storvsp", 6, 3, EVENT, CLASSIC, 0x8004), "loaded_mismatch_non_windows_guest", LOST),
    "storvsp 5": (event("storvsp", 5, 2, EVENT, OFFER, 0xC004), "refused_offer_with_fallback", "refused_offer_not_proven_harmless"),
    "Worker 23014": (event(HV + "Worker", 23014, 3, USER, positional(VM, ID, DISPLAY, "3.3", "3.2")), "loaded_mismatch_non_windows_guest", LOST),
    "Integration 4010": (event(HV + "Integration", 4010, 3, USER, positional(VM, ID, "3.0", "3.0", "4.0", "5.0")), "loaded_mismatch_non_windows_guest", LOST),
    "VmSwitch 26": (event(HV + "VmSwitch", 26, 2, EVENT, SWITCH), "refused_offer_with_fallback", "refused_offer_not_proven_harmless"),
    "VMMS 19100": (event(HV + "VMMS", 19100, 2, USER, (("VmName", VM), ("VmId", ID), ("ErrorMessage", SHARING), ("ErrorCode", "0x80070020"))), "known_problem", "known_problem"),
}  # fmt: skip
LABELS = dict.fromkeys(("loaded_mismatch_non_windows_guest", "refused_offer_with_fallback"), IGNORABLE)
LINUX = hv.Classifier(guests("linux"))


def keeps(route: Route, name: str, record: EventRecord) -> bool:
    """Whether a route keeps an event's values."""
    if name == "nxlog" and all(key is None or key == "Binary" for key, _ in record.data):
        return False  # it has no names to put unnamed values under
    return route.user_data if record.payload.startswith("UserData") else route.event_data


def read(shipped: Shipped) -> list[EventRecord]:
    text = shipped if isinstance(shipped, str) else json.dumps(shipped)
    return list(hv.read_records(text.encode()))


@pytest.mark.parametrize("what", EVENTS)
@pytest.mark.parametrize("name", ROUTES)
def test_one_event_by_every_route(name: str, what: str) -> None:
    route = ROUTES[name]
    sent, reason, reason_if_lost = EVENTS[what]
    (got,) = read(route.ship(sent))
    if name != "hayabusa":
        assert (got.provider, got.event_id) == (sent.provider, sent.event_id)
    assert (got.event_id, got.channel, got.computer) == (sent.event_id, sent.channel, sent.computer)
    assert got.level == (sent.level if route.level else None)
    assert got.record_id == (4711 if route.record_id else None)
    assert got.time_ticks is not None
    assert abs(got.time_ticks - TICKS) < route.tick
    assert not got.origin.anomalies
    kept = keeps(route, name, sent)
    if kept and route.named:
        given = [pair for pair in sent.data if pair[1] and pair[0] != "Binary"]
        assert [text for name, text in got.data if text and name != "Binary"] == [text for _, text in given]
        assert {name for name, _ in given if name} <= {name for name, _ in got.data}
    elif kept:
        assert [text for name, text in got.data if name is None] == [
            text for name, text in sent.data if name != "Binary"
        ]
    else:
        assert got.data == ()
        assert got.origin.caveats

    verdict = LINUX.classify(got)
    expected = reason if kept else reason_if_lost
    if name == "hayabusa":
        expected = LOST if sent.provider.startswith(HV) else "not_hyper_v"  # all it tells is the channel
    assert verdict.reason == expected
    assert verdict.label == LABELS.get(expected, ACTIONABLE)
    assert verdict.vm_name == (VM if kept else None)
    assert verdict.vm_id == (ID if kept else None)


@pytest.mark.parametrize("name", [name for name in ROUTES if name != "evtxecmd csv"])
def test_every_route_through_annotate_and_label(name: str) -> None:
    route = ROUTES[name]
    sent, reason, reason_if_lost = EVENTS["Worker 23014"]
    shipped = route.ship(sent)
    added = hv.annotate(shipped, classifier=LINUX)[KEY]
    kept = keeps(route, name, sent)
    assert added["reason"] == (reason if kept else reason_if_lost)
    assert added["label"] == LABELS.get(added["reason"], ACTIONABLE)
    assert added["field_source"] == (
        "positional fields" if kept else "rendered message" if name != "hayabusa" else "no fields"
    )
    assert bool(added["anomalies"] + added["caveats"]) != kept
    if isinstance(shipped, dict):
        line = json.dumps(shipped).encode() + b"\n"
        labelled = Labeller().line(line)
        assert labelled is not None
        assert json.loads(labelled)[KEY]["event_id"] == 23014
        assert {key: value for key, value in json.loads(labelled).items() if key != KEY} == shipped


FORGED_EVENT = EVENTS["storvsp 6"][0]
FORGERIES = (
    event_xml(FORGED_EVENT),
    json.dumps(winlogbeat(FORGED_EVENT)),
    json.dumps(FORGED_EVENT.to_dict()),
)
CRASH = event(HV + "Worker", 18590, 1, USER, (("VmName", VM), ("VmId", ID), ("VmErrorMessage", "x")))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths to all values below, the containers included."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy with one value replaced, or taken away where `new` is None."""
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if len(path) > 1:
        copy[path[0]] = changed(copy[path[0]], path[1:], new)
    elif new is None:
        del copy[path[0]]
    else:
        copy[path[0]] = new
    return copy


def can_be_written_by_others(value: Any, sent: EventRecord) -> bool:
    """Whether a shipped value is none of those that only the shipper makes: the whole event, or which it is."""
    if isinstance(value, (dict, list)) or str(value) in (sent.provider, str(sent.event_id)):
        return False
    return not str(value).startswith(("<Event", "{", "ProviderName="))


@pytest.mark.parametrize("sent", [EVENTS["VMMS 19100"][0], CRASH], ids=["VMMS 19100", "Worker 18590"])
@pytest.mark.parametrize("name", [name for name in ROUTES if name not in ("xml", "evtxecmd csv")])
def test_no_value_makes_another_event_ignorable(name: str, sent: EventRecord) -> None:
    """Each value in turn is another event's text, or is taken away: no event is ignorable for that."""
    shipped = ROUTES[name].ship(sent)
    assert isinstance(shipped, dict)
    for path in leaves(shipped):
        for new in (None, *FORGERIES * can_be_written_by_others(at(shipped, path), sent)):
            added = hv.annotate(changed(shipped, path, new), classifier=LINUX).get(KEY)
            assert added is None or added["label"] == ACTIONABLE, (path, new)
