"""Versions of models: never changed once written, signed with SM2, chosen by a pointer, each act told.

``<kind>/<version>/`` holds ``arrays.npz``, ``manifest.json`` and ``manifest.sig`` (SM2 over the manifest);
``<kind>/chosen.json`` says which version speaks, which is on trial, and which spoke before. ``acts.ndjson``
grows by one line for each act; the center makes a ledger leaf of each.
"""

import fcntl
import os
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import msgspec

from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words
from detection.anomaly.frozen import FrozenModel
from detection.anomaly.model_acts import Act, ActKind, acts_in, tell
from detection.anomaly.model_files import ARRAYS_BYTES_MAX, Manifest, manifest_of, pack, unpack
from detection.anomaly.scorer import require

KEPT: Final = 14  # versions of a kind that stay on disk beside those the pointer names
BEFORE_MAX: Final = 5  # champions one may go back to
_SMALL_BYTES_MAX: Final = 1024 * 1024
_SIGNATURE_BYTES_MAX: Final = 256
_VERSION_DIGITS: Final = 6
_ARRAYS, _MANIFEST, _SIGNATURE = "arrays.npz", "manifest.json", "manifest.sig"

_Asked = ParamSpec("_Asked")
_Answer = TypeVar("_Answer")


class Chosen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which versions of a kind count; 0 is none."""

    champion: int = 0
    challenger: int = 0
    before: tuple[int, ...] = ()  # former champions, the latest last


def _alone(
    act: "Callable[Concatenate[ModelRegistry, _Asked], _Answer]",
) -> "Callable[Concatenate[ModelRegistry, _Asked], _Answer]":
    """One writer at a time: the pipeline learns while a person may go back."""

    @wraps(act)
    def held(registry: "ModelRegistry", /, *asked: _Asked.args, **named: _Asked.kwargs) -> _Answer:
        with registry.lock.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return act(registry, *asked, **named)

    return held


class ModelRegistry:
    """The models of a center, in one folder; whoever writes in it holds its lock meanwhile."""

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self._folder, self._key = folder, key
        self.lock = folder / "lock"

    @property
    def key_id(self) -> str:
        """Of the key that signs."""
        return self._key.public.key_id

    def kinds(self) -> list[str]:
        """Kinds that have versions or a pointer, by name."""
        named = {path.parent.name for path in self._folder.glob("*/chosen.json")}
        made = {path.parent.parent.name for path in self._folder.glob(f"*/*/{_MANIFEST}")}
        return sorted(named | made)

    def chosen(self, kind: str) -> Chosen:
        """The pointer of a kind. Raises Refused where it is damaged."""
        path = self._folder / kind / "chosen.json"
        try:
            return msgspec.json.decode(_read(path, _SMALL_BYTES_MAX), type=Chosen)
        except FileNotFoundError:
            return Chosen()
        except (msgspec.MsgspecError, OSError, ValueError):
            raise _refused(path, Words("版本指针已损坏", "the pointer to its version is damaged")) from None

    @_alone
    def add(self, model: FrozenModel, parameters: str, now: datetime) -> int:
        """Write the next version, durable on return; nobody uses it before it is chosen. Raises OSError."""
        version = max([0, *self.versions(model.kind)]) + 1
        packed = pack(model)
        manifest = manifest_of(
            model, packed, version=version, parameters=parameters, key=self._key.public.key_id
        )
        body = msgspec.json.encode(manifest, order="sorted")
        folder = self._place(model.kind, version)
        folder.mkdir(parents=True, mode=0o700)
        _write(folder / _ARRAYS, packed)
        _write(folder / _MANIFEST, body)
        _write(folder / _SIGNATURE, self._key.sign(body).hex().encode())
        self._tell("made", model.kind, version, now)
        return version

    def load(self, kind: str, version: int) -> FrozenModel:
        """A version. Raises Refused where it is not one that this center made and signed."""
        folder = self._place(kind, version)
        body = _part(folder / _MANIFEST, _SMALL_BYTES_MAX)
        sign = _part(folder / _SIGNATURE, _SIGNATURE_BYTES_MAX)
        try:
            self._key.public.verify(body, bytes.fromhex(sign.decode()))
        except (Refused, ValueError):
            raise _refused(folder, self._not_ours(body)) from None
        try:
            manifest = msgspec.json.decode(body, type=Manifest)
            require((manifest.kind, manifest.version) == (kind, version), "place")
            return unpack(manifest, _part(folder / _ARRAYS, ARRAYS_BYTES_MAX))
        except (msgspec.MsgspecError, ValueError) as error:
            raise _refused(folder, _wrong(str(error))) from None

    @_alone
    def try_out(self, kind: str, version: int, now: datetime) -> None:
        """Let a version score beside the champion; where there is no champion it is one at once."""
        chosen = self.chosen(kind)
        if not chosen.champion:
            self._choose(kind, Chosen(champion=version), "promoted", version, now, "首个 first")
            return
        self._choose(kind, msgspec.structs.replace(chosen, challenger=version), "trial", version, now)

    @_alone
    def promote(self, kind: str, now: datetime, why: str) -> None:
        """The challenger speaks from now on."""
        chosen = self.chosen(kind)
        if not chosen.challenger:
            raise _nothing(kind)
        before = (*chosen.before, chosen.champion)[-BEFORE_MAX:]
        new = Chosen(champion=chosen.challenger, before=before)
        self._choose(kind, new, "promoted", new.champion, now, why)
        self._thin(kind)

    @_alone
    def reject(self, kind: str, now: datetime, why: str) -> None:
        """The challenger is dropped; the champion goes on."""
        chosen = self.chosen(kind)
        if not chosen.challenger:
            raise _nothing(kind)
        dropped = chosen.challenger
        self._choose(kind, msgspec.structs.replace(chosen, challenger=0), "rejected", dropped, now, why)
        self._thin(kind)

    @_alone
    def roll_back(self, kind: str, now: datetime, why: str, actor: str = "") -> int:
        """One step back to the former champion; its version. Raises Refused where none is good."""
        chosen = self.chosen(kind)
        if not chosen.before:
            raise _nothing(kind)
        former = chosen.before[-1]
        self.load(kind, former)
        new = Chosen(champion=former, before=chosen.before[:-1])
        self._choose(kind, new, "rolled-back", former, now, why, actor)
        return former

    @_alone
    def forget(self, kind: str, version: int, now: datetime, why: str) -> None:
        """A version that was refused is not asked for again; learning begins anew where nothing is left."""
        chosen = self.chosen(kind)
        new = Chosen(
            champion=0 if chosen.champion == version else chosen.champion,
            challenger=0 if chosen.challenger == version else chosen.challenger,
            before=tuple(one for one in chosen.before if one != version),
        )
        self._choose(kind, new, "refused", version, now, why)

    @_alone
    def promote_former(self, kind: str, now: datetime) -> None:
        """Where the champion was refused, the one before it speaks."""
        chosen = self.chosen(kind)
        if not chosen.before:
            raise _nothing(kind)
        former = chosen.before[-1]
        new = msgspec.structs.replace(chosen, champion=former, before=chosen.before[:-1])
        self._choose(kind, new, "rolled-back", former, now, "其后版本被拒用 the version after it was refused")

    def _not_ours(self, body: bytes) -> Words:
        try:
            key = msgspec.json.decode(body, type=Manifest).key
        except msgspec.MsgspecError:
            key = ""
        if key in ("", self._key.public.key_id):
            return Words("清单或其签名被改动", "its manifest or signature was changed")
        return Words(f"由其他密钥 {key[:40]} 签名", f"it is signed with another key, {key[:40]}")

    @_alone
    def start_over(self, kind: str, now: datetime, why: str) -> None:
        """Forget a pointer that does not read; versions on disk stay, none of them speaks."""
        self._choose(kind, Chosen(), "refused", 0, now, why)

    def versions(self, kind: str) -> list[int]:
        """Versions on disk, the oldest first."""
        folder = self._folder / kind
        names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name) for name in names if name.isdecimal() and len(name) == _VERSION_DIGITS)

    def stamp(self, kind: str, version: int = 0) -> tuple[int, ...]:
        """Another number for whatever is done to the files of a version, or with 0 to the pointer."""
        place = self._place(kind, version) if version else self._folder / kind
        names = (_ARRAYS, _MANIFEST, _SIGNATURE) if version else ("chosen.json",)
        return tuple(number for name in names for number in _stamp(place / name))

    def manifest(self, kind: str, version: int) -> bytes:
        """The manifest's bytes as they lie there; b"" where they don't."""
        try:
            return _read(self._place(kind, version) / _MANIFEST, _SMALL_BYTES_MAX)
        except (OSError, ValueError):
            return b""

    def acts(self, after: int) -> list[Act]:
        """Acts behind the first ``after``."""
        return acts_in(self._folder, after)

    def _choose(
        self,
        kind: str,
        chosen: Chosen,
        act: ActKind,
        version: int,
        now: datetime,
        why: str = "",
        actor: str = "",
    ) -> None:
        folder = self._folder / kind
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _write(folder / "chosen.json", msgspec.json.encode(chosen))
        self._tell(act, kind, version, now, why, actor)

    def _tell(
        self, act: ActKind, kind: str, version: int, now: datetime, why: str = "", actor: str = ""
    ) -> None:
        path = self._place(kind, version) / _MANIFEST
        digest = sm3_hex(path.read_bytes()) if path.is_file() else ""
        tell(
            self._folder,
            Act(
                act=act, kind=kind, version=version, manifest_sm3=digest, time=now, why=why[:200], actor=actor
            ),
        )

    def _thin(self, kind: str) -> None:
        chosen = self.chosen(kind)
        named = {chosen.champion, chosen.challenger, *chosen.before}
        for version in self.versions(kind)[:-KEPT]:
            if version not in named:
                folder = self._place(kind, version)
                for path in folder.iterdir():
                    path.unlink()
                folder.rmdir()

    def _place(self, kind: str, version: int) -> Path:
        return self._folder / kind / f"{version:0{_VERSION_DIGITS}d}"


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_ctime_ns


def registry_in(folder: Path, key_file: Path) -> ModelRegistry:
    """The registry of a center, its key made on the first start. Raises LiuheError where it can't be read."""
    if not key_file.exists():
        SigningKey.create(key_file)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return ModelRegistry(folder, SigningKey.load(key_file))


def _read(path: Path, bytes_max: int) -> bytes:
    with path.open("rb") as file:
        data = file.read(bytes_max + 1)
    if len(data) > bytes_max:
        raise ValueError(f"{path.name} > {bytes_max} bytes")
    return data


def _write(path: Path, data: bytes) -> None:
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _part(path: Path, bytes_max: int) -> bytes:
    """A file of a version. Raises Refused."""
    try:
        return _read(path, bytes_max)
    except FileNotFoundError:
        why = Words(f"缺少 {path.name}", f"{path.name} is missing")
    except (OSError, ValueError) as error:
        why = Words(f"{path.name} 读不出来:{error}", f"{path.name} can't be read: {error}")
    raise _refused(path.parent, why)


_WRONG: Final = {
    "SM3": Words(
        "数组文件被改动,SM3 与签名清单不符", "its arrays were changed: their SM3 is not the signed one"
    ),
    "objects": Words(
        "含有对象数组(可能夹带程序),不予读取", "it holds arrays of objects, which may carry programs"
    ),
    "names": Words("数组的名单与清单不符", "its arrays are not those of its manifest"),
    "place": Words("清单属于另一类或另一版本", "its manifest is of another kind or version"),
    "format": Words("格式不是本版本程序的", "its format is not this edition's"),
}


def _wrong(what: str) -> Words:
    return _WRONG.get(what) or Words(
        f"{what[:80]} 的类型、形状或数值不合规格", f"type, shape or values are wrong: {what[:80]}"
    )


def _refused(path: Path, why: Words) -> Refused:
    return Refused(
        "model-refused",
        Words(f"模型不是本中心保存并签名的:{why.zh}", f"not a model this center saved and signed: {why.en}"),
        Words("系统将回退到上一版本或重新学习", "the version before it is used, or the system learns anew"),
        field=str(path),
    )


def _nothing(kind: str) -> Refused:
    return Refused(
        "model-none",
        Words(f"{kind} 没有可用于此操作的模型版本", f"{kind} has no version of a model for this"),
        Words("请先查看模型版本", "look at the versions first"),
        field=kind,
    )
