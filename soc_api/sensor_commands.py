"""``liuhe center configure | bundle | trace``: what sensors are told, releases for them, what they signed."""

import argparse
import getpass
import json
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from crypto.words import BadInput, Words
from soc_api.arguments import folder

if TYPE_CHECKING:
    from soc_api.sensor_configuration import Change, Layer, Scope

LAYER_BYTES_MAX: Final = 256 * 1024


def register(verbs: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the verbs to ``liuhe center``."""
    words = Words("给传感器下发签名配置,或列出现有配置", "give sensors a signed configuration, or list them")
    configure = _verb(verbs, "configure", words, run_configure)
    configure.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help=str(Words("sensor.toml 的若干表", "tables of sensor.toml")),
    )
    configure.add_argument("--unit", default="", help=str(Words("只给这个单位", "this unit's alone")))
    configure.add_argument(
        "--kind",
        default="",
        choices=["host", "network"],
        help=str(Words("只给这一种传感器", "sensors of this kind alone")),
    )
    configure.add_argument("--group", default="", help=str(Words("只给这一组", "this group's alone")))
    configure.add_argument(
        "--mapping",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help=str(
            Words("替换同名映射表,可多次给出", "a mapping table in place of the shipped one; repeatable")
        ),
    )
    configure.add_argument(
        "--clear", action="store_true", help=str(Words("清除该范围的配置", "clear what this scope was told"))
    )
    configure.add_argument(
        "--reason", default="", metavar="TEXT", help=str(Words("变更原因", "why it is changed"))
    )
    configure.add_argument(
        "--raise-to",
        type=int,
        metavar="N",
        help=str(
            Words("由备份恢复后,把版本升到传感器所持之上", "after a restore: go on above what sensors hold")
        ),
    )
    bundle = _verb(
        verbs, "bundle", Words("制作签名的传感器升级包", "make a signed bundle for sensors"), run_bundle
    )
    trace = _verb(
        verbs,
        "trace",
        Words("查出事件所在的签名批并验签", "the signed batch an event came in, and whether it holds"),
        run_trace,
    )
    trace.add_argument("event", metavar="EVENT_ID")
    trace.add_argument("--json", action="store_true", help=str(Words("输出 JSON", "print JSON")))
    bundle.add_argument("wheels", nargs="+", type=Path, metavar="WHEEL")
    bundle.add_argument("--out", type=Path, required=True, metavar="FILE")


def _verb(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, words: Words, run: object
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=str(words), description=str(words))
    parser.add_argument(
        "--data", type=folder, default=Path("var/center"), help=str(Words("数据目录", "data folder"))
    )
    parser.set_defaults(run=run)
    return parser


def run_trace(options: argparse.Namespace) -> int:
    """Print what is known of an event's batch; exit 1 where its signature does not hold."""
    from soc_api.trace import trace

    found = trace(options.data, options.event)
    if options.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for key, value in found.items():
            print(f"{key}: {value}")
    return 0 if found["verified"] else 1


def run_configure(options: argparse.Namespace) -> int:
    """Change one scope, or list what holds."""
    from soc_api.sensor_configuration import Layer, Scope

    scope = Scope(unit=options.unit, kind=options.kind, group=options.group)
    if options.raise_to is None and not (options.file or options.mapping or options.clear):
        return _list(options.data)
    layer = Layer()
    if options.file or options.mapping:
        layer = Layer(settings=_tables(options.file), files=dict(map(_mapping, options.mapping)))
    version = _change(options, scope, layer)
    said = Words(f"传感器配置版本 {version}", f"version {version} of the sensors' configuration")
    print(said, file=sys.stderr)
    print(version)
    return 0


def _change(options: argparse.Namespace, scope: "Scope", layer: "Layer") -> int:
    from crypto.link_authority import LinkAuthority
    from soc_api.audit import entry
    from soc_api.folders import Folders, audit_of, state_engine
    from soc_api.migrate import upgrade
    from soc_api.sensor_configuration import ConfigurationDesk, check
    from soc_api.sensor_configuration_store import ConfigurationStore
    from soc_api.settings import load_settings

    folders, settings = Folders(options.data), load_settings(options.data)
    check(scope, layer)
    engine = state_engine(folders, settings)
    actor, now = f"local:{getpass.getuser()}", datetime.now(UTC)
    try:
        upgrade(engine)
        store = ConfigurationStore(engine)
        # Announced before it is so: a configuration nobody can account for must not be.
        about = f"unit:{scope.unit or '*'} kind:{scope.kind or '*'} group:{scope.group or '*'}"
        audit_of(engine).record(
            entry(time=now, actor=actor, source="local", action="sensor.configure", about=about)
        )
        if options.raise_to is not None:
            return store.raise_to(options.raise_to, actor, now)
        desk = ConfigurationDesk(store, LinkAuthority(folders.keys), settings.center.id)
        return desk.configure(scope, layer, actor=actor, reason=options.reason)
    finally:
        engine.dispose()


def _list(data: Path) -> int:
    from soc_api.folders import Folders, state_engine
    from soc_api.migrate import upgrade
    from soc_api.sensor_configuration_store import ConfigurationStore
    from soc_api.settings import load_settings

    engine = state_engine(Folders(data), load_settings(data))
    try:
        upgrade(engine)
        store = ConfigurationStore(engine)
        newest, holding = store.newest(), store.holding()
    finally:
        engine.dispose()
    print(Words(f"当前版本 {newest}", f"version {newest}"))
    for change in holding:
        print(_line(change))
    return 0


def _line(change: "Change") -> str:
    scope, layer = change.scope, change.layer
    said = [f"{name}={value}" for name, value in zip(("unit", "kind", "group"), _parts(scope), strict=True)]
    told = []
    for table, keys in (layer.settings if layer else {}).items():
        told += [f"{table}.{key}={value!r}" for key, value in keys.items()]
    told += list(layer.files if layer else {})
    when = change.made.isoformat(timespec="seconds")
    return f"{change.version} {when} {change.actor} {' '.join(said)}: {', '.join(told) or '-'}"


def _parts(scope: "Scope") -> tuple[str, str, str]:
    return scope.unit or "*", scope.kind or "*", scope.group or "*"


def _tables(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    try:
        table = tomllib.loads(_read(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _bad(str(error), path) from error
    if not all(isinstance(keys, dict) for keys in table.values()):
        raise _bad("only tables such as [host] are taken", path)
    return table


def _mapping(path: Path) -> tuple[str, bytes]:
    return f"mappings/{path.name}", _read(path)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LAYER_BYTES_MAX + 1)
    except OSError as error:
        raise _bad(error.strerror or str(error), path) from error
    if len(data) > LAYER_BYTES_MAX:
        raise _bad(f"more than {LAYER_BYTES_MAX} bytes", path)
    return data


def run_bundle(options: argparse.Namespace) -> int:
    """Make a bundle of wheels, signed by the key that signs configurations."""
    import re

    from crypto.link_authority import LinkAuthority
    from sensors.bundle import make
    from soc_api.folders import Folders
    from soc_api.sensor_configuration import signing_identity
    from soc_api.settings import load_settings

    folders, settings = Folders(options.data), load_settings(options.data)
    named = [re.match(r"liuhe-([^-]+)-", wheel.name) for wheel in options.wheels]
    versions = [found.group(1) for found in named if found]
    if len(versions) != 1:
        raise _bad("one wheel of liuhe is wanted among them", options.wheels[0])
    now = datetime.now(UTC)
    signer = signing_identity(LinkAuthority(folders.keys), settings.center.id, now)
    partial = options.out.with_name(options.out.name + ".partial")
    try:
        with partial.open("wb") as out:
            manifest = make(
                out,
                options.wheels,
                version=versions[0],
                center=settings.center.id,
                key=signer.key,
                chain=signer.chain,
                now=now,
            )
        partial.replace(options.out)
    finally:
        partial.unlink(missing_ok=True)
    said = Words(
        f"升级包 {manifest.version}:{len(manifest.files)} 个文件,适用 {manifest.machine}",
        f"bundle {manifest.version}: {len(manifest.files)} files, for machine {manifest.machine}",
    )
    print(said, file=sys.stderr)
    return 0


def _bad(reason: str, path: Path) -> BadInput:
    return BadInput(
        "sensor-layer",
        Words(f"文件不可用:{reason}", f"the file cannot be used: {reason}"),
        Words("请对照 docs/reference/sensor-life.md 改正", "correct it, see docs/reference/sensor-life.md"),
        field=str(path),
    )
