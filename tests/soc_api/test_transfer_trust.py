"""Channels that go by certificates: who counts, who is refused and why, at both ends and for receipts."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transfer_world import NOW, CertifiedWorld

from crypto.certified import CertifiedSigner
from crypto.keys import SigningKey
from crypto.transfer.outgoing import Person
from crypto.transfer.receipt import decode_receipt
from crypto.words import BadInput, LiuheError, Refused
from soc_api.transfer_channels import load_channels
from soc_api.transfer_intake import CenterIntake, Desk
from soc_api.transfer_trust import Names

DAY = timedelta(days=1)


def outcome(world: CertifiedWorld, now: Any = NOW) -> tuple[str, str]:
    (one,) = world.there.import_all("city-province", now)
    return one.state, one.reason.code if one.reason else ""


def refused(act: Callable[[], object]) -> str:
    with pytest.raises((Refused, BadInput)) as caught:
        act()
    return caught.value.code


def careless(world: CertifiedWorld) -> None:
    """The sender looks at nothing: what it lets out is for the receiver to refuse."""
    world.city.channels.check_signed = lambda *_: None  # type: ignore[method-assign]


def test_from_people_to_a_receipt_with_nothing_pinned(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    transfer = world.exported()
    assert outcome(world) == ("imported", "")
    assert world.received()
    (receipt,) = (tmp_path / "back").glob("*.receipt")
    assert len(decode_receipt(receipt.read_bytes()).certificates) == 2
    assert (transfer, "confirmed") in world.out.take_receipts("city-province", NOW)
    world.out.heartbeat("city-province", world.station, NOW)
    assert outcome(world) == ("imported", "")


def test_whoever_is_revoked_is_refused_at_both_ends(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    ready, asked = world.sealed(), world.request().request.id
    world.service.export(ready, "zhang", NOW)
    world.revoke(world.approver)
    world.lists(NOW, "province")
    assert outcome(world) == ("refused", "chain-revoked")
    (receipt,) = (tmp_path / "back").glob("*.receipt")
    assert "吊销" in str(decode_receipt(receipt.read_bytes()).receipt.reason)
    assert not world.received()
    world.lists(NOW, "city")
    assert refused(lambda: world.service.approve(asked, world.li, world.approver, NOW)) == "chain-revoked"
    assert refused(lambda: world.service.export(ready, "zhang", NOW)) == "chain-revoked"
    assert world.state(ready) == "exported"


def test_an_approver_revoked_before_export_holds_it_back(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    transfer = world.request().request.id
    world.service.approve(transfer, world.li, world.approver, NOW)
    world.revoke(world.approver)
    world.lists(NOW)
    assert refused(lambda: world.service.seal(transfer, world.zhang, world.author, NOW)) == "chain-revoked"
    assert not list((tmp_path / "city/transfer/sealed").iterdir())


def test_whoever_is_expired_is_refused(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.author = world.signer(world.author, "person", "zhang", days=2)
    world.exported()
    world.lists(NOW + 3 * DAY, "province")
    assert outcome(world, NOW + 3 * DAY) == ("refused", "chain-expired")


def test_an_old_revocation_list_waits_and_a_ferry_brings_the_next(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    later = NOW + 7.5 * DAY
    transfer = world.sealed(days=9)
    world.lists(NOW + 4 * DAY, "city")
    world.service.export(transfer, "zhang", NOW + 5 * DAY)
    lists = sorted((tmp_path / "road").glob("*.crl"))
    assert len(lists) == 3
    aside = [path.rename(tmp_path / path.name) for path in lists]
    assert outcome(world, later) == ("waiting", "chain-crl-stale")
    assert world.on_road()
    for path in aside:
        path.rename(tmp_path / "road" / path.name)
    assert outcome(world, later) == ("imported", "")
    assert not list((tmp_path / "road").glob("*.crl"))


def test_a_missing_list_is_no_consent(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.exported()
    for path in [*(tmp_path / "province/trust/crls").iterdir(), *(tmp_path / "road").glob("*.crl")]:
        path.unlink()
    assert outcome(world) == ("waiting", "chain-crl-missing")


def test_old_and_foreign_lists_are_not_taken(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    old = world.crl("city", NOW)
    stranger = CertifiedWorld(tmp_path / "other").crl("city", NOW)
    world.lists(NOW, "province")
    for name, data in (("a", old.pem()), ("b", stranger.pem()), ("c", b"noise")):
        (tmp_path / "road").mkdir(exist_ok=True)
        (tmp_path / "road" / f"{name * 32}.crl").write_bytes(data)
    before = world.trust["province"].contents().crls
    world.there.import_all("city-province", NOW)
    assert world.trust["province"].contents().crls == before
    assert sorted(path.name[0] for path in (tmp_path / "road/refused").iterdir()) == ["b", "c"]


@pytest.mark.parametrize(
    ("name", "kind", "by", "code"),
    [
        ("chen", "person", "city", "transfer-signer"),  # nobody the channel names
        ("zhang", "person", "province", "transfer-signer"),  # the name, but of another zone
        ("wang", "person", "city", "transfer-signer-name"),  # named, but not who the manifest says
        ("zhang", "center-sign", "city", "chain-kind"),
        ("zhang", "sensor", "city", "chain-kind"),
    ],
)
def test_a_signer_who_does_not_count(tmp_path: Path, name: str, kind: Any, by: str, code: str) -> None:
    world = CertifiedWorld(tmp_path, trust=everybody(wang=True))
    world.author = world.signer(world.author, kind, name, by=by)
    transfer = world.request().request.id
    world.service.approve(transfer, world.li, world.approver, NOW)
    assert refused(lambda: world.service.seal(transfer, world.zhang, world.author, NOW)) == code
    careless(world)
    world.service.seal(transfer, world.zhang, world.author, NOW)
    world.service.export(transfer, "zhang", NOW)
    assert outcome(world) == ("refused", code)


def everybody(*, wang: bool = False) -> Names:
    return Names(
        authors=("person:zhang@city", *(("person:wang@city",) if wang else ())),
        approvers=("person:*@city",),
        stations=("center:city-1@city",),
        receivers=("center:province-1@province",),
    )


def test_one_person_with_two_certified_keys_is_still_one(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path, trust=everybody())
    other = SigningKey.generate()
    twin = CertifiedSigner(other, (world.certificate("person", other, "ZHANG"), world.tops["city"]))
    transfer = world.request().request.id
    careless(world)
    world.service.approve(transfer, Person(name="ZHANG", key_id=other.public.key_id), twin, NOW)
    world.service.seal(transfer, world.zhang, world.author, NOW)
    world.service.export(transfer, "zhang", NOW)
    assert outcome(world) == ("refused", "transfer-dual-control")


def test_without_certificates_nobody_counts_but_pinned_keys_do(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.author = world.author._key
    transfer = world.request().request.id
    world.service.approve(transfer, world.li, world.approver, NOW)
    seal = lambda: world.service.seal(transfer, world.zhang, world.author, NOW)  # noqa: E731
    assert refused(seal) == "chain-depth"
    careless(world)
    seal()
    world.service.export(transfer, "zhang", NOW)
    assert outcome(world) == ("refused", "package-untrusted")
    world.there = world.importer(authors=(str(tmp_path / "keys/author.pem"),))
    again = tmp_path / "road/refused" / f"{transfer}.liuhe"
    again.rename(tmp_path / "road" / again.name)
    assert outcome(world) == ("imported", "")
    world.there = world.importer(revoked=(world.approver.public.key_id,))
    world.author = world.signer(world.author, "person", "zhang")
    world.exported()
    assert outcome(world) == ("refused", "transfer-key-revoked")


def test_nobody_is_encrypted_to_whose_certificate_does_not_hold(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    transfer = world.request().request.id
    world.service.approve(transfer, world.li, world.approver, NOW)
    world.revoke(CertifiedSigner(world.other, (world.wrapping,)), by="province")
    world.lists(NOW)
    assert refused(lambda: world.service.seal(transfer, world.zhang, world.author, NOW)) == "chain-revoked"
    assert not list((tmp_path / "city/transfer/sealed").iterdir())
    assert refused(world.request) == "chain-revoked"
    other = world.certificate("center-encrypt", world.wrap, "province-2", by="province")
    (tmp_path / "wrap.pem").write_bytes(other.pem() + world.tops["province"].pem())
    assert refused(world.request) == "transfer-signer"
    world.city = world.parts("city", "out", trust=None)
    (channel,) = world.city.channels.all
    assert refused(lambda: world.city.channels.recipients(channel, NOW)) == "transfer-channels"


def test_a_receipt_by_another_center_does_not_count(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.exported()
    world.province = world.signer(world.other, "center-sign", "province-2", by="province")
    world.there = world.importer()
    assert outcome(world) == ("imported", "")
    assert [state for _, state in world.out.take_receipts("city-province", NOW)] == ["transfer-signer"]
    (channel,) = world.city.channels.all
    (bad,) = (tmp_path / "back/refused").glob("*.receipt")
    signed = decode_receipt(bad.read_bytes())
    stolen = msgspec.structs.replace(
        signed, certificates=(world.certificate("center-sign", world.author, "province-1").der,)
    )
    data = msgspec.json.encode(stolen)
    assert refused(lambda: world.out.take_receipt(channel, data, NOW)).startswith(("chain-", "signer-"))


def test_a_receipt_waits_for_fresh_lists_too(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    transfer = world.exported()
    assert outcome(world) == ("imported", "")
    for path in (tmp_path / "back").glob("*.crl"):
        path.unlink()
    later = NOW + 8 * DAY
    (said,) = world.out.take_receipts("city-province", later)
    assert said[1] == "chain-crl-stale"
    world.lists(later, "city")
    assert world.out.take_receipts("city-province", later) == [(transfer, "confirmed")]


def test_online_the_header_is_held_against_the_same_trust(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.exported()
    (path,) = world.on_road()
    keys = {world.wrap.public.key_id: world.wrap}
    intake = CenterIntake(lambda: Desk(world.province_parts, world.there, keys))
    assert intake.header(path.read_bytes(), "市中心", NOW).manifest.attributes["author"] == "zhang"
    world.revoke(world.author)
    world.lists(NOW, "province")
    assert refused(lambda: intake.header(path.read_bytes(), "市中心", NOW)) == "chain-revoked"


def test_an_empty_trust_folder_is_ours_to_mend(tmp_path: Path) -> None:
    world = CertifiedWorld(tmp_path)
    world.exported()
    for path in (tmp_path / "province/trust/roots").iterdir():
        path.unlink()
    with pytest.raises(BadInput) as caught:
        world.there.import_all("city-province", NOW)
    assert caught.value.code == "transfer-trust"
    assert world.on_road()


def test_an_uncertified_sender_with_nobody_named_is_left_to_the_receiver(tmp_path: Path) -> None:
    names = Names(receivers=("center:province-1@province",))
    world = CertifiedWorld(tmp_path, trust=names)
    world.author, certified = world.author._key, world.approver
    assert world.state(world.exported()) == "exported"
    world.revoke(certified)
    world.lists(NOW)
    transfer = world.request().request.id
    assert refused(lambda: world.service.approve(transfer, world.li, certified, NOW)) == "chain-revoked"


GOOD = 'format = 1\n[[channel]]\nid = "a"\ndirection = "in"\nsender = "s"\nreceiver = "r"\nfrom_zone = "x"\n'
GOOD += 'to_zone = "y"\ndirectory = "d"\n[channel.trust]\n'


@pytest.mark.parametrize(
    ("line", "good"),
    [
        ('authors = ["person:zhang@gov", "person:*@gov", "person:a.b-c"]', True),
        ('stations = ["center:city-1@gov"]', True),
        ('authors = ["center:city-1@gov"]', False),
        ('receivers = ["person:zhang@gov"]', False),
        ('authors = ["zhang"]', False),
        ('authors = ["person:zh*@gov"]', False),
        ('authors = ["person:zhang@*"]', False),
        ('unknown = ["person:zhang@gov"]', False),
    ],
)
def test_names_of_the_register(tmp_path: Path, line: str, good: bool) -> None:
    (tmp_path / "channels.toml").write_text(GOOD + line, "utf-8")
    if good:
        (channel,) = load_channels(tmp_path).all
        assert channel.trust is not None
        return
    assert refused(lambda: load_channels(tmp_path)) == "transfer-channels"


@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60), more=st.text(max_size=60))
def test_no_name_breaks_the_register(tmp_path_factory: Any, text: str, more: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    quoted = msgspec.json.encode(text).decode()
    (folder / "channels.toml").write_bytes(f"{GOOD}authors = [{quoted}]\n{more}".encode("utf-8", "replace"))
    try:
        found = load_channels(folder)
    except LiuheError:
        return
    assert found.all[0].id == "a"
