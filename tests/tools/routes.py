"""One event as every route of the pipeline writes it, by each shipper's published rules, losses included."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

from hvdegraded.records.record import EventRecord
from hvdegraded.timestamps import text_from_ticks
from tests.tools.sample_exports import event_xml, winlogbeat

LEVELS = {1: "Critical", 2: "Error", 3: "Warning", 4: "Information"}
MESSAGE = "(rendered by the host, in its language)"

Shipped = dict[str, Any] | str


class Route(NamedTuple):
    """A way to ship an event: what it keeps of names and values, and how exact its time is, in ticks."""

    ship: Callable[[EventRecord], Shipped]
    named: bool = True
    user_data: bool = True
    event_data: bool = True
    tick: int = 1
    level: bool = True
    record_id: bool = True


def _when(record: EventRecord) -> str:
    return text_from_ticks(record.time_ticks or 0)


def _local(record: EventRecord) -> str:
    """To the second, nine hours ahead."""
    return text_from_ticks((record.time_ticks or 0) + 9 * 36_000_000_000)[:19].replace("T", " ") + " +0900"


def _seconds(record: EventRecord) -> float:
    return ((record.time_ticks or 0) - 116_444_736_000_000_000) / 10_000_000


def _listed(record: EventRecord) -> list[str]:
    return [text for name, text in record.data if name != "Binary"]


def _is_user(record: EventRecord) -> bool:
    return record.payload.startswith("UserData")


def _named(record: EventRecord) -> dict[str, str]:
    return {name: text for name, text in record.data if name}


def _inner(record: EventRecord) -> str:
    xml = event_xml(record)
    start = xml.index("<VmlEventLog") if _is_user(record) else xml.index("<EventData>") + len("<EventData>")
    return xml[start : xml.index("</UserData>" if _is_user(record) else "</EventData>")]


def _structure(record: EventRecord) -> dict[str, Any]:
    """The payload in the structure of its XML, as the tools that read .evtx files write it."""
    if _is_user(record):
        return {"UserData": {"VmlEventLog": _named(record)}}
    unnamed = [text for name, text in record.data if name is None]
    return {"EventData": {**({"Data": {"#text": unnamed}} if unnamed else {}), **_named(record)}}


def _otel(record: EventRecord, payload: dict[str, Any]) -> dict[str, Any]:
    return {
        "event_id": {"id": record.event_id, "qualifiers": record.qualifiers or 0},
        "provider": {"name": record.provider, "guid": "", "event_source": ""},
        "system_time": _when(record), "computer": record.computer, "channel": record.channel,
        "record_id": record.record_id, "level": LEVELS[record.level or 4], "message": MESSAGE, "task": "", "opcode": "Info",
        "keywords": ["Classic"], **payload,
    }  # fmt: skip


def _otel_list(record: EventRecord) -> dict[str, Any]:
    items = [{name or "": text} for name, text in record.data if name != "Binary"]
    if _is_user(record):
        return {"user_data": {"name": "VmlEventLog", "data": _named(record)}, "event_data": {}}
    binary = _named(record).get("Binary")
    return {"event_data": {"data": items} | ({"binary": binary} if binary else {})}


def _otlp(record: EventRecord) -> dict[str, Any]:
    def value(content: Any) -> dict[str, Any]:
        if isinstance(content, dict):
            return {"kvlistValue": {"values": [{"key": k, "value": value(v)} for k, v in content.items()]}}
        if isinstance(content, list):
            return {"arrayValue": {"values": [value(item) for item in content]}}
        return {"intValue": str(content)} if isinstance(content, int) else {"stringValue": content}

    log = {"timeUnixNano": "1", "body": value(_otel(record, _otel_list(record))), "attributes": []}
    return {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {}, "logRecords": [log]}]}]}


def _vector(record: EventRecord, **more: Any) -> dict[str, Any]:
    return {
        "source_type": "windows_event_log", "timestamp": _when(record), "message": MESSAGE, "host": record.computer,
        "event_id": record.event_id, "record_id": record.record_id, "level": LEVELS[record.level or 4],
        "level_value": record.level, "channel": record.channel, "provider_name": record.provider,
        "computer": record.computer, "keywords": "0x0", "version": 0, **more,
    }  # fmt: skip


def _vector_data(record: EventRecord) -> dict[str, Any]:
    if _is_user(record):
        return {}
    return (
        {"event_data": _named(record)}
        if _named(record).keys() - {"Binary"}
        else {"string_inserts": _listed(record)}
    )


def _fluent_bit(record: EventRecord, **payload: Any) -> dict[str, Any]:
    return {
        "ProviderName": record.provider, "ProviderGuid": "", "Qualifiers": record.qualifiers or "",
        "EventID": record.event_id, "Version": 0, "Level": record.level, "Task": 0, "Opcode": 0, "Keywords": "0x0",
        "TimeCreated": _local(record), "EventRecordID": record.record_id, "ActivityID": "", "RelatedActivityID": "",
        "ProcessID": 4, "ThreadID": 0, "Channel": record.channel, "Computer": record.computer, "UserID": "",
        "Message": MESSAGE, **payload,
    }  # fmt: skip


def _fluent_bit_text(record: EventRecord) -> dict[str, Any]:
    text = "\n".join(f"{name}={value}" for name, value in _fluent_bit(record).items())
    return {"log": text, "StringInserts": _listed(record)}


def _fluentd(record: EventRecord, *, folded: bool) -> dict[str, Any]:
    number = record.event_id + ((record.qualifiers or 0) << 16) * folded
    return {
        "ProviderName": record.provider, "ProviderGUID": "", "EventID": str(number), "Level": str(record.level),
        "Task": "0", "Opcode": "0", "Keywords": "0x0", "TimeCreated": _when(record)[:-1] + "00Z",
        "EventRecordID": str(record.record_id), "ActivityID": "", "RelatedActivityID": "", "ProcessID": "4",
        "ThreadID": "0", "Channel": record.channel, "Computer": record.computer, "UserID": "", "Version": "0",
        "Description": MESSAGE, "EventData": _listed(record),
        **({} if folded else {"Qualifiers": str(record.qualifiers or "")}),
    }  # fmt: skip


def _alloy(record: EventRecord) -> dict[str, Any]:
    return {
        "source": record.provider, "channel": record.channel, "computer": record.computer, "event_id": record.event_id,
        "level": record.level, "levelText": LEVELS[record.level or 4], "timeCreated": _when(record),
        "eventRecordID": record.record_id, "message": MESSAGE,
        "user_data" if _is_user(record) else "event_data": _inner(record),
    }  # fmt: skip


def _nxlog(record: EventRecord, **more: Any) -> dict[str, Any]:
    data = (
        {} if _is_user(record) else {name: text for name, text in _named(record).items() if name != "Binary"}
    )
    return data | {
        "EventTime": _when(record)[:26] + "+00:00", "Hostname": record.computer, "Keywords": "0", "EventType": LEVELS[record.level or 4].upper(),
        "SeverityValue": 3, "Severity": "WARNING", "EventID": record.event_id, "SourceName": record.provider,
        "Version": 0, "TaskValue": 0, "OpcodeValue": 0, "RecordNumber": record.record_id, "ExecutionProcessID": 4,
        "ExecutionThreadID": 8, "Channel": record.channel, "Message": MESSAGE, "EventReceivedTime": _when(record),
        "SourceModuleName": "in", "SourceModuleType": "im_msvistalog", **more,
    }  # fmt: skip


def _get_winevent(record: EventRecord, when: str, properties: list[Any]) -> dict[str, Any]:
    return {
        "Id": record.event_id, "Version": 0, "Qualifiers": record.qualifiers, "Level": record.level, "Task": 0,
        "Opcode": 0, "Keywords": 36028797018963968, "RecordId": record.record_id, "ProviderName": record.provider,
        "ProviderId": None, "LogName": record.channel, "ProcessId": 4, "ThreadId": 8, "MachineName": record.computer,
        "UserId": None, "TimeCreated": when, "ActivityId": None, "RelatedActivityId": None, "ContainerLog": record.channel,
        "MatchedQueryIds": [], "Bookmark": {}, "LevelDisplayName": "Warnung", "Properties": properties, "Message": MESSAGE,
    }  # fmt: skip


def _values(record: EventRecord) -> list[Any]:
    return [{"Value": list(bytes.fromhex(text)) if name == "Binary" else text} for name, text in record.data]


def _date(record: EventRecord) -> str:
    return f"/Date({int(_seconds(record) * 1000)})/"


def _azure(record: EventRecord, data: str) -> dict[str, Any]:
    return {
        "TenantId": "0c9a7b1e-41d3-4e0b-9d57-6b1a6c2f8e11", "TimeGenerated": _when(record), "Source": record.provider, "EventLog": record.channel,
        "Computer": record.computer, "EventLevel": record.level, "EventLevelName": LEVELS[record.level or 4],
        "EventID": record.event_id, "RenderedDescription": MESSAGE, "Type": "Event", **({"EventData": data} if data else {}),
    }  # fmt: skip


def _azure_data(record: EventRecord) -> str:
    if _is_user(record):
        return ""
    return f'<DataItem Type="System.XmlData" time="{_when(record)}"><EventData>{_inner(record)}</EventData></DataItem>'


def _evtx_dump(record: EventRecord) -> dict[str, Any]:
    event_id: Any = record.event_id
    if record.qualifiers:
        event_id = {"#attributes": {"Qualifiers": record.qualifiers}, "#text": record.event_id}
    system = {
        "Provider": {"#attributes": {"Name": record.provider}}, "EventID": event_id, "Level": record.level,
        "TimeCreated": {"#attributes": {"SystemTime": _when(record)[:26] + "Z"}}, "EventRecordID": record.record_id,
        "Correlation": None, "Channel": record.channel, "Computer": record.computer, "Security": None,
    }  # fmt: skip
    payload = _structure(record)
    if _is_user(record):
        payload["UserData"]["VmlEventLog"] = {"#attributes": {"xmlns": "urn:x"}} | _named(record)
    return {"Event": {"#attributes": {"xmlns": "urn:y"}, "System": system, **payload}}


def _chainsaw(record: EventRecord) -> dict[str, Any]:
    system = {
        "Provider_attributes": {"Name": record.provider}, "EventID": record.event_id, "Level": record.level,
        "TimeCreated_attributes": {"SystemTime": _when(record)[:26] + "Z"}, "EventRecordID": record.record_id,
        "Channel": record.channel, "Computer": record.computer, "Security": None,
    }  # fmt: skip
    if record.qualifiers:
        system["EventID_attributes"] = {"Qualifiers": record.qualifiers}
    payload = _structure(record)
    if _is_user(record):
        payload["UserData"]["VmlEventLog_attributes"] = {"xmlns": "urn:x"}
    return {"Event_attributes": {"xmlns": "urn:y"}, "Event": {"System": system, **payload}}


def _velociraptor(record: EventRecord) -> dict[str, Any]:
    return {
        "System": {
            "Provider": {"Name": record.provider}, "EventID": {"Value": record.event_id}, "Level": record.level,
            "Keywords": 9223372036854775808, "TimeCreated": {"SystemTime": _seconds(record)}, "Channel": record.channel,
            "EventRecordID": record.record_id, "Correlation": {}, "Computer": record.computer, "Security": {},
        },
        **_structure(record), "Message": "",
    }  # fmt: skip


def evtxecmd(record: EventRecord) -> dict[str, Any]:
    """A line of EvtxECmd's JSON; also a row of its CSV."""
    if _is_user(record):
        payload: dict[str, Any] = {"UserData": {"VmlEventLog": _named(record)}}
    elif _named(record).keys() - {"Binary"}:
        data = [{"@Name": name, "#text": text} for name, text in record.data]
        payload = {"EventData": {"Data": data}}
    else:
        payload = {"EventData": {"Data": _listed(record), "Binary": _named(record).get("Binary", "")}}
    return {
        "RecordNumber": record.record_id, "EventRecordId": str(record.record_id), "TimeCreated": _when(record)[:-1] + "+00:00",
        "EventId": record.event_id, "Level": LEVELS[record.level or 4].replace("Information", "Info"),
        "Provider": record.provider, "Channel": record.channel, "ProcessId": 4, "ThreadId": 8, "Computer": record.computer,
        "ChunkNumber": 0, "MapDescription": "", "PayloadData1": "", "Keywords": "Classic", "SourceFile": "C:\\x.evtx",
        "ExtraDataOffset": 0, "HiddenRecord": False, "Payload": json.dumps(payload),
    }  # fmt: skip


def evtxecmd_csv(record: EventRecord) -> str:
    """EvtxECmd's CSV: a header and one row, times without a zone."""
    row = evtxecmd(record)
    row["TimeCreated"] = row["TimeCreated"].replace("T", " ").removesuffix("+00:00")
    text = io.StringIO()
    writer = csv.DictWriter(text, row)
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


def _hayabusa(record: EventRecord) -> dict[str, Any]:
    return {
        "Timestamp": _local(record).replace(" +0900", f".{(record.time_ticks or 0) // 10_000 % 1000:03d} +09:00"),
        "RuleTitle": "x", "Level": "info", "Computer": record.computer, "Channel": record.channel,
        "EventID": record.event_id, "RecordID": record.record_id, "Details": {"VM": "web01"}, "ExtraFieldInfo": {},
    }  # fmt: skip


def _xml_in(**more: Any) -> Callable[[EventRecord], Shipped]:
    def ship(record: EventRecord) -> Shipped:
        xml = event_xml(record)
        return {key: xml if value is XML else value for key, value in more.items()}

    return ship


XML: Any = object()
SECOND, MILLISECOND = 10_000_000, 10_000

ROUTES = {
    "xml": Route(event_xml),
    "splunk": Route(_xml_in(_raw=XML, sourcetype="XmlWinEventLog", source="XmlWinEventLog:System")),
    "cribl": Route(_xml_in(_raw=XML, _time=1733743883.2356, cribl_breaker="x")),
    "openwec": Route(_xml_in(meta={"Time": "2024-12-09T11:31:24.0000000Z"}, data=XML)),
    "opentelemetry raw": Route(_xml_in(body=XML, attributes={})),
    "opentelemetry 2026": Route(lambda r: _otel(r, {"user_data": {"name": "VmlEventLog", "data": _named(r)}, "event_data": {}} if _is_user(r) else {"event_data": {"data": [{n or "": t} for n, t in r.data]}})),
    "opentelemetry list": Route(lambda r: _otel(r, _otel_list(r))),
    "opentelemetry before 2026": Route(lambda r: _otel(r, {} if _is_user(r) else _otel_list(r)), user_data=False),
    "otlp": Route(_otlp),
    "winlogbeat": Route(winlogbeat),
    "winlogbeat with original": Route(lambda r: {**winlogbeat(r), "event": {"code": str(r.event_id), "original": event_xml(r)}}),
    "elastic agent": Route(lambda r: {**winlogbeat(r), "agent": {"type": "filebeat"}, "data_stream": {"type": "logs"}}),
    "vector": Route(lambda r: _vector(r, **_vector_data(r)), user_data=False),
    "vector with xml": Route(lambda r: _vector(r, xml=event_xml(r))),
    "vector with cut xml": Route(lambda r: _vector(r, xml=event_xml(r)[:250] + "...[truncated]", **_vector_data(r)), user_data=False),
    "fluent bit": Route(lambda r: _fluent_bit(r, StringInserts=_listed(r)), named=False, tick=SECOND),
    "fluent bit text": Route(_fluent_bit_text, named=False, tick=SECOND),
    "fluent bit map": Route(lambda r: _fluent_bit(r, EventData=_named(r) if _named(r).keys() - {"Binary"} else {}, StringInserts=_listed(r)), tick=SECOND),
    "fluent bit xml": Route(_xml_in(System=XML, Message=MESSAGE, StringInserts=["x"])),
    "fluentd": Route(lambda r: _fluentd(r, folded=True), named=False),
    "fluentd with qualifiers": Route(lambda r: _fluentd(r, folded=False), named=False),
    "alloy": Route(_alloy),
    "nxlog": Route(_nxlog, user_data=False, tick=10),
    "nxlog with xml": Route(lambda r: _nxlog(r, EventXML=event_xml(r))),
    "get-winevent 5.1": Route(lambda r: _get_winevent(r, _date(r), _values(r)), named=False, tick=MILLISECOND),
    "get-winevent 7": Route(lambda r: _get_winevent(r, _when(r)[:-1] + "+00:00", _values(r)), named=False),
    "get-winevent depth": Route(lambda r: _get_winevent(r, _date(r), ["System.Diagnostics.Eventing.Reader.EventProperty"] * 4), user_data=False, event_data=False, tick=MILLISECOND),
    "azure monitor": Route(lambda r: _azure(r, _azure_data(r)), user_data=False, record_id=False),
    "azure monitor parameters": Route(lambda r: _azure(r, "") | {"ParameterXml": "".join(f"<Param>{t}</Param>" for t in _listed(r))}, named=False, record_id=False),
    "evtx_dump": Route(_evtx_dump, tick=10),
    "chainsaw": Route(_chainsaw, tick=10),
    "chainsaw hunt": Route(lambda r: {"group": "x", "document": {"kind": "evtx", "data": _chainsaw(r)}}, tick=10),
    "velociraptor": Route(_velociraptor, tick=10),
    "evtxecmd": Route(evtxecmd),
    "evtxecmd csv": Route(evtxecmd_csv),
    "our own": Route(lambda r: r.to_dict()),
    "docker": Route(lambda r: {"log": json.dumps(winlogbeat(r)), "stream": "stdout"}),
    "kafka connect": Route(lambda r: {"schema": None, "payload": _alloy(r)}),
    "elasticsearch": Route(lambda r: {"_index": "x", "_source": winlogbeat(r)}),
    "event hubs": Route(lambda r: {"records": [_azure(r, _azure_data(r))]}, user_data=False, record_id=False),
    "hayabusa": Route(_hayabusa, user_data=False, event_data=False, tick=MILLISECOND, level=False),
}  # fmt: skip
"""Every route, by name. `hayabusa` keeps no provider either."""
