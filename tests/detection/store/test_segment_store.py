"""The catalogue of sealed files: order, ranges, tombstones."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from detection.store.event_file import Written
from detection.store.segment_store import SegmentStore
from detection.store.tables import micros


def test_files_by_id_by_time_and_buried(engine: Engine, start: datetime) -> None:
    catalogue = SegmentStore(engine)
    assert catalogue.position() == 0
    for number in range(3):
        first = micros(start + timedelta(hours=number))
        written = Written(10, 100, f"{number:064}", first, first + 3_599_000_000)
        catalogue.add(f"{number}.parquet", written, number * 5 + 1, number * 5 + 5, start)
    with pytest.raises(IntegrityError):
        catalogue.add("0.parquet", written, 99, 99, start)
    files = catalogue.all()
    assert catalogue.position() == 15
    assert [file.sequence_first for file in files] == [1, 6, 11]
    assert catalogue.all(files[0].id, limit=1) == [files[1]]
    late = start + timedelta(minutes=90)
    assert [file.name for file in catalogue.between(late, None)] == ["2.parquet", "1.parquet"]
    assert [file.name for file in catalogue.between(None, late)] == ["1.parquet", "0.parquet"]
    catalogue.bury(files[:1], late)
    assert [file.name for file in catalogue.between(None, None)] == ["2.parquet", "1.parquet"]
    buried = catalogue.all()[0]
    assert (buried.status, buried.deleted, buried.sm3) == ("deleted", late, files[0].sm3)
    catalogue.bury(files[:1], start)
    assert catalogue.all()[0].deleted == late
