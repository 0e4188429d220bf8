"""What an event that is not about versions asks for: the fields and codes that decide, and the remedy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from hvdegraded.events import Event, Hresult
from hvdegraded.events.error_codes import error_codes
from hvdegraded.events.field_mapping import field_key, values_by_key
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.tables import Knowledge
from hvdegraded.knowledge.vocabulary import Role
from hvdegraded.verdicts.phrases import sentence

__all__ = ["Answer", "answer_known", "answer_unknown"]

_PLACE = re.compile(r"\{(\w{1,64})\}")
_LONGEST_VALUE = 120
_LONGEST_MESSAGE = 300
_MAX_FIELDS = 6
_LONGEST_FIELD = 60


class Answer(NamedTuple):
    """One line on what happened, what to do about it, and lines that explain it."""

    summary: str
    remedy: str | None
    lines: tuple[str, ...] = ()


def answer_known(event: Event, fact: EventFact, knowledge: Knowledge) -> Answer:
    """Answer an event by its row, the row's cases, and the remedies of its codes."""
    if fact.role is Role.INFORMATION and not fact.show:
        return Answer(sentence(fact.meaning), fact.remedy)
    values = values_by_key(event.record, fact.fields)
    codes = error_codes(values, event.message, knowledge) if fact.role is not Role.INFORMATION else ()
    numbers = {code.code for code in codes}
    case = next((case for case in fact.cases if case.applies(numbers, _field(case.field, values))), None)
    meaning = sentence(fact.meaning)
    if case is not None and case.meaning:
        meaning += f": {case.meaning}"
    details = [*dict.fromkeys(_shown(fact.show, values)), *map(str, codes)]
    summary = f"{meaning} ({'; '.join(details)})" if details else meaning
    if case is not None and case.remedy:
        return Answer(summary, _placed(case.remedy, event))
    return Answer(summary, _joined([*_remedies(codes, knowledge), fact.remedy], event))


def answer_unknown(event: Event, knowledge: Knowledge) -> Answer:
    """Answer an event that no row describes: its own text, its codes and fields, and how to add a row."""
    provider = knowledge.provider_of(event.provider, event.record.provider_guid, event.record.event_source)
    values = values_by_key(event.record, ())
    codes = error_codes(values, event.message, knowledge)
    fields = [f"{name or 'value'}={text[:_LONGEST_FIELD]!r}" for name, text in event.data[:_MAX_FIELDS]]
    summary = f"unknown event {event.provider or 'of no named provider'} {event.event_id}"
    message = " ".join((event.message or "").split())
    shown = [message[:_LONGEST_MESSAGE]] if message else fields
    if shown:
        summary += f": {', '.join(shown)}"
    if codes:
        summary += f" ({'; '.join(map(str, codes))})"
    if provider is not None and provider.meaning:
        summary += f"; it comes from {provider.meaning}"
    lines = [f"The event's own text: {message}"] if message else []
    if fields:
        lines.append(f"Its fields: {', '.join(fields)}")
    row = (
        "Read the event on the host. To make it known, add a row to a policy: "
        f"[{_heading(event.provider)}.{event.event_id}] with role, meaning, remedy, source and certainty."
    )
    return Answer(summary, _joined([*_remedies(codes, knowledge), row], event), tuple(lines))


def _shown(show: Sequence[str], values: Mapping[str, str]) -> Iterator[str]:
    for item in show:
        template = item if "{" in item else f"{{{item}}}"
        texts = {name: _field(name, values) for name in _PLACE.findall(template)}
        if all(texts.values()):
            for name, text in texts.items():
                template = template.replace(f"{{{name}}}", (text or "")[:_LONGEST_VALUE])
            yield template


def _field(name: str | None, values: Mapping[str, str]) -> str | None:
    return values.get(field_key(name), "").strip() or None if name else None


def _remedies(codes: Sequence[Hresult], knowledge: Knowledge) -> list[str]:
    for code in codes:
        known = knowledge.code(code.code)
        if known is not None and known.remedy:
            return [f"{code.hex}: {known.remedy}"]
    return []


def _joined(parts: Sequence[str | None], event: Event) -> str | None:
    return _placed(" ".join(part for part in parts if part), event) or None


def _placed(remedy: str, event: Event) -> str:
    return remedy.replace("{vm_id}", event.vm_id or "<VM id>")


def _heading(provider: str) -> str:
    name = provider or "Provider-Name"
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
