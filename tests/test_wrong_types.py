"""Whatever a public function is given, it works or raises an error of ours, never a bare TypeError."""

from __future__ import annotations

import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hvdegraded as hv
from tests.tools.sample_logs import FOLDER

wrong: Any = hv  # what type checkers refuse, users try
EVENT = hv.normalise(hv.EventRecord("storvsp", 6, level=3, data=((None, ""), (None, "web01"))))
LOG = FOLDER / "hv2012r2" / "System.evtx"
VALUES: dict[str, Callable[[], object]] = {
    "None": lambda: None,
    "a number": lambda: 0,
    "a fraction": lambda: 1.5,
    "True": lambda: True,
    "no text": lambda: "",
    "no bytes": lambda: b"",
    "no list": list,
    "no mapping": dict,
    "a set": set,
    "a set of texts": lambda: {"x"},
    "a list": lambda: [None],
    "a mapping": lambda: {0: 0},
    "a generator": lambda: (number for number in range(1)),
    "an object": object,
    "a type": lambda: int,
    "a record": lambda: EVENT.record,
    "an event": lambda: EVENT,
}
CALLS: dict[str, Callable[[Any], object]] = {
    "GuestInventory": lambda given: hv.GuestInventory(given),
    "GuestInventory.load": lambda given: hv.GuestInventory.load(given),
    "Policy": lambda given: hv.Policy(given),
    "Policy.load": lambda given: hv.Policy.load(given),
    "Knowledge.extended": lambda given: hv.load_knowledge().extended(given),
    "ReadOptions.of options": lambda given: hv.ReadOptions.of(options=given),
    "ReadOptions.of workers": lambda given: hv.ReadOptions.of(workers=given),
    "ReadOptions.of timezone": lambda given: hv.ReadOptions.of(timezone=given),
    "ReadOptions.of progress": lambda given: hv.ReadOptions.of(progress=given),
    "read": lambda given: list(hv.read(given)),
    "read options": lambda given: hv.read(LOG, options=given),
    "read knowledge": lambda given: hv.read(LOG, knowledge=given),
    "read_records": lambda given: list(hv.read_records(given)),
    "read_records wanted": lambda given: hv.read_records(LOG, wanted=given),
    "triage": lambda given: hv.triage(given),
    "triage guests": lambda given: hv.triage([EVENT], guests=given),
    "triage policy": lambda given: hv.triage([EVENT], policy=given),
    "triage since": lambda given: hv.triage([EVENT], since=given),
    "triage min_level": lambda given: hv.triage([EVENT], min_level=given),
    "triage options": lambda given: hv.triage([EVENT], options=given),
    "Triage.vm": lambda given: hv.triage([EVENT]).vm(given),
    "Triage.between": lambda given: hv.triage([EVENT]).between(given, given),
    "normalise": lambda given: hv.normalise(given),
    "normalise knowledge": lambda given: hv.normalise(EVENT.record, given),
    "classify": lambda given: hv.classify(given),
    "classify guests": lambda given: hv.classify(EVENT, guests=given),
    "classify guest": lambda given: hv.classify(EVENT, guest=given),
    "classify policy": lambda given: hv.classify(EVENT, policy=given),
    "Classifier": lambda given: hv.Classifier(given),
    "Classifier.classify_all": lambda given: list(hv.Classifier().classify_all(given)),
    "classify_status": lambda given: hv.classify_status(given),
    "classify_statuses": lambda given: hv.classify_statuses(given),
    "annotate": lambda given: hv.annotate(given),
    "annotate guests": lambda given: hv.annotate("{}", guests=given),
    "annotate_many": lambda given: list(hv.annotate_many(given)),
    "annotate_frame": lambda given: hv.annotate_frame(given),
    "evtx_bytes": lambda given: hv.evtx_bytes(given),
    "a record's provider": lambda given: hv.classify(hv.EventRecord(given)),
    "a record's id": lambda given: hv.classify(hv.EventRecord("storvsp", given)),
    "a record's time": lambda given: hv.triage([hv.EventRecord("storvsp", 6, given)]),
    "a record's data": lambda given: hv.normalise(hv.EventRecord("storvsp", 6, data=given)),
    "a record's origin": lambda given: hv.normalise(hv.EventRecord("storvsp", 6, origin=given)),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_wrong_type_gets_an_error_of_ours(call: str) -> None:
    foreign = {}
    for name, value in VALUES.items():
        try:
            CALLS[call](value())
        except Exception as error:  # noqa: BLE001  # that is what is looked for
            if not isinstance(error, hv.HvdegradedError):
                foreign[name] = repr(error)
    assert foreign == {}


@pytest.mark.parametrize(
    "call", ["read", "triage", "GuestInventory.load", "Policy.load", "classify_statuses"]
)
@pytest.mark.parametrize("path", ["", "no/such"], ids=["a folder", "no folder"])
def test_a_path_that_cannot_be_read_is_named(call: str, path: str, tmp_path: Path) -> None:
    with pytest.raises(hv.HvdegradedError, match=tmp_path.name):
        CALLS[call](tmp_path / path)


FIELDS = {"provider": "storvsp", "event_id": 6}


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: hv.Policy.load(wrong), "source must be of type str or PathLike, not module (give the path"),
        (lambda: hv.read(LOG, options=wrong), "options must be of type ReadOptions, not module"),
        (lambda: hv.normalise(hv.EventRecord("storvsp", 6, wrong)), "the record's time_ticks must be int"),
        (lambda: hv.normalise(hv.EventRecord("storvsp", 6, data=wrong)), "the record's data must be a tuple"),
        (
            lambda: hv.EventRecord.from_dict({"SourceName": 1}),
            "'SourceName' is not a field of a record (to_dict",
        ),
        (
            lambda: hv.EventRecord.from_dict(FIELDS | {"data": [("a", None)]}),
            "the record's data must be a tuple",
        ),
        (lambda: hv.classify(EVENT, policy=wrong), "policy must be of type Policy, not module (Policy.load"),
    ],
)
def test_the_error_says_what_was_given_and_what_to_give(call: Callable[[], object], said: str) -> None:
    with pytest.raises(hv.WrongTypeError) as caught:
        call()
    assert said in str(caught.value)


def test_the_integers_of_a_data_frame_are_integers() -> None:
    numpy = pytest.importorskip("numpy")
    record = EVENT.record._replace(event_id=numpy.int64(6), level=numpy.int32(3), record_id=numpy.uint64(7))
    assert hv.classify(record).label is hv.classify(EVENT).label
    plain = types.MappingProxyType(EVENT.record.to_dict())
    assert hv.EventRecord.from_dict(plain) == EVENT.record
