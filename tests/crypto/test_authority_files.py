"""Folders of an authority and of trust: from the root to a revoked leaf, and lists that never go back."""

from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from crypto import keys, pem
from crypto.authority_files import KEY_NAME, AuthorityFolder
from crypto.chain import TrustStore
from crypto.crl import read_crls, verify_crl
from crypto.keys import DecryptionKey, SigningKey
from crypto.profile import Kind
from crypto.trust_files import TrustFolder, fingerprint_words, read_file
from crypto.words import BadInput, LiuheError, Refused
from crypto.x509 import REQUEST, Certificate, read_certificates, read_request
from crypto.x509_issue import Subject, request_der

DAY = timedelta(days=1)


class Both(NamedTuple):
    """A province and a city, each in its folder."""

    province: AuthorityFolder
    city: AuthorityFolder
    now: Any

    def leaf(self, key: SigningKey | DecryptionKey, kind: Kind = "center-sign") -> Certificate:
        subject = Subject(common_name="一号", id="one")
        request = read_request(pem.encode(request_der(key, kind, subject), REQUEST))
        return self.city.issue(kind, request, subject, None, now=self.now, days=30)


@pytest.fixture
def both(tmp_path: Path, house: Any) -> Both:
    province, city = AuthorityFolder(tmp_path / "province"), AuthorityFolder(tmp_path / "city")
    province.create_root(Subject(common_name="省根"), None, house.now, 3_000)
    city.keys.new(KEY_NAME, "sign", None, house.now)
    key = city.keys.signing_key(KEY_NAME, None)
    subject = Subject(common_name="市")
    request = read_request(request_der(key, "issuer", subject))
    made = province.issue("issuer", request, subject, None, now=house.now, days=2_000)
    city.install(made)
    return Both(province, city, house.now)


def test_from_root_to_revoked_leaf(both: Both, tmp_path: Path) -> None:
    key = SigningKey.generate()
    leaf = both.leaf(key)
    trust = TrustFolder(tmp_path / "trust")
    root = both.province.certificate()
    trust.add_root(root, fingerprint_words(root.fingerprint).upper(), both.now)
    with pytest.raises(Refused, match="chain-crl-missing"):
        trust.add_issuer(both.city.certificate(), both.now)
    assert trust.add_crl(both.province.make_crl(None, now=both.now)) == root
    trust.add_issuer(both.city.certificate(), both.now)
    old = both.city.make_crl(None, now=both.now)
    trust.add_crl(old)
    held = trust.store().verify(leaf, at=both.now, usage="sign")
    assert held.identity.id == "one"

    entry = both.city.revoke(f"0x{leaf.serial:X}", "key-compromise", both.now)
    assert entry.revoked == both.now
    trust.add_crl(both.city.make_crl(None, now=both.now))
    with pytest.raises(Refused, match="chain-revoked"):
        trust.store().verify(leaf, at=both.now, usage="sign")
    with pytest.raises(Refused, match="crl-rollback"):
        trust.add_crl(old)
    with pytest.raises(Refused, match="chain-revoked"):
        trust.store().verify(leaf, at=both.now, usage="sign")


def test_the_register_knows_all(both: Both) -> None:
    leaf = both.leaf(SigningKey.generate())
    issued = both.city.issued()
    assert [(one.kind, one.identity, int(one.serial, 16)) for one in issued] == [
        ("center-sign", "center:one", leaf.serial)
    ]
    kept = both.city.path / "issued" / f"{leaf.serial:x}.pem"
    assert read_certificates(kept.read_bytes()) == [leaf]
    assert (both.city.path / "register.json").stat().st_mode & 0o777 == 0o600
    assert both.city.path.stat().st_mode & 0o777 == 0o700
    for serial in ("ff", "", "zz"):
        with pytest.raises(Refused, match="serial-unknown"):
            both.city.revoke(serial, "superseded", both.now)
    both.city.revoke(f"{leaf.serial:x}", "superseded", both.now)
    with pytest.raises(Refused, match="serial-unknown"):
        both.city.revoke(f"{leaf.serial:x}", "superseded", both.now)


def test_list_numbers_grow_and_ended_certificates_leave(both: Both) -> None:
    leaf = both.leaf(SigningKey.generate())
    both.city.revoke(f"{leaf.serial:x}", "superseded", both.now)
    made = [both.city.make_crl(None, now=both.now + days * DAY) for days in (0, 40, 62)]
    assert [crl.number for crl in made] == [1, 2, 3]
    assert [len(crl.revoked) for crl in made] == [1, 1, 0]
    verify_crl(made[2], both.city.certificate())
    assert read_crls((both.city.path / "crl.pem").read_bytes())[0].number == 3


def test_one_key_has_one_use(both: Both) -> None:
    wrap = DecryptionKey.generate()
    both.leaf(wrap, "center-encrypt")
    both.leaf(wrap, "center-encrypt")
    with pytest.raises(Refused, match="issue-refused"):
        both.leaf(wrap, "center-sign")


def test_a_request_of_somebody_else_s_key_is_refused(both: Both) -> None:
    subject = Subject(common_name="a", id="a")
    one, two = (request_der(SigningKey.generate(), "person", subject) for _ in range(2))
    stolen = read_request(one)
    mixed = type(stolen)(
        **{
            name: getattr(read_request(two) if name == "spki" else stolen, name)
            for name in ("der", "info", "algorithm", "signature", "subject", "spki", "extensions")
        }
    )
    with pytest.raises(Refused, match="signature-invalid"):
        both.city.issue("person", mixed, subject, None, now=both.now, days=3)
    assert both.city.issued() == ()


def test_a_full_disk_issues_nothing(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(keys, "replace_durably", full)
        with pytest.raises(OSError, match="No space"):
            both.leaf(SigningKey.generate())
    assert both.city.issued() == ()


def test_folders_that_are_no_authority(both: Both, tmp_path: Path, house: Any) -> None:
    with pytest.raises(LiuheError, match="authority-absent"):
        AuthorityFolder(tmp_path / "none").certificate()
    with pytest.raises(Refused, match="issue-refused"):
        both.city.install(both.province.certificate())
    with pytest.raises(Refused, match="key-taken"):
        both.province.create_root(Subject(common_name="省根"), None, house.now, 30)
    (both.city.path / "register.json").write_bytes(b"{")
    with pytest.raises(BadInput, match="authority-register"):
        both.city.issued()


def test_what_is_not_trusted(both: Both, tmp_path: Path, house: Any) -> None:
    trust = TrustFolder(tmp_path / "trust")
    root = both.province.certificate()
    with pytest.raises(Refused, match="root-fingerprint"):
        trust.add_root(root, house.root.fingerprint, both.now)
    with pytest.raises(Refused, match="chain-expired"):
        trust.add_root(root, root.fingerprint, both.now + 4_000 * DAY)
    with pytest.raises(Refused, match="chain-root"):
        trust.add_root(both.city.certificate(), both.city.certificate().fingerprint, both.now)
    false = house.forge(root, house.other)
    with pytest.raises(Refused, match="signature-invalid"):
        trust.add_root(false, false.fingerprint, both.now)
    trust.add_root(root, root.fingerprint, both.now)
    with pytest.raises(Refused, match="crl-issuer"):
        trust.add_crl(house.crls()[0])
    with pytest.raises(Refused, match="chain-no-issuer"):
        trust.add_issuer(house.issuer, both.now)
    assert trust.contents() == ((root,), (), ())
    assert isinstance(trust.store(), TrustStore)
    with pytest.raises(LiuheError, match="certificate-unreadable"):
        read_file(tmp_path / "none.pem")
