"""Texts and versions that name a guest's system."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvdegraded.knowledge.guest_systems import (
    family_from_integration,
    read_os,
    supported_os,
)
from hvdegraded.knowledge.vocabulary import GuestFamily
from tests.tools.inventories import (
    FREEBSD,
    LINUX,
    OTHER_UNIX,
    UNKNOWN,
    WINDOWS,
)

# Names of systems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Windows Server 2019 Datacenter", WINDOWS),
        ("Windows Server 2012 R2 Standard", WINDOWS),
        ("Microsoft Windows Server 2016 (64-bit)", WINDOWS),
        ("64-bit edition of Windows 10", WINDOWS),
        ("Windows Server® 2008 Standard", WINDOWS),
        ("Windows™ 7", WINDOWS),
        ("WindowsServer2022", WINDOWS),
        ("windows2019srvNext_64Guest", WINDOWS),
        ("Win32NT", WINDOWS),
        ("win10", WINDOWS),
        ("Hyper-V Server 2019", WINDOWS),
        ("Azure Stack HCI", WINDOWS),
        ("Ubuntu 22.04.3 LTS", LINUX),
        ("Debian GNU/Linux 12 (bookworm)", LINUX),
        ("Red Hat Enterprise Linux 9.3 (Plow)", LINUX),
        ("RedHat", LINUX),
        ("rhel8", LINUX),
        ("CentOS Stream 9", LINUX),
        ("CentOS Linux 7 (64 bit)", LINUX),
        ("Rocky Linux 9.3 (Blue Onyx)", LINUX),
        ("AlmaLinux 9.3 (Shamrock Pampas Cat)", LINUX),
        ("Oracle Linux Server 8.9", LINUX),
        ("SUSE Linux Enterprise Server 15 SP5", LINUX),
        ("SLES 15", LINUX),
        ("openSUSE Leap 15.5", LINUX),
        ("Fedora Linux 39 (Server Edition)", LINUX),
        ("Arch Linux", LINUX),
        ("Alpine Linux v3.19", LINUX),
        ("Amazon Linux 2023", LINUX),
        ("VMware Photon OS/Linux", LINUX),
        ("Gentoo/Linux", LINUX),
        ("Linux Mint 21.3", LINUX),
        ("Kali GNU/Linux Rolling", LINUX),
        ("Microsoft Azure Linux 3.0", LINUX),
        ("Other Linux (64 bit)", LINUX),
        ("Linux", LINUX),
        ("FreeBSD 14.0-RELEASE", FREEBSD),
        ("pfSense 2.7.2", FREEBSD),
        ("OPNsense 24.1", FREEBSD),
        ("TrueNAS CORE 13", FREEBSD),
        ("TrueNAS SCALE", LINUX),
        ("DragonFly 6.4", GuestFamily.DRAGONFLY),
        ("OpenBSD 7.4", OTHER_UNIX),
        ("NetBSD 10", OTHER_UNIX),
        ("Darwin", OTHER_UNIX),
        ("macOS 14", OTHER_UNIX),
        ("", UNKNOWN),
        ("Haiku", UNKNOWN),
        ("Server 2019", UNKNOWN),
        ("Microsoft", UNKNOWN),
        ("Alpinegeist", UNKNOWN),
        ("Windows Subsystem for Linux", UNKNOWN),
        ("Linux on Windows host", UNKNOWN),
        ("Not Windows", UNKNOWN),
        ("not Linux", UNKNOWN),
        ("non-Linux", UNKNOWN),
        ("Linux?", UNKNOWN),
        ("was Debian", UNKNOWN),
        ("Ubuntu (WSL)", UNKNOWN),
        ("Debian or Windows", UNKNOWN),
        ("FreeBSD or Linux", UNKNOWN),
        ("WİNDOWS Linux", UNKNOWN),
        ("Win\u200bdows Linux", UNKNOWN),
        ("Ｗｉｎｄｏｗｓ Server", WINDOWS),
        ("Linux " * 1000, UNKNOWN),
    ],
)
def test_read_os(text: str, expected: GuestFamily) -> None:
    assert read_os(text).family is expected
    assert read_os(text.upper()).family is expected
    assert read_os(f"  {text} ").family is expected


def test_no_text_names_no_family() -> None:
    assert read_os(None).family is UNKNOWN


@given(
    st.text(max_size=60), st.sampled_from(["Windows", "windows", "WINDOWS Server 2019"]), st.text(max_size=60)
)
def test_a_text_with_windows_in_it_is_never_another_system(before: str, windows: str, after: str) -> None:
    assert read_os(before + windows + after).family in (WINDOWS, UNKNOWN)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("3.1", LINUX),
        ("3.1.0.0", LINUX),
        ("4.3.5", LINUX),
        ("6.3.9600.16384", WINDOWS),
        ("6.0.6001.17101", WINDOWS),
        ("10.0.17763.1", WINDOWS),
        ("0.0", UNKNOWN),
        ("10.1", UNKNOWN),
        ("3.10", UNKNOWN),
        ("31", UNKNOWN),
        ("3.1-beta", UNKNOWN),
        ("", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_family_from_integration(version: str | None, expected: GuestFamily) -> None:
    assert family_from_integration(version) is expected


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("Ubuntu 22.04", None, True),
        ("Oracle Linux Server 8.9", None, True),
        ("FreeBSD 9.3-RELEASE", None, False),
        ("FreeBSD 10.0-RELEASE", None, True),
        ("FreeBSD", "14.0", True),
        ("FreeBSD", None, None),
        ("Gentoo/Linux", None, None),
        ("Windows Server 2019", None, None),
        ("Ubuntu or Windows", None, None),
    ],
)
def test_supported_families_are_those_of_the_vendors_list(
    text: str, version: str | None, expected: bool | None
) -> None:
    assert supported_os(text, version) is expected
