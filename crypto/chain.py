"""Whether a certificate may be believed: an own verifier of chains from a trusted root down to the leaf.

    store = TrustStore(roots, intermediates=..., crls=...)
    verified = store.verify(leaf, at=now, usage="sign", kinds={"center-sign"}, extra=sent_along)
    verified.key, verified.identity, verified.chain

It returns what was verified or raises Refused with one of the codes ``chain-*``; nothing else leaves it.
Checked are, for every certificate: version, algorithm (SM2 with SM3 alone, inside as outside), serial, key
(on the SM2 curve), no extension twice, nothing critical that is not understood, validity at the given time,
signature with the given SM2 identity, revocation by a fresh list of the very issuer; for issuers: CA flag,
key usage, path length; for the leaf: that it is none, key usage, extended key usage, kind, and a zone within
its issuer's.

Names compare byte by byte. Anything that RFC 5280 leaves to policy is decided for refusal.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal

from crypto import asn1
from crypto.crl import NEXT_UPDATE_MAX, REASON_WORDS, Crl, verify_crl
from crypto.keys import EncryptionKey, PublicKey
from crypto.pkcs8 import Use
from crypto.profile import LEAVES, PROFILES, Kind, kind_of, words_of
from crypto.sm2 import DEFAULT_ID
from crypto.words import BadInput, Refused, Words
from crypto.x509 import SM2_WITH_SM3_DER, Certificate, Identity, read_certificate, verify_signature

CERTIFICATES_MAX: Final = 5  # of a chain, root and leaf included; our profile has three
EXTRA_MAX: Final = 16  # certificates that somebody sends along
PATHS_MAX: Final = 32  # tried before giving up: an attacker may give many certificates one name
STEPS_MAX: Final = 512  # of looking for paths
SERIAL_BYTES_MAX: Final = 20
CLOCK_SLACK: Final = timedelta(minutes=10)  # a list issued on a machine a little ahead of ours
UNDERSTOOD: Final = frozenset(
    {
        asn1.BASIC_CONSTRAINTS,
        asn1.KEY_USAGE,
        asn1.EXTENDED_USAGE,
        asn1.ALTERNATIVE_NAME,
        asn1.SUBJECT_KEY,
        asn1.AUTHORITY_KEY,
    }
)
_USAGES: Final[dict[Use, str]] = {"sign": "digital_signature", "encrypt": "key_encipherment"}
Revocation = Literal["required", "known", "unsafe-skip"]
"""``known``: a list that is here is honoured, even an old one, but none need be: for links, which carry the
newest lists themselves and must not stay cut for want of one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """A chain that held at a time."""

    chain: tuple[Certificate, ...]
    """Leaf first, root last."""
    at: datetime
    kind: Kind | None

    @property
    def leaf(self) -> Certificate:
        """The certificate that was asked about."""
        return self.chain[0]

    @property
    def identity(self) -> Identity:
        """Who its holder is."""
        return self.leaf.identity

    @property
    def key(self) -> PublicKey:
        """For verifying what the holder signed."""
        return self.leaf.public_key()

    @property
    def encryption_key(self) -> EncryptionKey:
        """For encrypting to the holder."""
        return self.leaf.encryption_key()


class TrustStore:
    """Roots that are believed, with the issuers and revocation lists known so far. Immutable."""

    def __init__(
        self,
        roots: Iterable[Certificate],
        *,
        intermediates: Iterable[Certificate] = (),
        crls: Iterable[Crl] = (),
        revocation: Revocation = "required",
        user_id: bytes = DEFAULT_ID,
    ) -> None:
        self.roots: Final = tuple(roots)
        for root in self.roots:
            if not root.self_issued or root.extensions.basic is None or not root.extensions.basic.ca:
                raise _refused("chain-root", f"{root.subject} 不是根证书", f"{root.subject} is not a root")
        self.intermediates: Final = tuple(intermediates)
        self.crls: Final = tuple(crls)
        self._revocation: Final = revocation
        self._user_id: Final = user_id
        self._lists: dict[str, list[Crl]] = {}

    def verify(
        self,
        leaf: Certificate,
        *,
        at: datetime,
        usage: Use,
        kinds: Collection[Kind] | None = LEAVES,
        extra: Sequence[Certificate] = (),
    ) -> Verified:
        """The chain of a leaf that may be used so; ``kinds`` None takes leaves of another profile too."""
        if len(extra) > EXTRA_MAX:
            raise _refused("chain-depth", "附带的证书过多", "too many certificates sent along")
        _raise_first(_leaf_flaws(leaf, usage, kinds))
        return self._verify(leaf, at, tuple(extra))

    def verify_issuer(self, issuer: Certificate, *, at: datetime) -> Verified:
        """The chain of an issuer's own certificate."""
        _raise_first(_issuer_flaws(issuer, 0))
        return self._verify(issuer, at, ())

    def verify_der(
        self,
        certificates: Sequence[bytes],
        *,
        at: datetime,
        usage: Use,
        kinds: Collection[Kind] | None = LEAVES,
    ) -> Verified:
        """The same for DER as it comes in a message, leaf first. Malformed ones are Refused as well."""
        if not 1 <= len(certificates) <= EXTRA_MAX:
            raise _refused("chain-depth", "没有证书,或证书过多", "no certificate, or too many")
        try:
            leaf, *extra = map(read_certificate, certificates)
        except BadInput as error:
            raise _refused("chain-malformed", error.what.zh, error.what.en) from error
        return self.verify(leaf, at=at, usage=usage, kinds=kinds, extra=extra)

    def _verify(self, leaf: Certificate, at: datetime, extra: tuple[Certificate, ...]) -> Verified:
        first: Refused | None = None
        for tried, path in enumerate(self._paths(leaf, extra)):
            if tried >= PATHS_MAX:
                break
            try:
                _raise_first(self._path_flaws(path, at))
            except Refused as error:
                first = first or error
                continue
            return Verified(chain=path, at=at, kind=kind_of(leaf))
        raise first or self._unanchored(leaf, extra)

    def _paths(self, leaf: Certificate, extra: tuple[Certificate, ...]) -> Iterator[tuple[Certificate, ...]]:
        """Every chain by names from the leaf to a root, none with the same certificate twice."""
        waiting: list[tuple[Certificate, ...]] = [(leaf,)]
        for _ in range(STEPS_MAX):
            if not waiting:
                return
            path = waiting.pop()
            if any(path[-1].der == root.der for root in self.roots):
                yield path
            elif len(path) < CERTIFICATES_MAX:
                above = [one for one in self._issuers(path[-1], extra) if one not in path]
                waiting += [(*path, one) for one in reversed(above)]

    def _issuers(self, certificate: Certificate, extra: tuple[Certificate, ...]) -> Iterator[Certificate]:
        seen: set[bytes] = set()
        for one in (*self.roots, *self.intermediates, *extra):
            if one.der not in seen and _may_have_issued(one, certificate):
                seen.add(one.der)
                yield one

    def _unanchored(self, leaf: Certificate, extra: tuple[Certificate, ...]) -> Refused:
        """Why there is no chain at all."""
        top, climbed = leaf, {leaf.der}
        while len(climbed) <= CERTIFICATES_MAX:
            above = next((one for one in self._issuers(top, extra) if one.der not in climbed), None)
            if above is None:
                break
            climbed.add(above.der)
            top = above
        if len(climbed) > CERTIFICATES_MAX:
            return _refused("chain-depth", "证书链过长", "the chain is too long")
        if top.self_issued or next(self._issuers(top, extra), None) is not None:
            return _refused(
                "chain-untrusted",
                f"证书链止于不受信任的 {top.subject}",
                f"the chain ends at {top.subject}, which is not trusted",
            )
        return _refused(
            "chain-no-issuer",
            f"找不到签发者 {top.issuer} 的证书",
            f"there is no certificate of the issuer {top.issuer}",
        )

    def _path_flaws(self, path: tuple[Certificate, ...], at: datetime) -> Iterator[Refused]:
        for certificate in path:
            yield from flaws(certificate, at)
        below = 0  # certificates between this issuer and the leaf that count for its path length
        for certificate, issuer in pairwise(path):
            yield from _issuer_flaws(issuer, below)
            below += not issuer.self_issued
            yield from self._signature_flaws(certificate, issuer)
            if self._revocation != "unsafe-skip":
                yield from self._revocation_flaws(certificate, issuer, at)
        if len(path) > 1:
            yield from self._signature_flaws(path[-1], path[-1])
            yield from _purpose_flaws(path)

    def _signature_flaws(self, certificate: Certificate, issuer: Certificate) -> Iterator[Refused]:
        try:
            key = issuer.public_key()
            verify_signature(
                key, certificate.tbs, certificate.algorithm, certificate.signature, user_id=self._user_id
            )
        except (Refused, BadInput):
            yield _refused(
                "chain-signature",
                f"{certificate.subject} 的签名不是 {issuer.subject} 的",
                f"{certificate.subject} was not signed by {issuer.subject}",
            )

    def _revocation_flaws(
        self, certificate: Certificate, issuer: Certificate, at: datetime
    ) -> Iterator[Refused]:
        named = [crl for crl in self.crls if crl.issuer.der == issuer.subject.der]
        good = self._verified_lists(issuer, named)
        strict = self._revocation == "required"
        begun = [crl for crl in good if crl.this_update <= at + CLOCK_SLACK] if strict else good
        if not strict and not good:
            return
        if named and not good:
            yield _refused(
                "chain-crl-signature",
                f"吊销列表不是 {issuer.subject} 签发的",
                f"the revocation list is not by {issuer.subject}",
            )
        elif not begun:
            yield _refused(
                "chain-crl-missing",
                f"没有 {issuer.subject} 在该时间的吊销列表",
                f"there is no revocation list of {issuer.subject} for that time",
            )
        else:
            latest = max(begun, key=lambda crl: (crl.number, crl.this_update))
            ends = min(latest.next_update, latest.this_update + NEXT_UPDATE_MAX)
            if strict and at > ends:
                yield _refused(
                    "chain-crl-stale",
                    f"{issuer.subject} 的吊销列表已于 {ends:%Y-%m-%d %H:%M} 过期",
                    f"the revocation list of {issuer.subject} ended at {ends:%Y-%m-%d %H:%M} UTC",
                )
            if (entry := latest.revoked.get(certificate.serial)) is not None:
                why = REASON_WORDS[entry.reason]
                yield _refused(
                    "chain-revoked",
                    f"{certificate.subject} 已于 {entry.time:%Y-%m-%d} 吊销:{why.zh}",
                    f"{certificate.subject} was revoked on {entry.time:%Y-%m-%d}: {why.en}",
                )

    def _verified_lists(self, issuer: Certificate, named: list[Crl]) -> list[Crl]:
        """Those lists that this very issuer signed; kept, since a list may be long."""
        known = self._lists.get(issuer.fingerprint)
        if known is None:
            known = []
            for crl in named:
                try:
                    verify_crl(crl, issuer, user_id=self._user_id)
                except (Refused, BadInput):
                    continue
                known.append(crl)
            self._lists[issuer.fingerprint] = known
        return known


def flaws(certificate: Certificate, at: datetime) -> Iterator[Refused]:
    """What is wrong with one certificate by itself at a time, its signature aside."""
    name, extensions = certificate.subject, certificate.extensions
    if certificate.version != 3:
        yield _refused("chain-version", f"{name} 不是第 3 版证书", f"{name} is not of version 3")
    if certificate.algorithm != SM2_WITH_SM3_DER or certificate.algorithm_inside != SM2_WITH_SM3_DER:
        yield _refused(
            "chain-algorithm",
            f"{name} 的签名算法不是 SM2-with-SM3",
            f"{name} is not signed with SM2 and SM3",
        )
    if not 0 < certificate.serial < 1 << (8 * SERIAL_BYTES_MAX - 1):
        yield _refused("chain-serial", f"{name} 的序列号无效", f"{name} has an invalid serial number")
    oids = [one.oid for one in extensions.every]
    if len(set(oids)) != len(oids):
        yield _refused("chain-duplicate-extension", f"{name} 有重复的扩展", f"{name} has an extension twice")
    if strange := sorted(_not_understood(certificate)):
        yield _refused(
            "chain-critical",
            f"{name} 有不能处理的关键扩展 {strange[0]}",
            f"{name} has a critical extension that is not understood, {strange[0]}",
        )
    try:
        certificate.public_key()
    except BadInput:
        yield _refused("chain-key", f"{name} 的公钥不是 SM2 公钥", f"the key of {name} is not an SM2 key")
    if at < certificate.not_before:
        begins = f"{certificate.not_before:%Y-%m-%d %H:%M}"
        yield _refused("chain-not-yet-valid", f"{name} 自 {begins} 起有效", f"{name} begins {begins} UTC")
    if at > certificate.not_after:
        ends = f"{certificate.not_after:%Y-%m-%d %H:%M}"
        yield _refused("chain-expired", f"{name} 已于 {ends} 过期", f"{name} ended {ends} UTC")


def _not_understood(certificate: Certificate) -> set[str]:
    """Critical extensions unknown to us, and constraints on names, which we do not apply."""
    every = certificate.extensions.every
    return {
        one.oid
        for one in every
        if (one.critical and one.oid not in UNDERSTOOD) or one.oid == asn1.NAME_CONSTRAINTS
    }


def _may_have_issued(issuer: Certificate, certificate: Certificate) -> bool:
    wanted, has = certificate.extensions.authority_key, issuer.extensions.subject_key
    return issuer.subject.der == certificate.issuer.der and (wanted is None or has is None or wanted == has)


def _issuer_flaws(issuer: Certificate, below: int) -> Iterator[Refused]:
    extensions, name = issuer.extensions, issuer.subject
    if extensions.basic is None or not extensions.basic.ca:
        yield _refused("chain-ca", f"{name} 不是签发机构", f"{name} is not an issuer")
    elif extensions.basic.path_length is not None and below > extensions.basic.path_length:
        yield _refused(
            "chain-path-length",
            f"{name} 之下至多 {extensions.basic.path_length} 级签发机构",
            f"{name} allows {extensions.basic.path_length} issuers below it",
        )
    if "key_cert_sign" not in (extensions.usage or ()):
        yield _refused("chain-usage", f"{name} 的密钥不能签发证书", f"the key of {name} may not issue")


def _leaf_flaws(leaf: Certificate, usage: Use, kinds: Collection[Kind] | None) -> Iterator[Refused]:
    extensions, name = leaf.extensions, leaf.subject
    if extensions.basic is not None and extensions.basic.ca:
        yield _refused("chain-usage", f"{name} 是签发机构的证书", f"{name} is the certificate of an issuer")
    if _USAGES[usage] not in (extensions.usage or ()) or "key_cert_sign" in (extensions.usage or ()):
        zh, en = ("签名", "signing") if usage == "sign" else ("加密", "encryption")
        yield _refused("chain-usage", f"{name} 不能用于{zh}", f"{name} is not for {en}")
    kind = kind_of(leaf)
    if kinds is not None and kind not in kinds:
        wanted = words_of([one for one in LEAVES if one in kinds])
        yield _refused("chain-kind", f"{name} 不是{wanted.zh}的证书", f"{name} is not of kind {wanted.en}")


def _purpose_flaws(path: tuple[Certificate, ...]) -> Iterator[Refused]:
    """Extended key usages down the chain, and the leaf's zone within that of its issuer."""
    leaf, kind = path[0], kind_of(path[0])
    if kind is not None:
        wanted = PROFILES[kind].extended
        for one in path:
            allowed = one.extensions.extended
            if allowed is None and one is not leaf:
                continue
            if not set(wanted) <= set(allowed or ()) and asn1.ANY_USAGE not in (allowed or ()):
                yield _refused(
                    "chain-usage",
                    f"{one.subject} 的扩展用途不含所需",
                    f"{one.subject} lacks the extended key usage",
                )
    for issuer in path[1:]:
        zones = issuer.extensions.named("zone")
        if zones and not set(leaf.extensions.named("zone")) & set(zones):
            yield _refused(
                "chain-zone",
                f"{leaf.subject} 不在 {issuer.subject} 的网络区内",
                f"{leaf.subject} is not in a zone of {issuer.subject}",
            )


def _raise_first(found: Iterator[Refused]) -> None:
    for one in found:
        raise one


def _refused(code: str, zh: str, en: str) -> Refused:
    return Refused(
        code,
        Words(f"证书不可信:{zh}", f"the certificate is not trusted: {en}"),
        Words("请核对证书链、时间与吊销列表", "check the chain, the time and the revocation lists"),
    )
