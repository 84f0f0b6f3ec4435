"""A certificate, request or revocation list in words: who, by whom, for what, until when, what is amiss.

Everything is said in both languages; times are UTC. Nothing here decides anything: ``crypto.chain`` does, and
its reasons are repeated. Text out of a certificate is shown with control characters escaped.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

from crypto import asn1
from crypto.chain import TrustStore, flaws
from crypto.crl import REASON_WORDS, Crl
from crypto.pkcs8 import Use
from crypto.profile import LEAVES, PROFILES, kind_of
from crypto.trust_files import fingerprint_words
from crypto.words import LiuheError, Words
from crypto.x509 import SM2_WITH_SM3_DER, Certificate, Extensions, Request
from crypto.x509_issue import verify_request

SOON: Final = timedelta(days=30)
REVOKED_SHOWN_MAX: Final = 50
_USAGES: Final = {
    "digital_signature": Words("数字签名", "signing"),
    "content_commitment": Words("抗抵赖签名", "signing with commitment"),
    "key_encipherment": Words("加密密钥", "encrypting keys"),
    "data_encipherment": Words("加密数据", "encrypting data"),
    "key_agreement": Words("密钥协商", "key agreement"),
    "key_cert_sign": Words("签发证书", "issuing certificates"),
    "crl_sign": Words("签发吊销列表", "issuing revocation lists"),
    "encipher_only": Words("仅加密", "enciphering only"),
    "decipher_only": Words("仅解密", "deciphering only"),
}
_EXTENDED: Final = {
    asn1.SERVER_AUTH: Words("服务端身份", "identity of a server"),
    asn1.CLIENT_AUTH: Words("客户端身份", "identity of a client"),
    asn1.DOCUMENT: Words("文件与信封", "documents and envelopes"),
    asn1.ANY_USAGE: Words("任何用途", "any purpose"),
}


class Line(NamedTuple):
    """One fact: its name in the output, what it is called, what it says."""

    name: str
    label: Words
    text: Words


class Explanation(NamedTuple):
    """What there is to say."""

    title: Words
    lines: tuple[Line, ...]
    problems: tuple[Words, ...]
    notes: tuple[Words, ...] = ()
    trusted: bool = False
    """Verified up to a trusted root, and not only found without fault by itself."""

    def text(self) -> str:
        """For a person, in the reader's language."""
        width = 2 + max(_width(str(line.label)) for line in self.lines)
        rows = [str(self.title)]
        rows += [f"  {line.label}{' ' * (width - _width(str(line.label)))}{line.text}" for line in self.lines]
        rows += [f"  ✗ {problem}" for problem in self.problems]
        rows += [f"  · {note}" for note in self.notes]
        if not self.problems and self.trusted:
            rows.append(f"  ✓ {Words('可信', 'trusted')}")
        return "\n".join(rows)

    def data(self) -> dict[str, object]:
        """For a program: both languages."""
        return {
            "title": self.title._asdict(),
            "facts": {line.name: line.text._asdict() for line in self.lines},
            "problems": [problem._asdict() for problem in self.problems],
            "notes": [note._asdict() for note in self.notes],
            "trusted": self.trusted,
        }


def explain(certificate: Certificate, at: datetime, store: TrustStore | None = None) -> Explanation:
    """What a certificate says; with a store also whether it is trusted."""
    kind = kind_of(certificate)
    title = PROFILES[kind].words if kind else Words("其他规范的", "of another profile")
    lines = [
        Line("subject", Words("持有者", "who"), _plain(str(certificate.subject) or "–")),
        *_identity_lines(certificate.extensions),
        Line("issuer", Words("签发者", "by whom"), _issuer(certificate)),
        Line("usage", Words("用途", "for what"), _purpose(certificate.extensions)),
        Line("begins", Words("开始", "begins"), _plain(f"{certificate.not_before:%Y-%m-%d %H:%M} UTC")),
        Line("ends", Words("截止", "until when"), _until(certificate, at)),
        Line("serial", Words("序列号", "serial"), _plain(f"{certificate.serial:x}")),
        Line("algorithm", Words("签名算法", "algorithm"), _algorithm(certificate.algorithm)),
        Line("key", Words("公钥编号", "key id"), _plain(certificate.key_id)),
        Line("fingerprint", Words("SM3 指纹", "SM3"), _plain(fingerprint_words(certificate.fingerprint))),
    ]
    problems = [flaw.what for flaw in flaws(certificate, at)]
    notes: list[Words] = []
    if kind is None:
        notes.append(
            Words(
                "不是本系统的证书类别,核验时须明示接受", "no kind of ours: verifying must accept it expressly"
            )
        )
    if certificate.not_before <= at <= certificate.not_after < at + SOON:
        notes.append(Words("30 天内到期,请换发", "it ends within 30 days: renew it"))
    if store is not None:
        problems += [said for said in _trust(certificate, at, store) if said not in problems]
    else:
        notes.append(
            Words(
                "只看了证书本身;签名与吊销未核验",
                "the certificate alone: signature and revocation not checked",
            )
        )
    named = Words(f"{title.zh}证书", f"certificate, {title.en}")
    return Explanation(named, tuple(lines), tuple(problems), tuple(notes), store is not None and not problems)


def explain_request(request: Request) -> Explanation:
    """What a request asks, and whether its signature shows possession of the key."""
    problems = []
    try:
        verify_request(request)
    except LiuheError as error:
        problems.append(error.what)
    lines = (
        Line("subject", Words("申请者", "who"), _plain(str(request.subject) or "–")),
        *_identity_lines(request.extensions),
        Line("algorithm", Words("签名算法", "algorithm"), _algorithm(request.algorithm)),
    )
    note = Words("名称只是申请者的意愿,由签发者决定", "names are wishes: the issuer decides them")
    return Explanation(Words("证书申请", "certificate request"), lines, tuple(problems), (note,))


def explain_crl(crl: Crl, at: datetime) -> Explanation:
    """What a revocation list says; its signature is not checked here."""
    shown = sorted(crl.revoked.values(), key=lambda one: one.time, reverse=True)
    lines = [
        Line("issuer", Words("签发者", "by whom"), _plain(str(crl.issuer))),
        Line("number", Words("编号", "number"), _plain(str(crl.number))),
        Line("begins", Words("签发时间", "made"), _plain(f"{crl.this_update:%Y-%m-%d %H:%M} UTC")),
        Line("ends", Words("有效至", "until when"), _plain(f"{crl.next_update:%Y-%m-%d %H:%M} UTC")),
        Line("revoked", Words("已吊销", "revoked"), _plain(str(len(crl.revoked)))),
    ]
    for one in shown[:REVOKED_SHOWN_MAX]:
        why = REASON_WORDS[one.reason]
        text = Words(f"{one.time:%Y-%m-%d} {why.zh}", f"{one.time:%Y-%m-%d} {why.en}")
        lines.append(Line(f"revoked {one.serial:x}", _plain(f"{one.serial:x}"), text))
    problems = (
        [Words("已过期,须取得新的列表", "it has ended: get a newer one")] if at > crl.next_update else []
    )
    note = Words("签名未核验", "its signature was not checked")
    return Explanation(Words("吊销列表", "revocation list"), tuple(lines), tuple(problems), (note,))


def _trust(certificate: Certificate, at: datetime, store: TrustStore) -> list[Words]:
    kind = kind_of(certificate)
    try:
        if kind in LEAVES or kind is None:
            use = PROFILES[kind].use if kind else _guessed_use(certificate.extensions)
            store.verify(certificate, at=at, usage=use, kinds=None if kind is None else LEAVES)
        else:
            store.verify_issuer(certificate, at=at)
    except LiuheError as error:
        return [error.what]
    return []


def _guessed_use(extensions: Extensions) -> Use:
    return "encrypt" if "key_encipherment" in (extensions.usage or ()) else "sign"


def _identity_lines(extensions: Extensions) -> list[Line]:
    identity = extensions.identity
    found = []
    if identity.id:
        found.append(Line("identity", Words("身份", "identity"), _plain(f"{identity.kind}:{identity.id}")))
    for name, label in {"zone": Words("网络区", "zone"), "unit": Words("单位", "unit")}.items():
        values = extensions.named(name)
        if values:
            found.append(Line(name, label, _plain(", ".join(values))))
    return found


def _issuer(certificate: Certificate) -> Words:
    if certificate.self_issued:
        return Words("自己(根证书)", "itself (a root)")
    return _plain(str(certificate.issuer))


def _purpose(extensions: Extensions) -> Words:
    known = [words for name, words in _USAGES.items() if name in (extensions.usage or ())]
    known += [_EXTENDED.get(oid, _plain(oid)) for oid in extensions.extended or ()]
    if not known:
        return Words("未说明", "not said")
    return Words("、".join(words.zh for words in known), ", ".join(words.en for words in known))


def _until(certificate: Certificate, at: datetime) -> Words:
    ends = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    days = (certificate.not_after - at).days
    if days < 0:
        return Words(f"{ends}(已过期 {-days} 天)", f"{ends} ({-days} days ago)")
    return Words(f"{ends}(还有 {days} 天)", f"{ends} ({days} days left)")


def _algorithm(der: bytes) -> Words:
    if der == SM2_WITH_SM3_DER:
        return _plain("SM2-with-SM3")
    return Words("不是 SM2-with-SM3", "not SM2 with SM3")


def _plain(text: str) -> Words:
    return Words(text, text)


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if char > "\u2e7f" else 1 for char in text)
