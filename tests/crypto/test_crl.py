"""Revocation lists: read back, read by OpenSSL, and refused where they are anything unusual."""

import subprocess
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import core
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1, x509_issue
from crypto import x509_forms as forms
from crypto.crl import REASON_WORDS, REASONS, Crl, Revoked, make_crl, read_crl, read_crls, verify_crl
from crypto.words import BadInput, Refused
from crypto.x509 import SM2_WITH_SM3_DER

DAY = timedelta(days=1)


@cache
def full(house: Any) -> Crl:
    entries = [Revoked(n + 1, house.now - n * DAY, reason) for n, reason in enumerate(REASONS)]
    return make_crl(house.issuer, house.issuer_key, entries, number=41, now=house.now)


def test_everything_comes_back(house: Any) -> None:
    made = full(house)
    assert (made.number, made.this_update, made.next_update) == (41, house.now, house.now + 7 * DAY)
    assert [made.revoked[n + 1].reason for n in range(len(REASONS))] == list(REASONS)
    assert set(REASON_WORDS) == set(REASONS)
    assert read_crls(made.pem() + made.pem()) == [made, made]
    verify_crl(made, house.issuer)
    empty = make_crl(house.root, house.root_key, (), number=1, now=house.now)
    assert empty.revoked == {}


def test_openssl_reads_it_and_we_read_openssl_s(house: Any, tmp_path: Path) -> None:
    (tmp_path / "crl.pem").write_bytes(full(house).pem())
    try:
        done = subprocess.run(
            ["openssl", "crl", "-in", tmp_path / "crl.pem", "-noout", "-text"],
            capture_output=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    text = done.stdout.decode()
    for line in ("Version 2", "SM2-with-SM3", "X509v3 CRL Number: \n                41", "Key Compromise"):
        assert line in text, line

    (tmp_path / "ca.pem").write_bytes(house.root.pem())
    (tmp_path / "ca.key").write_bytes(house.root_key.private_pem(None))
    (tmp_path / "index").write_text("R\t270101000000Z\t261101000000Z,keyCompromise\t1234\tunknown\t/CN=a\n")
    (tmp_path / "number").write_text("07\n")
    (tmp_path / "ca.cnf").write_text(
        f"[ca]\ndefault_ca=own\n[own]\ndatabase={tmp_path}/index\ncrlnumber={tmp_path}/number\n"
        "default_md=sm3\ndefault_crl_days=3\ncrl_extensions=ext\n[ext]\nauthorityKeyIdentifier=keyid\n"
    )
    command = ["openssl", "ca", "-config", tmp_path / "ca.cnf", "-gencrl", "-cert", tmp_path / "ca.pem"]
    options = ["-keyfile", tmp_path / "ca.key", "-sigopt", "distid:1234567812345678"]
    done = subprocess.run([*command, *options], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    theirs = read_crls(done.stdout)[0]
    verify_crl(theirs, house.root)
    assert theirs.number == 7
    assert theirs.revoked[0x1234].reason == "key-compromise"


def test_whose_it_is(house: Any) -> None:
    made = full(house)
    for issuer in (house.root, house.leaf):
        with pytest.raises(Refused, match="crl-issuer"):
            verify_crl(made, issuer)
    twin = house.forge(house.issuer, house.root_key, spki=house.other.public.spki())
    with pytest.raises(Refused, match="signature-invalid"):
        verify_crl(made, twin)
    with pytest.raises(Refused, match="signature-invalid"):
        verify_crl(made, house.issuer, user_id=b"ALICE123@YAHOO.COM")
    usage = next(one.value for one in house.leaf.extensions.every if one.oid == asn1.KEY_USAGE)
    mute = house.forge(house.issuer, house.root_key, extensions={asn1.KEY_USAGE: usage})
    with pytest.raises(Refused, match="crl-issuer"):
        verify_crl(made, mute)


def test_making_one_keeps_its_limits(house: Any) -> None:
    for lasts in (timedelta(days=8), timedelta(minutes=1)):
        with pytest.raises(BadInput, match="crl-lifetime"):
            make_crl(house.issuer, house.issuer_key, (), number=1, now=house.now, lasts=lasts)
    with pytest.raises(Refused, match="issue-refused"):
        make_crl(house.issuer, house.other, (), number=1, now=house.now)


def by_hand(house: Any, **changes: Any) -> bytes:
    """A list with members changed, honestly signed."""
    extensions = changes.pop("extensions", [(asn1.CRL_NUMBER, core.Integer(1).dump(), False)])
    members = {
        "version": 1,
        "algorithm": core.Any.load(SM2_WITH_SM3_DER),
        "issuer": core.Any.load(house.issuer.subject.der),
        "this_update": forms.write_time(house.now),
        "next_update": forms.write_time(house.now + DAY),
        "extensions": forms.Extensions(
            [x509_issue.extension(oid, value, critical=critical) for oid, value, critical in extensions]
        ),
        **changes,
    }
    return x509_issue.sign_content(house.issuer_key, forms.TbsCrl(members).dump())


def entries(*several: bytes) -> forms.Anything:
    return forms.Anything.load(forms.wrap(0x30, b"".join(several)))


def entry(house: Any, *extensions: tuple[str, bytes, bool], serial: int = 9) -> bytes:
    given = [x509_issue.extension(oid, value, critical=critical) for oid, value, critical in extensions]
    members = core.Integer(serial).dump() + forms.write_time(house.now).dump()
    return forms.wrap(0x30, members + (forms.Extensions(given).dump() if given else b""))


def test_unusual_lists_are_bad_input(house: Any) -> None:
    number = (asn1.CRL_NUMBER, core.Integer(1).dump(), False)
    read_crl(by_hand(house))
    read_crl(by_hand(house, revoked=entries(entry(house))))
    for changes in (
        {"version": 0},
        {"extensions": []},
        {"extensions": [number, number]},
        {"extensions": [(asn1.CRL_NUMBER, core.Integer(-1).dump(), False)]},
        {"extensions": [(asn1.CRL_NUMBER, b"\x04\x01a", False)]},
        {"extensions": [number, ("2.5.29.27", b"\x02\x01\x01", True)]},  # delta
        {"extensions": [number, ("2.5.29.28", b"\x30\x00", True)]},  # for a part of the certificates
        {"extensions": [number, ("1.2.3", b"\x05\x00", True)]},
        {"revoked": entries(entry(house), entry(house))},
        {"revoked": entries(b"\x30\x00")},
        {"revoked": entries(b"\x04\x00")},
        {"revoked": entries(forms.wrap(0x30, b"\x02\x01\x05" * 4))},
        {"revoked": entries(entry(house, (asn1.CRL_REASON, b"\x0a\x01\x08", False)))},  # removeFromCRL
        {"revoked": entries(entry(house, (asn1.CRL_REASON, b"\x0a\x01\x07", False)))},
        {"revoked": entries(entry(house, ("2.5.29.29", b"\x30\x00", True)))},  # of another issuer
    ):
        with pytest.raises(BadInput):
            read_crl(by_hand(house, **changes))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_lists_are_refused(house: Any, data: st.DataObject) -> None:
    der = bytearray(full(house).der)
    for _ in range(data.draw(st.integers(1, 4))):
        der[data.draw(st.integers(0, len(der) - 1))] ^= data.draw(st.integers(1, 255))
    if bytes(der) == full(house).der:
        return
    try:
        verify_crl(read_crl(bytes(der)), house.issuer)
    except (BadInput, Refused):
        return
    pytest.fail("a mutated list was believed")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=200))
def test_random_bytes_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput):
        read_crls(data)


@pytest.mark.slow
def test_a_long_list_is_read_in_time(house: Any) -> None:
    entries = [Revoked(n + 1, house.now, "superseded") for n in range(20_000)]
    made = make_crl(house.issuer, house.issuer_key, entries, number=1, now=house.now)
    assert len(made.revoked) == 20_000
