"""``liuhe transfer``: carry files to another network under two persons' signatures, and take them in once."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from crypto.keys_commands import asked, passphrase_options, say
from crypto.words import Words
from soc_api.arguments import folder
from soc_api.transfer_push_commands import add_push

if TYPE_CHECKING:
    from crypto.certified import CertifiedSigner
    from crypto.keys import DecryptionKey
    from crypto.transfer.outgoing import Outgoing, Person
    from soc_api.transfer_desk import Parts
    from soc_api.transfer_status import Status
    from soc_api.transfer_trust_view import TrustView

_DATA = str(Words("监管中心的数据目录", "the center's data folder"))
_ID = str(Words("传输编号", "the transfer's id"))
_CHANNEL = str(Words("通道", "the channel"))
_KEYS = str(Words("密钥目录,默认为数据目录下 transfer/keys", "the folder of keys, else transfer/keys"))
_KEY = str(Words("本人签名密钥名,也记作姓名", "your signing key, which also names you"))
_STATION = str(Words("本中心签名密钥名", "the signing key of this center"))
_OPEN = str(Words("本中心解密密钥名", "the decryption key of this center"))
_PERSON = str(Words("操作者姓名,记入审计", "who acts, for the audit log"))
_JSON = str(Words("输出 JSON", "print JSON"))
_HELP = {
    "approve": Words("审批:用本人密钥签名", "approve: sign with a key of your own"),
    "epoch": Words("开启或放行通道新纪元", "start a channel's next epoch, or let it in"),
    "export": Words("导出到摆渡目录", "hand the package over to the directory"),
    "heartbeat": Words("发送心跳包", "send a heartbeat"),
    "import": Words("导入数据包,收取回执", "import packages, take up receipts"),
    "open": Words("验证并解开一个数据包", "verify and open one package"),
    "refuse": Words("不予批准,或撤回", "say no, or withdraw"),
    "request": Words("经办:提出申请", "ask for a transfer"),
    "seal": Words("经办:签名并封装", "sign and write the package"),
    "status": Words("查看传输、缺口与未确认", "show transfers, gaps and what is unconfirmed"),
}


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands of transfers."""
    top = subparsers.add_parser("transfer", help=str(Words("跨网传输", "transfers across networks")))
    actions = top.add_subparsers(dest="action", metavar="ACTION", required=True)
    add_push(actions)
    made = {name: actions.add_parser(name, help=str(words)) for name, words in _HELP.items()}
    for action in made.values():
        action.add_argument("--data", type=folder, required=True, metavar="DIR", help=_DATA)
    for name in ("approve", "refuse", "seal"):
        made[name].add_argument("transfer", metavar="ID", help=_ID)
    _request_options(made["request"])
    for name in ("request", "approve", "seal"):
        made[name].add_argument("--key", required=True, metavar="NAME", help=_KEY)
    for name in ("heartbeat", "import"):
        made[name].add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
        made[name].add_argument("--key", default="center-sign", metavar="NAME", help=_STATION)
    made["open"].add_argument("file", type=Path, metavar="FILE", help=str(Words("数据包", "the package")))
    made["open"].add_argument("--channel", required=True, metavar="CHANNEL", help=_CHANNEL)
    made["open"].add_argument(
        "--output", type=Path, required=True, metavar="DIR", help=str(Words("新的文件夹", "a new folder"))
    )
    for name in ("import", "open"):
        made[name].add_argument("--open-key", default="center-encrypt", metavar="NAME", help=_OPEN)
    for name in ("request", "approve", "seal", "heartbeat", "import", "open"):
        made[name].add_argument("--keys", type=Path, metavar="DIR", help=_KEYS)
        passphrase_options(made[name], new=False)
    for name in ("refuse", "export", "epoch"):
        made[name].add_argument("--person", required=True, metavar="NAME", help=_PERSON)
    made["refuse"].add_argument("--reason", required=True, metavar="TEXT", help=str(Words("理由", "why")))
    made["export"].add_argument("transfer", metavar="ID", nargs="?", default="", help=_ID)
    made["export"].add_argument(
        "--resend", type=Path, metavar="FILE", help=str(Words("接收端的补传清单", "the receiver's list"))
    )
    made["epoch"].add_argument("channel", metavar="CHANNEL", help=_CHANNEL)
    made["epoch"].add_argument(
        "--allow", type=int, metavar="N", help=str(Words("接收端:放行此纪元", "at the receiver: let it in"))
    )
    made["status"].add_argument(
        "--wanted", metavar="CHANNEL", help=str(Words("输出该通道的补传清单", "print the list of its gaps"))
    )
    made["status"].add_argument("--json", action="store_true", help=_JSON)
    runs = {
        "approve": _approve,
        "epoch": _epoch,
        "export": _export,
        "heartbeat": _heartbeat,
        "import": _import,
        "open": _open,
        "refuse": _refuse,
        "request": _request,
        "seal": _seal,
        "status": _status,
    }
    for name, run in runs.items():
        made[name].set_defaults(run=partial(_on_its_backend, run))


def _on_its_backend(run: Callable[[argparse.Namespace], int], chosen: argparse.Namespace) -> int:
    """Run with the cryptographic backend of the center, chosen and self-tested before any key is read."""
    from crypto.backends.choice import use
    from soc_api.settings import load_settings

    use(load_settings(chosen.data).cryptography.backend)
    return run(chosen)


def _request_options(parser: argparse.ArgumentParser) -> None:
    from crypto.transfer.request import LABELS

    texts = {
        "--channel": _CHANNEL,
        "--application": str(Words("申请编号", "the application number")),
        "--purpose": str(Words("用途", "what it is for")),
    }
    parser.add_argument(
        "folder", type=Path, metavar="FOLDER", help=str(Words("要传输的文件夹", "the folder to send"))
    )
    for name, text in texts.items():
        parser.add_argument(name, required=True, metavar="TEXT", help=text)
    parser.add_argument("--label", required=True, choices=LABELS, help=str(Words("数据分级", "the label")))
    parser.add_argument(
        "--mark", action="append", default=[], metavar="TEXT", help=str(Words("标志,可重复", "a mark"))
    )
    parser.add_argument(
        "--days", type=int, default=7, metavar="N", help=str(Words("有效天数", "days it is valid"))
    )


@contextmanager
def parts_of(data: Path) -> Iterator["Parts"]:
    """Everything transfers stand on, opened over a center's folder."""
    from compliance.checklist import load_checklist
    from rules import ROOT
    from soc_api.folders import LOCAL_SYSTEM, Folders, state_engine
    from soc_api.settings import load_settings
    from soc_api.transfer_channels import load_channels
    from soc_api.transfer_desk import Parts
    from soc_api.transfer_ferry import Ferry
    from soc_api.transfer_gate import check_gate, load_policy
    from soc_api.transfer_store import TransferStore

    engine = state_engine(Folders(data), load_settings(data))
    rules = ROOT / "transfer"
    try:
        yield Parts(
            store=TransferStore(engine),
            ferry=Ferry(data / "transfer"),
            channels=load_channels(data / "transfer"),
            policy=load_policy(rules),
            gate=check_gate(engine, load_checklist(ROOT / "checklist")),
            system=LOCAL_SYSTEM,
        )
    finally:
        engine.dispose()


def _signer(chosen: argparse.Namespace) -> tuple["Person", "CertifiedSigner"]:
    from crypto.certified import signer_of
    from crypto.key_files import KeyFolder
    from crypto.transfer.outgoing import Person

    keys = KeyFolder(chosen.keys or chosen.data / "transfer" / "keys")
    record = keys.find(chosen.key)
    with asked(chosen, needed=keys.needs_passphrase(record)) as secret:
        key = signer_of(keys, chosen.key, secret)
    return Person(name=record.name, key_id=key.public.key_id), key


def _request(chosen: argparse.Namespace) -> int:
    from crypto.package_files import folder_sources
    from soc_api.transfer_service import Ask, TransferService

    person, _ = _signer(chosen)
    wanted = Ask(
        channel=chosen.channel,
        application=chosen.application,
        purpose=chosen.purpose,
        label=chosen.label,
        marks=tuple(chosen.mark),
        days=chosen.days,
    )
    with parts_of(chosen.data) as parts:
        sources = folder_sources(chosen.folder)
        return _told(TransferService(parts).request(wanted, sources, person, datetime.now(UTC)))


def _approve(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_service import TransferService

    person, key = _signer(chosen)
    with parts_of(chosen.data) as parts:
        return _told(TransferService(parts).approve(chosen.transfer, person, key, datetime.now(UTC)))


def _refuse(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_service import TransferService

    with parts_of(chosen.data) as parts:
        service = TransferService(parts)
        return _told(service.refuse(chosen.transfer, chosen.person, chosen.reason, datetime.now(UTC)))


def _seal(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_service import TransferService

    person, key = _signer(chosen)
    with parts_of(chosen.data) as parts:
        service = TransferService(parts)
        return _told(
            service.seal(chosen.transfer, person, key, datetime.now(UTC), progress=_shown("封装", "sealing"))
        )


def _export(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_road import RoadService
    from soc_api.transfer_service import TransferService

    now = datetime.now(UTC)
    with parts_of(chosen.data) as parts:
        if chosen.resend is None:
            return _told(TransferService(parts).export(chosen.transfer, chosen.person, now))
        with chosen.resend.open("rb") as file:
            data = file.read((1 << 20) + 1)
        for name in RoadService(parts).resend(data, chosen.person, now):
            print(name)
    return 0


def _heartbeat(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_road import RoadService

    _, key = _signer(chosen)
    with parts_of(chosen.data) as parts:
        return _told(RoadService(parts).heartbeat(chosen.channel, key, datetime.now(UTC)))


def _import(chosen: argparse.Namespace) -> int:
    """Packages of an incoming channel, receipts of an outgoing one; both where there are both."""
    from soc_api.transfer_import import ImportService
    from soc_api.transfer_road import RoadService

    now, failed = datetime.now(UTC), False
    with parts_of(chosen.data) as parts:
        directions = [one.direction for one in parts.channels.all if one.id == chosen.channel]
        if "out" in directions:
            for name, state in RoadService(parts).take_receipts(chosen.channel, now):
                print(f"{name}\t{state}")
        if "out" not in directions or "in" in directions:
            _, station = _signer(chosen)
            service = ImportService(parts, _opening(chosen), station)
            for one in service.import_all(chosen.channel, now, progress=_shown("导入", "importing")):
                print(f"{one.name}\t{one.state}\t{one.reason.code if one.reason else ''}")
                if one.reason is not None:
                    say(one.reason.words)
                failed |= one.state == "refused"
    return 1 if failed else 0


def _open(chosen: argparse.Namespace) -> int:
    """Verify one package and look into it; nothing is recorded as imported."""
    from soc_api.transfer_import import open_package

    with parts_of(chosen.data) as parts:
        manifest = open_package(
            parts, chosen.file, chosen.channel, _opening(chosen), chosen.output, datetime.now(UTC)
        )
    for entry in manifest.files:
        print(f"{entry.sm3}  {entry.size}  {entry.name}")
    return 0


def _opening(chosen: argparse.Namespace) -> "dict[str, DecryptionKey]":
    from crypto.key_files import KeyFolder

    keys = KeyFolder(chosen.keys or chosen.data / "transfer" / "keys")
    record = keys.find(chosen.open_key)
    with asked(chosen, needed=keys.needs_passphrase(record)) as secret:
        return keys.decryption_keys(chosen.open_key, secret)


def _epoch(chosen: argparse.Namespace) -> int:
    from soc_api.transfer_import import let_epoch_in
    from soc_api.transfer_road import RoadService

    now = datetime.now(UTC)
    with parts_of(chosen.data) as parts:
        if chosen.allow is None:
            state = RoadService(parts).start_epoch(chosen.channel, chosen.person, now)
            print(state.epoch)
        else:
            let_epoch_in(parts, chosen.channel, chosen.allow, chosen.person, now)
    return 0


def _status(chosen: argparse.Namespace) -> int:
    import msgspec

    from crypto.transfer.channel import encode_resend
    from soc_api.transfer_import import wanted
    from soc_api.transfer_service import TransferService
    from soc_api.transfer_status import status

    now = datetime.now(UTC)
    with parts_of(chosen.data) as parts:
        if chosen.wanted is not None:
            sys.stdout.write(encode_resend(wanted(parts, chosen.wanted, now)).decode())
            return 0
        TransferService(parts).expire(now)
        found = status(parts, now)
    if chosen.json:
        print(msgspec.json.encode(found).decode())
    else:
        _print(found, now)
    return 0


def _print(found: "Status", now: datetime) -> None:
    for channel in found.channels:
        gaps = " ".join(f"{gap.first}-{gap.last}" for gap in channel.gaps) or "-"
        flags = [name for name in ("heartbeat_due", "silent") if getattr(channel, name)] + (
            [channel.trouble.code] if channel.trouble else []
        )
        print(
            f"{channel.direction}\t{channel.channel}\t{channel.epoch}:{channel.sequence}\tgaps {gaps}"
            f"\tunconfirmed {channel.unconfirmed}\t{' '.join(flags) or '-'}\t{_trust(channel.trust, now)}"
        )
    for row in found.transfers:
        reason = row.reason.code if row.reason else "-"
        print(f"{row.direction}\t{row.id[:32]}\t{row.state}\t{row.label or '-'}\t{row.application}\t{reason}")


def _trust(view: "TrustView", now: datetime) -> str:
    """What counts on a channel, and what runs out first: ``certificates crl 2026-11-29 (good)``."""
    if view.mode == "keys":
        return f"keys {view.keys}"
    if view.trouble is not None:
        return f"{view.mode} {view.trouble.code}"
    said: list[str] = [view.mode]
    for kind in ("crl", "issuer", "recipient", "own"):
        of_kind = [one for one in view.items if one.kind == kind]
        if of_kind:
            first = min(of_kind, key=lambda one: one.ends.timestamp() if one.ends else 0.0)
            days = f", {(now - first.begins).days} days old" if kind == "crl" and first.begins else ""
            said.append(f"{kind} {f'{first.ends:%Y-%m-%d}' if first.ends else '-'} ({first.state}{days})")
    return " ".join(said)


def _told(transfer: "Outgoing") -> int:
    print(f"{transfer.request.id}\t{transfer.state}")
    return 0


class _Shown:
    """Tenths of long work on stderr, where a person watches."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._tenth = 0

    def __call__(self, done: int, total: int) -> None:
        tenth = 10 * done // total if total else 0
        if total > 64 << 20 and tenth > self._tenth and sys.stderr.isatty():
            self._tenth = tenth
            say(Words(f"{self._words.zh} {tenth}0%", f"{self._words.en} {tenth}0%"))


def _shown(zh: str, en: str) -> _Shown:
    return _Shown(Words(zh, en))
