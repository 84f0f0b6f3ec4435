"""``liuhe cert seal|open``: GB/T 35275 messages that other products open, for content of up to 64 MiB."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from crypto.keys_commands import asked, passphrase_options, say
from crypto.profile import LEAVES
from crypto.words import BadInput, LiuheError, Refused, Words

if TYPE_CHECKING:
    from crypto.chain import TrustStore
    from crypto.cms import Signed
    from crypto.key_files import KeyFolder, KeyRecord

_NOT_FOR_US: Final = "cms-not-for-us"
_ROOM_BYTES: Final = 4 * 1024 * 1024  # of a message beside its content
_FILE = str(Words("要签名的文件", "the file to sign"))
_MESSAGE = str(Words("GB/T 35275 报文 (DER)", "the message of GB/T 35275 in DER"))
_KEYS = str(Words("密钥目录", "the folder of keys"))
_SIGN = str(Words("签名密钥名,须已装入证书", "the signing key, with its certificate installed"))
_OPEN = str(Words("解密密钥名,信封须给", "the decryption key, for what is enveloped"))
_TO = str(
    Words("接收方加密证书,可重复;不给则只签名", "a receiver's certificate; may be repeated; else signed only")
)
_TRUST = str(Words("信任目录", "the folder of what is trusted"))
_OUTPUT = str(Words("写入的新文件", "the new file to write"))
_DETACHED = str(Words("签名中不含内容", "leave the content out of the signature"))
_CONTENT = str(Words("分离签名所签的文件", "the file that a detached signature is about"))
_FORM = str(Words("标识按国标,或按 GmSSL", "identifiers of the standard, or as GmSSL writes them"))
_KIND = str(Words("签名者须为这一类别,可重复", "signers must be of this kind; may be repeated"))


def add(actions: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add both to the commands of certificates."""
    seal = actions.add_parser("seal", help=str(Words("签名,并可加密给他人", "sign, and encrypt to others")))
    open_ = actions.add_parser("open", help=str(Words("验签,并解密", "verify, and decrypt")))
    seal.add_argument("file", type=Path, metavar="FILE", help=_FILE)
    open_.add_argument("file", type=Path, metavar="FILE", help=_MESSAGE)
    seal.add_argument("--keys", type=Path, required=True, metavar="DIR", help=_KEYS)
    seal.add_argument("--key", required=True, metavar="NAME", help=_SIGN)
    seal.add_argument("--to", type=Path, action="append", default=[], metavar="FILE", help=_TO)
    seal.add_argument("--trust", type=Path, metavar="DIR", help=_TRUST)
    seal.add_argument("--detached", action="store_true", help=_DETACHED)
    seal.add_argument("--form", choices=("standard", "gmssl"), default="standard", help=_FORM)
    open_.add_argument("--trust", type=Path, required=True, metavar="DIR", help=_TRUST)
    open_.add_argument("--keys", type=Path, metavar="DIR", help=_KEYS)
    open_.add_argument("--key", metavar="NAME", help=_OPEN)
    open_.add_argument("--content", type=Path, metavar="FILE", help=_CONTENT)
    open_.add_argument("--kind", action="append", default=[], choices=LEAVES, help=_KIND)
    seal.add_argument("--output", type=Path, required=True, metavar="FILE", help=_OUTPUT)
    open_.add_argument("--output", type=Path, metavar="FILE", help=_OUTPUT)
    passphrase_options(seal, new=False)
    passphrase_options(open_, new=False)
    seal.set_defaults(run=_seal)
    open_.set_defaults(run=_open)


def _seal(chosen: argparse.Namespace) -> int:
    from crypto import cms
    from crypto.key_files import KeyFolder

    if chosen.detached and chosen.to:
        raise _wrong("--detached 与 --to 不能同用", "--detached does not go with --to")
    content = _read(chosen.file, cms.CONTENT_BYTES_MAX)
    recipients = _recipients(chosen)
    folder = KeyFolder(chosen.keys)
    record = folder.find(chosen.key)
    chain = [one.der for one in folder.chain(record)]
    if not chain:
        raise _wrong("该密钥没有证书,先用 cert install 装入", "the key has no certificate: see cert install")
    with asked(chosen, needed=folder.needs_passphrase(record)) as secret:
        signer = cms.CmsSigner(folder.signing_key(chosen.key, secret), chain[0], tuple(chain[1:]))
    profile = cms.GMSSL if chosen.form == "gmssl" else cms.STANDARD
    if recipients:
        message = cms.seal(content, [signer], recipients, profile=profile)
    else:
        message = cms.sign(content, [signer], detached=chosen.detached, profile=profile)
    _write(chosen.output, message)
    return 0


def _recipients(chosen: argparse.Namespace) -> list[bytes]:
    """The certificates to encrypt to, each verified."""
    from crypto.certified import recipient
    from crypto.trust_files import TrustFolder, read_file
    from crypto.x509 import read_certificates

    if not chosen.to:
        return []
    if chosen.trust is None:
        raise _wrong("--to 须同时给 --trust", "--to needs --trust")
    store, now, found = TrustFolder(chosen.trust).store(), datetime.now(UTC), []
    for path in chosen.to:
        leaf, *extra = read_certificates(read_file(path))
        recipient(leaf, store, at=now, extra=extra)
        found.append(leaf.der)
    return found


def _open(chosen: argparse.Namespace) -> int:
    from crypto import asn1, cms
    from crypto.cms_asn1 import unwrapped
    from crypto.trust_files import TrustFolder

    data = _read(chosen.file, cms.CONTENT_BYTES_MAX + _ROOM_BYTES)
    trust = _Signers(TrustFolder(chosen.trust).store(), chosen.kind or LEAVES)
    if unwrapped(data)[0] == asn1.CMS_SIGNED:
        content = None if chosen.content is None else _read(chosen.content, cms.CONTENT_BYTES_MAX)
        signed = cms.verify(data, trust=trust, content=content)
    else:
        signed = _unsealed(chosen, data, trust)
    if chosen.output is not None:
        _write(chosen.output, signed.content)
    for one in trust.said:
        print(one)
    say(Words("签名有效,签名者可信", "every signature holds, every signer is trusted"))
    return 0


def _unsealed(chosen: argparse.Namespace, data: bytes, trust: "_Signers") -> "Signed":
    """Open an envelope with the key's current pair, else with those it replaced."""
    from crypto import cms
    from crypto.key_files import KeyFolder

    if chosen.keys is None or chosen.key is None:
        raise _wrong("信封须给 --keys 与 --key", "an envelope needs --keys and --key")
    folder = KeyFolder(chosen.keys)
    records = _pairs(folder, chosen.key)
    with asked(chosen, needed=folder.needs_passphrase(records[0])) as secret:
        keys = folder.decryption_keys(records[0].name, secret)
    last: Refused | None = None
    for record in records:
        chain = folder.chain(record)
        try:
            certificate = chain[0].der if chain else None
            return cms.open_(data, key=keys[record.id], certificate=certificate, trust=trust)
        except Refused as error:
            if error.code != _NOT_FOR_US:
                raise
            last = error
    assert last is not None, "there is a current key"
    raise last


def _pairs(folder: "KeyFolder", name: str) -> "list[KeyRecord]":
    current = folder.find(name)
    if current.use != "encrypt":
        raise _wrong("--key 不是解密密钥", "--key is no decryption key")
    old = [one for one in folder.records() if one.name == current.name and one.id != current.id]
    return [current, *reversed(old)]


class _Signers:
    """Trust in signers by chain, usage, kind and revocation at this moment; ``said`` is who they are."""

    def __init__(self, store: "TrustStore", kinds: Sequence[str]) -> None:
        self._store: Final = store
        self._kinds: Final = [one for one in LEAVES if one in kinds]
        self.said: list[str] = []

    def __call__(self, certificate: bytes, others: Sequence[bytes]) -> None:
        held = self._store.verify_der(
            (certificate, *others), at=datetime.now(UTC), usage="sign", kinds=self._kinds
        )
        self.said.append(str(held.identity))


def _read(path: Path, bytes_max: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise LiuheError(
            "certificate-unreadable",
            Words(f"文件读不出:{error.strerror}", f"the file cannot be read: {error.strerror}"),
            Words("请检查路径与权限", "check the path and the permissions"),
            field=str(path),
        ) from error
    if len(data) > bytes_max:
        mib = bytes_max >> 20
        raise _wrong(f"文件超过 {mib} MiB,请用 liuhe transfer", f"over {mib} MiB: use liuhe transfer")
    return data


def _write(path: Path, data: bytes) -> None:
    from crypto.keys import replace_durably

    if path.exists():
        raise _wrong(f"{path} 已存在", f"{path} is there already")
    replace_durably(path, data, 0o600)


def _wrong(zh: str, en: str) -> BadInput:
    return BadInput("certificate-argument", Words(zh, en), Words("请改正该参数", "correct it"))
