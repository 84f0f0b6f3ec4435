"""What TShark, where it is installed, says of the TLCP capture is what the sensor says."""

import shutil
import subprocess
from pathlib import Path
from struct import pack

import agreement
import craft
import pytest

from sensors.network.tls_names import suite_name

TLCP = Path(__file__).parent / "captures" / "tlcp.pcap"
FIELDS = ("tcp.srcport", "tls.handshake.type", "tls.handshake.version", "tls.handshake.ciphersuite")


def oracle(*fields: str, path: Path = TLCP) -> list[list[str]]:
    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    command = [tshark, "-r", str(path), "-d", "tcp.port==20443-20452,tls", "-Y", "tls.handshake.type", "-T"]
    command += ["fields", *(part for field in fields for part in ("-e", field))]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_versions_suites_and_fingerprints() -> None:
    seen = [one for one in agreement.read_all(TLCP) if one.fields["event.dataset"] == "net.tls"]
    chosen = {
        str(one.native["id.resp_p"]): one.native["cipher"]
        for one in seen
        if one.fields["event.action"] == "server-hello"
    }
    theirs = {row[0]: row[3] for row in oracle(*FIELDS) if row[1].startswith("2,") or row[1] == "2"}
    assert set(chosen) == set(theirs)
    assert set(chosen.values()) == {"ECC_SM4_CBC_SM3"}
    assert all(suite in ("0xe013", "57363") for suite in theirs.values())
    ours = {str(one.native["ja3"]) for one in seen if one.fields["event.action"] == "client-hello"}
    assert {row[0] for row in oracle("tls.handshake.ja3") if row[0]} == ours


@pytest.mark.slow
def test_certificates() -> None:
    subjects = {
        part
        for row in oracle("x509sat.uTF8String", "x509sat.printableString")
        for field in row
        for part in field.split(",")
        if part.endswith(".cn")
    }
    ours = {
        one.fields.get("tls.server.x509.subject.common_name")
        or one.fields.get("tls.client.x509.subject.common_name")
        for one in agreement.read_all(TLCP)
        if one.fields["event.dataset"] == "net.x509"
    }
    assert ours == subjects == {"portal.example.gov.cn", "clerk.example.gov.cn"}


@pytest.mark.slow
@pytest.mark.parametrize("suite", [0xE011, 0xE013, 0xE051, 0xE053])
def test_hand_made_hellos_of_the_suites_the_real_stack_lacks(suite: int, tmp_path: Path) -> None:
    hello = craft.client_hello(version=0x0101, suites=(suite,), offered=(), record_version=0x0101)
    answer = craft.server_hello(suite, version=0x0101)
    packets = craft.connection(hello, 20_443, answer=answer)
    path = tmp_path / "made.pcap"
    head = pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, 1)
    path.write_bytes(
        head + b"".join(pack("<IIII", 1_000, at, len(one), len(one)) + one for at, one in enumerate(packets))
    )
    ours = [one for one in agreement.read_all(path) if one.fields["event.dataset"] == "net.tls"]
    assert [one.fields["gov.tls.sm"] for one in ours] == [True, True]
    theirs = oracle("_ws.col.Protocol", "tls.handshake.type", "tls.handshake.ciphersuite", path=path)
    assert [row[0] for row in theirs] == ["GMTLSv1", "GMTLSv1"]
    assert [int(row[2], 0) for row in theirs] == [suite, suite]
    assert ours[1].native["cipher"] == suite_name(suite)
    assert ours[1].native["version"] == "TLCPv11"
