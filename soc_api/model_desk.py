"""The models of windows as a page shows them: versions, whether they are good, acts, and one step back."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex
from crypto.words import Refused, Words
from detection.anomaly.learning import Standing, standing
from detection.anomaly.model_acts import ACTS_NAME, Act, last_acts
from detection.anomaly.registry import Chosen, ModelRegistry
from detection.anomaly.windows import KINDS, WindowParameters
from soc_api.model_records import leaves_of

ACTS_SHOWN: Final = 50


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version on disk; ``why`` where it is refused."""

    version: int
    rows: int = 0
    first: int = 0
    last: int = 0
    manifest_sm3: str = ""
    why: Words | None = None


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """The versions of a kind, and which of them count."""

    kind: str
    chosen: Chosen
    versions: tuple[Version, ...]  # the newest first


class ModelDesk:
    """Safe to share between threads: whatever is done here holds the registry's lock."""

    def __init__(
        self,
        folder: Path,
        key_file: Path,
        snapshot: Callable[[], bytes | None],
        parameters: Callable[[], WindowParameters],
    ) -> None:
        self._folder, self._key_file = folder, key_file
        self._snapshot, self.parameters = snapshot, parameters
        self._seen: dict[tuple[str, int], tuple[tuple[int, ...], Version]] = {}

    def revision(self) -> int:
        """Grows with every act."""
        try:
            return (self._folder / ACTS_NAME).stat().st_size
        except OSError:
            return 0

    def key(self) -> str:
        """The id of the key that signs; "" before the pipeline made it."""
        return "" if (registry := self._registry()) is None else registry.key_id

    def kinds(self) -> list[Kind]:
        """Every kind, those too that have no model yet."""
        registry = self._registry()
        if registry is None:
            return [Kind(kind=kind, chosen=Chosen(), versions=()) for kind in KINDS]
        return [self._kind(registry, kind) for kind in sorted({*KINDS, *registry.kinds()})]

    def kind(self, kind: str) -> Kind:
        """One of them."""
        return next((one for one in self.kinds() if one.kind == kind), _none(kind))

    def standing(self) -> Standing:
        """How far learning is, and how models fare."""
        return standing(self._snapshot())

    def acts(self) -> list[tuple[Act, int | None]]:
        """The newest acts first, each with its record in the ledger where it has one already."""
        number, found = last_acts(self._folder, ACTS_SHOWN)
        leaves: Mapping[int, int] = leaves_of(self._folder)
        return [(act, leaves.get(number + at)) for at, act in enumerate(found)][::-1]

    def roll_back(self, kind: str, actor: str, why: str, now: datetime) -> tuple[Chosen, Chosen]:
        """One step back; the pointer before and after. Raises Refused (model-none, model-refused)."""
        registry = self._registry()
        if registry is None:
            raise Refused(
                "model-none",
                Words(f"{kind} 还没有模型版本", f"{kind} has no version of a model yet"),
                Words("请等学习完成", "wait until learning is done"),
                field=kind,
            )
        before = registry.chosen(kind)
        registry.roll_back(kind, now, why, actor)
        return before, registry.chosen(kind)

    def _registry(self) -> ModelRegistry | None:
        if not self._key_file.exists():
            return None
        return ModelRegistry(self._folder, SigningKey.load(self._key_file))

    def _kind(self, registry: ModelRegistry, kind: str) -> Kind:
        try:
            chosen = registry.chosen(kind)
        except Refused:  # the next start says so, and learns anew
            chosen = Chosen()
        versions = [self._version(registry, kind, version) for version in registry.versions(kind)[::-1]]
        return Kind(kind=kind, chosen=chosen, versions=tuple(versions))

    def _version(self, registry: ModelRegistry, kind: str, version: int) -> Version:
        """Checked again whenever one of its files was touched."""
        stamp = registry.stamp(kind, version)
        seen = self._seen.get((kind, version))
        if seen is None or seen[0] != stamp:
            seen = self._seen[kind, version] = stamp, self._checked(registry, kind, version)
        return seen[1]

    def _checked(self, registry: ModelRegistry, kind: str, version: int) -> Version:
        manifest = registry.manifest(kind, version)
        digest = sm3_hex(manifest) if manifest else ""
        try:
            model = registry.load(kind, version)
        except Refused as refused:
            return Version(version=version, manifest_sm3=digest, why=refused.what)
        return Version(
            version=version, rows=model.rows, first=model.first, last=model.last, manifest_sm3=digest
        )


def _none(kind: str) -> Kind:
    return Kind(kind=kind, chosen=Chosen(), versions=())
