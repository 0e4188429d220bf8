"""One event in the forms of many collectors, consoles and pastes: each gives it, with what the form kept."""

from __future__ import annotations

import base64
import json
import quopri
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.records.items import Loss
from hvdegraded.records.record import Caveat, EventRecord

W = "Microsoft-Windows-Hyper-V-Worker"
CH = f"{W}-Admin"
MSG = "'web02' failed to start. (Virtual machine ID B9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E)"
XML = (
    f'<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="{W}"/>'
    '<EventID>12030</EventID><Level>2</Level><TimeCreated SystemTime="2026-11-24T10:00:00.1234567Z"/>'
    f"<EventRecordID>513</EventRecordID><Channel>{CH}</Channel><Computer>HV1.contoso.com</Computer></System>"
    "<UserData><VmlEventLog><VmName>web02</VmName></VmlEventLog></UserData></Event>"
)
J = json.dumps
NAMES = {
    "SourceName": W,
    "EventCode": 12030,
    "RecordNumber": 513,
    "ComputerName": "HV1.contoso.com",
    "Message": MSG,
    "Type": "Error",
}
PROMTAIL = {
    "source": W, "channel": CH, "computer": "HV1.contoso.com", "event_id": 12030, "level": 2,
    "timeCreated": "2026-11-24T10:00:00.1234567Z", "eventRecordID": 513, "message": MSG,
}  # fmt: skip
EVENT_TABLE = {
    "TimeGenerated": "2026-11-24T10:00:00.123Z", "Source": W, "EventLog": CH, "Computer": "HV1.contoso.com",
    "EventLevelName": "Error", "EventID": 12030, "RenderedDescription": MSG,
}  # fmt: skip
COPIED = (
    f"Log Name:      {CH}\nSource:        {W}\nDate:          11/24/2026 10:00:00 AM\nEvent ID:      12030\n"
    "Task Category: None\nLevel:         Error\nKeywords:      \nUser:          SYSTEM\n"
    f"Computer:      HV1.contoso.com\nDescription:\n{MSG}"
)
FORMS = {
    "Graylog's search": J({"messages": [{"message": {
        "source": "HV1.contoso.com", "timestamp": "2026-11-24T10:00:00.123Z", "winlogbeat_winlog_provider_name": W,
        "winlogbeat_winlog_event_id": 12030, "winlogbeat_winlog_channel": CH, "winlogbeat_log_level": "error",
        "message": MSG}}]}),
    "Kibana's CSV": '"@timestamp","winlog.provider_name","event.code","winlog.computer_name","log.level",message\n'
    f'"Nov 24, 2026 @ 10:00:00.123","{W}","12,030","HV1.contoso.com",error,"{MSG}"\n',
    "Elasticsearch's fields": J({"hits": {"hits": [{"_source": None, "fields": {
        "@timestamp": ["2026-11-24T10:00:00.123Z"], "winlog.provider_name": [W], "winlog.event_id": ["12030"],
        "winlog.channel": [CH], "winlog.computer_name": ["HV1.contoso.com"], "log.level": ["error"],
        "message": [MSG]}}]}}),
    "Logstash's rubydebug": f'{{\n  "@timestamp" => 2026-11-24T10:00:00.123Z,\n  "winlog" => {{\n    "provider_name" => "{W}",\n'
    f'    "event_id" => 12030,\n    "channel" => "{CH}",\n    "computer_name" => "HV1.contoso.com"\n  }},\n  "log" => {{"level" => "error"}},\n'
    f'  "tags" => nil,\n  "message" => "{MSG}"\n}}\n',
    "Cribl": J({"_raw": XML, "_time": 1795514400.123, "cribl_pipe": "main"}),
    "Splunk HEC": J({"time": 1795514400.123, "sourcetype": "XmlWinEventLog", "event": XML}),
    "Splunk's CSV": '"_time","_raw","host"\n"2026-11-24T10:00:00.000+0000","{}","HV1"\n'.format(XML.replace('"', '""')),
    "Splunk's JSON": J({"result": {"_time": "2026-11-24T10:00:00.123+00:00", "LogName": CH, **NAMES}}),
    "QRadar's LEEF": f"<13>Nov 24 10:00:00 hv1 LEEF:1.0|Microsoft|Windows|10.0|12030|devTime=Nov 24 2026 10:00:00\t"
    f"source={W}\tcomputer=HV1.contoso.com\tlevel=Error\tmessage={MSG}",
    "QRadar's LEEF 2": f"LEEF:2.0|Microsoft|Windows|10.0|12030|^|devTime=Nov 24 2026 10:00:00^source={W}^"
    f"computer=HV1.contoso.com^level=Error^message={MSG}",
    "QRadar's WinCollect": f"<13>Nov 24 10:00:00 HV1 AgentDevice=WindowsLog\tSource={W}\tComputer=HV1.contoso.com\t"
    f"EventID=12030\tTimeGenerated=1795514400\tLevel=Error\tMessage={MSG}",
    "Fluentd's file": "2026-11-24 10:00:00 +0000 winevt.raw: " + J({
        "ProviderName": W, "ProviderGUID": "", "EventID": "12030", "Level": "2", "Channel": CH,
        "TimeCreated": "2026/11/24 10:00:00.123456700", "Computer": "HV1.contoso.com", "Description": MSG}),
    "osquery": J({"name": "windows_events", "unixTime": 1795514405, "columns": {
        "computer_name": "HV1.contoso.com", "data": J({"UserData": {"VmlEventLog": {"VmName": "web02"}}}), "eventid": "12030",
        "datetime": "2026-11-24T10:00:00.1234567Z", "level": "2", "provider_name": W, "source": CH}}),
    "Velociraptor's artifact": J({"EventTime": "2026-11-24T10:00:00Z", "Computer": "HV1.contoso.com", "Channel": CH, "Provider": W,
        "EventID": 12030, "Level": 2, "UserData": {"VmlEventLog": {"VmName": "web02"}}, "Message": MSG}),
    "Azure's query": J({"tables": [{"columns": [{"name": name} for name in EVENT_TABLE], "rows": [list(EVENT_TABLE.values())]}]}),
    "Azure's portal": '"TimeGenerated [UTC]",Source,EventLog,Computer,EventLevelName,EventID,RenderedDescription\n'
    f'"11/24/2026, 10:00:00.123 AM","{W}","{CH}",HV1.contoso.com,Error,12030,"{MSG}"\n',
    "pandas, split": J({"columns": list(EVENT_TABLE), "index": [0], "data": [list(EVENT_TABLE.values())]}),
    "Wazuh's archives": "2026 Nov 24 10:00:05 (HV1) any->EventChannel " + J({"win": {"system": {
        "providerName": W, "eventID": "12030", "level": "2", "systemTime": "2026-11-24T10:00:00.1234567Z", "channel": CH,
        "computer": "HV1.contoso.com", "message": MSG}}}),
    "Loki's query": J({"data": {"result": [{"stream": {"channel": CH}, "values": [["1795514400123000000", J(PROMTAIL)]]}]}}),
    "logcli": J({"labels": {"channel": CH}, "line": J(PROMTAIL), "timestamp": "2026-11-24T10:00:00Z"}),
    "OpenTelemetry": J({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": {"stringValue": XML}}]}]}]}),
    "CloudWatch": J({"events": [{"timestamp": 1795514400123, "message": XML}]}),
    "CloudWatch's text": f"[{CH}] [ERROR] [12030] [{W}] [HV1.contoso.com] [{MSG}]",
    "WMI": J({**NAMES, "Logfile": CH, "TimeGenerated": "20261124100000.123456-000", "InsertionStrings": ["web02"]}),
    "WMI's MOF": f'instance of Win32_NTLogEvent\n{{\n\tComputerName = "HV1.contoso.com";\n\tEventCode = 12030;\n\tLogfile = "{CH}";\n'
    f'\tMessage = "{MSG}";\n\tRecordNumber = 513;\n\tSourceName = "{W}";\n\tTimeGenerated = "20261124110000.123456+060";\n'
    '\tType = "Error";\n};\n',
    "Snare, commas": f'<13>Nov 24 10:00:00 hv1,MSWinEventLog,1,{CH},513,Tue Nov 24 10:00:00 2026,12030,{W},N/A,N/A,Error,'
    f'HV1.contoso.com,None,,"{MSG}",513',
    "Snare, spaces": f"<13>Nov 24 10:00:00 hv1 MSWinEventLog 1 {CH} 513 Tue Nov 24 10:00:00 2026 12030 {W} N/A N/A Error "
    f"HV1.contoso.com None   {MSG}",
    "a console of syslog": f"2026-11-24 10:00:00\tLocal0.Error\thv1\tNov 24 10:00:00 HV1.contoso.com {W}: 12030: {MSG}",
    "RFC 5424 without data": f"<27>1 2026-11-24T10:00:00.123Z HV1.contoso.com {W} - 12030 - {MSG}",
    "pairs": f'level=Error source={W} event_id=12030 host=HV1.contoso.com msg="{MSG}"',
    "ArcSight": f"CEF:0|Microsoft|Windows||{W}:12030|x|High| eventId=77 externalId=12030 msg={MSG} "
    "rt=Nov 24 2026 10:00:00 dvchost=HV1.contoso.com ad.EventIndex=513",
    "quoted by Outlook": "".join(f"> {line}\n" for line in COPIED.split("\n")),
    "behind a mail's head": f"Von: A\nBetreff: x\n\n{COPIED}",
    "with Teams' spaces": COPIED.replace("  ", "\u00a0 "),
    "in Slack's block": f"hi\n```\n{COPIED}\n```\nany idea?",
    "spaced out by a web page": COPIED.replace("\n", "\n\n"),
    "in an HTML page": "<html><body><pre>" + XML.replace("<", "&lt;").replace(">", "&gt;") + "</pre></body></html>",
    "escaped in Markdown": '> ```json\n> {{"event": "{}"}}\n> ```'.format(XML.replace('"', '\\"')),
    "copied from Excel": f'TimeCreated\tId\tProviderName\tMachineName\tLevel\tMessage\n24.11.2026 10:00\t12030\t{W}\tHV1.contoso.com\t2\t"{MSG}"\n',
    "copied from Out-GridView": f"11/24/2026 10:00:00 AM\t12030\tError\t{W}\t{MSG}\n",
    "copied from Event Viewer's list": f"Fehler\t24.11.2026 10:00:00\tHyper-V-Worker\t12030\tKeine\t{MSG}\n",
    "Event Viewer's General tab": f"{MSG}\n\nLog Name:\t{CH}\nSource:\tHyper-V-Worker\tLogged:\t11/24/2026 10:00:00 AM\n"
    "Event ID:\t12030\tTask Category:\tNone\nLevel:\tError\tKeywords:\t\nUser:\tSYSTEM\tComputer:\tHV1.contoso.com\nOpCode:\tInfo\n",
    "Event Viewer's Friendly View": f"+ System \n\n  - Provider \n\n   [ Name]  {W} \n \n   EventID 12030 \n \n   Level 2 \n \n"
    f"  - TimeCreated \n\n   [ SystemTime]  2026-11-24T10:00:00.3000364Z \n \n   EventRecordID 22 \n \n   Channel {CH} \n \n"
    "   Computer HV1.contoso.com \n \n- UserData \n\n  - VmlEventLog \n\n   [ xmlns]  http://x \n   VmName web02 \n",
    "its description on one line": COPIED.replace("Description:\n", "Description: "),
    "a head of five lines": f"Source: {W}\nEvent ID: 12030\nLevel: Error\nDate: 2026-11-24 10:00:00\n"
    f"Computer: HV1.contoso.com\nDescription: {MSG}",
    "far indented": "\n".join(" " * 12 + line for line in COPIED.split("\n")),
    "with a terminal's colours": f"\n\x1b[32;1mTimeCreated  : \x1b[0m11/24/2026 10:00:00 AM\n\x1b[32;1mProviderName : \x1b[0m{W}\n"
    f"\x1b[32;1mId           : \x1b[0m12030\n\x1b[32;1mLevel        : \x1b[0m2\n\x1b[32;1mMachineName  : \x1b[0mHV1.contoso.com\n"
    f"\x1b[32;1mMessage      : \x1b[0m{MSG}\n",
    "ConvertTo-Html": "<!DOCTYPE html><html><body><table><tr><th>TimeCreated</th><th>Id</th><th>Level</th><th>ProviderName</th>"
    f"<th>MachineName</th><th>Message</th></tr>\n<tr><td>11/24/2026 10:00:00 AM</td><td>12030</td><td>2</td><td>{W}</td>"
    f"<td>HV1.contoso.com</td><td>{MSG.replace(chr(39), '&#39;')}</td></tr></table></body></html>",
    "ConvertTo-Xml": '<?xml version="1.0"?><Objects><Object Type="x"><Property Name="TimeCreated" Type="System.DateTime">'
    f'11/24/2026 10:00:00 AM</Property><Property Name="Id" Type="System.Int32">12030</Property><Property Name="Level" Type="x">2'
    f'</Property><Property Name="ProviderName" Type="System.String">{W}</Property><Property Name="MachineName" Type="x">'
    f'HV1.contoso.com</Property><Property Name="Message" Type="System.String">{MSG}</Property></Object></Objects>',
    "JSON in a mail": "Hello,\nsee below\n\n" + J({**NAMES, "LogName": CH, "TimeCreated": "2026-11-24T10:00:00Z"}, indent=2) + "\n\nBye\n",
    "JSON in Markdown": "# x\n```json\n" + J([{**NAMES, "TimeCreated": "2026-11-24T10:00:00Z"}]) + "\n```\n",
    "quoted-printable": "From: a\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
    + quopri.encodestring(XML.encode()).decode(),
    "base64": "From: a\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n" + base64.encodebytes(XML.encode()).decode(),
    "smart quotes": XML.replace('"', "\u201d"),
    "escaped twice": XML.replace("<", "&amp;lt;").replace(">", "&amp;gt;"),
    "PowerShell 7": J({"Id": 12030, "Level": 2, "RecordId": 513, "ProviderName": W, "LogName": CH, "MachineName": "HV1.contoso.com",
        "TimeCreated": "2026-11-24T11:00:00.1234567+01:00", "ContainerLog": CH, "Properties": [{"Value": "web02"}], "Message": MSG}, indent=2),
    "Format-List of all": f"\nMessage          : {MSG}\nId               : 12030\nVersion          : 0\nQualifiers       : \nLevel            : 2\n"
    f"RecordId         : 513\nProviderName     : {W}\nLogName          : {CH}\nProcessId        : 4312\nThreadId         : 8\n"
    "MachineName      : HV1.contoso.com\nTask             : 0\nOpcode           : 0\nKeywords         : 0\nActivityId       : \n"
    "UserId           : S-1-5-18\nTimeCreated      : 11/24/2026 10:00:00 AM\n",
    "German": COPIED.replace("Log Name:", "Protokollname:").replace("Source:", "Quelle:").replace("Date:", "Datum:")
    .replace("11/24/2026 10:00:00 AM", "24.11.2026 10:00:00").replace("Event ID:", "Ereignis-ID:").replace("Level:", "Ebene:")
    .replace("Error", "Fehler").replace("Description:", "Beschreibung:"),
    "French": COPIED.replace("Log Name:", "Nom du journal :").replace("Source:", "Source :").replace("Date:", "Date :")
    .replace("11/24/2026 10:00:00 AM", "24/11/2026 10:00:00").replace("Event ID:", "ID de l\u2019\u00e9v\u00e9nement :")
    .replace("Level:", "Niveau :").replace("Error", "Erreur"),
    "Japanese": COPIED.replace("Log Name:", "ログの名前:").replace("Source:", "ソース:").replace("Date:", "日付:")
    .replace("11/24/2026 10:00:00 AM", "2026/11/24 10:00:00").replace("Event ID:", "イベント ID:").replace("Level:", "レベル:")
    .replace("Error", "エラー").replace("Description:", "説明:"),
}  # fmt: skip
NO_TIME = {"CloudWatch's text", "a console of syslog", "pairs"}
NO_HOST = {"Graylog's search", "copied from Out-GridView", "copied from Event Viewer's list"}
NO_LEVEL = {"JSON in Markdown", "ArcSight", "RFC 5424 without data", "a console of syslog"}


def only(text: str) -> EventRecord:
    stream = hv.read_records(text.encode())
    (record,) = stream
    assert stream.report.lost == 0
    return record


@pytest.mark.parametrize("name", FORMS)
def test_the_event_of_a_form_is_read_with_what_the_form_kept(name: str) -> None:
    record = only(FORMS[name])
    assert (record.provider, record.event_id) == (W, 12030)
    assert record.message == MSG or record.data
    assert record.computer == ("" if name in NO_HOST else "HV1.contoso.com")
    assert record.level == (None if name in NO_LEVEL else 2)
    if name in NO_TIME:
        assert record.time_ticks is None
    else:
        assert record.time_created is not None
        assert record.time_created.replace(microsecond=0).isoformat() == "2026-11-24T10:00:00+00:00"
    assert not record.origin.anomalies


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize(
    "name", ["in Slack's block", "Format-List of all", "copied from Excel", "PowerShell 7"]
)
def test_a_paste_keeps_its_event_in_any_encoding_and_with_any_ends_of_lines(
    name: str, encoding: str, end: str
) -> None:
    whole = only(FORMS[name])
    (record,) = hv.read_records(FORMS[name].replace("\n", end).encode(encoding))
    assert record == whole
    (record,) = hv.read_records(FORMS[name].replace("\n", end))
    assert record == whole


def test_the_same_verdict_comes_of_every_form() -> None:
    verdicts = {hv.classify(hv.normalise(only(text))).reason for text in FORMS.values()}
    assert verdicts == {hv.Reason.KNOWN_PROBLEM}


def test_events_in_several_forms_of_one_text_are_read() -> None:
    listed = f"\nTimeCreated  : 11/24/2026 10:00:00 AM\nProviderName : {W}\nId           : {{}}\nMessage      : x\n\n"
    row = f"TimeCreated,Id,ProviderName,Message\n11/24/2026 10:00:00 AM,12040,{W},x\n"
    for text, ids in (
        (XML + "\n\n" + COPIED.replace("12030", "18590"), [12030, 18590]),
        (XML + "\n" + listed.format(18590), [12030, 18590]),
        (COPIED + "\n" + listed.format(18590), [18590, 12030]),
        (listed.format(18590) + FORMS["a console of syslog"], [18590, 12030]),
        (XML + XML.replace("12030", "12040").replace("<", "&lt;").replace(">", "&gt;"), [12030, 12040]),
    ):
        stream = hv.read_records(text.encode())
        assert sorted(one.event_id for one in stream) == sorted(ids)
        assert stream.report.lost == 0
    stream = hv.read_records((listed.format(18590) + row).encode())
    assert [one.event_id for one in stream] == [18590]
    assert [loss.line for loss in stream.report.losses] == [8]


UNNAMED = [
    '{"Event":{"System":{"Provider":"%s","EventID":18590,"Level":1,"Channel":"System"},"EventData":{}}}',
    '{"Event":{"System":{"Provider":{"name":"%s"},"EventID":18590,"Channel":"System"},"EventData":{}}}',
    '{"winlog":{"event_id":18590,"provider":"%s","computer_name":"HV1"},"log":{"level":"critical"}}',
    '{"ProviderName":"%s","winlog.event_id":18590,"log.level":"critical"}',
    '{"SourceModuleType":"im_msvistalog","ProviderName":"%s","EventID":18590,"Message":"x"}',
    '{"source_type":"windows_event_log","provider":"%s","event_id":18590,"host":"h"}',
    '{"System":{"Provider":"%s","EventID":{"Value":18590},"Computer":"h"},"EventData":{}}',
    '{"provider":"%s","source":"","event_id":18590,"timeCreated":"2026-11-26T10:00:00Z"}',
    '{"Provider":"%s","EventID":18590,"Channel":"Sys","RuleTitle":"x","Details":""}',
    "<Event><System><Provider Name=''/><EventID>18590</EventID><Channel>%s-Admin</Channel></System></Event>",
]


@pytest.mark.parametrize("text", UNNAMED)
def test_an_event_whose_provider_stands_where_its_dialect_has_none_is_not_of_another(text: str) -> None:
    triage = hv.triage((text % W).encode())
    assert triage.count == 1
    assert triage.groups[0].event_id == 18590
    assert not triage.report.filtered


@pytest.mark.parametrize(
    "more",
    [
        {"level": 50},
        {"severity": 17},
        {"severity": 4},
        {"level": 4},
        {"level": "info", "severity": "critical"},
    ],
)
def test_a_level_of_another_scale_leaves_no_event_out(more: dict[str, Any]) -> None:
    event = {"provider": W, "event_id": 12030, "msg": "x", "time": "2026-11-26T10:00:00Z", "host": "HV1"}
    triage = hv.triage(J(event | more).encode())
    assert triage.count == 1
    (record,) = hv.read_records(J(event | more).encode())
    assert record.level is None
    assert Caveat.UNREADABLE_LEVEL in record.origin.caveats


def test_rows_of_a_wrapped_table_keep_their_whole_messages() -> None:
    rows = [
        ("TimeCreated", "   Id", "ProviderName", "Message"),
        ("-----------", "   --", "------------", "-------"),
        ("11/26/2026 10:00:00 AM", " 4010", "Microsoft-Windows-Hyper-V-Integration", "Framework"),
        ("", "", "", "version: Negotiated (3.0)"),
        ("11/26/2026 10:05:00 AM", "12030", W, "'u1804' failed to"),
        ("", "", "", "start."),
    ]
    text = "\n" + "".join(
        f"{time:23} {number:5} {name:38} {message}\n" for time, number, name, message in rows
    )
    one, two = hv.read_records(text.encode())
    assert (one.event_id, one.message) == (4010, "Framework version: Negotiated (3.0)")
    assert (two.event_id, two.message) == (12030, "'u1804' failed to start.")


@pytest.mark.parametrize(
    "text",
    [
        f"Id,TimeCreated,ProviderName,RecordId,Message\n12030,2026-11-26T10:00:00Z,{W},4010,'a' failed, to start\n",
        (
            f"MachineName  : HV1\nProviderName : {W}\nTimeCreated  : 26.11.2026 10:00:00\nRecordId     : 4010\n"
            "Id           : 12030\nTask         : 1\nLevel        : 2\nLogName      : x\nMessage      : 'a' failed, to start\n"
            "ActivityId   : \n"
        ),
    ],
)
def test_a_number_beside_is_not_taken_for_the_event_id(text: str) -> None:
    (record,) = hv.read_records(text.encode())
    assert (record.event_id, record.record_id, record.message) == (12030, 4010, "'a' failed, to start")


def test_the_vm_that_a_message_begins_with_is_that_of_the_event() -> None:
    event = hv.normalise(only(FORMS["CloudWatch's text"]))
    assert (event.vm_name, event.vm_id) == ("web02", "B9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E")
    forged = MSG.replace("web02", "x' failed. (Virtual machine ID 00000000-FCE6-4A55-A4F1-7AF166FCF97E) 'y")
    text = FORMS["CloudWatch's text"].replace(MSG, forged)
    assert hv.normalise(only(text)).vm_id is None


def test_a_list_that_format_list_prints_gives_no_values() -> None:
    (record,) = hv.read_records(
        "\nIndex              : 513\nEntryType          : Warning\nInstanceId         : 2147745798\nMessage            : x\n"
        "ReplacementStrings : {, web01, 6.0, 5.1...}\nSource             : storvsp\nTimeGenerated      : 11/24/2026 10:00:00 AM\n"
    )
    assert (record.event_id, record.qualifiers, record.data) == (6, 32772, ())


@pytest.mark.parametrize("row", ["storvsp\t5\tready", "storvsp\t5\t6\t11/24/2026 10:00:00 AM\tx"])
def test_a_row_without_header_that_could_be_anything_is_not_read(row: str) -> None:
    with pytest.raises(hv.SourceError):
        list(hv.read_records(row.encode()))


def test_a_line_of_unknown_shape_that_names_a_provider_is_lost_beside_others(tmp_path: Any) -> None:
    stream = hv.read_records(FORMS["CloudWatch's text"].encode() + f"\n{{{W}}} 12030 ?\n".encode())
    assert len(list(stream)) == 1
    assert [type(loss) for loss in stream.report.losses] == [Loss]
