"""For which time a channel was read: own records, exports, losses, empty logs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.records.coverage import (
    ChannelCoverage,
    Coverage,
    CoverageGap,
    InputCoverage,
    channel_coverage,
)

SYSTEM, WORKER = "System", "Microsoft-Windows-Hyper-V-Worker-Admin"


def log(channel: str, first: int, last: int, host: str = "hv1", **more: object) -> InputCoverage:
    one = InputCoverage(**more)  # type: ignore[arg-type]
    one.add(host, channel, first, last)
    return one


def stretches(*exports: list[InputCoverage]) -> list[tuple[str | None, int, int]]:
    return [(one.channel, one.first, one.last) for one in channel_coverage(exports)]


def test_a_channel_is_covered_from_its_own_oldest_to_its_own_last_record() -> None:
    covered = channel_coverage([[log(SYSTEM, 100, 200)], [log(WORKER, 150, 160)]])
    assert covered.gap("HV1", "system", 100, 200) is None
    assert covered.gap("hv1", SYSTEM, 99, 150) is CoverageGap.BEGINS_LATER
    assert covered.gap("hv1", SYSTEM, 150, 201) is CoverageGap.ENDS_EARLIER
    assert covered.gap("hv1", WORKER, 155, 165) is CoverageGap.ENDS_EARLIER
    assert covered.gap("hv2", SYSTEM, 100, 200) is CoverageGap.NOT_READ


def test_one_export_covers_each_of_its_channels_up_to_the_last_record_of_the_host() -> None:
    other_host = log(SYSTEM, 100, 500, host="hv2")
    found = stretches([log(SYSTEM, 100, 200), log(WORKER, 150, 160), other_host])
    assert (WORKER, 150, 200) in found


def test_nothing_is_covered_past_the_modification_time_of_the_file() -> None:
    found = stretches([log(SYSTEM, 100, 200), log(WORKER, 150, 160, modified=170)])
    assert (WORKER, 150, 170) in found
    assert (WORKER, 150, 160) in stretches([log(SYSTEM, 100, 200), log(WORKER, 150, 160, modified=90)])


def test_an_input_that_was_cut_off_ends_with_its_own_last_record() -> None:
    assert (WORKER, 150, 160) in stretches([log(SYSTEM, 100, 200), log(WORKER, 150, 160, cut=True)])


def test_what_was_lost_is_not_covered() -> None:
    one = log(SYSTEM, 100, 200)
    one.add_hole(120, 130)
    covered = channel_coverage([[one]])
    assert covered.gap("hv1", SYSTEM, 110, 115) is None
    assert covered.gap("hv1", SYSTEM, 110, 120) is CoverageGap.RECORDS_LOST
    assert covered.gap("hv1", SYSTEM, 131, 200) is None
    whole = channel_coverage([[one], [log(SYSTEM, 90, 140)]])
    assert whole.gap("hv1", SYSTEM, 110, 190) is None, "another input has them"


def test_a_loss_at_an_unknown_time_leaves_nothing() -> None:
    one = log(SYSTEM, 100, 200)
    one.add_hole(None, None)
    assert channel_coverage([[one]]).gap("hv1", SYSTEM, 110, 115) is CoverageGap.NOT_READ


def test_a_log_that_never_held_a_record_covers_its_channel_up_to_its_modification_time() -> None:
    empty = InputCoverage(never_written=WORKER, modified=180)
    covered = channel_coverage([[log(SYSTEM, 100, 200)], [empty]])
    assert covered.gap("hv1", WORKER, 1, 180) is None
    assert covered.gap("hv1", WORKER, 1, 181) is CoverageGap.ENDS_EARLIER


def test_an_empty_log_belongs_to_the_host_of_its_folder_or_to_none() -> None:
    two = [[log(SYSTEM, 100, 200, folder="a")], [log(SYSTEM, 100, 300, host="hv2", folder="b")]]
    here = channel_coverage([*two, [InputCoverage(never_written=WORKER, modified=180, folder="b")]])
    assert here.channels("hv2") == (WORKER, SYSTEM)
    assert here.channels("hv1") == (SYSTEM,)
    nowhere = channel_coverage([*two, [InputCoverage(never_written=WORKER, modified=180, folder="c")]])
    assert nowhere.channels("hv1") == nowhere.channels("hv2") == (SYSTEM,)


def test_records_without_name_count_for_the_only_channel() -> None:
    one = log(SYSTEM, 150, 160)
    one.add(None, None, 100, 200)
    assert stretches([one]) == [(SYSTEM, 100, 200)]
    one.add("hv1", WORKER, 120, 130)
    assert stretches([one]) == [(WORKER, 120, 200), (SYSTEM, 150, 200)]


spans = st.tuples(st.integers(0, 30), st.integers(0, 30)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(spans, max_size=6), spans)
def test_a_time_is_covered_only_where_each_of_its_ticks_is(
    read: list[tuple[int, int]], asked: tuple[int, int]
) -> None:
    covered = ChannelCoverage(Coverage("h", "c", *span) for span in read)
    ticks = {tick for first, last in read for tick in range(first, last + 1)}
    assert covered.covers("h", "c", *asked) == set(range(asked[0], asked[1] + 1)).issubset(ticks)


@given(st.lists(st.tuples(spans, st.sampled_from(["add", "hole", "unnamed"])), max_size=8), st.randoms())
def test_parts_of_an_input_can_be_merged_in_any_order(
    steps: list[tuple[tuple[int, int], str]], chance: object
) -> None:
    def part(span: tuple[int, int], kind: str) -> InputCoverage:
        one = InputCoverage()
        if kind == "hole":
            one.add_hole(*span)
        else:
            host, channel = (None, None) if kind == "unnamed" else ("h", "c")
            one.add(host, channel, *span)
        return one

    def merged(order: list[tuple[tuple[int, int], str]]) -> ChannelCoverage:
        whole = InputCoverage()
        for step in order:
            whole.merge(part(*step))
        return channel_coverage([[whole]])

    shuffled = list(steps)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merged(steps) == merged(shuffled)


def text_export(*records: tuple[int | None, int]) -> ChannelCoverage:
    one = InputCoverage()
    for record_id, ticks in records:
        one.follow("hv1", WORKER, record_id, ticks)
    return channel_coverage([[one]])


def test_a_text_export_covers_what_ids_that_follow_each_other_enclose() -> None:
    assert text_export((7, 100), (8, 200), (9, 300)).gap("hv1", WORKER, 100, 300) is None
    assert text_export((9, 300), (8, 200), (7, 100)).gap("hv1", WORKER, 100, 300) is None  # newest first
    assert text_export((7, 100), (7, 100), (8, 200)).gap("hv1", WORKER, 100, 200) is None  # a line twice


def test_a_text_export_of_selected_records_does_not_cover_the_time_between_them() -> None:
    selected = text_export((1, 100), (2, 200), (4, 400), (5, 500))
    assert selected.gap("hv1", WORKER, 120, 180) is None
    assert selected.gap("hv1", WORKER, 250, 350) is CoverageGap.RECORDS_LOST
    assert selected.gap("hv1", WORKER, 420, 480) is None


def test_a_text_export_without_record_ids_covers_no_time_between_its_records() -> None:
    assert not text_export((None, 100), (None, 200)).covers("hv1", WORKER, 120, 180)
    assert not text_export((0, 100), (0, 200)).covers("hv1", WORKER, 120, 180)


def test_parts_of_a_text_export_cover_what_the_whole_covers() -> None:
    whole, first = InputCoverage(), InputCoverage()
    for record_id, ticks in ((1, 100), (2, 200), (4, 400), (5, 500)):
        whole.follow("hv1", WORKER, record_id, ticks)
    first.follow("hv1", WORKER, 1, 100)
    first.follow("hv1", WORKER, 2, 200)
    second = first.next_part()
    second.follow("hv1", WORKER, 4, 400)
    second.follow("hv1", WORKER, 5, 500)
    first.merge(second)
    assert channel_coverage([[first]]) == channel_coverage([[whole]])
