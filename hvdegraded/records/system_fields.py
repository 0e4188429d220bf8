"""The elements and attributes of `<System>` in event XML, and the fields of a record that hold them.

Every reader of `<System>` goes by this table, whether it comes as XML, binary XML or JSON, and so does the
writer of logs.
"""

from __future__ import annotations

import enum
from typing import NamedTuple

__all__ = ["SYSTEM_FIELDS", "SystemField", "SystemKind"]


class SystemKind(enum.Enum):
    """Kinds of values in `<System>`."""

    EVENT_ID = enum.auto()
    """16 bits; the classic logging API adds the qualifiers above them."""
    NUMBER = enum.auto()
    KEYWORDS = enum.auto()
    """64 bits, which XML shows in hexadecimal."""
    TIME = enum.auto()
    TEXT = enum.auto()
    GUID = enum.auto()
    SID = enum.auto()


class SystemField(NamedTuple):
    """An attribute of an element, or the element's text where `attribute` is None, and a record's field."""

    element: str
    attribute: str | None
    field: str
    kind: SystemKind

    @property
    def path(self) -> str:
        """`Element/@Attribute`, or `Element`."""
        return self.element if self.attribute is None else f"{self.element}/@{self.attribute}"


SYSTEM_FIELDS = (
    SystemField("Provider", "Name", "provider", SystemKind.TEXT),
    SystemField("Provider", "Guid", "provider_guid", SystemKind.GUID),
    SystemField("Provider", "EventSourceName", "event_source", SystemKind.TEXT),
    SystemField("EventID", "Qualifiers", "qualifiers", SystemKind.NUMBER),
    SystemField("EventID", None, "event_id", SystemKind.EVENT_ID),
    SystemField("Version", None, "version", SystemKind.NUMBER),
    SystemField("Level", None, "level", SystemKind.NUMBER),
    SystemField("Task", None, "task", SystemKind.NUMBER),
    SystemField("Opcode", None, "opcode", SystemKind.NUMBER),
    SystemField("Keywords", None, "keywords", SystemKind.KEYWORDS),
    SystemField("TimeCreated", "SystemTime", "time_ticks", SystemKind.TIME),
    SystemField("EventRecordID", None, "record_id", SystemKind.NUMBER),
    SystemField("Correlation", "ActivityID", "activity_id", SystemKind.GUID),
    SystemField("Correlation", "RelatedActivityID", "related_activity_id", SystemKind.GUID),
    SystemField("Execution", "ProcessID", "process_id", SystemKind.NUMBER),
    SystemField("Execution", "ThreadID", "thread_id", SystemKind.NUMBER),
    SystemField("Channel", None, "channel", SystemKind.TEXT),
    SystemField("Computer", None, "computer", SystemKind.TEXT),
    SystemField("Security", "UserID", "user_id", SystemKind.SID),
)
"""In the order in which Windows writes them."""
