"""Rows people handed in, put into the registry: all of them or none, and nothing in a dry run."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, select

from compliance.asset_store import write_asset, write_contact, write_object
from compliance.registry import AssessmentObject, Asset, Contact, GradedSystem, Unit, not_found
from compliance.registry_sheet import ERRORS_MAX, SHEETS, Read, RowError, SheetName, Value
from compliance.registry_store import insert_system, read_system, write_system, write_unit
from compliance.registry_tables import assessment_objects, assets, contacts, graded_systems, units
from crypto.words import LiuheError, Refused, Words
from detection.store.state import writing

Scope = Collection[str] | None  # units whoever imports may touch; None: all


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What an import did, or would do: rows per sheet that are new, changed, as they were."""

    dry_run: bool
    added: dict[SheetName, int]
    changed: dict[SheetName, int]
    same: dict[SheetName, int]
    errors: tuple[RowError, ...]

    @property
    def done(self) -> bool:
        """Whether the registry was changed."""
        return not self.dry_run and not self.errors


class _Undone(Exception):
    """Ends a transaction without keeping it."""


class RegistryImportStore:
    """Imports over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, read: Read, *, scope: Scope, dry_run: bool, now: datetime, actor: str) -> Imported:
        """Enter rows in the order of the sheets; an error in any row undoes all of them."""
        errors = list(read.errors)
        counted = {kind: dict.fromkeys(SHEETS, 0) for kind in ("added", "changed", "same")}
        try:
            with writing(self._engine) as connection:
                for sheet in SHEETS:
                    for number, value in read.values.get(sheet, ()):
                        if len(errors) >= ERRORS_MAX:
                            break
                        try:
                            with connection.begin_nested():
                                _allowed(connection, value, scope)
                                counted[_put(connection, value, now, actor)][sheet] += 1
                        except LiuheError as error:
                            errors.append(_row_error(sheet, number, error))
                if dry_run or errors:
                    raise _Undone
        except _Undone:
            pass
        return Imported(dry_run=dry_run, errors=tuple(errors), **counted)


def _put(connection: Connection, value: Value, now: datetime, actor: str) -> str:
    match value:
        case Unit():
            return _put_unit(connection, value, now, actor)
        case GradedSystem():
            return _put_system(connection, value, now, actor)
        case Asset():
            return _put_asset(connection, value, now, actor)
        case AssessmentObject():
            return _put_object(connection, value, now, actor)
        case Contact():
            return _put_contact(connection, value, now, actor)


def _put_unit(connection: Connection, unit: Unit, now: datetime, actor: str) -> str:
    row = connection.execute(select(units).where(units.c.code == unit.code)).mappings().first()
    if row is not None:
        before = Unit(**row)
        unit = msgspec.structs.replace(unit, parent=unit.parent or before.parent)
        if before == unit:
            return "same"
    write_unit(connection, unit, now, actor)
    return "added" if row is None else "changed"


def _put_system(connection: Connection, system: GradedSystem, now: datetime, actor: str) -> str:
    known = select(graded_systems.c.id).where(graded_systems.c.id == system.id)
    if connection.scalar(known) is None:
        if connection.scalar(select(units.c.code).where(units.c.code == system.unit)) is None:
            raise not_found("unit", system.unit)
        insert_system(connection, system, now, actor)
        return "added"
    before = read_system(connection, system.id)
    if before.grade != system.grade:
        raise Refused(
            "step-refused",
            Words("级别只能经「定级」一步变更", "the grade changes by a grading step only"),
            Words("请在系统页面办理定级", "take that step on the system's page"),
            field="grade",
        )
    kept = {name: getattr(before, name) for name in _KEPT}
    after = msgspec.structs.replace(system, **kept)
    if after == before:
        return "same"
    write_system(connection, after, now, actor)
    return "changed"


_KEPT: Final = (
    "stage",
    "filing_number",
    "filed",
    "filing_expires",
    "assessed",
    "assessment_due",
    "crypto_assessed",
    "crypto_due",
    "revision",
)


def _put_asset(connection: Connection, asset: Asset, now: datetime, actor: str) -> str:
    place = assets.c.system == asset.system, assets.c.name == asset.name
    row = connection.execute(select(assets).where(*place)).mappings().first()
    if row is None:
        write_asset(connection, asset, now, actor)
        return "added"
    names = ("kind", "address", "owner", "location", "model", "retired")
    if all(row[name] == getattr(asset, name) for name in names):
        return "same"
    write_asset(connection, msgspec.structs.replace(asset, number=row["number"]), now, actor)
    return "changed"


def _put_object(connection: Connection, one: AssessmentObject, now: datetime, actor: str) -> str:
    place = assessment_objects.c.system == one.system, assessment_objects.c.id == one.id
    row = connection.execute(select(assessment_objects).where(*place)).mappings().first()
    if row is not None and (row["note"], row["retired"]) == (one.note, one.retired):
        return "same"
    write_object(connection, one, now, actor)
    return "added" if row is None else "changed"


def _put_contact(connection: Connection, person: Contact, now: datetime, actor: str) -> str:
    same = [contacts.c[name] == getattr(person, name) for name in ("unit", "system", "duty", "name")]
    row = connection.execute(select(contacts).where(*same)).mappings().first()
    if row is not None and (row["phone"], row["email"]) == (person.phone, person.email):
        return "same"
    write_contact(connection, person, now, actor)
    return "added" if row is None else "changed"


def _allowed(connection: Connection, value: Value, scope: Scope) -> None:
    """Nobody imports into, or out of, units they may not see."""
    if scope is None:
        return
    touched = _units(connection, value)
    if outside := [unit for unit in touched if unit not in scope]:
        raise Refused(
            "unit-scope",
            Words(f"单位 {outside[0]} 不在您的管辖范围", f"unit {outside[0]} is outside your tree"),
            Words("请由其上级单位办理", "ask the unit above it"),
            field=outside[0],
        )


def _units(connection: Connection, value: Value) -> Sequence[str]:
    match value:
        case Unit():
            row = connection.execute(select(units.c.parent).where(units.c.code == value.code)).first()
            if row is None:
                return [value.parent or value.code]  # a new unit stands below one of one's own
            moved = value.parent is not None and value.parent != row.parent
            return [value.code, *([value.parent] if moved and value.parent else [])]
        case GradedSystem():
            query = select(graded_systems.c.unit).where(graded_systems.c.id == value.id)
            return [value.unit, *connection.scalars(query)]
        case Contact():
            return [value.unit]
        case _:
            query = select(graded_systems.c.unit).where(graded_systems.c.id == value.system)
            return list(connection.scalars(query))


def _row_error(sheet: SheetName, row: int, error: LiuheError) -> RowError:
    return RowError(sheet=sheet, row=row, column="", what=error.what, fix=error.fix)


def counted(found: Imported) -> Mapping[str, int]:
    """Totals over all sheets."""
    return {
        "added": sum(found.added.values()),
        "changed": sum(found.changed.values()),
        "same": sum(found.same.values()),
        "errors": len(found.errors),
    }
