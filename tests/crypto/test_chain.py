"""Chains: what holds, a table of what must not, and the verdict of OpenSSL on the same certificates."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import asn1, x509_issue
from crypto import x509_forms as forms
from crypto.chain import STEPS_MAX, TrustStore, flaws
from crypto.crl import Revoked, make_crl, read_crl
from crypto.keys import SigningKey
from crypto.profile import LEAVES
from crypto.words import BadInput, Refused
from crypto.x509 import Certificate, read_certificate
from crypto.x509_issue import Subject, key_identifier

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
P256 = bytes.fromhex(
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
DEFAULT_ID = "distid:1234567812345678"


def code_of(step: Callable[[], object]) -> str:
    try:
        step()
    except Refused as error:
        return error.code
    return ""


def test_every_kind_of_leaf_holds_for_its_own_use(house: Any) -> None:
    for kind in LEAVES:
        key = house.wrap if kind == "center-encrypt" else house.key
        leaf = house.issue(kind, key)
        usage, wrong = ("encrypt", "sign") if kind == "center-encrypt" else ("sign", "encrypt")
        held = house.store().verify(leaf, at=house.now, usage=usage, kinds={kind})
        assert held.chain == (leaf, house.issuer, house.root)
        assert (held.kind, held.identity.id, held.identity.zone) == (kind, "one", "city")
        assert held.key.key_id == held.encryption_key.key_id == key.public.key_id
        assert code_of(lambda leaf=leaf, wrong=wrong: house.store().verify(leaf, at=house.now, usage=wrong))
        others = set(LEAVES) - {kind}
        assert house.store().verify(leaf, at=house.now, usage=usage).kind == kind
        assert (
            code_of(
                lambda leaf=leaf, usage=usage, others=others: house.store().verify(
                    leaf, at=house.now, usage=usage, kinds=others
                )
            )
            == "chain-kind"
        )


def test_the_issuer_may_come_along_and_der_is_taken(house: Any) -> None:
    store = house.store(intermediates=())
    assert store.verify(house.leaf, at=house.now, usage="sign", extra=[house.issuer]).leaf == house.leaf
    ders = [house.leaf.der, house.issuer.der]
    assert store.verify_der(ders, at=house.now, usage="sign").leaf == house.leaf
    assert code_of(lambda: store.verify_der([], at=house.now, usage="sign")) == "chain-depth"
    assert code_of(lambda: store.verify_der([b"x"], at=house.now, usage="sign")) == "chain-malformed"
    many = [house.issuer] * 17
    assert code_of(lambda: store.verify(house.leaf, at=house.now, usage="sign", extra=many)) == "chain-depth"


def basic(*, ca: bool, length: int | None = None) -> bytes:
    return bytes(
        forms.BasicConstraints({"ca": ca, **({} if length is None else {"path_length": length})}).dump()
    )


def usage_of(certificate: Certificate) -> bytes:
    return next(one.value for one in certificate.extensions.every if one.oid == asn1.KEY_USAGE)


def leaves(h: Any) -> dict[str, tuple[str, Certificate]]:
    """Broken leaves below a sound issuer: name -> (code, certificate)."""
    like, by = h.leaf, h.issuer_key
    tampered = bytearray(h.leaf.der)
    tampered[-1] ^= 1
    critical = ("1.2.3.4", b"\x05\x00", True)
    constraint = (asn1.NAME_CONSTRAINTS, b"\x30\x00", False)
    authority = forms.AuthorityKey({"key": b"\1" * 20}).dump()
    elsewhere = x509_issue._names(("urn:liuhe:center:one", "urn:liuhe:zone:other"))
    return {
        "expired": ("chain-expired", h.forge(like, by, ends=h.now - DAY)),
        "not yet valid": ("chain-not-yet-valid", h.forge(like, by, begins=h.now + DAY)),
        "wrong issuer name": ("chain-no-issuer", h.forge(like, by, issuer=Subject(common_name="无").name())),
        "other key identifier": (
            "chain-no-issuer",
            h.forge(like, by, extensions={asn1.AUTHORITY_KEY: authority}),
        ),
        "signed by another": ("chain-signature", h.forge(like, h.other)),
        "tampered signature": ("chain-signature", read_certificate(bytes(tampered))),
        "wrong distid": ("chain-signature", h.forge(like, by, user_id=b"ALICE123@YAHOO.COM")),
        "is an issuer": (
            "chain-usage",
            h.forge(like, by, extensions={asn1.BASIC_CONSTRAINTS: basic(ca=True)}),
        ),
        "no key usage": ("chain-usage", h.forge(like, by, extensions={asn1.KEY_USAGE: None})),
        "usage of an issuer": (
            "chain-usage",
            h.forge(like, by, extensions={asn1.KEY_USAGE: usage_of(h.issuer)}),
        ),
        "no extended usage": ("chain-usage", h.forge(like, by, extensions={asn1.EXTENDED_USAGE: None})),
        "extension twice": (
            "chain-duplicate-extension",
            h.forge(like, by, more=((asn1.KEY_USAGE, usage_of(like), True),)),
        ),
        "unknown critical": ("chain-critical", h.forge(like, by, more=(critical,))),
        "name constraints": ("chain-critical", h.forge(like, by, more=(constraint,))),
        "other curve": ("chain-key", h.forge(like, by, spki=P256)),
        "point off the curve": (
            "chain-key",
            h.forge(like, by, spki=like.spki[:-1] + bytes((like.spki[-1] ^ 1,))),
        ),
        "key too small": (
            "chain-key",
            h.forge(like, by, spki=bytes.fromhex("300c300706052b8104000603010004")),
        ),
        "other algorithm": ("chain-algorithm", h.forge(like, by, outside=ECDSA_SHA256)),
        "version 1": ("chain-version", h.forge(like, by, version=0)),
        "serial zero": ("chain-serial", h.forge(like, by, serial=0)),
        "serial negative": ("chain-serial", h.forge(like, by, serial=-5)),
        "serial too long": ("chain-serial", h.forge(like, by, serial=1 << 170)),
        "other zone": (
            "chain-zone",
            h.forge(like, by, extensions={asn1.ALTERNATIVE_NAME: bytes(elsewhere["value"].native)}),
        ),
        "no identity": ("chain-kind", h.forge(like, by, extensions={asn1.ALTERNATIVE_NAME: None})),
    }


def test_no_broken_leaf_is_believed(house: Any) -> None:
    for name, (code, leaf) in leaves(house).items():
        assert code_of(lambda leaf=leaf: house.store().verify(leaf, at=house.now, usage="sign")) == code, name


def test_no_broken_issuer_is_believed(house: Any) -> None:
    like, by = house.issuer, house.root_key
    authority = {asn1.AUTHORITY_KEY: None}
    broken = {
        "no CA flag": ("chain-ca", house.forge(like, by, extensions={asn1.BASIC_CONSTRAINTS: None})),
        "not a CA": ("chain-ca", house.forge(like, by, extensions={asn1.BASIC_CONSTRAINTS: basic(ca=False)})),
        "may not issue": (
            "chain-usage",
            house.forge(like, by, extensions={asn1.KEY_USAGE: usage_of(house.leaf)}),
        ),
        "expired": ("chain-expired", house.forge(like, by, ends=house.now - DAY)),
        "by another root": ("chain-signature", house.forge(like, house.other, extensions=authority)),
        "extended usage too narrow": (
            "chain-usage",
            house.forge(
                like, by, more=((asn1.EXTENDED_USAGE, forms.Oids([asn1.SERVER_AUTH]).dump(), False),)
            ),
        ),
    }
    for name, (code, issuer) in broken.items():
        store = house.store(intermediates=(issuer,))
        assert code_of(lambda s=store: s.verify(house.leaf, at=house.now, usage="sign")) == code, name
    sound = house.store(intermediates=(*(issuer for _, issuer in broken.values()), house.issuer))
    assert sound.verify(house.leaf, at=house.now, usage="sign").chain[1] == house.issuer


def test_path_length_is_kept(house: Any) -> None:
    below = house.forge(
        house.issuer,
        house.issuer_key,
        subject=Subject(common_name="县").name(),
        issuer=house.issuer.subject,
        spki=house.other.public.spki(),
        extensions={asn1.AUTHORITY_KEY: None, asn1.SUBJECT_KEY: None},
    )
    leaf = house.forge(house.leaf, house.other, issuer=below.subject, extensions={asn1.AUTHORITY_KEY: None})
    store = house.store(revocation="unsafe-skip")
    assert (
        code_of(lambda: store.verify(leaf, at=house.now, usage="sign", extra=[below])) == "chain-path-length"
    )


def test_revocation(house: Any) -> None:
    def verdict(**changes: Any) -> str:
        at = changes.pop("at", house.now)
        return code_of(lambda: house.store(**changes).verify(house.leaf, at=at, usage="sign"))

    gone = Revoked(house.leaf.serial, house.now, "key-compromise")
    assert verdict(crls=house.crls(issuer=(gone,))) == "chain-revoked"
    above = Revoked(house.issuer.serial, house.now, "ca-compromise")
    assert verdict(crls=house.crls(root=(above,))) == "chain-revoked"
    assert verdict(crls=house.crls(root=(gone,))) == ""  # a serial counts for its issuer alone
    assert verdict(crls=()) == "chain-crl-missing"
    assert verdict(crls=house.crls()[:1]) == "chain-crl-missing"
    assert verdict(at=house.now + 8 * DAY) == "chain-crl-stale"
    assert verdict(at=house.now - timedelta(minutes=9)) == ""
    assert verdict(crls=(), revocation="unsafe-skip") == ""
    early = make_crl(house.issuer, house.issuer_key, (), number=9, now=house.now + DAY)
    assert verdict(crls=(house.crls()[0], early)) == "chain-crl-missing"
    newer = make_crl(house.issuer, house.issuer_key, (gone,), number=2, now=house.now)
    assert verdict(crls=(newer, *house.crls())) == "chain-revoked"
    damaged = bytearray(house.crls()[1].der)
    damaged[-1] ^= 1
    assert verdict(crls=(house.crls()[0], read_crl(bytes(damaged)))) == "chain-crl-signature"


def test_a_list_by_another_key_of_the_same_name_is_refused(house: Any) -> None:
    twin = house.forge(house.issuer, house.root_key, spki=house.other.public.spki())
    wrong = make_crl(twin, house.other, (), number=5, now=house.now)
    store = house.store(crls=(house.crls()[0], wrong))
    assert code_of(lambda: store.verify(house.leaf, at=house.now, usage="sign")) == "chain-crl-signature"


def test_loops_and_floods_end(house: Any) -> None:
    free = {asn1.AUTHORITY_KEY: None, asn1.SUBJECT_KEY: None}
    one, two = Subject(common_name="甲").name(), Subject(common_name="乙").name()
    key = house.other.public.spki()
    ring = [
        house.forge(house.issuer, house.other, subject=a, issuer=b, spki=key, extensions=free)
        for a, b in ((one, two), (two, one))
    ]
    leaf = house.forge(house.leaf, house.other, issuer=one, extensions=free)
    assert (
        code_of(lambda: house.store().verify(leaf, at=house.now, usage="sign", extra=ring))
        == "chain-untrusted"
    )
    selves = [
        house.forge(
            house.issuer, house.other, subject=one, issuer=one, spki=key, extensions=free, serial=n + 1
        )
        for n in range(16)
    ]
    seen: list[Certificate] = []
    store = house.store()
    original = store._issuers
    store._issuers = lambda *given: seen.append(given[0]) or original(*given)  # type: ignore[method-assign]
    verdict = code_of(lambda: store.verify(leaf, at=house.now, usage="sign", extra=selves))
    assert verdict in ("chain-untrusted", "chain-depth")
    assert len(seen) <= STEPS_MAX + 8


def test_a_self_issued_stranger_and_a_false_root_are_refused(house: Any) -> None:
    stranger = x509_issue.issue_root(
        house.other, Subject(common_name="省根", organization="某省"), serial=8, now=house.now, days=100
    )
    assert code_of(lambda: house.store(roots=(stranger,)).verify(house.leaf, at=house.now, usage="sign"))
    assert code_of(lambda: TrustStore((house.issuer,))) == "chain-root"
    assert code_of(lambda: TrustStore((house.leaf,))) == "chain-root"
    assert code_of(lambda: house.store().verify(house.root, at=house.now, usage="sign")) == "chain-usage"
    broken = house.forge(house.root, house.other)
    assert code_of(lambda: house.store(roots=(broken,)).verify(house.leaf, at=house.now, usage="sign")) != ""


def test_issuers_by_themselves(house: Any) -> None:
    assert house.store().verify_issuer(house.issuer, at=house.now).kind == "issuer"
    assert code_of(lambda: house.store().verify_issuer(house.leaf, at=house.now)) == "chain-ca"


def test_flaws_are_all_named(house: Any) -> None:
    assert list(flaws(house.leaf, house.now)) == []
    bad = house.forge(house.leaf, house.issuer_key, version=0, serial=0, spki=P256, ends=house.now - DAY)
    assert [one.code for one in flaws(bad, house.now)] == [
        "chain-version",
        "chain-serial",
        "chain-key",
        "chain-expired",
    ]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_mutated_certificate_is_believed(house: Any, data: st.DataObject) -> None:
    der = bytearray(house.leaf.der)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(der) - 1))
        der[at] ^= data.draw(st.integers(1, 255))
    if bytes(der) == house.leaf.der:
        return
    with pytest.raises(Refused):
        house.store().verify_der([bytes(der), house.issuer.der], at=house.now, usage="sign")


# --- the verdict of OpenSSL


def direct(house: Any, **changes: Any) -> Certificate:
    """A leaf right below the root: OpenSSL 3.0 cannot verify SM2 chains with more between."""
    authority = forms.AuthorityKey({"key": key_identifier(house.root.spki)}).dump()
    extensions = {asn1.AUTHORITY_KEY: authority, **changes.pop("extensions", {})}
    signer = changes.pop("signer", house.root_key)
    changes.setdefault("issuer", house.root.subject)
    return house.forge(house.leaf, signer, extensions=extensions, **changes)


MUTATIONS = st.fixed_dictionaries(
    {},
    optional={
        "begins": st.integers(-400, 400),
        "ends": st.integers(-400, 400),
        "serial": st.integers(1, 1 << 100),
        "signer": st.sampled_from(["root", "other"]),
        "user_id": st.sampled_from([b"1234567812345678", b"ALICE123@YAHOO.COM"]),
        "issuer": st.sampled_from(["省根", "市根"]),
        "critical": st.booleans(),
        "ca": st.booleans(),
        "usage": st.sampled_from(["sign", "issue", "none"]),
        "extended": st.sampled_from([asn1.SERVER_AUTH, asn1.CLIENT_AUTH, "none"]),
        "authority": st.sampled_from(["right", "wrong", "none"]),
    },
)


def mutated(house: Any, drawn: dict[str, Any]) -> Certificate:
    """The leaf that a draw describes."""
    changes: dict[str, Any] = {name: drawn[name] for name in ("serial", "user_id") if name in drawn}
    for name in ("begins", "ends"):
        if name in drawn:
            # Off the very second: RFC 5280 4.1.2.5 counts notAfter as valid, OpenSSL 3.0's command does not.
            changes[name] = house.now + drawn[name] * DAY + SECOND
    if drawn.get("signer") == "other":
        changes["signer"] = house.other
    if drawn.get("issuer") == "市根":
        changes["issuer"] = Subject(common_name="市根").name()
    extensions: dict[str, bytes | None] = {}
    if "ca" in drawn:
        extensions[asn1.BASIC_CONSTRAINTS] = basic(ca=drawn["ca"])
    if "usage" in drawn:
        values = {"sign": usage_of(house.leaf), "issue": usage_of(house.issuer), "none": None}
        extensions[asn1.KEY_USAGE] = values[drawn["usage"]]
    if "extended" in drawn:
        only = drawn["extended"]
        extensions[asn1.EXTENDED_USAGE] = None if only == "none" else forms.Oids([only]).dump()
    if drawn.get("authority") == "none":
        extensions[asn1.AUTHORITY_KEY] = None
    elif drawn.get("authority") == "wrong":
        extensions[asn1.AUTHORITY_KEY] = forms.AuthorityKey({"key": b"\2" * 20}).dump()
    more = (("1.2.3.4.5", b"\x05\x00", True),) if drawn.get("critical") else ()
    return direct(house, extensions=extensions, more=more, **changes)


# Where we refuse and OpenSSL, asked for no purpose, does not look.
STRICTER = {"chain-usage", "chain-kind", "chain-serial"}


def openssl_4_says(leaf: Certificate, root: Certificate, at: Any) -> bool:
    backend = pytest.importorskip("OpenSSL.crypto", reason="pyOpenSSL is not installed")
    store = backend.X509Store()
    store.add_cert(backend.load_certificate(backend.FILETYPE_ASN1, root.der))
    store.set_time(at)
    try:
        certificate = backend.load_certificate(backend.FILETYPE_ASN1, leaf.der)
        backend.X509StoreContext(store, certificate).verify_certificate()
    except (backend.X509StoreContextError, backend.Error):
        return False
    return True


@settings(max_examples=60, deadline=None)
@given(drawn=MUTATIONS)
def test_openssl_gives_the_same_verdict(house: Any, drawn: dict[str, Any]) -> None:
    leaf = mutated(house, drawn)
    ours = code_of(lambda: house.store().verify(leaf, at=house.now, usage="sign"))
    theirs = openssl_4_says(leaf, house.root, house.now)
    assert theirs or ours, f"we believe what OpenSSL refuses: {drawn}"
    assert not theirs or ours == "" or ours in STRICTER, f"{ours}, OpenSSL believes it: {drawn}"


def test_openssl_4_believes_the_whole_chain(house: Any) -> None:
    backend = pytest.importorskip("OpenSSL.crypto", reason="pyOpenSSL is not installed")
    store = backend.X509Store()
    store.add_cert(backend.load_certificate(backend.FILETYPE_ASN1, house.root.der))
    for crl in house.crls():
        import cryptography.x509

        store.add_crl(cryptography.x509.load_der_x509_crl(crl.der))
    store.set_flags(backend.X509StoreFlags.CRL_CHECK | backend.X509StoreFlags.CRL_CHECK_ALL)
    store.set_time(house.now + timedelta(hours=1))
    between = backend.load_certificate(backend.FILETYPE_ASN1, house.issuer.der)
    for kind in LEAVES:
        leaf = house.issue(kind, house.wrap if kind == "center-encrypt" else house.key)
        certificate = backend.load_certificate(backend.FILETYPE_ASN1, leaf.der)
        backend.X509StoreContext(store, certificate, [between]).verify_certificate()


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(drawn=MUTATIONS)
def test_the_openssl_command_gives_the_same_verdict(
    house: Any, tmp_path_factory: pytest.TempPathFactory, drawn: dict[str, Any]
) -> None:
    folder = tmp_path_factory.mktemp("verify")
    leaf = mutated(house, drawn)
    ours = code_of(lambda: house.store().verify(leaf, at=house.now, usage="sign"))
    theirs = command_says(folder, leaf, house.root, house.now)
    assert theirs or ours, f"we believe what OpenSSL refuses: {drawn}"
    assert not theirs or ours == "" or ours in STRICTER, f"{ours}, OpenSSL believes it: {drawn}"


def command_says(folder: Path, leaf: Certificate, root: Certificate, at: Any) -> bool:
    (folder / "root.pem").write_bytes(root.pem())
    (folder / "leaf.pem").write_bytes(leaf.pem())
    command = ["openssl", "verify", "-vfyopt", DEFAULT_ID, "-attime", str(int(at.timestamp()))]
    try:
        done = subprocess.run(
            [*command, "-CAfile", folder / "root.pem", folder / "leaf.pem"], capture_output=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no openssl command here")
    return done.returncode == 0


def test_the_openssl_command_agrees_on_the_plain_case(house: Any, tmp_path: Path) -> None:
    assert command_says(tmp_path, direct(house), house.root, house.now)
    assert not command_says(tmp_path, direct(house, signer=SigningKey.generate()), house.root, house.now)


def test_malformed_certificates_are_bad_input_only() -> None:
    with pytest.raises(BadInput):
        read_certificate(b"\x30\x00")
