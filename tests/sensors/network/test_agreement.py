"""Agreement with Zeek's golden logs and the JA3 and JA4 references; skips without the captures."""

from pathlib import Path

import agreement
import pytest
from agreement_exceptions import EXCEPTIONS

CAPTURES = Path(__file__).parent / "captures"
SHARE = 0.99


@pytest.mark.slow
@pytest.mark.parametrize("log", agreement.LOGS, ids=lambda log: log.name)
def test_zeek_says_the_same(shared_captures: Path, log: agreement.Log) -> None:
    result = agreement.compare(log, shared_captures / "zeek")
    assert [one for one in result.differences if not agreement.reason_of(one)] == []
    assert result.share >= SHARE
    assert result.rows >= 14


@pytest.mark.slow
def test_fingerprints_are_those_of_the_references(shared_captures: Path) -> None:
    compared, agreed, differences = agreement.fingerprints(shared_captures / "ja4")
    assert differences == []
    assert agreed == compared
    assert min(compared.values()) >= 200


@pytest.mark.slow
def test_the_page_of_the_docs_is_current(shared_captures: Path) -> None:
    assert agreement.DOCS.read_text(encoding="utf-8") == agreement.page(shared_captures)


@pytest.mark.slow
def test_no_ordinary_hello_is_taken_for_the_national_algorithms(shared_captures: Path) -> None:
    hellos = 0
    for path in sorted(shared_captures.glob("*/captures/**/*.pcap*")):
        if path.is_dir() or "golden" in str(path):
            continue
        if b"\x16\x03" not in path.read_bytes() and "quic" not in str(path):
            continue
        for one in agreement.read_all(path):
            if one.fields["event.dataset"] == "net.tls":
                hellos += 1
                assert one.fields["gov.tls.sm"] is False, path
            elif one.fields["event.dataset"] == "net.x509":
                assert one.fields["gov.x509.sm"] is False, path
    assert hellos >= 600


def test_each_exception_says_why() -> None:
    assert all(one.reason and one.capture for one in EXCEPTIONS)


def test_tlcp_through_the_whole_sensor() -> None:
    seen = [
        one.fields
        for one in agreement.read_all(CAPTURES / "tlcp.pcap")
        if one.fields["event.dataset"] == "net.tls"
    ]
    stood = [one for one in seen if one["event.action"] == "established"]
    assert [(one["tls.version"], one["tls.cipher"]) for one in stood] == [("TLCPv11", "ECC_SM4_CBC_SM3")] * 2
    assert sum(one["event.action"] == "client-hello" and one["gov.tls.sm"] is True for one in seen) == 3
    assert sum(one["gov.tls.sm"] is False for one in seen) == 2, "the ordinary client and its refusal"
