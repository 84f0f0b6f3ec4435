"""Opening the relational state: SQLite for one machine, PostgreSQL for several, one schema.

SQLite runs in WAL with synchronous=FULL (a commit survives power loss), foreign keys on, and waits for the
other writer instead of failing. A write transaction is ``with writing(engine)``: it takes the write lock at
BEGIN (BEGIN IMMEDIATE), because a reader that turns writer midway cannot wait and fails at once. Readers use
``engine.connect()`` and never block the writer.
"""

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, FromClause, create_engine, event, make_url
from sqlalchemy import Engine as Engine  # composition roots name the type without importing the client
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from crypto.words import BadInput, LiuheError, Words
from detection.store.tables import metadata

CACHE_KIB: Final = 16_384  # of a connection: pages of a large act are not written out twice
BUSY_MILLISECONDS: Final = 10_000  # how long a writer waits for the other one before it gives up
_SCHEMES: Final = ("sqlite", "postgresql")
_IMMEDIATE: Final = "liuhe_immediate"
DEFAULT_URL: Final = "sqlite:///state.sqlite"


def open_state(url: str | URL, *, create: bool = False) -> Engine:
    """The engine of ``sqlite:///path`` or ``postgresql://…``; ``create`` makes the tables (tests, first run).

    Raises BadInput (state-url) where the URL is not one of these, LiuheError (state-driver, state-open) where
    its driver is absent, or it cannot be opened or is no database.
    """
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except ArgumentError as error:
        raise _bad_url(str(url)) from error
    if backend not in _SCHEMES:
        raise _bad_url(str(url))
    if backend == "sqlite":
        engine = create_engine(parsed, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
        _prepare_sqlite(engine)
    else:
        try:
            engine = create_engine(parsed, pool_pre_ping=True)
        except ModuleNotFoundError as error:
            raise _no_driver(str(error.name)) from error
    try:
        with engine.connect():
            pass
        if create:
            metadata.create_all(engine)
    except DatabaseError as error:
        engine.dispose()
        raise _cannot_open(parsed.render_as_string(hide_password=True), str(error.orig)) from error
    return engine


def state_of(data: Path) -> Engine:
    """The engine of a center's data folder, where its center.toml says ([storage], ``state``)."""
    return state_in(data, _configured(data / "center.toml") or DEFAULT_URL)


def has_state(data: Path) -> bool:
    """Whether a center's data folder has a state database, or says that it is kept elsewhere."""
    path = sqlite_path(data, _configured(data / "center.toml") or DEFAULT_URL)
    return path is None or path.is_file()


def state_in(data: Path, url: str) -> Engine:
    """The engine of ``url``; a relative SQLite path is below the data folder. Raises as ``open_state``."""
    path = sqlite_path(data, url)
    # Put together as parts: a folder's name may hold what a URL would read as something else.
    return open_state(url if path is None else URL.create("sqlite", database=str(path)))


def sqlite_path(data: Path, url: str) -> Path | None:
    """Where the SQLite database of ``url`` lies; None where it is another kind of database."""
    scheme, _, path = url.partition(":///")
    return data.absolute() / path if scheme == "sqlite" and path else None


def _configured(config: Path) -> str:
    try:
        storage = tomllib.loads(config.read_text("utf-8")).get("storage", {})
    except (FileNotFoundError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return ""  # the center itself says what is wrong with its file
    url = storage.get("state", "") if isinstance(storage, dict) else ""
    return url if isinstance(url, str) else ""


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end, rolled back on an exception.

    Raises LiuheError (state-write) where the database is full, locked for too long or gone.
    """
    try:
        with engine.connect().execution_options(**{_IMMEDIATE: True}) as connection, connection.begin():
            yield connection
    except OperationalError as error:
        raise _cannot_write(str(error.orig)) from error


class _Hinted(SQLiteCompiler):
    """Statements may name the index to walk (``Select.with_hint``), which the dialect leaves out."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:  # noqa: ARG002
        return text


def _prepare_sqlite(engine: Engine) -> None:
    engine.dialect.statement_compiler = _Hinted

    @event.listens_for(engine, "connect")
    def _connected(raw: Any, _entry: ConnectionPoolEntry) -> None:
        raw.isolation_level = None  # BEGIN is ours, see below
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_IMMEDIATE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _bad_url(url: str) -> BadInput:
    return BadInput(
        "state-url",
        Words("状态库地址无法识别", "the state database URL is not understood"),
        Words(
            "请写成 sqlite:///路径 或 postgresql://用户@主机/库",
            "write sqlite:///path or postgresql://user@host/database",
        ),
        field=url.partition("@")[2] or url,
    )


def _no_driver(name: str) -> LiuheError:
    return LiuheError(
        "state-driver",
        Words(f"未安装数据库驱动 {name}", f"the database driver {name} is not installed"),
        Words(f"请在本环境安装 {name},或改用 sqlite", f"install {name} here, or use sqlite"),
        field="storage.state",
    )


def _cannot_open(url: str, reason: str) -> LiuheError:
    return LiuheError(
        "state-open",
        Words(f"状态库打不开:{reason}", f"the state database cannot be opened: {reason}"),
        Words(
            "请检查文件夹是否存在、可写,文件是否为 SQLite 数据库",
            "check that the folder exists and is writable and that the file is an SQLite database",
        ),
        field=url,
    )


def _cannot_write(reason: str) -> LiuheError:
    return LiuheError(
        "state-write",
        Words(f"状态库写入失败,本次改动未生效:{reason}", f"the state was not changed: {reason}"),
        Words("请检查磁盘空间和权限后重试", "check disk space and permissions, then try again"),
        field="state",
    )
