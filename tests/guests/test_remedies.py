"""Remedies by host generation, and the script that makes an inventory."""

from __future__ import annotations

from hvdegraded.knowledge.guest_systems import (
    guests_script,
    windows_remedy,
)


def test_the_2012_r2_remedy_is_its_own() -> None:
    texts = {windows_remedy(host) for host in (None, "2016", "2012 R2", "2012")}
    assert len(texts) == 4


def test_the_script_writes_the_columns_that_are_read() -> None:
    script = guests_script()
    assert script.isascii()
    for name in ("Name", "Id", "HostName", "OSName", "OSVersion", "IntegrationServicesVersion"):
        assert f"        {name} " in script
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
    for word in ("Get-VM)", "GuestIntrinsicExchangeItems", r"root\virtualization\v2", "ConvertTo-Json"):
        assert word in script
