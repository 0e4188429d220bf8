"""Rules 3 to 5 of `classifier`: what a version event is, by itself, its guest and what followed it."""

from __future__ import annotations

from hvdegraded.events import VersionEvent
from hvdegraded.knowledge.channels import generation_of
from hvdegraded.knowledge.facts import EventFact
from hvdegraded.knowledge.guest_systems import windows_remedy
from hvdegraded.knowledge.protocols import ProtocolTable
from hvdegraded.knowledge.vocabulary import GuestFamily, HostGeneration, Outcome
from hvdegraded.verdicts.aftermath import Aftermath
from hvdegraded.verdicts.evidence import GuestEvidence
from hvdegraded.verdicts.mismatch import WorkingMismatch, decide
from hvdegraded.verdicts.phrases import sentence, unnamed_service_text, versions_text
from hvdegraded.verdicts.policy import Policy
from hvdegraded.verdicts.refusal import decide_refusal, rule_on_final_refusal
from hvdegraded.verdicts.ruling import Ruling, rule_on_known, rule_on_unusable
from hvdegraded.verdicts.usable import not_harmless_because, unusable_because

__all__ = ["rule_on_versions"]

_WORKS = "The device works with the older version (the event says it loaded)."


def rule_on_versions(
    event: VersionEvent, fact: EventFact, evidence: GuestEvidence, aftermath: Aftermath, policy: Policy
) -> Ruling:
    """Rule on a version event; of the event, its `ruling_key` and its host count."""
    if event.outcome is Outcome.FINAL_REFUSAL:
        return rule_on_final_refusal(event, fact)
    unusable = unusable_because(event, fact, policy.knowledge)
    if unusable is not None and aftermath.failure is None:
        return rule_on_unusable(event, fact, unusable)
    if event.outcome is Outcome.NEGOTIATED:
        return rule_on_known(fact, sentence(fact.meaning))
    tables = policy.knowledge.protocols
    who_speaks = _who_speaks(event, evidence.family, tables)
    if event.outcome is Outcome.REFUSED:
        return decide_refusal(event, fact, evidence, aftermath, policy, who_speaks)
    not_harmless = not_harmless_because(event, fact, policy.knowledge)
    if not_harmless is not None:
        return rule_on_unusable(event, fact, not_harmless)
    working = WorkingMismatch(
        works=f"{versions_text(event)}; it works",
        component=event.component,
        version_pairs=event.version_pairs,
        host_release=_release(event, tables),
        host_since_2016=_is_of_2016(event),
        references=fact.references,
        derivation=(*who_speaks, _WORKS),
    )
    return decide(working, evidence, policy)


def _who_speaks(event: VersionEvent, family: GuestFamily, tables: ProtocolTable) -> tuple[str, ...]:
    """Who speaks the versions that differ: not those that host and guest share."""
    lines: list[str] = []
    for pair in event.version_pairs:
        if pair.component is None and pair.differs:
            lines.append(unnamed_service_text(pair))
        if pair.component is None or pair.service is not None or pair.guest == pair.host:
            continue
        if pair.host is not None:
            lines.append(tables.describe_host(pair.component, pair.host))
        if pair.guest is not None:
            lines.append(tables.describe_client(pair.component, pair.guest, family))
    return tuple(f"{sentence(line)}." for line in lines)


def _release(event: VersionEvent, tables: ProtocolTable) -> str | None:
    """The release of the host, if the remedy depends on it."""
    host = event.versions.host
    if host is None:
        return None
    releases = tables.host_releases(event.component, host)
    return releases[0] if len({windows_remedy(release) for release in releases}) == 1 else None


def _is_of_2016(event: VersionEvent) -> bool:
    """Whether the host is one of 2016 or later: such hosts log all services under one provider."""
    return event.provider.lower() == "microsoft-windows-hyper-v-integration" or (
        generation_of(event.component, event.versions.host) is HostGeneration.SINCE_2016
    )
