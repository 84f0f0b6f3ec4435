"""Bringing the state database to the schema of this version; works from an installed wheel.

The migrations run in one transaction under the write lock: two processes that start at the same time upgrade
once, and a crash midway leaves the old schema.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine, MetaData

import compliance.case_tables
import compliance.enforcement_tables
import compliance.registry_tables
import compliance.report_tables
import compliance.tables
import detection.store.act_tables
import detection.store.exception_tables
import soc_api.change_tables
import soc_api.enrolment_store
import soc_api.hunt_tables
import soc_api.identity_tables
import soc_api.packet_tables
import soc_api.rule_tables
import soc_api.saved_view_tables
import soc_api.sensor_tables
import soc_api.tables
import soc_api.transfer_tables
import soc_api.webhook_tables
from crypto.words import LiuheError, Words
from detection.store.state import writing
from detection.store.tables import metadata

# Importing a module with tables adds them to the one metadata.
_REGISTERED: Final = (
    compliance.case_tables,
    detection.store.act_tables,
    detection.store.exception_tables,
    compliance.registry_tables,
    compliance.report_tables,
    compliance.tables,
    compliance.enforcement_tables,
    soc_api.change_tables,
    soc_api.saved_view_tables,
    soc_api.hunt_tables,
    soc_api.tables,
    soc_api.enrolment_store,
    soc_api.identity_tables,
    soc_api.packet_tables,
    soc_api.rule_tables,
    soc_api.sensor_tables,
    soc_api.transfer_tables,
    soc_api.webhook_tables,
)
SCHEMA: Final[MetaData] = metadata
FOLDER: Final = Path(__file__).with_name("migrations")


def upgrade(engine: Engine, *, to: str = "head") -> None:
    """Run what is missing. Raises LiuheError (state-newer) where a newer version made the database."""
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, to)
        except CommandError as error:
            raise LiuheError(
                "state-newer",
                Words("状态库由更新版本的程序创建", "the state database was made by a newer version"),
                Words("请使用该版本或更新的程序", "use that version of the program or a newer one"),
            ) from error


def revision_of(engine: Engine) -> str:
    """The revision a database is at; '' before the first migration."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def newest_revision() -> str:
    """The revision this version of the program brings a database to."""
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    # Alembic reads "%" in its settings as interpolation; a folder may well have one in its name.
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config
