"""Issue 15.7: `drop_ignorable` drops a line only where it contains the ignorable event and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hvdegraded.formats.shippers.remainder import remainder_of
from hvdegraded.guests.inventory import GuestInventory
from hvdegraded.pipeline.annotation import KEY
from hvdegraded.pipeline.annotator import annotate
from hvdegraded.pipeline.labeller import Labeller
from hvdegraded.verdicts.verdict import Assumption
from tests.tools.routes import MESSAGE, ROUTES
from tests.tools.sample_exports import event_xml, winlogbeat
from tests.tools.verdict_cases import DISPLAY, HV, ID, VM, plain, positional, record, storvsp

IGNORABLE = storvsp(6, "6.0", "5.1")._replace(record_id=7, payload="EventData", channel="System")
OTHER_VM = IGNORABLE._replace(data=tuple((name, text.replace(VM, "db02")) for name, text in IGNORABLE.data))
FAILURE = plain("VMMS", 19100)._replace(record_id=8, payload="UserData/VmlEventLog")
SHIPPED, OTHER, FAILED = winlogbeat(IGNORABLE), winlogbeat(OTHER_VM), winlogbeat(FAILURE)
XML, OTHER_XML = event_xml(IGNORABLE), event_xml(OTHER_VM)
WORKER = record(HV + "Worker", 23014, 3, positional(VM, ID, DISPLAY, "3.3", "3.2"))._replace(
    record_id=9, payload="UserData/VmlEventLog", channel=f"{HV}Worker-Admin"
)

_TAIL = "The device will work, but this is an unsupported configuration."
OWN_MESSAGES = {
    6: f"'{VM}' storage device is loaded but has a different version from the server. Server version 6.0 "
    f"Client version 5.1 (VMID {ID}). {_TAIL}",
    23014: f"Device '{DISPLAY}' in '{VM}' is loaded but has a different version from the server.  Server version "
    f"3.3 Client version 3.2 (Virtual machine ID {ID}). {_TAIL}",
}
INVENTORY = [{"Name": VM, "Id": ID, "OSName": "Debian GNU/Linux 12"}]


@pytest.fixture
def labeller(tmp_path: Path) -> Labeller:
    path = tmp_path / "guests.json"
    path.write_text(json.dumps(INVENTORY))
    return Labeller(guests=path, drop_ignorable=True, drop_assumed=Assumption)


def otlp(*bodies: Any, **more: Any) -> dict[str, Any]:
    logs = [{"body": {"stringValue": body}, **more} for body in bodies]
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"logRecords": logs}]}]}


def with_data(**more: str) -> dict[str, Any]:
    winlog: dict[str, Any] = SHIPPED["winlog"]  # type: ignore[assignment]
    return {**SHIPPED, "winlog": {**winlog, "event_data": {**winlog["event_data"], **more}}}


@pytest.mark.parametrize("event", [IGNORABLE, WORKER], ids=["storvsp 6", "Worker 23014"])
@pytest.mark.parametrize("name", ROUTES)
def test_a_line_of_one_ignorable_event_is_dropped(labeller: Labeller, name: str, event: Any) -> None:
    """From the routes that keep what decides; one of them cuts the XML, another is a text of lines."""
    shipped = ROUTES[name].ship(event)
    if not isinstance(shipped, dict) or name in ("vector with cut xml", "fluent bit text"):
        return
    if name == "fluent bit xml":
        del shipped["StringInserts"]  # which are not the event's
    line = json.dumps(shipped).replace(MESSAGE, OWN_MESSAGES[event.event_id]).encode()
    line = line.replace(b"XmlWinEventLog:System", f"XmlWinEventLog:{event.channel}".encode())
    verdict = annotate(json.loads(line), guests=GuestInventory.load(INVENTORY)).get(KEY, {})
    assert (labeller.line(line) is None) == (verdict.get("label") == "ignorable protocol-version mismatch"), (
        remainder_of(json.loads(line))
    )


OWN = OWN_MESSAGES[6]
MORE: dict[str, Any] = {
    "a message in words of its own": {**SHIPPED, "message": f"storvsp {VM} 6.0 5.1; also db02 crashed"},
    "a second message behind the own one": {**SHIPPED, "message": f"{OWN}\nThe VM db02 could not start"},
    "a sentence before the own one": {**SHIPPED, "message": f"db02 is lost. {OWN}"},
    "the own message turned round": {**SHIPPED, "message": OWN.replace("will work", "will not work")},
    "the own message of another VM": {**SHIPPED, "message": OWN.replace(VM, "db02")},
    "the own message with other versions": {**SHIPPED, "message": OWN.replace("5.1", "1.1")},
    "a message in the XML in words of its own": {
        "_raw": XML.replace("</EventData>", f"</EventData><RenderingInfo><Message>{VM} works, db02 does not</Message></RenderingInfo>")
    },
    "a word in System": {"_raw": XML.replace("</System>", "<State>db02-failed</State></System>")},
    "another code": {**SHIPPED, "event": {"code": "16310"}},
    "a reason": {**SHIPPED, "event": {"code": "6", "reason": "failover"}},
    "a failed outcome": {**SHIPPED, "event": {"code": "6", "outcome": "failure"}},
    "another level of the event": {**SHIPPED, "winlog": {**SHIPPED["winlog"], "level": "Critical"}},  # type: ignore[dict-item]
    "another level of the line": {**SHIPPED, "log": {"level": "error"}},
    "a severity in words": {**SHIPPED, "severity": "critical"},
    "attributes of another event": {**SHIPPED, "attributes": {"source": "VMSP", "code": 12310}},
    "a tag": {**SHIPPED, "tags": ["backup-failed"]},
    "a label": {**SHIPPED, "labels": {"incident": "open"}},
    "a field": {**SHIPPED, "fields": {"lost_vm": "db02"}},
    "a number among the fields": {**SHIPPED, "fields": {"failed": 3}},
    "the own VM among the fields": {**SHIPPED, "fields": {"crashed": VM}},
    "a key without a value": {**SHIPPED, "db02_is_lost": ""},
    "a key with the own VM": {**SHIPPED, "lost": VM},
    "another source": {**SHIPPED, "source": "VMMS:16310"},
    "a task": {**SHIPPED, "winlog": {**SHIPPED["winlog"], "task": "Failover"}},  # type: ignore[dict-item]
    "another event beside": {**SHIPPED, "other": FAILED},
    "another VM's event beside": {**SHIPPED, "previous": OTHER},
    "the same shipper's key in another case": {**SHIPPED, "WINLOG": FAILED["winlog"]},
    "an event of another provider beside": {**SHIPPED, "next": {"provider_name": "disk", "event_id": 7}},
    "another event among the fields": {**SHIPPED, "fields": {"event_id": "16300"}},
    "keys of a second shipper": {**SHIPPED, "Source": f"{HV}VMMS", "EventID": 16300},
    "parameters of a second shipper": {**SHIPPED, "ParameterXml": "<Param>db02</Param>"},
    "inserts of a second shipper": {**SHIPPED, "StringInserts": ["db02", "failed"]},
    "a note": {**SHIPPED, "note": "db02 cannot start"},
    "a word under a key that no shipper writes": {**SHIPPED, "outcome_of_backup": "failed"},
    "a list of texts": {**SHIPPED, "errors": ["disk failed"]},
    "the message of another VM": {**SHIPPED, "message": "'db02' cannot start: the disk is full"},
    "JSON in the message": {**SHIPPED, "message": json.dumps(FAILED)},
    "JSON that is not an event in the message": {**SHIPPED, "message": '{"disk": "failed", "vm": "db02"}'},
    "two wrappers": {"log": json.dumps(SHIPPED), "message": json.dumps(FAILED)},
    "two wrappers of the same form": {"_source": SHIPPED, "body": OTHER},
    "a wrapper within a wrapper": {"log": json.dumps({"message": json.dumps(SHIPPED), "data": FAILED})},
    "a wrapped record beside others' keys": {"_source": SHIPPED, "winlog": FAILED["winlog"]},
    "a batch with another event": {"records": [SHIPPED, FAILED]},
    "a batch with a text": {"records": [SHIPPED, "storvsp is down"]},
    "a batch with nothing": {"records": [SHIPPED, None]},
    "a batch with an empty part": {"records": [SHIPPED, {}]},
    "a batch with a part of another kind": {"records": [SHIPPED, {"status": "failed"}]},
    "a batch beside another key": {"records": [SHIPPED], "extra": FAILED},
    "a batch beside a word": {"records": [SHIPPED], "status": "failed"},
    "a batch with more in one part": {"records": [SHIPPED, {**SHIPPED, "note": "disk failed on db02"}]},
    "CloudWatch beside another key": {"logEvents": [{"id": "1", "message": json.dumps(SHIPPED)}], "records": "x y"},
    "CloudWatch with a broken event": {"logEvents": [{"message": json.dumps(SHIPPED)}, {"message": json.dumps(FAILED)[:-9]}]},
    "OTLP with a text in the attributes": otlp(XML, attributes=[{"key": "note", "value": {"stringValue": "disk failed on db02"}}]),
    "OTLP with an event in the attributes": otlp(XML, attributes=[{"key": "x", "value": {"stringValue": OTHER_XML}}]),
    "OTLP beside another key": {**otlp(XML), "note": "x"},
    "XML of two events": {"_raw": XML + OTHER_XML},
    "XML and a text": {"_raw": XML + " db02 failed"},
    "XML behind a text": {"_raw": "db02 failed " + XML},
    "XML within XML": {"_raw": XML.replace("</EventData>", f"{OTHER_XML}</EventData>")},
    "XML escaped within XML": {"_raw": XML.replace("</EventData>", f"<Data>{OTHER_XML.replace('<', '&lt;')}</Data></EventData>")},
    "XML of another event in another key": {"_raw": XML, "xml": OTHER_XML},
    "XML of another VM beside the fields": {**SHIPPED, "event": {"original": OTHER_XML}},
    "UserData beside EventData": {**SHIPPED, "winlog": {**SHIPPED["winlog"], "user_data": {"VmName": "db02"}}},  # type: ignore[dict-item]
    "values beyond those that are known": with_data(param5="\\Device\\Harddisk failed", param6="db02"),
    "names beside positions": with_data(VmId="11111111-1111-1111-1111-111111111111"),
    "XML of another event as the message": {**SHIPPED, "message": OTHER_XML},
    "XML of another event in the message": {**SHIPPED, "message": f"'{VM}' works. {OTHER_XML}"},
    "XML of another event in the message, escaped": {**SHIPPED, "message": f"'{VM}' {OTHER_XML.replace('<', '&lt;')}"},
    "XML of another event as `_raw`": {**SHIPPED, "_raw": OTHER_XML},
    "XML of another event beside that of this one": {"_raw": XML, "message": OTHER_XML},
    "JSON of another event behind the message": {**SHIPPED, "message": f"'{VM}' works.\n{json.dumps(FAILED)}"},
    "JSON of another event as `_raw`": {**SHIPPED, "_raw": json.dumps(FAILED)},
    "JSON in the name of the host": {**SHIPPED, "host": {"name": json.dumps(FAILED)}},
    "JSON among the labels": {**SHIPPED, "labels": {"last": json.dumps(FAILED)}},
    "JSON as the task": {**SHIPPED, "winlog": {**SHIPPED["winlog"], "task": json.dumps(FAILED)}},  # type: ignore[dict-item]
    "JSON as the activity": {**SHIPPED, "winlog": {**SHIPPED["winlog"], "activity_id": json.dumps(FAILED)}},  # type: ignore[dict-item]
    "JSON in JSON": {**SHIPPED, "message": f"'{VM}' " + json.dumps(json.dumps(FAILED))},
    "a text as the name of the host": {**SHIPPED, "host": {"name": "db02 cannot start: disk failed"}},
    "a text as the name of the agent": {**SHIPPED, "agent": {"name": "db02 cannot start: disk failed"}},
    "a text as the time": {**SHIPPED, "time": "db02 cannot start: disk failed"},
    "a text among the labels": {**SHIPPED, "labels": {"note": "db02 cannot start: disk failed"}},
    "a text as a key": {**SHIPPED, "labels": {"db02 cannot start: disk failed": 1}},
    "a text as a key of the record": {**SHIPPED, "db02 cannot start": None},
    "a list of messages": {**SHIPPED, "message": [f"'{VM}' works", "db02 cannot start"]},
    "lists of lists": {**SHIPPED, "tags": [["db02", "failed"]]},
    "a message as long as a document": {**SHIPPED, "message": f"'{VM}' works." + " db02 failed" * 500},
    "an own record's rendering": {**SHIPPED, "rendering": [["Message", "db02 cannot start"]]},
    "a number under a key that no shipper writes": {**SHIPPED, "failures": 0},
    "a no under a key that no shipper writes": {**SHIPPED, "healthy": False},
    "an instruction in the XML": {"_raw": XML.replace("</EventData>", "<?note db02 cannot start?></EventData>")},
    "a comment in the XML": {"_raw": XML.replace("</EventData>", "<!-- db02 cannot start --></EventData>")},
    "CDATA in the XML": {"_raw": XML.replace("</EventData>", "<![CDATA[db02 cannot start]]></EventData>")},
    "a text behind the payload": {"_raw": XML.replace("</EventData>", "</EventData>db02 cannot start")},
    "a text before the values": {"_raw": XML.replace("<EventData>", "<EventData>db02 cannot start")},
    "an element in System": {"_raw": XML.replace("</System>", "<Note>db02 cannot start</Note></System>")},
    "an element behind the payload": {"_raw": XML.replace("</EventData>", "</EventData><Note>db02 failed</Note>")},
    "an attribute of a value": {"_raw": XML.replace("<Data>", "<Data note='db02 cannot start'>", 1)},
    "the message of another VM in the XML": {
        "_raw": XML.replace("</EventData>", "</EventData><RenderingInfo><Message>db02 failed</Message></RenderingInfo>")
    },
    "the message of another VM in the XML beside the fields": {
        **SHIPPED,
        "event": {"original": XML.replace("</EventData>", "</EventData><RenderingInfo><Message>db02 failed</Message></RenderingInfo>")},
    },
}  # fmt: skip


def with_winlog(**more: Any) -> dict[str, Any]:
    return {**SHIPPED, "winlog": {**SHIPPED["winlog"], **more}}  # type: ignore[dict-item]


DUMPED: Any = ROUTES["evtx_dump"].ship(IGNORABLE)["Event"]
DUMPED.pop("#attributes")
ALLOY: Any = ROUTES["alloy"].ship(IGNORABLE)
WORDS: dict[str, Any] = {
    "a word in an object of the shipper": {**SHIPPED, "agent": {"type": "winlogbeat", "state": "db02-lost"}},
    "the own VM in an object of the shipper": {**SHIPPED, "host": {"name": "hv1", "crashed": VM}},
    "a number in an object of the host": {**SHIPPED, "host": {"name": "hv1", "failures": 3}},
    "a yes in an object of the event": {**SHIPPED, "event": {"code": "6", "failed": True}},
    "nothing under a key with a meaning": {**SHIPPED, "event": {"code": "6", "db02_is_lost": None}},
    "an object within an object": {**SHIPPED, "log": {"level": "warning", "syslog": {"program": "vmms-crash"}}},
    "a category": {**SHIPPED, "event": {"code": "6", "category": ["failover"]}},
    "a kind": {**SHIPPED, "event": {"code": "6", "kind": "alert"}},
    "another provider of the event": {**SHIPPED, "event": {"code": "6", "provider": "VMMS"}},
    "the number of another event": {**SHIPPED, "event": 16300},
    "a name of hexadecimal digits": {**SHIPPED, "log": "db02"},
    "values in the style of Winlogbeat 6 too": {**SHIPPED, "eventdata": {"param2": "db02"}},
    "a text as a namespace": {"Event": {"#attributes": {"xmlns": "db02 is lost"}, **DUMPED}},
    "an attribute called like a namespace": {"Event": {"#attributes": {"xmlns_of_db02": "urn:lost"}, **DUMPED}},
    "a tag as the time": {"meta": {"Time": "<db02-is-lost/>"}, "data": XML},
    "a number as System": {**SHIPPED, "System": 77},
    "a tag among the values": {**ALLOY, "event_data": ALLOY["event_data"] + "<Lost/>"},
    "an attribute among the values": {**ALLOY, "event_data": ALLOY["event_data"].replace("<Data>", "<Data note='db02'>", 1)},
    "XML of another number beside the fields": {**SHIPPED, "event": {"original": XML.replace(">6</EventID>", ">16300</EventID>")}},
    "XML of another provider beside the fields": {**SHIPPED, "event": {"original": XML.replace("'storvsp'", "'disk'").replace('"storvsp"', '"disk"')}},
    "XML of another record beside the fields": {**SHIPPED, "event": {"original": XML.replace(">7</EventRecordID>", ">8</EventRecordID>")}},
    "XML of another time beside the fields": {**SHIPPED, "event": {"original": XML.replace("SystemTime='2", "SystemTime='1")}},
    "a hidden record": {**ROUTES["evtxecmd"].ship(IGNORABLE), "HiddenRecord": True},  # type: ignore[dict-item]
    "a word as the interface": with_winlog(api="db02-lost"),
    "a word as the activity": with_winlog(activity_id="db02-lost"),
    "a word as the version": with_winlog(version="bad"),
    "a word as the opcode": with_winlog(opcode="Crashed"),
    "a word as the keywords": with_winlog(keywords=["Failover"]),
    "an unknown word": with_winlog(state="lost"),
    "an account that the event does not name": with_winlog(user={"name": "mallory"}),
    "a process": {**SHIPPED, "process": {"name": "vmwp-crash.exe"}},
    "a label of Kubernetes": {**SHIPPED, "kubernetes": {"labels": {"alert": "db02"}}},
    "a text as the system": {**SHIPPED, "host": {"os": {"name": "db02 lost its disk"}}},
    "a type": {**SHIPPED, "type": "vm-lost"},
    "a status": {**SHIPPED, "status": "failed"},
    "a stream": {"log": json.dumps(SHIPPED), "stream": "db02-lost"},
    "a word at a wrapper": {"_source": SHIPPED, "_score": "db02-lost"},
    "an attribute of System": {"_raw": XML.replace("<System>", "<System note='db02-lost'>")},
    "a number at System": {"_raw": XML.replace("<System>", "<System failures='3'>")},
    "an attribute of System in JSON": {"Event": {"System": {"@note": "db02-lost", "EventID": 6}}},
    "a keyword in the rendering": {
        "_raw": XML.replace("</Event>", "<RenderingInfo><Keywords><Keyword>Lost</Keyword></Keywords></RenderingInfo></Event>")
    },
    "OTLP with an attribute of its own": otlp(XML, attributes=[{"key": "alert", "value": {"stringValue": "db02"}}]),
    "OTLP that is nested too deep": json.loads(json.dumps(otlp(XML, x="?")).replace('"?"', '{"x":' * 400 + "1" + "}" * 400)),
    "OTLP with another level": otlp(XML, severityText="FATAL"),
    "OTLP with a word beside the body": otlp(XML, state="db02-lost"),
    "OTLP with a word at the resource": {
        "resourceLogs": [{"resource": {"attributes": [{"key": "alert", "value": {"stringValue": "db02"}}]}, "scopeLogs": [{"logRecords": [{"body": {"stringValue": XML}}]}]}]
    },
    "CloudWatch with a text as the group": {"logEvents": [{"id": "1", "message": json.dumps(SHIPPED)}], "logGroup": "db02 is lost"},
    "CloudWatch of an owner in words": {"logEvents": [{"id": "1", "message": json.dumps(SHIPPED)}], "owner": "db02-lost"},
    "Kafka with a word in the schema": {"schema": {"type": "struct", "fields": ["db02-lost"]}, "payload": SHIPPED},
}  # fmt: skip
"""Words, numbers and keys that neither the event nor a shipper explains, in places where some belong."""


@pytest.mark.parametrize(
    "more",
    [
        {"message": OWN, "tags": ["beats_input_codec_plain_applied"], "ecs": {"version": "8.0.0"}},
        {"agent": {"name": "hv1", "type": "winlogbeat", "version": "8.17.0"}, "fields": {}, "labels": None},
        {"source": "XmlWinEventLog:System", "sourcetype": "XmlWinEventLog", "host": {"name": "collector"}},
        {
            "host": {"os": {"name": "Windows Server 2022 Datacenter"}},
            "event": {"code": 6, "outcome": "success"},
        },
        {
            "agent": {
                "ephemeral_id": "0c9a",
                "id": "7f3b",
                "hostname": "hv1",
                "build": {"original": "8.17.0"},
            },
            "host": {
                "architecture": "x86_64",
                "ip": ["10.0.0.1", "fe80::1"],
                "os": {
                    "kernel": "10.0.20348.2849 (WinBuild.160101.0800)",
                    "build": "20348.2849",
                    "family": "windows",
                },
            },
            "log": {"file": {"path": "C:\\logs\\System.evtx"}, "level": "warning"},
            "input": {"type": "winlog"},
            "elastic_agent": {"id": "5c1e", "snapshot": False, "version": "8.17.0"},
            "data_stream": {"dataset": "system.system", "namespace": "default", "type": "logs"},
            "event": {
                "code": "6",
                "created": "2026-09-01T02:00:14.175Z",
                "kind": "event",
                "dataset": "system.system",
            },
            "@metadata": {"beat": "winlogbeat", "type": "_doc", "version": "8.17.0"},
            "kubernetes": {"pod": {"name": "collector-0"}, "namespace": "logs"},
        },
        {
            "winlog": {
                **SHIPPED["winlog"],  # type: ignore[dict-item]
                "api": "wineventlog",
                "opcode": "Info",
                "keywords": ["Classic"],
                "version": 2,
                "activity_id": "{0C9A7B1E-41D3-4E0B-9D57-6B1A6C2F8E11}",
                "process": {"pid": 4, "thread": {"id": 8}},
            }
        },
    ],
)
def test_what_shippers_add_does_not_keep_a_line(labeller: Labeller, more: dict[str, Any]) -> None:
    assert labeller.line(json.dumps({**SHIPPED, **more}).encode()) is None


@pytest.mark.parametrize("what", MORE | WORDS)
def test_a_line_that_contains_more_is_kept(labeller: Labeller, what: str) -> None:
    line = json.dumps((MORE | WORDS)[what]).encode() + b"\n"
    assert labeller.line(line) is not None
    assert labeller.stats.dropped == 0


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(SHIPPED) + json.dumps(FAILED),
        json.dumps([SHIPPED, FAILED]),
        json.dumps(SHIPPED).replace('"winlog":', '"winlog": {"event_id": 16300}, "winlog":'),
        json.dumps(SHIPPED).replace('"param2":', '"param2": "db02", "param2":'),
        json.dumps(SHIPPED)[:-1] + ', "@timestamp": "db02 failed"}',
        json.dumps({"log": json.dumps(SHIPPED) + "\n" + json.dumps(FAILED)}),
    ],
)
def test_a_line_with_more_than_its_json_shows_is_kept(labeller: Labeller, text: str) -> None:
    assert labeller.line(text.encode()) is not None


def test_why_an_ignorable_line_stays_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "guests.json"
    path.write_text(json.dumps(INVENTORY))
    warnings: list[str] = []
    labeller = Labeller(guests=path, drop_ignorable=True, warn=warnings.append)
    for _ in range(3):
        labeller.line(json.dumps({**SHIPPED, "note": "x y"}).encode())
    assert len(warnings) == 1
    assert "note" in warnings[0]


_FAILED_TOO = '{"winlog": ' + json.dumps(FAILED["winlog"]) + ", " + json.dumps(SHIPPED)[1:]
_NAMED_TOO = json.dumps(SHIPPED).replace('"param2":', '"param2": "win01", "param2":')


@pytest.mark.parametrize("text", [_FAILED_TOO, _NAMED_TOO])
@pytest.mark.parametrize(
    "wrapped",
    [
        lambda text: {"message": text},
        lambda text: {"log": text, "stream": "stdout"},
        lambda text: {"_raw": text},
        lambda text: {"message": json.dumps({"message": text})},
        otlp,
        lambda text: {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "message": text}]},
    ],
)
def test_a_second_event_under_the_same_key_of_json_in_a_text(
    labeller: Labeller, wrapped: Any, text: str
) -> None:
    written = labeller.line(json.dumps(wrapped(text)).encode() + b"\n")
    assert written is not None
    assert b'"label":"ignorable"' not in written.replace(b": ", b":")


@pytest.mark.parametrize("key", ["timestamp", "time", "Timestamp", "EventReceivedTime"])
@pytest.mark.parametrize(
    ("text", "dropped"),
    [
        ("disk of win01 lost 202600", False),
        ("2026-09-01T02:00:13.000Z", True),
        ("Tue, 01 Sep 2026 02:00:13 GMT", True),
    ],
)
def test_words_in_a_time(labeller: Labeller, key: str, text: str, dropped: bool) -> None:
    written = labeller.line(json.dumps({**SHIPPED, key: text}).encode() + b"\n")
    assert (not written) is dropped
