"""Every export of the corpus reads to the event it holds; what is expected was written down from the files by hand."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.events.normaliser import normalise
from hvdegraded.formats.shippers.mapping import record_from_mapping
from hvdegraded.records.record import EventRecord, FieldSource
from hvdegraded.timestamps import ticks_from_text
from tests.tools.corpus import CORPUS, needs_corpus

EXPORTS = CORPUS / "exports"
VMMS, WORKER = "Microsoft-Windows-Hyper-V-VMMS", "Microsoft-Windows-Hyper-V-Worker"
AUDIT, EVENTLOG = "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Eventlog"
VMMS_GUID, AUDIT_GUID = "6066F867-7CA1-4418-85FD-36E3F9C0600C", "54849625-5478-4994-A5BA-3E3B0328C30D"
EVENTLOG_GUID = "FC65DDD8-D6EF-4962-83D5-6E5CFE9CE148"
CLEARED = {
    "provider": EVENTLOG, "event_id": 104, "record_id": 27736, "level": 4, "channel": "System", "task": 104, "opcode": 0,
    "computer": "PC01.example.corp", "time": "2019-03-19T23:34:25.894341Z", "process_id": 812, "thread_id": 3916,
    "provider_guid": EVENTLOG_GUID, "user_id": "S-1-5-21-1587066498-1489273250-1035260531-1106", "version": 0,
    "keywords": 1 << 63, "payload": "UserData/LogFileCleared",
    "data": [("SubjectUserName", "user01"), ("SubjectDomainName", "EXAMPLE"), ("Channel", "System"), ("BackupPath", "")],
}  # fmt: skip
MERGED = {
    "provider": VMMS, "event_id": 20415, "record_id": 52262, "level": 4, "channel": f"{VMMS}-Admin",
    "computer": "773330-hyp1.MPC1495823.local",
}  # fmt: skip
NAMES = [
    ("Parameter0", "773356-USTSTDB5"),
    ("Parameter1", "E0D09432-A320-44CC-8A12-E1300549B99D"),
    ("Parameter2", "0.5"),
]
LISTED = [(None, text) for _, text in NAMES]
EXACT, CUT, SECONDS = "2017-11-21T10:57:53.8748473Z", "2017-11-21T10:57:53.874847Z", "2017-11-21T10:57:53Z"
IDS = {"provider_guid": VMMS_GUID, "process_id": 4900, "thread_id": 11504}
SYSTEM = {"user_id": "S-1-5-18"}
REST = {"version": 0, "task": 0, "opcode": 0, "keywords": 1 << 63}
CRASHED = {
    "provider": WORKER, "event_id": 18590, "record_id": 35726, "level": 1, "channel": f"{WORKER}-Admin",
    "computer": "DESKTOP-OLUNT6J", "time": "2024-12-09T11:31:23.2356205Z", "process_id": 1268, "thread_id": 3476,
    "provider_guid": "51DDFA29-D5C8-4803-BE4B-2ECB715570FE", "payload": "UserData/VmlEventLog",
    "user_id": "S-1-5-83-1-3655396106-1351506743-3915871121-3476744365", **REST,
    "data": [("VmName", "Virtual Machine"), ("VmId", "D9E0EB0A-5B37-508E-9173-67E9ADE83ACF"), ("VmErrorCode0", "0x79"),
             ("VmErrorCode1", "0x6"), ("VmErrorCode2", "0x0"), ("VmErrorCode3", "0x0"), ("VmErrorCode4", "0x0"),
             ("VmErrorMessage", "")],
}  # fmt: skip
MERGED_XML = MERGED | IDS | SYSTEM | REST | {"time": EXACT, "data": NAMES, "payload": "UserData/VmlEventLog"}

# `data` is all of it; `first`, `last` and `count` where it is long.
ONE: dict[str, dict[str, Any]] = {
    "derived/hyperv_vmms_20415.alloy.json": MERGED | SYSTEM | {"time": EXACT, "process_id": 4900, "data": NAMES, "payload": "UserData/VmlEventLog"},
    "derived/hyperv_vmms_20415.evtx_dump.json": MERGED_XML | {"time": CUT},
    "derived/hyperv_vmms_20415.evtxecmd.json": MERGED | SYSTEM | {"time": EXACT, "process_id": 4900, "data": NAMES},
    "derived/hyperv_vmms_20415.fluentbit.json": MERGED | IDS | REST | {"time": SECONDS, "data": LISTED},
    "derived/hyperv_vmms_20415.fluentbit_text.json": MERGED | IDS | REST | {"time": SECONDS, "data": LISTED},
    "derived/hyperv_vmms_20415.fluentbit_xml.json": MERGED_XML,
    "derived/hyperv_vmms_20415.fluentd.json": MERGED | IDS | SYSTEM | REST | {"time": EXACT, "data": LISTED},
    "derived/hyperv_vmms_20415.otel_map.json": MERGED | IDS | SYSTEM | {"time": EXACT, "data": NAMES, "task": 0, "keywords": 1 << 63, "version": 0, "payload": "UserData/VmlEventLog"},
    "derived/hyperv_vmms_20415.otel_pre2026.json": MERGED | IDS | SYSTEM | {"time": EXACT, "data": []},
    "derived/hyperv_vmms_20415.vector.json": MERGED | IDS | SYSTEM | {"time": EXACT, "data": [], "version": 0, "keywords": 1 << 63},
    "derived/hyperv_vmms_20415.velociraptor.json": MERGED_XML | {"time": CUT},
    "derived/hyperv_vmms_20415.winlogbeat.json": MERGED | IDS | SYSTEM | {"time": EXACT, "data": NAMES, "payload": "UserData/VmlEventLog"},
    "real/chainsaw_search_jsonl.json": {
        "provider": AUDIT, "event_id": 4624, "record_id": 31794, "level": 0, "channel": "Security", "computer": "DESKTOP-JK4Q86I",
        "time": "2022-10-11T19:26:52.154080Z", "provider_guid": AUDIT_GUID, "version": 2, "task": 12544, "keywords": 0x8020000000000000,
        "process_id": 688, "thread_id": 736, "activity_id": "5965E1C0-DDA7-0003-D8E1-6559A7DDD801", "user_id": None, "payload": "EventData",
        "count": 27, "first": ("SubjectUserSid", "S-1-5-18"), "last": ("ElevatedToken", "%%1842"),
    },
    "real/ecs_hyperv_vmms_19100.json": {
        "provider": VMMS, "event_id": 19100, "record_id": 214592, "level": 2, "channel": f"{VMMS}-Admin", "computer": "HV-NODE04.corp.contoso.test",
        "time": "2026-09-20T01:13:26.2601309Z", "provider_guid": VMMS_GUID, "process_id": 4324, "thread_id": 760, "user_id": "S-1-5-18",
        "data": [("VmName", "ERP-03"), ("VmId", "A1A699FE-9A97-4591-9C43-F9E1104985BA"), ("ErrorMessage", "%%2147942432"), ("ErrorCode", "0x80070020")],
    },
    "real/evtrender_singlequote_4624.xml": {
        "provider": AUDIT, "event_id": 4624, "record_id": 80688, "level": 0, "channel": "Security", "computer": "Fluentd-Developing-Windows",
        "time": "2019-06-13T09:21:23.3458896Z", "activity_id": "587F0743-1F71-0006-5007-7F58711FD501", "process_id": 912, "thread_id": 24708,
        "count": 27, "first": ("SubjectUserSid", "S-1-5-18"), "last": ("ElevatedToken", "%%1842"),
    },
    "real/evtxecmd_4732.json": {
        "provider": AUDIT, "event_id": 4732, "record_id": 448, "level": 0, "channel": "Security", "computer": "John-PC",
        "time": "2020-06-09T15:51:04.0664802Z", "process_id": 496, "thread_id": 540,
        "count": 10, "first": ("MemberName", "-"), "last": ("PrivilegeList", "-"),
    },
    "real/evtxecmd_vmms_13002.xml": {
        "provider": VMMS, "event_id": 13002, "record_id": 45, "level": 4, "channel": f"{VMMS}-Admin", "computer": "WIN-N4SBH71JDM6",
        "time": "2023-08-02T05:47:11.0063997Z", "provider_guid": VMMS_GUID, "process_id": 1628, "thread_id": 3288, "user_id": "S-1-5-18",
        "data": [("VmName", "Test VM"), ("VmId", "30B40FA3-E42E-4C34-9223-50599E748D6B")],
    },
    "real/fluentbit_winlog_legacy.json": {  # neither id nor values, and the time to the second
        "provider": "Microsoft-Windows-RestartManager", "event_id": 0, "record_id": 408, "level": 4, "channel": "Application",
        "computer": "winsvr2019", "time": "2020-06-21T21:26:31Z", "data": [],
    },
    "real/fluentd_windows_eventlog2.json": {
        "provider": AUDIT, "event_id": 4798, "record_id": 87028, "level": 0, "channel": "Security", "computer": "DESKTOP-TEST",
        "time": "2019-06-19T03:10:01.9829402Z", "provider_guid": "D441060A-9695-472B-90BC-24DCA9D503A4", "thread_id": 16888, "task": 13824,
        "keywords": 0x8020000000000000, "related_activity_id": "2599DE71-2F70-44AD-9DC8-C5FF2AE8D1EF", "qualifiers": None,
        "count": 9, "first": (None, "Administrator"), "last": (None, "C:\\Windows\\System32\\svchost.exe"),
    },
    "real/getwinevent_convertto_json_ps51.json": {  # the one who published it left out the id
        "provider": "Microsoft-Windows-Hyper-V-Netvsc", "event_id": 0, "record_id": 2555, "level": 4, "channel": "System", "computer": "DESKTOP-U3FCUKI",
        "time": "2020-07-21T23:34:18.918Z", "provider_guid": "152FBE4B-C7AD-4F68-BADA-A4FCC1464F6C", "process_id": 3360, "thread_id": 9036,
        "task": 1003, "keywords": 1 << 63, "data": [],
    },
    "real/getwinevent_jsonnet.json": {
        "provider": "Microsoft-Windows-TaskScheduler", "event_id": 102, "record_id": 18359, "level": 4, "computer": "sergueik42",
        "channel": "Microsoft-Windows-TaskScheduler/Operational", "time": "2015-08-07T00:12:25.3151096Z", "user_id": "S-1-5-18", "opcode": 2,
        "keywords": 0x8000000000000001, "activity_id": "BCD9F31F-286E-49E5-8D64-9E398BFE213D", "task": 102, "process_id": 436, "thread_id": 2692,
        "count": 3, "first": (None, "\\Microsoft\\Windows\\RAC\\RacTask"), "last": (None, "bcd931f-286e-49e5-8d64-9e398bfe213d"),
    },
    "real/grafana_agent_windowsevent.json": {
        "provider": "Service Control Manager", "event_id": 7036, "record_id": 651039, "level": 4, "channel": "System", "computer": "REDACTED.REDACTED",
        "time": "2023-09-07T09:22:18.282632Z", "process_id": 812, "thread_id": 4156, "payload": "EventData",
        "data": [("param1", "Windows Update"), ("param2", "running"), ("Binary", "PROBABLY-NO-NEED-TO-REDACT")],
    },
    "real/hayabusa_timeline.json": {  # no provider, and its level is the rule's
        "provider": "", "event_id": 4625, "record_id": 681128, "level": None, "channel": "Sec", "data": [],
        "computer": "windows-server-2022-01304add-3354-4cca-b574-b0a54d7bb6f4-0", "time": "2024-03-20T21:50:55.930385Z",
    },
    "real/hyperv_vmms_20415_eventviewer_copy.xml": MERGED_XML,
    "real/hyperv_worker_18590.xml": CRASHED,
    "real/nxlog5_im_msvistalog.json": {
        "provider": AUDIT, "event_id": 4656, "record_id": 7613465324, "level": 0, "channel": "Security", "computer": "fake-hostname",
        "time": "2017-12-19T17:45:02Z", "provider_guid": AUDIT_GUID, "version": 1, "task": 12804, "process_id": 892, "thread_id": 908,
        "keywords": 0x8020000000000000,
        "data": [("AccessReason", "-"), ("AccessMask", "0x2"), ("PrivilegeList", "-"), ("RestrictedSidCount", "0"),
                 ("ProcessName", "C:\\Windows\\System32\\svchost.exe")],
    },
    "real/nxlog_ee_im_msvistalog.json": {
        "provider": AUDIT, "event_id": 4769, "record_id": 166405411, "channel": "Security", "computer": "hostname4", "task": 14337,
        "time": "2021-03-31T09:03:33.169332Z", "provider_guid": AUDIT_GUID, "process_id": 596, "thread_id": 1208, "keywords": 0x8020000000000000,
        "count": 13, "first": ("TargetUserName", "user2@DOMAIN.RU"), "last": ("DevType", "Windows2k8Security00001"),
    },
    "real/otel_windowseventlog_2023.json": {
        "provider": "otel", "event_id": 10, "record_id": 12345, "level": 4, "channel": "Application", "computer": "computer name",
        "time": "2022-04-15T15:28:08.8989741Z", "qualifiers": 0, "data": [],
    },
    "real/pyevtx_0.14_104.json": CLEARED,
    "real/pyevtx_0.14_104.xml": CLEARED,
    "real/pyevtx_0.14_104_separate_attrs.json": CLEARED,
    "real/python-evtx_0.8.1_104.xml": CLEARED,
    "real/velociraptor_4624.json": {
        "provider": AUDIT, "event_id": 4624, "record_id": 31880, "level": 0, "channel": "Security", "computer": "TestComputer",
        "time": "2019-02-06T14:18:35.946133Z", "process_id": 676, "thread_id": 780, "activity_id": "02277543-BEAA-0000-BB75-2702AABED401",
        "keywords": 0x8020000000000000, "count": 27, "first": ("SubjectUserSid", "S-1-5-21-546003962-2713609280-610790815-1001"),
        "last": ("ElevatedToken", "%%1843"),
    },
    "real/velociraptor_userdata_capi2.json": {
        "provider": "Microsoft-Windows-CAPI2", "event_id": 70, "record_id": 707, "level": 4, "channel": "Microsoft-Windows-CAPI2/Operational",
        "computer": "ILDHBZJST3", "time": "2025-06-29T10:09:49.15419Z", "process_id": 23708, "keywords": 0x4000000000000080,
        "payload": "UserData/CryptAcquireCertificatePrivateKey", "count": 9,
        "first": ("Certificate/fileRef", "3AA55F503B946700761B3990B569E6F248C3D31D.cer"), "last": ("Result/value", "0"),
    },
    "real/winlogbeat7_1102_collection.json": {
        "provider": EVENTLOG, "event_id": 1102, "record_id": 14224, "level": 4, "channel": "Security", "computer": "WIN-41OB2LO92CR.wlbeat.local",
        "time": "2019-11-07T10:34:29.0559196Z", "provider_guid": EVENTLOG_GUID, "process_id": 1144, "thread_id": 1824,
        "payload": "UserData/LogFileCleared", "count": 4, "first": ("SubjectDomainName", "WLBEAT"),
        "last": ("SubjectUserSid", "S-1-5-21-101361758-2486510592-3018839910-500"),
    },
}  # fmt: skip
SEVERAL = (
    "derived/eventviewer_save_all_as_xml.xml",
    "derived/wevtutil_qe_xml_e_Events.xml",
    "derived/wevtutil_qe_xml_rootless.powershell51_redirect.utf16le_bom.xml",
    "derived/wevtutil_qe_xml_rootless.utf8.xml",
)
ELSEWHERE = {
    "real/azure_event_table_EventData_column.xml": "one column of a table",
    "real/dissect.eventlog_3.11_104.txt": "Python's repr of a mapping",
    "real/fluentbit_winevtlog_stdout.txt": "Fluent Bit's debugging output",
    "real/velociraptor_userdata_104.txt": "documentation: names no provider, id or host",
}


def check(record: EventRecord, expected: dict[str, Any]) -> None:
    """Compare all that is expected; times to the digit that the route keeps, floats to the microsecond."""
    rest = dict(expected)
    when = ticks_from_text(rest.pop("time"))
    assert when is not None
    assert record.time_ticks is not None
    assert abs(record.time_ticks - when) <= 10
    if "data" in rest:
        assert sorted(record.data, key=str) == sorted(rest.pop("data"), key=str)
    else:
        data = [pair for pair in record.data if not (pair[0] or "").startswith("@")]
        assert len(data) == rest.pop("count")
        assert (data[0], data[-1]) == (rest.pop("first"), rest.pop("last"))
    assert {name: getattr(record, name) for name in rest} == rest


@needs_corpus
def test_no_export_is_forgotten() -> None:
    there = {f"{path.parent.name}/{path.name}" for path in EXPORTS.glob("*/*")}
    assert there == {*ONE, *SEVERAL, *ELSEWHERE}


@needs_corpus
@pytest.mark.parametrize("name", ONE)
def test_an_export_of_one_event(name: str) -> None:
    records = hv.read_records(EXPORTS / name)
    (record,) = records
    check(record, ONE[name])
    assert records.report.lost == 0
    if not record.data:
        assert record.origin.caveats
    if not record.event_id:
        assert record.origin.anomalies


@needs_corpus
@pytest.mark.parametrize("name", SEVERAL)
def test_an_export_of_several_events(name: str) -> None:
    crashed, merged = hv.read_records(EXPORTS / name)
    check(crashed, CRASHED)
    check(merged, MERGED_XML)
    assert normalise(merged).vm_name == "773356-USTSTDB5"


@needs_corpus
@pytest.mark.parametrize("name", [name for name in ONE if name.startswith("derived/")])
def test_one_event_by_each_shipper_names_its_vm_where_the_payload_came(name: str) -> None:
    (record,) = hv.read_records(EXPORTS / name)
    event = normalise(record)
    if record.data:
        assert (event.vm_name, event.vm_id) == (NAMES[0][1], NAMES[1][1])
        assert record.field_source is FieldSource.POSITIONAL
    else:
        assert event.vm_name is None
        assert record.field_source is FieldSource.MESSAGE


@needs_corpus
def test_a_naive_local_time_is_told() -> None:
    (record,) = hv.read_records(EXPORTS / "real/nxlog5_im_msvistalog.json")
    assert "no zone" in " ".join(record.origin.caveats)
    (record,) = hv.read_records(EXPORTS / "real/nxlog_ee_im_msvistalog.json")
    assert record.origin.anomalies + record.origin.caveats == ()


@needs_corpus
def test_azure_monitors_column() -> None:
    column = (EXPORTS / "real/azure_event_table_EventData_column.xml").read_text(encoding="utf-8-sig")
    row = {
        "Source": "Microsoft-Windows-Sysmon",
        "EventLog": "x",
        "EventID": 3,
        "Computer": "pc",
        "EventData": column,
    }
    record = record_from_mapping(row)
    assert record is not None
    assert len(record.data) == 18
    assert record.data[0] == ("RuleName", "-")
    assert record.data[16] == ("DestinationPort", "4444")
    assert record.payload == "EventData"


@needs_corpus
def test_fluent_bits_standard_output() -> None:
    text = (EXPORTS / "real/fluentbit_winevtlog_stdout.txt").read_text()
    found = re.search(r"\{\"ProviderName.*\}(?=\])", text)
    assert found is not None
    record = record_from_mapping(json.loads(found[0].replace("=>", ": ")))
    assert record is not None
    check(record, {
        "provider": "Alienware SupportAssist Remediation", "event_id": 0, "record_id": 406115, "level": 4, "qualifiers": 0,
        "channel": "Application", "computer": "DESKTOP-JLLFF9D", "time": "2026-07-10T10:59:14Z", "process_id": 36372,
        "keywords": 0x80000000000000, "data": [(None, "PowerEvent handled successfully by the service.")],
    })  # fmt: skip
    assert not record.origin.anomalies  # the id is 0 indeed


@needs_corpus
def test_dissects_mapping() -> None:
    text = (EXPORTS / "real/dissect.eventlog_3.11_104.txt").read_text()
    text = re.sub(r"(?<=: )(\d{4}-[^,]*|S-1-[^,]*)(?=,)", r"'\1'", text)
    record = record_from_mapping(ast.literal_eval(text))
    assert record is not None
    check(record, CLEARED)
