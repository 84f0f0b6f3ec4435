"""Assets, assessment objects and contacts in the state database; changes are logged with what they change."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update

from compliance.registry import (
    AssessmentObject,
    Asset,
    Contact,
    checked_asset,
    checked_contact,
    checked_object,
    not_found,
    object_of,
    whole_objects,
)
from compliance.registry_log_store import append
from compliance.registry_tables import assessment_objects, assets, contacts, graded_systems, units
from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros


class AssetStore:
    """Assets, objects and contacts over one state database; safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def assets(self, systems: Iterable[str], *, retired: bool = False) -> Sequence[Asset]:
        """Assets of these systems by system and name."""
        query = select(assets).where(assets.c.system.in_(sorted(systems)))
        if not retired:
            query = query.where(~assets.c.retired)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(assets.c.system, assets.c.name)).mappings().all()
        return [_asset(row) for row in rows]

    def objects(self, system: str, *, retired: bool = False) -> Sequence[AssessmentObject]:
        """Assessment objects of a system by id."""
        query = select(assessment_objects).where(assessment_objects.c.system == system)
        if not retired:
            query = query.where(~assessment_objects.c.retired)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(assessment_objects.c.id)).mappings().all()
        return [_object(row) for row in rows]

    def contacts(self, unit: Iterable[str], system: str = "") -> Sequence[Contact]:
        """People of these units, or of one system of theirs."""
        query = select(contacts).where(contacts.c.unit.in_(sorted(unit)))
        if system:
            query = query.where(contacts.c.system == system)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(contacts.c.unit, contacts.c.number)).mappings().all()
        return [Contact(**row) for row in rows]

    def asset(self, number: int) -> Asset:
        """One asset. Raises Refused (asset-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(assets).where(assets.c.number == number)).mappings().first()
        if row is None:
            raise not_found("asset", str(number))
        return _asset(row)

    def contact(self, number: int) -> Contact:
        """One contact. Raises Refused (contact-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(select(contacts).where(contacts.c.number == number)).mappings().first()
        if row is None:
            raise not_found("contact", str(number))
        return Contact(**row)

    def put_asset(self, asset: Asset, now: datetime, actor: str) -> Asset:
        """Add an asset (number 0) or change one; the object that it is follows.

        Raises Refused (system-not-found, asset-not-found, asset-exists), BadInput (registry-field).
        """
        with writing(self._engine) as connection:
            return write_asset(connection, checked_asset(asset), now, actor)

    def complete(self, system: str) -> None:
        """Give a system without any object those it has from the start: one of an older version has none."""
        mine = select(assessment_objects.c.id).where(assessment_objects.c.system == system).limit(1)
        with writing(self._engine) as connection:
            if connection.scalar(mine) is not None:
                return
            for one in whole_objects(system):
                add_object(connection, one)
            rows = connection.execute(select(assets).where(assets.c.system == system)).mappings().all()
            for row in rows:
                _put_object_of(connection, _asset(row))

    def put_object(self, one: AssessmentObject, now: datetime, actor: str) -> AssessmentObject:
        """Add an object or change its note and use. Raises Refused (system-not-found), BadInput."""
        with writing(self._engine) as connection:
            write_object(connection, checked_object(one), now, actor)
        return one

    def put_contact(self, contact: Contact, now: datetime, actor: str) -> Contact:
        """Add a contact (number 0) or change one. Raises Refused (unit-not-found, …), BadInput."""
        with writing(self._engine) as connection:
            return write_contact(connection, checked_contact(contact), now, actor)

    def drop_contact(self, number: int, now: datetime, actor: str) -> None:
        """Forget a person: who no longer answers for anything is not kept. Raises Refused."""
        with writing(self._engine) as connection:
            row = connection.execute(select(contacts).where(contacts.c.number == number)).mappings().first()
            if row is None:
                raise not_found("contact", str(number))
            connection.execute(delete(contacts).where(contacts.c.number == number))
            _log_contact(connection, Contact(**row), "contact.drop", now, actor)


def write_asset(connection: Connection, asset: Asset, now: datetime, actor: str) -> Asset:
    """Add or change an asset within a transaction."""
    _unit_of(connection, asset.system)
    same = select(assets.c.number).where(assets.c.system == asset.system, assets.c.name == asset.name)
    holder = connection.scalar(same)
    if holder is not None and holder != asset.number:
        raise Refused(
            "asset-exists",
            Words("系统中已有同名资产", "the system has an asset of that name already"),
            Words("请另起名称或修改已有资产", "choose another name, or change the one there is"),
            field=asset.name,
        )
    if not asset.number:
        return add_asset(connection, asset, now, actor)
    row = connection.execute(select(assets).where(assets.c.number == asset.number)).mappings().first()
    if row is None:
        raise not_found("asset", str(asset.number))
    after = msgspec.structs.replace(asset, found=from_micros(row["found"]), origin=row["origin"])
    values = msgspec.structs.asdict(after) | {"found": row["found"]}
    connection.execute(update(assets).where(assets.c.number == asset.number).values(values))
    mine = assessment_objects.c.asset == asset.number
    connection.execute(update(assessment_objects).where(mine).values(retired=True))
    _put_object_of(connection, after)
    _log_asset(connection, after, "asset.change", now, actor)
    return after


def add_asset(connection: Connection, asset: Asset, now: datetime, actor: str) -> Asset:
    """Add an asset with the object that it is; log it."""
    values = msgspec.structs.asdict(asset) | {"found": micros(asset.found or now)}
    del values["number"]
    number = connection.execute(insert(assets).values(values)).inserted_primary_key
    assert number is not None
    after = msgspec.structs.replace(asset, number=number[0], found=asset.found or now)
    _put_object_of(connection, after)
    _log_asset(connection, after, "asset.add", now, actor)
    return after


def write_object(connection: Connection, one: AssessmentObject, now: datetime, actor: str) -> None:
    """Add or change an object within a transaction; log it."""
    unit = _unit_of(connection, one.system)
    known = _objects_of(one)
    fresh = connection.scalar(select(assessment_objects.c.id).where(*known)) is None
    if fresh:
        add_object(connection, one)
    else:
        values = {"note": one.note, "retired": one.retired}
        connection.execute(update(assessment_objects).where(*known).values(values))
    append(
        connection,
        now=now,
        actor=actor,
        action="object.add" if fresh else "object.change",
        subject=f"object:{one.system}/{one.id}",
        unit=unit,
        body=one,
    )


def add_object(connection: Connection, one: AssessmentObject) -> None:
    """Add an object as part of what was logged already."""
    connection.execute(insert(assessment_objects).values({**msgspec.structs.asdict(one), "id": one.id}))


def write_contact(connection: Connection, contact: Contact, now: datetime, actor: str) -> Contact:
    """Add or change a contact within a transaction; the log keeps no telephone numbers."""
    if connection.scalar(select(units.c.code).where(units.c.code == contact.unit)) is None:
        raise not_found("unit", contact.unit)
    if contact.system and _unit_of(connection, contact.system) != contact.unit:
        raise not_found("system", contact.system)
    values = msgspec.structs.asdict(contact)
    del values["number"]
    if contact.number:
        mine = contacts.c.number == contact.number
        if connection.execute(update(contacts).where(mine).values(values)).rowcount == 0:
            raise not_found("contact", str(contact.number))
    else:
        same = [contacts.c[name] == values[name] for name in ("unit", "system", "duty", "name")]
        number = connection.scalar(select(contacts.c.number).where(*same))
        if number is not None:
            return write_contact(connection, msgspec.structs.replace(contact, number=number), now, actor)
        made = connection.execute(insert(contacts).values(values)).inserted_primary_key
        assert made is not None
        contact = msgspec.structs.replace(contact, number=made[0])
    _log_contact(connection, contact, "contact.put", now, actor)
    return contact


def _put_object_of(connection: Connection, asset: Asset) -> None:
    one = object_of(asset)
    if one is None:
        return
    values = {**msgspec.structs.asdict(one), "id": one.id, "retired": asset.retired}
    known = _objects_of(one)
    if connection.scalar(select(assessment_objects.c.id).where(*known)) is None:
        connection.execute(insert(assessment_objects).values(values))
    else:
        connection.execute(update(assessment_objects).where(*known).values(values))


def _objects_of(one: AssessmentObject) -> tuple[Any, ...]:
    return assessment_objects.c.system == one.system, assessment_objects.c.id == one.id


def _unit_of(connection: Connection, system: str) -> str:
    query = select(graded_systems.c.unit).where(graded_systems.c.id == system)
    unit: str | None = connection.scalar(query)
    if unit is None:
        raise not_found("system", system)
    return unit


def _log_asset(connection: Connection, asset: Asset, action: str, now: datetime, actor: str) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"asset:{asset.system}/{asset.name}",
        unit=_unit_of(connection, asset.system),
        body=asset,
    )


def _log_contact(connection: Connection, contact: Contact, action: str, now: datetime, actor: str) -> None:
    append(
        connection,
        now=now,
        actor=actor,
        action=action,
        subject=f"contact:{contact.number}",
        unit=contact.unit,
        body={"unit": contact.unit, "system": contact.system, "duty": contact.duty, "name": contact.name},
    )


def _asset(row: RowMapping) -> Asset:
    return Asset(**{**row, "found": from_micros(row["found"])})


def _object(row: RowMapping) -> AssessmentObject:
    return AssessmentObject(**{name: row[name] for name in AssessmentObject.__struct_fields__})
