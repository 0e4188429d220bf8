"""States as the console shows them, from exports of Get-VM, Get-VMIntegrationService and WMI.

Numbers decide, because they do not depend on the host's language; a text decides only where its number
is missing and only if it is one of the known ones. Anything unknown makes the state OTHER.

"Degraded" means two things. Of an integration service or adapter: it works, with another protocol
version. Of the machine itself: the storage of its configuration is gone. `subject` tells which.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from hvdegraded.guids import normalise_guid
from hvdegraded.knowledge.facts import Fact
from hvdegraded.knowledge.loader import open_table
from hvdegraded.knowledge.vocabulary import Component
from hvdegraded.tabular.coercion import plain_text

__all__ = ["ConsoleState", "ConsoleStatus", "StatusSubject", "console_status"]

_GUID_TEXT = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_SERVICE_ID = re.compile(rf"Microsoft:({_GUID_TEXT})\\({_GUID_TEXT})", re.ASCII | re.IGNORECASE)
_OF_ADAPTERS = frozenset(("macaddress", "switchname", "ismanagementos", "islegacy", "ipaddresses"))
_OF_BOTH = frozenset(  # properties of a machine and of a service
    (
        "primarystatusdescription",
        "primaryoperationalstatus",
        "secondarystatusdescription",
        "secondaryoperationalstatus",
    )
)
_LONGEST_TEXT = 1024
_MOST_VALUES = 32


class ConsoleState(enum.StrEnum):
    """What a state amounts to, best first; of several the worst counts.

    PROTOCOL_MISMATCH: it works, with different versions. INCOMPATIBLE: no version fits both sides.
    """

    OK = "OK"
    DEGRADED = "degraded"
    PROTOCOL_MISMATCH = "protocol mismatch"
    UPDATE_REQUIRED = "update required"
    NO_CONTACT = "no contact"
    LOST_CONTACT = "lost contact"
    INCOMPATIBLE = "incompatible"
    OTHER = "other"


class StatusSubject(enum.StrEnum):
    """Whose state it is."""

    MACHINE = "machine"
    SERVICE = "service"
    ADAPTER = "adapter"
    MANAGED = "machine in System Center"


class ConsoleStatus(BaseModel):
    """The state of a VM, of one of its integration services, or of one of its network adapters.

    `vm_id` is upper case without braces. `component` is None for the machine itself and for a service
    whose name and id are not known. `numbers` (each once) and `texts` (as (key, text)) are
    what the record held, in its order; `meanings` say in words what they mean.
    `integration_version` is that of the integration services, where the record contains it.

    >>> import hvdegraded as hv
    >>> state = {"VMName": "web01", "Name": "VSS", "PrimaryStatusDescription": "OK"}
    >>> state["SecondaryStatusDescription"] = "Protocol mismatch"
    >>> (judged,) = hv.classify_statuses(state)
    >>> str(judged.status.component), str(judged.status.state)
    ('backup', 'protocol mismatch')
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    subject: StatusSubject
    state: ConsoleState
    vm_name: str | None = None
    vm_id: str | None = None
    host: str | None = None
    component: Component | None = None
    numbers: tuple[int, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    meanings: tuple[str, ...] = ()
    integration_version: str | None = None


class _StateFact(Fact):
    """A row with the exported record that is its example."""

    example: dict[str, Any]


class NumberFact(_StateFact):
    """An operational status number of one subject, and PowerShell's names for it."""

    subject: StatusSubject
    value: int
    names: tuple[str, ...]
    state: ConsoleState
    meaning: str


class TextFact(_StateFact):
    """Texts of one subject ("integration": of Get-VM's IntegrationServicesState) that tell a state."""

    subject: str
    whole: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    state: ConsoleState
    meaning: str


class ServiceFact(_StateFact):
    """How a component's status is recognised: service id, WMI class, English name."""

    component: Component
    id: str | None = None
    wmi_class: str
    names: tuple[str, ...] = ()


class _Tables(NamedTuple):
    numbers: Mapping[tuple[str, int], NumberFact]
    names: Mapping[tuple[str, str], int]
    texts: tuple[TextFact, ...]
    services: tuple[ServiceFact, ...]


class _Finding(NamedTuple):
    state: ConsoleState
    meaning: str


def console_status(record: Mapping[str, Any]) -> ConsoleStatus | None:
    """The state in one record of an export; None if the record is no such thing.

    Takes objects of `Get-VM`, `Get-VMIntegrationService`, `Get-VMNetworkAdapter`, and of the classes
    `Msvm_ComputerSystem` and `Msvm_*Component`, as ConvertTo-Json or Export-Csv write them. Keys are
    compared without case. Never raises for any content.
    """
    fields = {key.casefold(): value for key, value in record.items() if isinstance(key, str)}
    subject = _subject(fields)
    if subject is None:
        return None
    numbers, texts, findings = _evidence(fields, subject)
    if not findings:
        return None
    state = max((finding.state for finding in findings), key=list(ConsoleState).index)
    works = any(finding.state in (ConsoleState.OK, ConsoleState.DEGRADED) for finding in findings)
    if state is ConsoleState.PROTOCOL_MISMATCH and not works:
        state = ConsoleState.OTHER  # that versions differ does not say that it works
    if state is ConsoleState.UPDATE_REQUIRED and any(one.state is ConsoleState.DEGRADED for one in findings):
        state = ConsoleState.DEGRADED  # of the machine itself, which is worse than old services
    service_id = _SERVICE_ID.fullmatch(_text(fields.get("id")) or _text(fields.get("deviceid")))
    named, owner = normalise_guid(_text(fields.get("vmid"))), service_id[1].upper() if service_id else None
    vm_id = named or owner
    if named and owner and named != owner:
        state = ConsoleState.OTHER
        findings.append(_Finding(state, f"it names two machines: {named} and {owner}"))
    if subject in (StatusSubject.MACHINE, StatusSubject.MANAGED):
        if subject is StatusSubject.MACHINE:  # System Center's id is its own
            vm_id = vm_id or _guid(fields, "id") or _guid(fields, "name")
        vm_name = _first(fields, "vmname", "elementname", "name")
    else:
        vm_id = vm_id or _guid(fields, "systemname")
        vm_name = _first(fields, "vmname")
    return ConsoleStatus(
        subject=subject,
        state=state,
        vm_name=vm_name,
        vm_id=vm_id,
        host=_first(
            fields,
            "computername",
            "pscomputername",
            "hostcomputersystemname",
            "__server",
            "hostname",
            "vmhost",
        ),
        component=_component(fields, subject, service_id[2].upper() if service_id else None),
        numbers=numbers,
        texts=texts,
        meanings=tuple(dict.fromkeys(finding.meaning for finding in findings)),
        integration_version=_text(fields.get("integrationservicesversion")) or None,
    )


def _subject(fields: Mapping[str, Any]) -> StatusSubject | None:
    wmi_class = _wmi_class(fields)
    if wmi_class == "msvm_computersystem":  # the host has one too, whose name is not a GUID
        return StatusSubject.MACHINE if normalise_guid(_text(fields.get("name"))) else None
    if wmi_class.startswith("msvm_"):
        known = {service.wmi_class.casefold(): service.component for service in _tables().services}
        if wmi_class not in known:
            return None
        return StatusSubject.ADAPTER if known[wmi_class] is Component.NETWORK else StatusSubject.SERVICE
    if "status" in fields and not fields.keys().isdisjoint(_OF_ADAPTERS):
        return StatusSubject.ADAPTER
    if "integrationservicesstate" in fields:
        return StatusSubject.MACHINE
    named = any(key in fields for key in ("vmname", "vmid", "id"))
    is_named_twice = "vmname" in fields and "name" in fields
    has_state = not fields.keys().isdisjoint(_OF_BOTH)
    if (named and has_state) or (is_named_twice and "operationalstatus" in fields):
        # Get-VM's objects carry these too, beside the machine's state, and its name as both Name and VMName.
        is_machine = "uptime" in fields or "state" in fields
        is_machine |= is_named_twice and fields["vmname"] == fields["name"]
        return StatusSubject.MACHINE if is_machine else StatusSubject.SERVICE
    if "name" in fields and "state" in fields and ("operationalstatus" in fields or "status" in fields):
        return StatusSubject.MACHINE
    if "virtualmachinestate" in fields or ("statusstring" in fields and "vmhost" in fields):
        return StatusSubject.MANAGED
    return None


def _evidence(
    fields: Mapping[str, Any], subject: StatusSubject
) -> tuple[tuple[int, ...], tuple[tuple[str, str], ...], list[_Finding]]:
    """Numbers and texts of a record, and what they say."""
    tables = _tables()
    numbers: list[int] = []
    texts: list[tuple[str, str]] = []
    findings: list[_Finding] = []
    slots: set[int] = set()
    number_keys = [
        ("operationalstatus", 0),
        ("primaryoperationalstatus", 0),
        ("secondaryoperationalstatus", 1),
    ]
    if subject is StatusSubject.ADAPTER:
        number_keys.append(("status", 0))
    for key, start in number_keys:
        for slot, value in enumerate(_split(_values(fields.get(key)), subject), start):
            number = _number(value, subject)
            if number is None:
                texts.append((key, _text(value) or type(value).__name__))
                findings.append(_Finding(ConsoleState.OTHER, f"'{texts[-1][1][:80]}' is not known"))
                continue
            slots.add(slot)
            numbers.append(number)
            fact = tables.numbers.get((subject, number))
            unknown = _Finding(ConsoleState.OTHER, f"status number {number} is not known here")
            findings.append(_Finding(fact.state, fact.meaning) if fact else unknown)
    text_keys = [("primarystatusdescription", 0), ("secondarystatusdescription", 1)]
    text_keys += [("statusdescriptions", 0), ("statusdescription", 0)]
    if subject is StatusSubject.MACHINE:
        text_keys.append(("status", 0))
    if subject is StatusSubject.MANAGED:
        text_keys.append(_managed_state(fields))
    for key, start in text_keys:
        for slot, value in enumerate(_values(fields.get(key)), start):
            text = _text(value)
            if text:
                texts.append((key, text))
                if slot not in slots:
                    findings.append(_said(text, subject))
    if subject is StatusSubject.MACHINE and (text := _text(fields.get("integrationservicesstate"))):
        texts.append(("integrationservicesstate", text))
        findings.append(_said(text, "integration"))
    return tuple(dict.fromkeys(numbers)), tuple(texts), findings


def _managed_state(fields: Mapping[str, Any]) -> tuple[str, int]:
    """The field in which System Center keeps a machine's state; its number is not that of Hyper-V."""
    keys = ("virtualmachinestate", "statusstring", "status")
    return next((key for key in keys if _text(fields.get(key))), keys[0]), 0


def _said(text: str, subject: str) -> _Finding:
    folded = " ".join(text.casefold().split()).rstrip(".…")
    for fact in _tables().texts:
        if fact.subject == subject and (folded in fact.whole or folded.startswith(fact.starts)):
            return _Finding(fact.state, fact.meaning)
    if text.rstrip().endswith(("…", "...")):  # cut by the width of its column
        begun = [
            fact
            for fact in _tables().texts
            if fact.subject == subject and any(one.startswith(folded) for one in (*fact.whole, *fact.starts))
        ]
        if len(begun) == 1 and begun[0].state is ConsoleState.PROTOCOL_MISMATCH and folded:
            return _Finding(begun[0].state, f"{begun[0].meaning} (the text is cut by its column)")
    return _Finding(ConsoleState.OTHER, f"'{text[:80]}' is not known")


def _number(value: object, subject: StatusSubject) -> int | None:
    """A status number, also from its decimal text or PowerShell's name for it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if 0 <= value < 1 << 16 else None
    text = _text(value)
    if re.fullmatch(r"\d{1,5}", text, re.ASCII):
        return int(text)
    return _tables().names.get((subject, text.casefold()))


def _split(values: list[object], subject: StatusSubject) -> list[object]:
    """The values, where ConvertTo-Json of too little depth has joined numbers or names: `2 32775`."""
    if len(values) == 1 and isinstance(values[0], str):
        parts = values[0].split()[: _MOST_VALUES + 1]
        if 1 < len(parts) <= _MOST_VALUES and all(_number(part, subject) is not None for part in parts):
            return list(parts)
    return values


def _values(value: object) -> list[object]:
    """The values of a field that may be one, a list, or a list as text (`{Ok, ProtocolMismatch}`)."""
    if isinstance(value, Mapping):  # PowerShell 5.1 wraps arrays: {"value": […], "Count": 2}
        value = value.get("value", value.get("Value"))
    if isinstance(value, str):
        inner = value.strip()
        if inner.startswith("{") and inner.endswith("}"):
            return [part.strip() for part in inner[1:-1].split(",")[:_MOST_VALUES] if part.strip()]
        # Export-Csv writes a list as the name of its type, which says nothing.
        return [inner] if inner and not inner.endswith("[]") else []
    if isinstance(value, list | tuple):
        # What stands behind the bound is not read, so an unreadable value stands for it.
        return [*value[:_MOST_VALUES], *([object()] if len(value) > _MOST_VALUES else [])]
    return [] if value is None else [value]


def _component(fields: Mapping[str, Any], subject: StatusSubject, service_id: str | None) -> Component | None:
    if subject in (StatusSubject.MACHINE, StatusSubject.MANAGED):
        return None
    if subject is StatusSubject.ADAPTER:
        return Component.NETWORK
    wmi_class = _wmi_class(fields)
    name = _text(fields.get("name")).casefold()
    for service in _tables().services:
        if service_id is not None and service.id == service_id:
            return service.component
        if wmi_class == service.wmi_class.casefold():
            return service.component
    for service in _tables().services:
        if name in (known.casefold() for known in service.names):
            return service.component
    return None


def _wmi_class(fields: Mapping[str, Any]) -> str:
    described = fields.get("cimclass")
    if isinstance(described, Mapping):
        described = described.get("CimClassName")
    for value in (fields.get("creationclassname"), fields.get("__class"), described):
        text = _text(value).casefold()
        if "msvm_" in text:  # CimClass as text is `root/virtualization/v2:Msvm_ComputerSystem`
            return text.rsplit(":", 1)[-1]
    return ""


def _first(fields: Mapping[str, Any], *keys: str) -> str | None:
    texts = (_text(fields.get(key)) for key in keys)
    return next((text for text in texts if text and not normalise_guid(text)), None)


def _guid(fields: Mapping[str, Any], key: str) -> str | None:
    return normalise_guid(_text(fields.get(key)))


def _text(value: object) -> str:
    """A text, GUID or name of an enumeration; a number is not a text here."""
    return plain_text(value)[:_LONGEST_TEXT] if isinstance(value, str | UUID | Mapping) else ""


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    file = open_table("console.toml")
    numbers = file.rows("number", NumberFact)
    return _Tables(
        numbers={(fact.subject, fact.value): fact for fact in numbers},
        names=dict(_names(numbers)),
        texts=file.rows("text", TextFact),
        services=file.rows("service", ServiceFact),
    )


def _names(facts: Iterable[NumberFact]) -> Iterator[tuple[tuple[str, str], int]]:
    for fact in facts:
        for name in fact.names:
            yield (fact.subject, name.casefold()), fact.value
