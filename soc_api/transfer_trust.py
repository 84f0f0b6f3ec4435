"""Trust of a channel by certificates: who may stand for which role, proven by chains to trusted roots.

A signature counts where its key is pinned, or where the certificates it carries hold now (chain, usage,
validity, a fresh revocation list) and name somebody whom the channel names for the role. A person's name in
the manifest must be the id in the certificate, and one identity never stands for two roles.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from crypto.certified import CertifiedKeys
from crypto.certified import recipient as certified_recipient
from crypto.chain import TrustStore, Verified
from crypto.keys import EncryptionKey, PublicKey
from crypto.package import APPROVER, AUTHOR, Manifest, PinnedKeys, Signature
from crypto.profile import Kind
from crypto.transfer.receipt import SignedReceipt
from crypto.transfer.request import HEARTBEAT, STATION, same_person
from crypto.trust_files import TrustFolder
from crypto.words import BadInput, Refused, Words
from crypto.x509 import Certificate, Identity

RECEIVER: Final = "receiver"
KINDS: Final[Mapping[str, frozenset[Kind]]] = {
    AUTHOR: frozenset({"person"}),
    APPROVER: frozenset({"person"}),
    STATION: frozenset({"center-sign"}),
    RECEIVER: frozenset({"center-sign"}),
}
# Nothing is wrong with what was signed: our own revocation lists are to be renewed first.
RENEWABLE: Final = frozenset({"chain-crl-missing", "chain-crl-stale"})
_PERSONS: Final = (AUTHOR, APPROVER)
_ID: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
_NAME: Final = re.compile(rf"(person|center):(?:\*|{_ID})(?:@{_ID})?")


class Names(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[channel.trust]``: a folder as ``liuhe cert trust`` makes it, and who may be what.

    Names are ``person:<id>@<zone>`` for authors and approvers, ``center:<id>@<zone>`` for stations
    (heartbeats) and receivers (receipts, encryption); ``*`` as the id is anybody of the zone.
    """

    folder: str = "trust"
    authors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()

    def of(self, role: str) -> tuple[str, ...]:
        """Who may stand for a role."""
        every = {AUTHOR: self.authors, APPROVER: self.approvers, STATION: self.stations}
        return {**every, RECEIVER: self.receivers}.get(role, ())

    def flaws(self) -> Iterator[str]:
        """Names that can be nobody's."""
        for role in KINDS:
            wanted = "person:" if role in _PERSONS else "center:"
            yield from (
                one for one in self.of(role) if not _NAME.fullmatch(one) or not one.startswith(wanted)
            )


class Trusted:
    """The certificates of one channel at one time; it remembers who signed one package as what."""

    def __init__(self, names: Names, folder: Path, revoked: frozenset[str], at: datetime) -> None:
        """Raises BadInput where the folder is damaged or holds no root: ours to mend, whoever sends."""
        self.names: Final = names
        self._revoked: Final = revoked
        self._at: Final = at
        self._store: Final = _store(folder)
        self._keys: Final = CertifiedKeys(self._store, KINDS, at=at)

    @property
    def signers(self) -> Mapping[str, Verified]:
        """Who signed as what, once verified."""
        return self._keys.signers

    def public_key(self, signature: Signature, manifest: Manifest, *, anybody: bool = False) -> PublicKey:
        """The key of a signature on a package; ``anybody`` need not be named. Raises Refused."""
        key = self._keys.public_key(signature, manifest)
        role, identity = signature.role, self.signers[signature.role].identity
        if not anybody:
            self._check_named(role, identity)
        if role in _PERSONS and manifest.attributes.get(role) != identity.id:
            raise Refused(
                "transfer-signer-name",
                Words(
                    f"清单所记 {role} 与证书身份 {identity} 不是同一人",
                    f"the manifest names another {role} than the certificate, {identity}",
                ),
                Words("签名密钥名须与证书中的人员编号一致", "sign with a key named as the certificate's id"),
                field=role,
            )
        others = [held.identity for one, held in self.signers.items() if one != role]
        if any(str(one).casefold() == str(identity).casefold() for one in others):
            raise same_person()
        return key

    def receipt_key(self, signed: SignedReceipt) -> PublicKey:
        """The key of a receipt, where one of the receivers signed it. Raises Refused."""
        if signed.key_id in self._revoked:
            raise key_revoked(signed.key_id)
        key = self._keys.public_key(_Receiver(RECEIVER, signed.key_id, signed.certificates), None)
        self._check_named(RECEIVER, self.signers[RECEIVER].identity)
        return key

    def recipient(self, chain: Sequence[Certificate]) -> EncryptionKey:
        """The key of a receiver to encrypt to. Raises Refused."""
        leaf, *extra = chain
        key = certified_recipient(leaf, self._store, at=self._at, extra=extra)
        self._check_named(RECEIVER, leaf.identity)
        return key

    def _check_named(self, role: str, identity: Identity) -> None:
        if not any(_is(name, identity) for name in self.names.of(role)):
            raise Refused(
                "transfer-signer",
                Words(
                    f"证书身份 {identity} 不在本通道的 {role} 名单内",
                    f"{identity} by certificate is none of this channel's for the role {role}",
                ),
                Words("请核对证书,或在通道登记中加入", "check the certificate, or register the name"),
                field=str(identity)[:160],
            )


class _Receiver(NamedTuple):
    role: str
    key_id: str
    certificates: Sequence[bytes]


class ChannelTrust:
    """The signers of one package: people sign transfers, the station heartbeats, the revoked nothing."""

    def __init__(
        self, pinned: PinnedKeys, revoked: frozenset[str] = frozenset(), trusted: Trusted | None = None
    ) -> None:
        self._pinned: Final = pinned
        self._revoked: Final = revoked
        self._trusted: Final = trusted

    def public_key(self, signature: Signature, manifest: Manifest) -> PublicKey:
        """The key for this role. Raises Refused."""
        if signature.key_id in self._revoked:
            raise key_revoked(signature.key_id)
        if (signature.role == STATION) != (manifest.kind == HEARTBEAT):
            raise Refused(
                "transfer-role",
                Words("签名角色与数据包类别不符", "the signer's role is not one of this kind of package"),
                Words("请核对发送方", "check the sender"),
                field=signature.role,
            )
        try:
            return self._pinned.public_key(signature, manifest)
        except Refused:
            if self._trusted is None or not signature.certificates:
                raise
        return self._trusted.public_key(signature, manifest)


def key_revoked(key_id: str) -> Refused:
    """The refusal of a key that the channel's register revokes by its id."""
    return Refused(
        "transfer-key-revoked",
        Words("签名密钥已被吊销", "the signing key is revoked"),
        Words("请让发送方用有效密钥重新签发", "ask the sender to sign with a valid key"),
        field=key_id,
    )


def _store(folder: Path) -> TrustStore:
    store = TrustFolder(folder).store()
    if not store.roots:
        raise BadInput(
            "transfer-trust",
            Words(
                f"信任目录 {folder.name} 中没有根证书", f"there is no root in the trust folder {folder.name}"
            ),
            Words(
                "用 liuhe cert trust 加入根、签发机构与吊销列表",
                "add root, issuers and lists: liuhe cert trust",
            ),
            field=str(folder),
        )
    return store


def _is(name: str, identity: Identity) -> bool:
    """Whether a name of the register means this identity."""
    kind, _, rest = name.partition(":")
    wanted, _, zone = rest.partition("@")
    return (kind, zone) == (identity.kind, identity.zone) and wanted in {"*", identity.id}
