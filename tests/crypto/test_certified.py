"""Signers and recipients by certificates: a package sealed and opened with nothing pinned."""

import io
from typing import Any

import pytest

from crypto import package
from crypto.certified import CertifiedKeys, CertifiedSigner, certificates_of, recipient, signer_of
from crypto.key_files import KeyFolder
from crypto.keys import SigningKey
from crypto.package import APPROVER, AUTHOR, Trust
from crypto.words import Refused

ROLES: Any = {AUTHOR: {"person"}, APPROVER: {"person"}}


def chain(house: Any, key: SigningKey, kind: str = "person") -> tuple[bytes, ...]:
    return (house.issue(kind, key).der, house.issuer.der)


def test_a_package_from_certified_people(house: Any, road: Any, quarantine: Any) -> None:
    store = house.store(intermediates=())
    sources = road.sources({"a.txt": b"content"})
    to = recipient(house.issue("center-encrypt", house.wrap), store, at=house.now, extra=(house.issuer,))
    manifest = road.manifest(package.describe(sources), recipients=(to.key_id,))
    signed = [
        package.sign(manifest, role, key, chain(house, key))
        for role, key in ((AUTHOR, house.key), (APPROVER, house.other))
    ]
    sink = io.BytesIO()
    package.seal(sources, sink, manifest=manifest, signatures=signed, recipients=[to])
    trust = CertifiedKeys(store, ROLES, at=house.now)
    asks: Trust = trust
    package.open_(
        io.BytesIO(sink.getvalue()), recipient=house.wrap, trust=asks, quarantine=quarantine, now=house.now
    )
    assert quarantine.seen == {"a.txt": b"content"}
    assert {role: str(held.identity) for role, held in trust.signers.items()} == {
        AUTHOR: "person:one@city",
        APPROVER: "person:one@city",
    }


def test_whose_word_does_not_count(house: Any, road: Any) -> None:
    manifest = road.manifest()
    key, other = house.key, SigningKey.generate()

    def code(certificates: tuple[bytes, ...], roles: Any = ROLES) -> str:
        signature = package.sign(manifest, AUTHOR, key, certificates)
        with pytest.raises(Refused) as caught:
            CertifiedKeys(house.store(), roles, at=house.now).public_key(signature, manifest)
        return caught.value.code

    assert code(()) == "chain-depth"
    assert code(chain(house, key, "center-sign")) == "chain-kind"
    assert code(chain(house, other)) == "signer-key"
    assert code(chain(house, key), {APPROVER: {"person"}}) == "signer-role"
    assert code((b"\x30\x00",)) == "chain-malformed"
    with pytest.raises(Refused, match="chain-usage"):
        recipient(house.issue("center-sign", key), house.store(), at=house.now)


def test_a_signer_sends_its_chain_without_the_root(house: Any, tmp_path: Any) -> None:
    folder = KeyFolder(tmp_path / "keys")
    folder.new("zhang", "sign", None, house.now)
    assert certificates_of(signer_of(folder, "zhang", None)) == ()
    leaf = house.issue("person", folder.signing_key("zhang", None))
    folder.keep_chain((house.root, leaf, house.issuer))
    signer = signer_of(folder, "zhang", None)
    assert certificates_of(signer) == (leaf.der, house.issuer.der)
    signer.public.verify(b"x", signer.sign(b"x"))
    assert certificates_of(house.key) == ()
    with pytest.raises(Refused, match="key-certificate"):
        CertifiedSigner(house.key, (leaf,) * 6)
