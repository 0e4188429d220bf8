"""What somebody has looked at and wants to see no more as open: rows of a policy."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

__all__ = ["Acknowledgement"]

_Name = Annotated[str, Field(min_length=1, max_length=1000)]


class Acknowledgement(BaseModel):
    """A row `[[acknowledge]]` of a policy, with the reason `why`; it holds through the day `until`.

    It names a `finding` by id; or a `vm` (name or id) with `provider` and `id` of its events; or a `vm` (its
    id, or the name where events have no id) with the `evidence` on which something is assumed of it. The last
    is void when the VM shows anything else.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    why: _Name
    finding: _Name | None = None
    vm: _Name | None = None
    provider: _Name | None = None
    event_id: Annotated[int | None, Field(alias="id", ge=0, le=0xFFFF)] = None
    evidence: Annotated[tuple[_Name, ...], Field(min_length=1)] | None = None
    until: date | None = None

    @field_validator("until", mode="wrap")
    @classmethod
    def _is_date(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            raise ValueError("write a date, until = 2026-12-01") from None

    @field_validator("event_id", mode="wrap")
    @classmethod
    def _is_number(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError:
            example = 'for a finding write finding = "e6ac8ef7d7da"'
            raise ValueError(f"this is not an event's number; {example}") from None

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        given = {name for name in ("finding", "vm", "provider", "event_id", "evidence") if self._has(name)}
        if given not in ({"finding"}, {"vm", "provider", "event_id"}, {"vm", "evidence"}):
            raise ValueError("name a finding; or vm, provider and id; or vm and evidence")
        return self

    def _has(self, name: str) -> bool:
        return getattr(self, name) is not None

    def expired(self, today: date) -> bool:
        """Whether it holds no longer."""
        return self.until is not None and today > self.until
