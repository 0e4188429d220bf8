"""Lines of syslog in `annotate` and `label`: labelled where asked for, the same bytes where not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

import hvdegraded as hv
from hvdegraded.errors import HvdegradedError
from hvdegraded.pipeline.labeller import Labeller

WORKER = "Microsoft-Windows-Hyper-V-Worker"
FAILED = "'web02' failed to start. (Virtual machine ID B9EF4C51-FCE6-4A55-A4F1-7AF166FCF97E)"
SNARE = (
    f"<11>Apr 22 20:30:25 HV1 MSWinEventLog\t3\t{WORKER}-Admin\t513\tSat Apr 22 20:30:25 2017\t12030\t{WORKER}"
    f"\tN/A\tN/A\tError\tHV1.contoso.com\tNone\t\t{FAILED}\t513"
)
NXLOG = (
    f'<14>1 2017-04-22T20:30:25.123Z HV1 {WORKER} 4312 - [NXLOG@14506 EventType="ERROR" EventID="12030" '
    f'RecordNumber="513" Channel="{WORKER}-Admin"] {FAILED}'
)
CEF = f"CEF:0|Microsoft|Windows||{WORKER}:12030|failed|High|externalId=12030 rt=1492893025123 dvchost=HV1 msg={FAILED}"
PREFIXED = "<14>Apr 22 20:30:25 HV1 agent: " + json.dumps(
    {"ProviderName": WORKER, "EventID": 12030, "Message": FAILED, "EventTime": "2017-04-22T20:30:25Z"}
)
EVENTS = [SNARE, NXLOG, CEF, PREFIXED]
OTHERS = [b"<13>Apr 22 20:30:25 hv1 sshd[1]: Hyper-V is down\r\n", b"\xff\xfe Hyper-V\n", b"\n", b"Hyper-V\n"]
JSON = json.dumps({"ProviderName": WORKER, "EventID": 12030, "Channel": "x"}).encode() + b"\n"


def label(lines: bytes, **options: Any) -> tuple[bytes, Labeller]:
    labeller = Labeller(**options)
    out = io.BytesIO()
    labeller.run(io.BytesIO(lines), out)
    return out.getvalue(), labeller


@pytest.mark.parametrize("line", EVENTS)
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_a_line_of_syslog_gets_its_verdict_where_it_is_asked_for(line: str, end: bytes) -> None:
    out, labeller = label(line.encode() + end, dialect="syslog")
    labelled = json.loads(out)
    assert labelled["_raw"] == line
    assert out.endswith(b"}" + end)
    added = labelled["hvdegraded"]
    assert (added["provider"], added["event_id"], added["label"]) == (WORKER, 12030, "actionable")
    assert labeller.stats.actionable == 1
    assert hv.annotate(line)["hvdegraded"] == added
    assert hv.annotate(line.encode(), dialect="syslog")["hvdegraded"] == added


def test_lines_that_are_not_json_pass_byte_for_byte_where_it_is_not_asked_for() -> None:
    lines = b"".join(line.encode() + b"\r\n" for line in EVENTS) + b"".join(OTHERS)
    assert label(lines)[0] == lines


def test_lines_without_an_event_pass_byte_for_byte_where_it_is() -> None:
    lines = b"".join(OTHERS)
    out, labeller = label(lines, dialect="syslog")
    assert out == lines
    assert labeller.stats.lines == len(OTHERS)
    assert labeller.stats.unread == 3  # which name Hyper-V


def test_lines_of_json_are_labelled_in_their_place_beside_syslog() -> None:
    assert label(JSON, dialect="syslog")[0] == label(JSON)[0] != JSON


def test_a_local_time_of_syslog_is_of_the_zone_that_is_given() -> None:
    added = hv.annotate(SNARE, timezone="Europe/Berlin")["hvdegraded"]
    assert added["time_created"] == "2017-04-22T18:30:25.0000000Z"
    out, _ = label(SNARE.encode(), dialect="syslog", timezone="Europe/Berlin")
    assert json.loads(out)["hvdegraded"]["time_created"] == added["time_created"]


def test_text_that_is_neither_json_nor_syslog_is_told() -> None:
    assert "not JSON" in hv.annotate("Hyper-V is down")["hvdegraded"]["error"]


def test_an_unknown_dialect_names_those_that_are_known() -> None:
    with pytest.raises(HvdegradedError) as caught:
        Labeller(dialect="syslogd")
    assert caught.value.hint is not None
    assert "syslog" in caught.value.hint
    assert "winlogbeat" in caught.value.hint
