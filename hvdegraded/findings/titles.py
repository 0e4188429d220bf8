"""What findings are about: a title that fits every VM with the problem, and what is particular to events."""

from __future__ import annotations

from hvdegraded.events import Event, VersionEvent
from hvdegraded.records.record import FieldSource
from hvdegraded.verdicts.phrases import versions_text, whose
from hvdegraded.verdicts.verdict import Reason, Verdict

__all__ = ["PROBLEMS", "detail_of", "title_of"]

PROBLEMS = {
    Reason.LOADED_NON_WINDOWS: "A device works with the older version that guests other than Windows speak",
    Reason.LOADED_WINDOWS: "A Windows guest speaks an older version than its host",
    Reason.LOADED_UNKNOWN: "A device works with an older version; the guest's system is not known",
    Reason.REFUSED_WITH_FALLBACK: "The host refused a version, and the guest has an older one that it takes",
    Reason.REFUSED_UNPROVEN: "The host refused a version, and nothing proves that an older one was taken",
    Reason.REFUSED_THEN_FAILURE: "The host refused a version, and a failure of the VM followed",
    Reason.NO_COMMON_VERSION: "Host and guest have no version in common",
    Reason.INVENTORY_CONTRADICTED: "What a VM speaks contradicts the inventory",
}
"""What is wrong, by reasons that say it."""

_PROVES_NOTHING = "A version mismatch that proves nothing"
_LONGEST = 300  # characters of a message
_VERSIONS_SAY_ALL = frozenset(
    {
        Reason.LOADED_NON_WINDOWS,
        Reason.LOADED_WINDOWS,
        Reason.LOADED_UNKNOWN,
        Reason.REFUSED_WITH_FALLBACK,
        Reason.REFUSED_UNPROVEN,
    }
)


def title_of(verdict: Verdict, example: Event) -> str:
    """What a finding is about, in words that fit every VM that has it."""
    if verdict.reason is Reason.INCOMPLETE_EVIDENCE:
        if example.known or example.provider:
            return _PROVES_NOTHING
        return f"Event {example.event_id} of a channel of Hyper-V, whose provider the input does not name"
    known = PROBLEMS.get(verdict.reason)
    if known is not None:
        return known
    text = _without_vm(verdict, example)
    if verdict.reason is Reason.UNKNOWN_EVENT:
        return f"Unknown event {example.provider or 'of no named provider'} {example.event_id}"
    return text.removesuffix(f" ({example.hresult})") if example.hresult else text


def detail_of(verdict: Verdict, example: Event, title: str) -> str:
    """What is particular to these events: versions, error code, values; else the message, if that is all."""
    detail = _detail(verdict, example, title)
    if detail or example.field_source is not FieldSource.MESSAGE or not example.message:
        return detail
    message = " ".join(example.message.split())
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


def _detail(verdict: Verdict, example: Event, title: str) -> str:
    text = _without_vm(verdict, example)
    if text.startswith(title):
        return text[len(title) :].strip(" :(").removesuffix(")")
    if isinstance(example, VersionEvent) and verdict.reason in _VERSIONS_SAY_ALL:
        return versions_text(example)
    return text


def _without_vm(verdict: Verdict, example: Event) -> str:
    text = verdict.summary.removeprefix(whose(example))
    return text[:1].upper() + text[1:]
