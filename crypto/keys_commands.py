"""``liuhe keys new|show|rotate|import|export|sign|code``: data on stdout, words on stderr."""

import argparse
import json
import sys
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.passphrase import CREDENTIAL, Passphrase, obtain
from crypto.words import BadInput, Refused, Words

if TYPE_CHECKING:
    from crypto.key_files import KeyRecord

SIGNED_BYTES_MAX: Final = 1024 * 1024
OTP_CREDENTIAL: Final = "liuhe-otp-secret"

_KEYS = str(Words("密钥目录", "the folder of keys"))
_NAME = str(Words("密钥名,如 center-sign", "name of the key, for example center-sign"))
_USE = str(Words("用途:签名或加密,之后不能改", "what it is for: signing or encrypting, for good"))
_FD = str(Words("从该文件描述符读口令", "read the passphrase from this file descriptor"))
_CREDENTIAL = str(Words("systemd 凭据名", "name of the systemd credential"))
_PLAIN = str(Words("不加密私钥,只靠文件权限保护", "do not encrypt: file permissions alone protect it"))
_SOURCE_FD = str(Words("从该文件描述符读原文件的口令", "read the passphrase of FILE from this descriptor"))
_OUTPUT_FD = str(
    Words("从该文件描述符读导出文件的口令", "read the new file's passphrase from this descriptor")
)
_TEXT = str(
    Words("要签的文字;不给则读标准输入的全部字节", "what to sign; else all bytes of the standard input")
)
_HASH = str(Words("绑定设备时选的算法", "the algorithm chosen when the device was bound"))
_SECRET_FD = str(Words("从该文件描述符读绑定页给出的密钥", "read the secret of the binding page from it"))
_FORM = str(Words("口令派生算法:GmSSL 或 OpenSSL 能读的", "what reads it: GmSSL or OpenSSL"))


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of keys."""
    top = subparsers.add_parser("keys", help=str(Words("密钥", "keys")))
    actions = top.add_subparsers(dest="action", metavar="ACTION", required=True)
    new = actions.add_parser("new", help=str(Words("生成密钥", "make a key")))
    show = actions.add_parser(
        "show", help=str(Words("列出密钥及其更换记录", "list keys and what replaced them"))
    )
    rotate = actions.add_parser(
        "rotate", help=str(Words("更换密钥,旧密钥保留", "replace a key; the old one stays"))
    )
    take = actions.add_parser(
        "import", help=str(Words("导入其他程序的私钥", "take a key of another program"))
    )
    export = actions.add_parser("export", help=str(Words("导出公钥或私钥", "write a public or private key")))
    sign = actions.add_parser(
        "sign", help=str(Words("用签名密钥签一段文字,如登录挑战", "sign a text, such as a login's challenge"))
    )
    code = actions.add_parser("code", help=str(Words("算出当前的动态码", "the one-time code of now")))
    for action in (new, rotate, take, export, sign):
        action.add_argument("name", metavar="NAME", help=_NAME)
    show.add_argument("name", metavar="NAME", nargs="?", default="", help=_NAME)
    for action in (new, show, rotate, take, export, sign):
        action.add_argument("--keys", type=Path, required=True, metavar="DIR", help=_KEYS)
    for action in (new, take):
        action.add_argument("--use", required=True, choices=("sign", "encrypt"), help=_USE)
    for action in (new, rotate, take):
        passphrase_options(action, new=True)
    for action in (export, sign):
        passphrase_options(action, new=False)
    sign.add_argument("--text", metavar="TEXT", help=_TEXT)
    code.add_argument("--hash", choices=("sm3", "sha256"), default="sm3", help=_HASH)
    code.add_argument("--secret-fd", type=int, metavar="N", help=_SECRET_FD)
    take.add_argument("file", type=Path, metavar="FILE", help=str(Words("私钥文件", "the private key file")))
    take.add_argument("--source-passphrase-fd", type=int, metavar="N", help=_SOURCE_FD)
    show.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    export.add_argument(
        "--output", type=Path, metavar="FILE", help=str(Words("写入的文件", "the file to write"))
    )
    export.add_argument("--private", action="store_true", help=str(Words("导出私钥", "the private key")))
    export.add_argument("--form", choices=("gmssl", "openssl"), default="gmssl", help=_FORM)
    export.add_argument("--output-passphrase-fd", type=int, metavar="N", help=_OUTPUT_FD)
    new.set_defaults(run=_new)
    show.set_defaults(run=_show)
    rotate.set_defaults(run=_rotate)
    take.set_defaults(run=_import)
    export.set_defaults(run=_export)
    sign.set_defaults(run=_sign)
    code.set_defaults(run=_code)


def passphrase_options(parser: argparse.ArgumentParser, *, new: bool) -> None:
    """The ways a passphrase may come; it is never an argument itself."""
    parser.add_argument("--passphrase-fd", type=int, metavar="N", help=_FD)
    parser.add_argument("--passphrase-credential", default=CREDENTIAL, metavar="NAME", help=_CREDENTIAL)
    if new:
        parser.add_argument("--no-passphrase", action="store_true", help=_PLAIN)


def asked(chosen: argparse.Namespace, *, needed: bool, new: bool = False) -> "Passphrase | nullcontext[None]":
    """The passphrase as the options say; nothing where none is needed. Use it in a ``with``."""
    if not needed or getattr(chosen, "no_passphrase", False):
        return nullcontext()
    return obtain(descriptor=chosen.passphrase_fd, credential=chosen.passphrase_credential, new=new)


def say(words: Words) -> None:
    """A remark on stderr."""
    print(words, file=sys.stderr)


def _new(chosen: argparse.Namespace) -> int:
    from crypto.key_files import KeyFolder

    with asked(chosen, needed=True, new=True) as secret:
        record = KeyFolder(chosen.keys).new(chosen.name, chosen.use, secret, datetime.now(UTC))
    print(record.id)
    _made(record)
    return 0


def _rotate(chosen: argparse.Namespace) -> int:
    from crypto.key_files import KeyFolder

    folder = KeyFolder(chosen.keys)
    folder.find(chosen.name)  # refuse an unknown name before asking
    with asked(chosen, needed=True, new=True) as secret:
        record = folder.rotate(chosen.name, secret, datetime.now(UTC))
    print(record.id)
    _made(record)
    return 0


def _import(chosen: argparse.Namespace) -> int:
    from crypto import keys
    from crypto.key_files import KeyFolder, imported

    data = keys.read_key_file(chosen.file)
    source: Passphrase | nullcontext[None] = nullcontext()
    if keys.is_encrypted(data):
        source = obtain(
            descriptor=chosen.source_passphrase_fd, credential="", purpose=Words("原文件", "the file")
        )
    with source as secret:
        key = imported(data, secret, chosen.use)
    with asked(chosen, needed=True, new=True) as secret:
        record = KeyFolder(chosen.keys).add(chosen.name, key, secret, datetime.now(UTC))
    print(record.id)
    _made(record)
    return 0


def _export(chosen: argparse.Namespace) -> int:
    from crypto import keys
    from crypto.key_files import KeyFolder

    folder = KeyFolder(chosen.keys)
    record = folder.find(chosen.name)
    if not chosen.private:
        data, mode = folder.public(record).pem(), 0o644
    else:
        with asked(chosen, needed=folder.needs_passphrase(record)) as secret:
            key = folder.private_key(record, secret)
        purpose = Words("导出文件", "the new file")
        with obtain(
            descriptor=chosen.output_passphrase_fd, credential="", purpose=purpose, new=True
        ) as secret:
            data, mode = key.private_pem(secret, form=chosen.form), 0o600
    if chosen.output is None:
        sys.stdout.write(data.decode("ascii"))
    elif mode == 0o600:
        keys.create_key_file(chosen.output, data)
    else:
        keys.replace_durably(chosen.output, data, mode)
    if chosen.private:
        say(
            Words(
                "已导出加密的私钥,请按规定登记与保管", "an encrypted private key was written: account for it"
            )
        )
    return 0


def _sign(chosen: argparse.Namespace) -> int:
    """Two lines: the key's fingerprint and the signature (r then s), both in hex."""
    from crypto.key_files import KeyFolder
    from crypto.keys import SigningKey
    from crypto.sm3 import sm3_hex

    folder = KeyFolder(chosen.keys)
    record = folder.find(chosen.name)
    with asked(chosen, needed=folder.needs_passphrase(record)) as secret:
        key = folder.private_key(record, secret)
    if not isinstance(key, SigningKey):
        raise Refused(
            "key-use",
            Words(
                f"密钥 {record.name} 用于加密,不能签名", f"key {record.name} is for encrypting, not signing"
            ),
            Words("请给用途为 sign 的密钥", "name one made with --use sign"),
            field="NAME",
        )
    data = sys.stdin.buffer.read(SIGNED_BYTES_MAX + 1) if chosen.text is None else chosen.text.encode()
    if not 0 < len(data) <= SIGNED_BYTES_MAX:
        raise BadInput(
            "sign-text",
            Words(
                f"要签的内容须为 1 至 {SIGNED_BYTES_MAX} 字节", f"1 to {SIGNED_BYTES_MAX} bytes are signed"
            ),
            Words("请用 --text 给出,或经标准输入给出", "give it by --text or on the standard input"),
            field="--text",
        )
    print(sm3_hex(key.public.spki()))
    print(key.sign(data).hex())
    return 0


def _code(chosen: argparse.Namespace) -> int:
    """Six digits; where no other device is at hand that knows HMAC-SM3."""
    from crypto.otp import STEP_SECONDS, code_at, secret_of

    purpose = Words("动态码", "one-time codes")
    with obtain(descriptor=chosen.secret_fd, credential=OTP_CREDENTIAL, purpose=purpose) as secret:
        key = secret_of(secret.decode("ascii", "replace"))
    now = datetime.now(UTC)
    print(code_at(key, now, chosen.hash))
    left = STEP_SECONDS - int(now.timestamp()) % STEP_SECONDS
    say(Words(f"还有 {left} 秒有效", f"good for {left} s"))
    return 0


def _show(chosen: argparse.Namespace) -> int:
    from crypto.key_files import KeyFolder

    folder = KeyFolder(chosen.keys)
    records = [
        one for one in folder.records() if chosen.name in ("", one.name) or one.id.startswith(chosen.name)
    ]
    if chosen.json:
        rows = [
            {
                **{field: getattr(one, field) for field in ("id", "name", "use", "origin", "replaced_by")},
                "created": one.created.isoformat(),
                "replaced": one.replaced.isoformat() if one.replaced else None,
                "encrypted": folder.needs_passphrase(one),
            }
            for one in records
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for one in records:
        state = Words("当前", "current")
        if one.replaced:
            state = Words(
                f"{one.replaced:%Y-%m-%d} 起由 {one.replaced_by[:16]} 取代",
                f"since {one.replaced:%Y-%m-%d} replaced by {one.replaced_by[:16]}",
            )
        use = Words("签名", "sign") if one.use == "sign" else Words("加密", "encrypt")
        print(f"{one.id[:16]}  {one.name}  {use}  {one.created:%Y-%m-%d}  {state}")
    if not records:
        say(Words("没有密钥", "there are no keys"))
    return 0


def _made(record: "KeyRecord") -> None:
    say(
        Words(
            f"密钥 {record.name} 已就绪,编号 {record.id[:16]}",
            f"key {record.name} is ready, id {record.id[:16]}",
        )
    )
