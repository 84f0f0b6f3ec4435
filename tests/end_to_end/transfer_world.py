"""Two centers with a channel between them, for the tests of transfers."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from crypto.certified import CertifiedSigner
from crypto.crl import Crl, Revoked, make_crl
from crypto.key_files import KeyFolder
from crypto.keys import DecryptionKey, EncryptionKey, PublicKey, SigningKey
from crypto.package import Source
from crypto.profile import Kind
from crypto.transfer.outgoing import Outgoing, Person
from crypto.trust_files import TrustFolder
from crypto.words import Words
from crypto.x509 import Certificate, read_certificate
from crypto.x509_issue import Subject, issue, issue_root, new_serial
from detection.store.state import open_state
from rules import ROOT
from soc_api.transfer_channels import Channel, Channels
from soc_api.transfer_desk import Parts
from soc_api.transfer_ferry import Ferry
from soc_api.transfer_gate import Decision, load_policy
from soc_api.transfer_import import ImportService
from soc_api.transfer_road import RoadService
from soc_api.transfer_service import Ask, TransferService
from soc_api.transfer_store import TransferStore
from soc_api.transfer_trust import Names

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
FILES = {"报告.txt": "六合月报\n".encode(), "data/a.json": b'{"a": 1}'}


class OpenGate:
    """Says yes until told which check stands against it."""

    failed: tuple[str, ...] = ()

    def ask(self, action: str, system: str, label: str, now: datetime, **about: str) -> Decision:
        return Decision(
            allowed=not self.failed, failed_checks=self.failed, reason=Words("未通过", "does not pass")
        )


class World:
    """City sends to province over a directory."""

    def __init__(self, folder: Path, *, one_way: bool = False, receipts: bool = True) -> None:
        self.folder = folder
        self.author: Any
        self.approver: Any
        self.author, self.approver, self.other = (SigningKey.generate() for _ in range(3))
        self.station: Any
        self.province: Any
        self.station, self.province = SigningKey.generate(), SigningKey.generate()
        self.wrap = DecryptionKey.generate()
        self.zhang = Person(name="zhang", key_id=self.author.public.key_id)
        self.li = Person(name="li", key_id=self.approver.public.key_id)
        self.gate = OpenGate()
        keys = folder / "keys"
        keys.mkdir(parents=True)
        for name in ("author", "approver", "station", "province", "wrap"):
            getattr(self, name).public.save(keys / f"{name}.pem")
        self.common: dict[str, Any] = {
            "id": "city-province",
            "sender": "市中心",
            "receiver": "省中心",
            "from_zone": "supervision",
            "to_zone": "extranet",
            "directory": str(folder / "road"),
            "receipts": str(folder / "back") if receipts else "",
            "one_way": one_way,
            "recipients": (str(keys / "wrap.pem"),),
            "receipt_keys": (str(keys / "province.pem"),),
            "authors": (str(keys / "author.pem"),),
            "approvers": (str(keys / "approver.pem"),),
            "stations": (str(keys / "station.pem"),),
        }
        self.city = self.parts("city", "out")
        self.service = TransferService(self.city)
        self.out = RoadService(self.city)
        self.there = self.importer()

    def parts(self, name: str, direction: Any, **changes: Any) -> Parts:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        engine = open_state(f"sqlite:///{folder / 'state.sqlite'}", create=True)
        return Parts(
            store=TransferStore(engine),
            ferry=Ferry(folder / "transfer"),
            channels=Channels(folder, [Channel(direction=direction, **{**self.common, **changes})]),
            policy=load_policy(ROOT / "transfer"),
            gate=self.gate,
            system="local",
        )

    def importer(self, effect: Any = None, **changes: Any) -> ImportService:
        self.province_parts = self.parts("province", "in", **changes)
        keys = {self.wrap.public.key_id: self.wrap}
        return ImportService(self.province_parts, keys, self.province, effect)

    def request(self, files: Mapping[str, bytes] = FILES, **changes: Any) -> Outgoing:
        asked: dict[str, Any] = {
            "channel": "city-province",
            "application": "申请-1",
            "purpose": "月报",
            "label": "一般",
        }
        sources = [Source(name, lambda data=data: io.BytesIO(data)) for name, data in files.items()]
        return self.service.request(Ask(**{**asked, **changes}), sources, self.zhang, NOW)

    def sealed(self, files: Mapping[str, bytes] = FILES, **changes: Any) -> str:
        transfer = self.request(files, **changes).request.id
        self.service.approve(transfer, self.li, self.approver, NOW)
        self.service.seal(transfer, self.zhang, self.author, NOW)
        return transfer

    def exported(self, files: Mapping[str, bytes] = FILES, **changes: Any) -> str:
        transfer = self.sealed(files, **changes)
        self.service.export(transfer, "zhang", NOW)
        return transfer

    def on_road(self) -> list[Path]:
        return sorted((self.folder / "road").glob("*.liuhe"))

    def received(self) -> list[dict[str, bytes]]:
        root = self.folder / "province" / "transfer" / "received"
        return [
            {
                path.relative_to(one).as_posix(): path.read_bytes()
                for path in sorted(one.rglob("*"))
                if path.is_file()
            }
            for one in sorted(root.iterdir())
        ]

    def state(self, transfer: str) -> str:
        with self.city.store.reading() as acts:
            return acts.outgoing(transfer).state


class CertifiedWorld(World):
    """The same with nothing pinned: one root above both centers, an issuer for each, people below."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        super().__init__(folder)
        self.number = 0
        self.revoked: dict[str, list[Revoked]] = {"root": [], "city": [], "province": []}
        self.keys = {name: SigningKey.generate() for name in ("root", "city", "province")}
        root = Subject(common_name="省根", organization="某省")
        self.tops = {"root": issue_root(self.keys["root"], root, serial=new_serial(), now=NOW, days=7_000)}
        for name in ("city", "province"):
            self.tops[name] = self.certificate("issuer", self.keys[name], name, by="root")
        for name, who in (("author", "zhang"), ("approver", "li")):
            setattr(self, name, self.signer(getattr(self, name), "person", who))
        self.station = self.signer(self.station, "center-sign", "city-1")
        self.province = self.signer(self.province, "center-sign", "province-1", by="province")
        self.wrapping = self.certificate("center-encrypt", self.wrap, "province-1", by="province")
        (folder / "wrap.pem").write_bytes(self.wrapping.pem() + self.tops["province"].pem())
        self.trust = {name: TrustFolder(folder / name / "trust") for name in ("city", "province")}
        for one in self.trust.values():
            one.add_root(self.tops["root"], self.tops["root"].fingerprint, NOW)
        self.lists(NOW)
        names = Names(
            authors=("person:zhang@city",),
            approvers=("person:li@city", "person:wang@city"),
            stations=("center:city-1@city",),
            receivers=("center:province-1@province",),
        )
        pinned = {"receipt_keys": (), "authors": (), "approvers": (), "stations": ()}
        self.common |= {**pinned, "recipients": (str(folder / "wrap.pem"),), "trust": names, **changes}
        self.city = self.parts("city", "out")
        self.service, self.out = TransferService(self.city), RoadService(self.city)
        self.there = self.importer()

    def certificate(
        self, kind: Kind, key: Any, name: str, *, by: str = "city", days: int = 300
    ) -> Certificate:
        """A leaf below an issuer, or an issuer below the root."""
        zone = name if kind == "issuer" else by
        return issue(
            kind,
            Subject(common_name=f"{kind} {name}", id=name, zone=zone),
            key.public.spki(),
            issuer=self.tops[by],
            key=self.keys[by],
            serial=new_serial(),
            now=NOW,
            days=days,
        )

    def signer(self, key: Any, kind: Kind, name: str, *, by: str = "city", days: int = 300) -> Any:
        """A key with its chain."""
        return CertifiedSigner(key, (self.certificate(kind, key, name, by=by, days=days), self.tops[by]))

    def revoke(self, signer: Any, *, by: str = "city", now: datetime = NOW) -> None:
        """By the next lists."""
        serial = read_certificate(signer.certificates[0]).serial
        self.revoked[by].append(Revoked(serial, now, "key-compromise"))

    def crl(self, by: str, now: datetime) -> Crl:
        """The next list of one authority."""
        return make_crl(self.tops[by], self.keys[by], self.revoked[by], number=self.number, now=now)

    def lists(self, now: datetime, *ends: str) -> None:
        """New lists of all three into the folders of both ends, or of those named."""
        self.number += 1
        for end in ends or ("city", "province"):
            for by in self.tops:
                if by != "root" and self.number == 1:
                    self.trust[end].add_issuer(self.tops[by], NOW)
                self.trust[end].add_crl(self.crl(by, now))


class Authorities:
    """A root and an issuer below it, for centers whose keys lie in folders."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.root_key, self.issuer_key = SigningKey.generate(), SigningKey.generate()
        root = Subject(common_name="省根", organization="某省")
        self.root = issue_root(self.root_key, root, serial=new_serial(), now=now, days=7_000)
        self.issuer = self._issue("issuer", self.issuer_key, "", self.root, self.root_key)
        self.revoked: list[Revoked] = []
        self.number = 0

    def certify(self, keys: KeyFolder, key: str, kind: Kind, name: str) -> Certificate:
        """A certificate for the current key of a name, kept beside it."""
        public = keys.public(keys.find(key))
        leaf = self._issue(kind, _Holder(public), name, self.issuer, self.issuer_key)
        keys.keep_chain((leaf, self.issuer))
        return leaf

    def revoke(self, leaf: Certificate) -> None:
        """By the next list."""
        self.revoked.append(Revoked(leaf.serial, self.now, "key-compromise"))

    def trust(self, folder: Path) -> None:
        """Make a folder of trust, or renew its lists."""
        trust = TrustFolder(folder)
        trust.add_root(self.root, self.root.fingerprint, self.now)
        self.number += 1
        trust.add_crl(make_crl(self.root, self.root_key, (), number=self.number, now=self.now))
        trust.add_issuer(self.issuer, self.now)
        trust.add_crl(make_crl(self.issuer, self.issuer_key, self.revoked, number=self.number, now=self.now))

    def _issue(self, kind: Kind, key: Any, name: str, issuer: Certificate, by: SigningKey) -> Certificate:
        subject = Subject(common_name=name or "签发机构", id=name, zone="gov")
        spki, serial = key.public.spki(), new_serial()
        return issue(kind, subject, spki, issuer=issuer, key=by, serial=serial, now=self.now, days=300)


class _Holder(NamedTuple):
    public: PublicKey | EncryptionKey
