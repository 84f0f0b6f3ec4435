"""What a center's sensors are told to do: layers by unit, kind and group, put together and signed for each.

A layer belongs to a scope, such as every host sensor of one unit. Of each scope the newest layer holds. A
sensor gets those that concern it, wider ones first; within a table the narrower layer's key wins. Every
change raises the one version number of the center, so that no sensor is ever given an older number.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol, get_args

import msgspec

from crypto import pem
from crypto.keys import SigningKey
from crypto.link_authority import LinkAuthority
from crypto.link_identity import LinkIdentity
from crypto.words import BadInput, Words
from crypto.x509 import REQUEST
from crypto.x509_issue import Subject, request_der
from sensors.configuration import Body, check_files, effective, malformed, sign
from sensors.messages import Configuration
from sensors.renewal import due
from sensors.settings import Kind, Settings

SIGNER_NAME: Final = "sign.pem"  # in the center's keys: a LinkIdentity with a center-sign certificate
SCOPE_CHARS_MAX: Final = 64


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which sensors; '' is every unit, kind or group."""

    unit: str = ""
    kind: Literal["", "host", "network"] = ""
    group: str = ""

    def holds(self, *, unit: str, kind: str, group: str) -> bool:
        """Whether a sensor is among them."""
        return self.unit in ("", unit) and self.kind in ("", kind) and self.group in ("", group)

    @property
    def narrowness(self) -> tuple[int, bool, bool, bool]:
        """Later in this order is narrower: more conditions, then group before unit before kind."""
        given = bool(self.group), bool(self.unit), bool(self.kind)
        return (sum(given), *given)


class Layer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one scope is told; ``settings`` are tables of sensor.toml, ``files`` mapping tables."""

    settings: dict[str, dict[str, Any]] = {}
    files: dict[str, bytes] = {}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the history; ``layer`` None raised the version alone."""

    version: int
    made: datetime
    actor: str
    reason: str
    scope: Scope
    layer: Layer | None


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """A sensor as far as its configuration goes."""

    id: str
    unit: str
    kind: str
    group: str


class Changes(Protocol):
    """Where the history lies; ``soc_api.sensor_configuration_store.ConfigurationStore``."""

    def newest(self) -> int:
        """The version; 0 before anything was configured."""
        ...

    def holding(self) -> list[Change]:
        """The newest change with a layer of every scope."""
        ...

    def add(self, scope: Scope, layer: Layer, *, actor: str, reason: str, now: datetime) -> int:
        """Keep a layer; its version."""
        ...


class ConfigurationDesk:
    """Makes and signs configurations; blocking calls, safe from any thread."""

    def __init__(
        self,
        changes: Changes,
        authority: LinkAuthority,
        center: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._changes: Final = changes
        self._authority: Final = authority
        self._center: Final = center
        self._now: Final = now

    def newest(self) -> int:
        """The version that every sensor should hold."""
        return self._changes.newest()

    def configure(self, scope: Scope, layer: Layer, *, actor: str, reason: str = "") -> int:
        """Give a scope a layer in place of the one it had. Raises BadInput where a sensor would refuse it."""
        check(scope, layer)
        return self._changes.add(scope, layer, actor=actor, reason=reason, now=self._now())

    def configuration(self, sensor: Recipient) -> Configuration | None:
        """What this sensor is to hold now; None where nothing was ever configured."""
        version = self._changes.newest()
        if not version:
            return None
        merged = merge(
            change
            for change in self._changes.holding()
            if change.version <= version
            and change.scope.holds(unit=sensor.unit, kind=sensor.kind, group=sensor.group)
        )
        body = Body(
            center=self._center,
            sensor=sensor.id,
            unit=sensor.unit,
            version=version,
            made=self._now(),
            settings=merged.settings,
            files=merged.files,
        )
        signer = self._signer()
        return sign(body, signer.key, list(signer.chain))

    def _signer(self) -> LinkIdentity:
        return signing_identity(self._authority, self._center, self._now())


def signing_identity(authority: LinkAuthority, center: str, now: datetime) -> LinkIdentity:
    """The key that signs what sensors are sent, made or renewed where it is time. Raises LiuheError."""
    path = authority.identity_path.with_name(SIGNER_NAME)
    if path.exists():
        found = LinkIdentity.load(path)
        if not due(found.certificate, now):
            return found
    key = SigningKey.generate()
    request = pem.encode(request_der(key, "center-sign", Subject(common_name=center, id=center)), REQUEST)
    made = LinkIdentity(key=key, chain=authority.issue_signer(request, center=center, now=now))
    made.save(path)
    return made


def merge(changes: Iterable[Change]) -> Layer:
    """The layers one upon the other, the narrowest on top."""
    settings: dict[str, dict[str, Any]] = {}
    files: dict[str, bytes] = {}
    for change in sorted(changes, key=lambda one: (one.scope.narrowness, one.version)):
        if change.layer is None:
            continue
        for name, keys in change.layer.settings.items():
            settings[name] = settings.get(name, {}) | keys
        files |= change.layer.files
    return Layer(settings=settings, files=files)


def check(scope: Scope, layer: Layer) -> None:
    """Raise BadInput, naming the key, where a sensor of the scope could not take the layer."""
    for name, value in (("unit", scope.unit), ("group", scope.group)):
        if len(value) > SCOPE_CHARS_MAX or not value.isprintable():
            raise malformed(f"at most {SCOPE_CHARS_MAX} printable characters", name)
    check_files(layer.files)
    kinds: tuple[Kind, ...] = (scope.kind,) if scope.kind else get_args(Kind)
    for kind in kinds:
        plain = Settings(id="any", unit="any", kind=kind, center=["127.0.0.1:8610"])
        try:
            made = datetime.fromtimestamp(0, UTC)
            body = Body(
                center="any",
                sensor="any",
                unit="any",
                version=1,
                made=made,
                settings=layer.settings,
                files=layer.files,
            )
            msgspec.msgpack.encode(body)
            effective(plain, body)
        except (TypeError, OverflowError) as error:
            raise BadInput(
                "configuration-malformed",
                Words(f"配置含不能下发的值:{error}", f"a value that cannot be sent: {error}"),
                Words("请只用文本、数字、布尔和列表", "use texts, numbers, booleans and lists"),
                field="settings",
            ) from error
