"""A catalogue for event files whose state database is not there: a folder copied for an investigation.

What the database would say of each file is read from the file itself. Nothing is written beside the files,
and nothing vouches for them: digests are known only to the database and the ledger.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Engine

from crypto.words import LiuheError, Words
from detection.store.event_file import Written
from detection.store.segment_store import SegmentStore
from detection.store.state import open_state
from detection.store.tables import micros

_SUFFIX: Final = ".parquet"
_BROKEN: Final = (pa.ArrowException, OSError, ValueError)


@contextmanager
def bare_state(data: Path, unreadable: list[Words]) -> Iterator[Engine]:
    """A throw-away state database that knows the event files below ``data``.

    Files that cannot be read are named in ``unreadable``.
    Raises LiuheError (center-absent) where there are neither event files nor a log.
    """
    files = sorted((data / "events").glob(f"*{_SUFFIX}"))
    if not files and not (data / "log").is_dir():
        raise LiuheError(
            "center-absent",
            Words(
                "此目录中没有监管中心,也没有事件文件", "there is no center in this folder, and no event files"
            ),
            Words("请用 --data 指定中心的数据目录", "name the center's data folder with --data"),
            field=str(data),
        )
    with tempfile.TemporaryDirectory(prefix="liuhe-hunt-") as folder:
        engine = open_state(f"sqlite:///{folder}/state.sqlite", create=True)
        try:
            catalogue = SegmentStore(engine)
            for path in files:
                try:
                    first, last = (int(one) for one in path.name.removesuffix(_SUFFIX).split("-"))
                    catalogue.add(path.name, _written(path), first, last, datetime.now(UTC))
                except _BROKEN as error:
                    unreadable.append(
                        Words(f"{path.name} 读不出:{error}", f"{path.name} cannot be read: {error}")
                    )
            yield engine
        finally:
            engine.dispose()


def _written(path: Path) -> Written:
    """What the file's own footer says of it."""
    with pq.ParquetFile(path) as file:
        groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
        place = file.schema_arrow.names.index("time")
        times = [group.column(place).statistics for group in groups]
        if not times or any(one is None or not one.has_min_max for one in times):
            raise ValueError("no times in the footer")
        first = min(one.min for one in times).replace(tzinfo=UTC)
        last = max(one.max for one in times).replace(tzinfo=UTC)
        return Written(file.metadata.num_rows, path.stat().st_size, "", micros(first), micros(last))
