"""Issuing by the profile: what OpenSSL reads in it, and what is not issued."""

import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crypto import pem
from crypto.keys import SigningKey
from crypto.profile import KINDS, LEAVES, PROFILES, Kind, check_days, issued_by, kind_of, uris
from crypto.sm2 import DEFAULT_ID
from crypto.words import BadInput, Refused
from crypto.x509 import REQUEST, read_request
from crypto.x509_issue import Subject, issue, issue_root, new_serial, request_der, subject_of, verify_request


def openssl(*arguments: str | Path) -> str:
    try:
        done = subprocess.run(["openssl", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("kind", LEAVES)
def test_a_leaf_of_each_kind_as_openssl_reads_it(house: Any, tmp_path: Path, kind: Kind) -> None:
    key = house.wrap if kind == "center-encrypt" else house.key
    made = house.issue(kind, key)
    assert kind_of(made) == kind
    (tmp_path / "c.pem").write_bytes(made.pem())
    text = openssl("x509", "-in", tmp_path / "c.pem", "-noout", "-text", "-nameopt", "utf8")
    usage = "Key Encipherment" if kind == "center-encrypt" else "Digital Signature"
    for line in (
        "Version: 3",
        "Signature Algorithm: SM2-with-SM3",
        "X509v3 Basic Constraints: critical",
        "CA:FALSE",
        "X509v3 Key Usage: critical",
        usage,
        f"URI:urn:liuhe:{PROFILES[kind].subject}:one, URI:urn:liuhe:zone:city",
        "X509v3 Subject Key Identifier",
        "X509v3 Authority Key Identifier",
    ):
        assert line in text, line
    assert ("Digital Signature" in text) != ("Key Encipherment" in text)
    assert made.not_after - made.not_before <= timedelta(days=PROFILES[kind].days_max, hours=1)


def test_authorities(house: Any, tmp_path: Path) -> None:
    assert (kind_of(house.root), kind_of(house.issuer)) == ("root", "issuer")
    for certificate, length in ((house.root, 1), (house.issuer, 0)):
        (tmp_path / "c.pem").write_bytes(certificate.pem())
        text = openssl("x509", "-in", tmp_path / "c.pem", "-noout", "-text")
        assert f"CA:TRUE, pathlen:{length}" in text
        assert "Certificate Sign, CRL Sign" in text


def test_requests_prove_the_key_and_openssl_agrees(house: Any, tmp_path: Path) -> None:
    subject = Subject(common_name="市中心", id="city-1", zone="gov", unit="网信办", organization="某市")
    for kind, key in (("center-sign", house.key), ("center-encrypt", house.wrap)):
        der = request_der(key, kind, subject)
        asked = read_request(der)
        verify_request(asked)
        assert subject_of(asked) == subject
        assert asked.spki == key.public.spki()
        (tmp_path / "r.pem").write_bytes(pem.encode(der, REQUEST))
        distid = f"distid:{DEFAULT_ID.decode()}"
        said = openssl("req", "-in", tmp_path / "r.pem", "-noout", "-text", "-verify", "-vfyopt", distid)
        assert "verify OK" in said
        assert "URI:urn:liuhe:center:city-1" in said


def test_serials_are_random_positive_and_short() -> None:
    serials = {new_serial() for _ in range(200)}
    assert len(serials) == 200
    assert all(0 < serial < 1 << 127 and serial.bit_length() >= 64 for serial in serials)


def test_what_is_not_issued(house: Any) -> None:
    def make(kind: Kind, **changes: Any) -> None:
        members: dict[str, Any] = {
            "issuer": house.issuer,
            "key": house.issuer_key,
            "serial": 5,
            "now": house.now,
            "days": 10,
            **changes,
        }
        spki = members.pop("spki", house.key.public.spki())
        issue(kind, Subject(common_name="a", id="a"), spki, **members)

    make("sensor")
    for kind, changes in (
        ("issuer", {}),  # an issuer makes no issuers
        ("root", {}),
        ("sensor", {"issuer": house.root, "key": house.root_key}),  # a root makes no leaves
        ("sensor", {"issuer": house.leaf, "key": house.key}),
        ("sensor", {"key": house.other}),
        ("sensor", {"now": house.now + timedelta(days=400)}),
        ("sensor", {"spki": house.issuer.spki}),
    ):
        with pytest.raises((Refused, BadInput)) as caught:
            make(kind, **changes)  # type: ignore[arg-type]
        assert caught.value.code in ("issue-refused", "certificate-profile"), (kind, changes)
    with pytest.raises(BadInput, match="key-malformed"):
        make("sensor", spki=bytes.fromhex("300c300706052b8104000603010004"))


def test_limits_of_the_profile(house: Any) -> None:
    assert PROFILES["sensor"].days_max <= 366
    assert max(PROFILES[kind].days_max for kind in LEAVES) <= 3 * 366
    for kind in KINDS:
        for days in (0, PROFILES[kind].days_max + 1):
            with pytest.raises(BadInput, match="certificate-profile"):
                check_days(kind, days)
        assert issued_by(kind) in ("root", "issuer")
    for name, zone, unit in (
        ("", "", ""),
        ("a b", "", ""),
        ("a", "x/y", ""),
        ("a", "", "\n"),
        ("x" * 65, "", ""),
    ):
        with pytest.raises(BadInput, match="certificate-profile"):
            uris("sensor", name, zone, unit)
    assert uris("sensor", "a", "z", "网信办")[2] == "urn:liuhe:unit:%E7%BD%91%E4%BF%A1%E5%8A%9E"
    for changes in (
        {"common_name": ""},
        {"common_name": "x" * 65},
        {"organization": "a\x1b"},
        {"country": "CHN"},
    ):
        with pytest.raises(BadInput, match="certificate-profile"):
            Subject(**{"common_name": "a", **changes}).name()


def test_a_certificate_ends_with_its_issuer(house: Any) -> None:
    short = issue_root(house.other, Subject(common_name="短"), serial=1, now=house.now, days=5)
    below = issue(
        "issuer",
        Subject(common_name="市"),
        SigningKey.generate().public.spki(),
        issuer=short,
        key=house.other,
        serial=2,
        now=house.now,
        days=100,
    )
    assert below.not_after == short.not_after
