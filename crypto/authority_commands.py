"""The part of ``liuhe cert`` that an authority runs: root, request, install, issue, revoke, crl."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.crl import REASONS
from crypto.keys_commands import asked, passphrase_options, say
from crypto.profile import KINDS, PROFILES, Kind
from crypto.words import Words

if TYPE_CHECKING:
    from crypto.key_files import KeyFolder
    from crypto.x509_issue import Subject

_AUTHORITY = str(Words("签发机构的目录", "the folder of the authority"))
_KIND = str(Words("证书类别", "kind of certificate"))
_OUTPUT = str(Words("写入的文件,不给则写标准输出", "the file to write, else stdout"))
_DAYS = str(Words("有效天数,默认为该类别的上限", "days it lasts, by default the most of its kind"))
_KEYS = str(Words("申请者的密钥目录", "the applicant's folder of keys"))
_KEY = str(Words("密钥名", "name of the key"))
_NEW = str(Words("市级机构:在此目录生成密钥并申请", "an issuer: make its key in this folder and ask"))
_LISTS = str(Words("列表有效小时数,至多 168", "hours the list lasts, at most 168"))
_CERTIFICATES = str(Words("证书,叶证书可附签发机构证书", "the certificate; of a key also its issuers'"))
_SERIAL = str(Words("序列号(十六进制)或证书文件", "a serial in hex, or the file of the certificate"))


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of an authority to ``liuhe cert``."""
    root = actions.add_parser("root", help=str(Words("建立省级根", "make the root of a province")))
    request = actions.add_parser("request", help=str(Words("生成证书申请", "make a certificate request")))
    install = actions.add_parser("install", help=str(Words("装入签发的证书", "install a certificate")))
    issue = actions.add_parser("issue", help=str(Words("签发证书", "issue a certificate")))
    revoke = actions.add_parser("revoke", help=str(Words("吊销证书", "revoke a certificate")))
    crl = actions.add_parser("crl", help=str(Words("签发吊销列表", "issue a revocation list")))
    for action in (root, issue, revoke, crl):
        action.add_argument("--authority", type=Path, required=True, metavar="DIR", help=_AUTHORITY)
    for action in (root, request, issue):
        _subject_options(action, name_required=action is not issue)
    for action in (root, issue):
        action.add_argument("--days", type=int, metavar="N", help=_DAYS)
    for action in (root, request):
        passphrase_options(action, new=True)
    for action in (issue, crl):
        passphrase_options(action, new=False)
    for action in (request, issue, crl):
        action.add_argument("--output", type=Path, metavar="FILE", help=_OUTPUT)
    request.add_argument("--authority", type=Path, metavar="DIR", help=_NEW)
    install.add_argument("--authority", type=Path, metavar="DIR", help=_AUTHORITY)
    for action in (request, install):
        action.add_argument("--keys", type=Path, metavar="DIR", help=_KEYS)
    request.add_argument("--key", metavar="NAME", help=_KEY)
    for action in (request, issue):
        action.add_argument("--kind", required=True, choices=KINDS[1:], help=_KIND)
    install.add_argument("files", type=Path, nargs="+", metavar="FILE", help=_CERTIFICATES)
    issue.add_argument("file", type=Path, metavar="REQUEST", help=str(Words("证书申请", "the request")))
    revoke.add_argument("serial", metavar="SERIAL", help=_SERIAL)
    revoke.add_argument("--reason", choices=REASONS, default="unspecified", help=str(Words("原因", "why")))
    crl.add_argument("--hours", type=int, default=168, metavar="N", help=_LISTS)
    root.set_defaults(run=_root)
    request.set_defaults(run=_request)
    install.set_defaults(run=_install)
    issue.set_defaults(run=_issue)
    revoke.set_defaults(run=_revoke)
    crl.set_defaults(run=_crl)


def _subject_options(parser: argparse.ArgumentParser, *, name_required: bool) -> None:
    names = {
        "--name": Words("名称(CN)", "its name (CN)"),
        "--id": Words("编号:传感器、中心或人员", "id of the sensor, center or person"),
        "--zone": Words("网络区", "network zone"),
        "--unit": Words("单位(OU)", "its unit (OU)"),
        "--organization": Words("机构(O)", "its organization (O)"),
    }
    for option, words in names.items():
        required = name_required and option == "--name"
        parser.add_argument(option, metavar="TEXT", required=required, help=str(words))


def _subject(chosen: argparse.Namespace, wished: "Subject | None" = None) -> "Subject":
    """What the options say, else what the request wishes."""
    from crypto.x509_issue import Subject

    def text(option: str, wish: str) -> str:
        given = getattr(chosen, option)
        return wish if given is None else str(given)

    return Subject(
        common_name=text("name", wished.common_name if wished else ""),
        id=text("id", wished.id if wished else ""),
        zone=text("zone", wished.zone if wished else ""),
        unit=text("unit", wished.unit if wished else ""),
        organization=text("organization", wished.organization if wished else ""),
        country=wished.country if wished else "CN",
    )


def _root(chosen: argparse.Namespace) -> int:
    from crypto.authority_files import AuthorityFolder
    from crypto.trust_files import fingerprint_words

    folder, now = AuthorityFolder(chosen.authority), datetime.now(UTC)
    days = PROFILES["root"].days_max if chosen.days is None else chosen.days
    with asked(chosen, needed=True, new=True) as secret:
        root = folder.create_root(_subject(chosen), secret, now, days)
        folder.make_crl(secret, now=now)
    print(root.fingerprint)
    words = fingerprint_words(root.fingerprint)
    say(
        Words(
            f"根证书与首份吊销列表在 {chosen.authority};请以其他途径公布 SM3 指纹 {words}",
            f"root and first revocation list are in {chosen.authority}; publish by another way: {words}",
        )
    )
    return 0


def _request(chosen: argparse.Namespace) -> int:
    from crypto import pem
    from crypto.profile import wrong
    from crypto.x509 import REQUEST
    from crypto.x509_issue import request_der

    kind: Kind = chosen.kind
    folder, name = _key_place(chosen)
    needed, new = True, False
    if chosen.authority is not None and not folder.records():
        new = True
    elif folder.find(name).use != PROFILES[kind].use:
        raise wrong("--key", "该密钥的用途与证书类别不符", "the key is not for what this kind is for")
    else:
        needed = folder.needs_passphrase(folder.find(name))
    with asked(chosen, needed=needed, new=new) as secret:
        if new:
            folder.new(name, "sign", secret, datetime.now(UTC))
        key = folder.private_key(folder.find(name), secret)
    _put(chosen.output, pem.encode(request_der(key, kind, _subject(chosen)), REQUEST))
    return 0


def _key_place(chosen: argparse.Namespace) -> "tuple[KeyFolder, str]":
    from crypto.authority_files import KEY_NAME, AuthorityFolder
    from crypto.key_files import KeyFolder
    from crypto.profile import wrong

    if chosen.authority is not None:
        if chosen.kind != "issuer":
            raise wrong("--authority", "只用于 --kind issuer", "is for --kind issuer alone")
        return AuthorityFolder(chosen.authority).keys, KEY_NAME
    if chosen.keys is None or chosen.key is None or chosen.kind == "issuer":
        raise wrong(
            "--keys",
            "叶证书给 --keys 与 --key,签发机构给 --authority",
            "give --keys and --key, or --authority for an issuer",
        )
    return KeyFolder(chosen.keys), str(chosen.key)


def _install(chosen: argparse.Namespace) -> int:
    from crypto.authority_files import AuthorityFolder
    from crypto.key_files import KeyFolder
    from crypto.profile import wrong
    from crypto.trust_files import read_file
    from crypto.x509 import read_certificates

    given = [one for path in chosen.files for one in read_certificates(read_file(path))]
    if (chosen.authority is None) == (chosen.keys is None):
        raise wrong("--keys", "--authority 与 --keys 给一个", "give one of --authority and --keys")
    if chosen.authority is not None:
        AuthorityFolder(chosen.authority).install(given[0])
        say(Words("已装入,可以签发", "installed; it can issue now"))
    else:
        record = KeyFolder(chosen.keys).keep_chain(given)
        say(Words(f"已装入 {record.name} 的证书", f"installed the certificate of {record.name}"))
    return 0


def _issue(chosen: argparse.Namespace) -> int:
    from crypto.authority_files import AuthorityFolder
    from crypto.trust_files import read_file
    from crypto.x509 import read_request
    from crypto.x509_issue import subject_of

    kind: Kind = chosen.kind
    folder, request = AuthorityFolder(chosen.authority), read_request(read_file(chosen.file))
    subject = _subject(chosen, subject_of(request))
    days = PROFILES[kind].days_max if chosen.days is None else chosen.days
    record = folder.keys.find("authority")
    with asked(chosen, needed=folder.keys.needs_passphrase(record)) as secret:
        made = folder.issue(kind, request, subject, secret, now=datetime.now(UTC), days=days)
    _put(chosen.output, made.pem())
    words = PROFILES[kind].words
    who = str(made.identity) if made.identity.id else made.subject.get("CN")
    say(
        Words(
            f"已签发 {words.zh} 证书给 {who},序列号 {made.serial:x},至 {made.not_after:%Y-%m-%d}",
            f"issued to {who} as {words.en}, serial {made.serial:x}, until {made.not_after:%Y-%m-%d}",
        )
    )
    return 0


def _revoke(chosen: argparse.Namespace) -> int:
    from crypto.authority_files import AuthorityFolder
    from crypto.trust_files import read_file
    from crypto.x509 import read_certificates

    serial = str(chosen.serial)
    if Path(serial).is_file():
        serial = f"{read_certificates(read_file(Path(serial)))[0].serial:x}"
    entry = AuthorityFolder(chosen.authority).revoke(serial, chosen.reason, datetime.now(UTC))
    say(
        Words(
            f"已吊销 {entry.subject};请用 liuhe cert crl 签发新的吊销列表",
            f"revoked {entry.subject}; issue a new list with liuhe cert crl",
        )
    )
    return 0


def _crl(chosen: argparse.Namespace) -> int:
    from crypto.authority_files import AuthorityFolder

    folder = AuthorityFolder(chosen.authority)
    record = folder.keys.find("authority")
    with asked(chosen, needed=folder.keys.needs_passphrase(record)) as secret:
        made = folder.make_crl(secret, now=datetime.now(UTC), lasts=timedelta(hours=chosen.hours))
    _put(chosen.output, made.pem())
    say(
        Words(
            f"吊销列表第 {made.number} 号,{len(made.revoked)} 项,至 {made.next_update:%Y-%m-%d %H:%M} UTC",
            f"list {made.number}, {len(made.revoked)} entries, until {made.next_update:%Y-%m-%d %H:%M} UTC",
        )
    )
    return 0


def _put(path: Path | None, data: bytes) -> None:
    from crypto import keys

    if path is None:
        sys.stdout.write(data.decode("ascii"))
    else:
        keys.replace_durably(path, data, 0o644)
