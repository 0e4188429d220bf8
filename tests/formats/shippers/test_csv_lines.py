"""Rows of CSV under a header."""

from __future__ import annotations

import io

import pytest

from hvdegraded.errors import UnknownFormatError
from hvdegraded.formats.autodetect import read_stream
from hvdegraded.reading.delivery import delivered
from hvdegraded.records.report import ReadReport
from tests.tools.shipped_lines import HYPER_V, VMMS

CSV_HEAD = "RecordNumber,EventRecordId,TimeCreated,EventId,Level,Provider,Channel,Computer,Payload\r\n"
CSV_ROW = f'1,7,2026-01-01 00:00:00.1234567,19100,Error,{VMMS},x,hv1,"{{""UserData"":{{""VmlEventLog"":{{""VmName"":""a""}}}}}}"\r\n'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rows_under_a_header(encoding: str) -> None:
    report = ReadReport()
    other = CSV_ROW.replace(VMMS, "Disk")
    data = (CSV_HEAD + CSV_ROW + "1,2,3\r\n" + '1,"a"b,\r\n' + "\r\n" + other + CSV_ROW).encode(encoding)
    records = list(delivered(read_stream(io.BytesIO(data), report.path, HYPER_V), report, HYPER_V))
    assert [(one.event_id, one.get("VmName"), one.origin.line) for one in records] == [
        (19100, "a", 2),
        (19100, "a", 7),
    ]
    assert records[0].time_ticks == 134116992001234567
    assert (report.delivered, report.lost, report.filtered) == (2, 2, 1)


def test_rows_that_a_quote_swallowed_are_counted() -> None:
    good, bad = CSV_ROW.replace("1,7,", "1,8,"), '1,9,x,1,Error,P,x,hv1,"{oops\r\n'
    plain = "1,10,x,1,Error,P,x,hv1,{}\r\n"
    for rows, lost, line in ((good + bad + plain * 3, 4, 3), (bad + plain + good + good, 3, 2)):
        report = ReadReport()
        records = list(delivered(read_stream(io.BytesIO((CSV_HEAD + rows).encode()), report.path), report))
        assert [record.record_id for record in records] == [8]
        assert (report.lost, report.losses[0].line) == (lost, line)


def test_a_header_that_tells_nothing_is_no_log() -> None:
    with pytest.raises(UnknownFormatError):
        list(read_stream(io.BytesIO(b"Name,Id,OSName\nweb01,1,Debian\n")))


def test_a_column_that_stands_twice_is_an_anomaly() -> None:
    head = CSV_HEAD.replace("RecordNumber", "EventId")
    for first, value in (("7", 7), ("19100", 19100)):
        rows = head + CSV_ROW.replace("1,", f"{first},", 1)
        (record,) = delivered(read_stream(io.BytesIO(rows.encode())), ReadReport())
        assert (record.event_id, record.get("VmName")) == (value, "a")
        assert record.origin.anomalies == ("several columns of its table have the same name",)


def test_columns_without_a_name_are_none_too_many() -> None:
    rows = CSV_HEAD.replace("\r", ",,\r") + CSV_ROW.replace("\r", ",,\r")
    (record,) = delivered(read_stream(io.BytesIO(rows.encode())), ReadReport())
    assert not record.origin.anomalies
