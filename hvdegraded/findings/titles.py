"""What findings are about: a title that fits every VM with the problem, and what is particular to events."""

from __future__ import annotations

from hvdegraded.events import Event, VersionEvent
from hvdegraded.records.record import FieldSource
from hvdegraded.verdicts.phrases import versions_text
from hvdegraded.verdicts.ruling import Ruling
from hvdegraded.verdicts.verdict import Reason

__all__ = ["PROBLEMS", "detail_of", "message_of", "title_of"]

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


def title_of(ruling: Ruling, example: Event) -> str:
    """What a finding is about, in words that fit every VM that has it.

    Of the event counts only what is equal for all of its likeness.
    """
    if ruling.reason is Reason.INCOMPLETE_EVIDENCE:
        if example.known or example.provider:
            return _PROVES_NOTHING
        return f"Event {example.event_id} of a channel of Hyper-V, whose provider the input does not name"
    known = PROBLEMS.get(ruling.reason)
    if known is not None:
        return known
    if ruling.reason is Reason.UNKNOWN_EVENT:
        return f"Unknown event {example.provider or 'of no named provider'} {example.event_id}"
    text = _capital(ruling.summary)
    return text.removesuffix(f" ({example.hresult})") if example.hresult else text


def detail_of(ruling: Ruling, example: Event, title: str) -> str:
    """What is particular to these events: versions, error code, values; of the event counts its likeness."""
    text = _capital(ruling.summary)
    if text.startswith(title):
        return text[len(title) :].strip(" :(").removesuffix(")")
    if isinstance(example, VersionEvent) and ruling.reason in _VERSIONS_SAY_ALL:
        return versions_text(example)
    return text


def message_of(example: Event) -> str:
    """The message of an event, if that is all that it contains; else nothing."""
    if example.field_source is not FieldSource.MESSAGE or not example.message:
        return ""
    message = " ".join(example.message.split())
    return message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
