"""``liuhe cert``: show, verify and trust here; see also ``authority_commands`` and ``envelope_commands``."""

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.keys_commands import say
from crypto.profile import LEAVES
from crypto.words import BadInput, LiuheError, Refused, Words

if TYPE_CHECKING:
    from crypto.chain import TrustStore
    from crypto.explain import Explanation

_TRUST = str(Words("信任目录", "the folder of what is trusted"))
_AT = str(Words("按该时间核验,默认现在", "the time to judge by, else now"))
_ROOT = str(Words("信任的根证书,可重复", "a root to trust; may be repeated"))
_CHAIN = str(Words("附带的签发机构证书,可重复", "certificates of issuers; may be repeated"))
_CRL = str(Words("吊销列表,可重复", "a revocation list; may be repeated"))
_KIND = str(Words("须为这一类别,可重复;默认任一类别", "it must be of this kind; may be repeated; else any"))
_UNSAFE = str(Words("不查吊销(不安全)", "do not look at revocation (unsafe)"))
_FINGERPRINT = str(Words("以其他途径得知的根证书 SM3 指纹", "the SM3 of the root, known by another way"))
_JSON = str(Words("输出 JSON", "print JSON"))


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of certificates."""
    from crypto import authority_commands, envelope_commands

    top = subparsers.add_parser("cert", help=str(Words("证书", "certificates")))
    actions = top.add_subparsers(dest="action", metavar="ACTION", required=True)
    authority_commands.add(actions)
    envelope_commands.add(actions)
    show = actions.add_parser(
        "show", help=str(Words("用平常话说明证书", "explain a certificate in plain words"))
    )
    verify = actions.add_parser("verify", help=str(Words("核验证书链", "verify a chain of certificates")))
    trust = actions.add_parser("trust", help=str(Words("加入信任目录", "add to the folder of trust")))
    for action in (show, verify):
        action.add_argument("file", type=Path, metavar="FILE", help=str(Words("证书文件", "the file")))
        action.add_argument("--trust", type=Path, metavar="DIR", help=_TRUST)
        action.add_argument("--at", metavar="TIME", help=_AT)
        action.add_argument("--json", action="store_true", help=_JSON)
    verify.add_argument("--root", type=Path, action="append", default=[], metavar="FILE", help=_ROOT)
    verify.add_argument("--chain", type=Path, action="append", default=[], metavar="FILE", help=_CHAIN)
    verify.add_argument("--crl", type=Path, action="append", default=[], metavar="FILE", help=_CRL)
    verify.add_argument("--kind", action="append", default=[], choices=LEAVES, help=_KIND)
    verify.add_argument("--unsafe-without-revocation", action="store_true", help=_UNSAFE)
    trust.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help=str(Words("证书或吊销列表", "files"))
    )
    trust.add_argument("--trust", type=Path, required=True, metavar="DIR", help=_TRUST)
    trust.add_argument("--fingerprint", metavar="SM3", default="", help=_FINGERPRINT)
    show.set_defaults(run=_show)
    verify.set_defaults(run=_verify)
    trust.set_defaults(run=_trust)


def _show(chosen: argparse.Namespace) -> int:
    from crypto import explain, pem
    from crypto.crl import CRL, read_crls
    from crypto.trust_files import TrustFolder, read_file
    from crypto.x509 import read_certificates, read_request

    data, at = read_file(chosen.file), _time(chosen.at)
    label = pem.label_of(data)
    found: list[Explanation]
    if label.endswith("CERTIFICATE REQUEST"):
        found = [explain.explain_request(read_request(data))]
    elif label == CRL:
        found = [explain.explain_crl(crl, at) for crl in read_crls(data)]
    elif label.endswith("PRIVATE KEY"):
        raise _wrong(
            "这是私钥,不是证书;请勿外传", "this is a private key, not a certificate: keep it to yourself"
        )
    else:
        store = TrustFolder(chosen.trust).store() if chosen.trust else None
        found = [explain.explain(one, at, store) for one in read_certificates(data)]
    if chosen.json:
        print(json.dumps([one.data() for one in found], ensure_ascii=False))
    else:
        print("\n\n".join(one.text() for one in found))
    return 1 if any(one.problems for one in found) else 0


def _verify(chosen: argparse.Namespace) -> int:
    from crypto.profile import PROFILES, kind_of
    from crypto.trust_files import read_file
    from crypto.x509 import read_certificates

    leaf, *extra = read_certificates(read_file(chosen.file))
    extra += [one for path in chosen.chain for one in read_certificates(read_file(path))]
    kind = kind_of(leaf)
    use = PROFILES[kind].use if kind else "sign"
    kinds = chosen.kind or LEAVES
    try:
        held = _store(chosen).verify(leaf, at=_time(chosen.at), usage=use, kinds=kinds, extra=extra)
    except Refused as error:
        if chosen.json:
            said = {"ok": False, "code": error.code, "reason": error.what._asdict()}
            print(json.dumps(said, ensure_ascii=False))
        raise
    if chosen.json:
        chain = [{"subject": str(one.subject), "fingerprint": one.fingerprint} for one in held.chain]
        said = {"ok": True, "kind": held.kind, "identity": str(held.identity), "chain": chain}
        print(json.dumps(said, ensure_ascii=False))
    else:
        for depth, one in enumerate(held.chain):
            print(f"{'  ' * depth}{one.subject}")
    say(Words(f"可信:{held.identity}", f"trusted: {held.identity}"))
    return 0


def _store(chosen: argparse.Namespace) -> "TrustStore":
    from crypto.chain import TrustStore
    from crypto.crl import read_crls
    from crypto.trust_files import TrustFolder, read_file
    from crypto.x509 import read_certificates

    roots, issuers, crls = TrustFolder(chosen.trust).contents() if chosen.trust else ((), (), ())
    more = [one for path in chosen.root for one in read_certificates(read_file(path))]
    lists = [one for path in chosen.crl for one in read_crls(read_file(path))]
    if not (*roots, *more):
        raise _wrong("没有信任的根:给 --trust 或 --root", "no root to trust: give --trust or --root")
    return TrustStore(
        (*roots, *more),
        intermediates=issuers,
        crls=(*crls, *lists),
        revocation="unsafe-skip" if chosen.unsafe_without_revocation else "required",
    )


def _trust(chosen: argparse.Namespace) -> int:
    """Roots first, then lists and issuers as long as one of them can be taken: each needs the one above."""
    from crypto import pem
    from crypto.crl import CRL, Crl, read_crls
    from crypto.trust_files import TrustFolder, read_file
    from crypto.x509 import Certificate, read_certificates

    folder, now = TrustFolder(chosen.trust), datetime.now(UTC)
    waiting: list[Certificate | Crl] = []
    for path in chosen.files:
        data = read_file(path)
        waiting += read_crls(data) if pem.label_of(data) == CRL else read_certificates(data)
    for root in [one for one in waiting if isinstance(one, Certificate) and one.self_issued]:
        folder.add_root(root, chosen.fingerprint, now)
        waiting.remove(root)
        say(Words(f"已信任根 {root.subject}", f"root trusted: {root.subject}"))
    while waiting:
        refused: list[LiuheError] = []
        before = list(waiting)
        for one in before:
            try:
                if isinstance(one, Certificate):
                    folder.add_issuer(one, now)
                    say(Words(f"已加入 {one.subject}", f"added {one.subject}"))
                else:
                    folder.add_crl(one)
                    say(Words(f"已加入第 {one.number} 号吊销列表", f"added revocation list {one.number}"))
            except Refused as error:
                refused.append(error)
                continue
            waiting.remove(one)
        if len(waiting) == len(before):
            raise refused[0]
    return 0


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise _wrong("--at 不是 ISO 8601 时间", "--at is not an ISO 8601 time") from None
    return time if time.tzinfo else time.astimezone()  # a bare date means this machine's day


def _wrong(zh: str, en: str) -> BadInput:
    return BadInput("certificate-argument", Words(zh, en), Words("请改正该参数", "correct it"))
