"""Runs a center: the pipeline, the api, local sensors; started in order, watched, stopped in reverse."""

import contextlib
import http.client
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple, get_args

from crypto.words import BadInput, LiuheError, Words
from soc_api import local_sensors
from soc_api.folders import Folders, state_engine
from soc_api.migrate import upgrade
from soc_api.settings import Endpoint, Role, Settings, load_settings
from soc_api.speech import say
from soc_api.supervisor import Child, Supervisor, only_one, running_pid

PIPELINE_ROLES: Final[tuple[Role, ...]] = ("ingest", "detect", "store")
API_ROLES: Final[tuple[Role, ...]] = ("api", "jobs")
_DRILL_DONE: Final = (0, 1)  # every alert came, or some did not: both are results
SENSOR_WARM_SECONDS: Final = 6.0  # until a fresh sensor has had its first look at everything


class FirstLogin(NamedTuple):
    """What set-up prints once: the shift leader's one-time login, and the token of the set-up page."""

    user: str
    password: str
    setup: str


def run_roles(data: Path, roles: str) -> int:
    """One process: ``ingest,detect,store`` or ``api,jobs`` (they share a log, a ledger, respectively)."""
    _keep_to_ourselves()
    wanted = tuple(part.strip() for part in roles.split(","))
    unknown = [part for part in wanted if part not in get_args(Role)]
    folders, settings = Folders(data), load_settings(data)
    if not unknown and set(wanted) == set(PIPELINE_ROLES):
        from soc_api.pipeline_process import run_pipeline

        run_pipeline(folders, settings)
    elif not unknown and set(wanted) == set(API_ROLES):
        from soc_api.api_process import run_api

        run_api(folders, settings)
    else:
        raise BadInput(
            "roles",
            Words(f"角色组合不支持:{roles}", f"these roles can't run together: {roles}"),
            Words("请用 ingest,detect,store 或 api,jobs", "use ingest,detect,store or api,jobs"),
            field="--roles",
        )
    return 0


def run_center(data: Path, *, local_sensors: bool, drill: bool, first_login: FirstLogin | None) -> int:
    """Run until SIGINT or SIGTERM."""
    _keep_to_ourselves()
    folders, settings = Folders(data), load_settings(data)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _never_lost(first_login), only_one(folders.run):
        _free_or_refuse(settings)
        engine = state_engine(folders, settings)
        upgrade(engine)
        supervisor = Supervisor(folders.logs, say=say)
        try:
            for child in _children(folders, settings):
                if stop.is_set():
                    break
                say(Words(f"启动 {child.name} …", f"starting {child.name} …"))
                supervisor.start(child)
            if local_sensors:
                _start_sensors(folders, settings, supervisor, stop)
            engine.dispose()
            if drill and not stop.is_set():
                _first_drill(folders, settings, supervisor, stop)
            for line in summary(data, first_login):
                print(line, flush=True)
            supervisor.watch(stop)
        finally:
            say(Words("正在停止 …", "stopping …"))
            supervisor.stop()
    say(Words("已停止", "stopped"))
    return 0


def _keep_to_ourselves() -> None:
    """Files of this process and its children are for their own user alone, and its memory for nobody's."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump would hold keys and names


@contextlib.contextmanager
def _never_lost(first_login: FirstLogin | None) -> Iterator[None]:
    """Print the one-time login of a center that was made but could not start: nobody could ask for it."""
    try:
        yield
    except (LiuheError, OSError):
        if first_login:
            print(login_line(first_login), flush=True)
        raise


def _start_sensors(
    folders: Folders, settings: Settings, supervisor: Supervisor, stop: threading.Event
) -> None:
    engine = state_engine(folders, settings)
    for kind in local_sensors.KINDS:
        if stop.is_set():
            break
        if not local_sensors.enrolled(folders, kind):
            say(Words(f"登记本机 {kind} 传感器 …", f"enrolling the local {kind} sensor …"))
            local_sensors.enrol(folders, settings, engine, kind)
        try:
            local_sensors.suit(folders, settings, kind)
        except LiuheError as error:
            # The sensor will say the same and be tried again; the rest of the center goes on.
            say(error.what)
        supervisor.start(local_sensors.child(folders, kind))
    engine.dispose()


def _first_drill(folders: Folders, settings: Settings, supervisor: Supervisor, stop: threading.Event) -> None:
    """Once in the life of a data folder, so that the first page has something true on it."""
    done = folders.run / "drill-done"
    if done.exists() or stop.wait(SENSOR_WARM_SECONDS):
        return
    # A row whose source is missing takes its full wait: say now where the console is and what is missing.
    url = url_of(settings)
    say(Words(f"控制台已可访问:{url}", f"the console serves: {url}"))
    for line in local_sensors.missing(folders):
        say(line)
    say(Words("运行演练(无害动作,随后列表)…", "running the drill (harmless actions, then a table) …"))
    process = subprocess.Popen(
        [sys.executable, "-m", "soc_api.cli", "drill", "--data", str(folders.data)], start_new_session=True
    )
    while process.poll() is None:
        supervisor.tend()
        if stop.wait(0.2):
            process.terminate()
            process.wait()
            return
    if process.returncode in _DRILL_DONE:  # else it could not start: the next start tries again
        done.write_text(f"{datetime.now(UTC).isoformat()} exit {process.returncode}\n")


def _children(folders: Folders, settings: Settings) -> list[Child]:
    def command(roles: tuple[Role, ...]) -> list[str]:
        base = [sys.executable, "-m", "soc_api.cli", "center", "run", "--data", str(folders.data)]
        return [*base, "--roles", ",".join(roles)]

    pipeline = Child(name="pipeline", command=command(PIPELINE_ROLES), ready=lambda: listens(settings.ingest))
    api = Child(name="api", command=command(API_ROLES), ready=lambda: serves(settings))
    placed = ((pipeline, PIPELINE_ROLES), (api, API_ROLES))
    return [child for child, roles in placed if _here(settings, roles)]


def _here(settings: Settings, roles: tuple[Role, ...]) -> bool:
    return not set(roles).isdisjoint(settings.roles)


def url_of(settings: Settings) -> str:
    """The console's URL."""
    console = settings.console
    host = f"[{console.host}]" if ":" in console.host else console.host
    return f"{'https' if console.certificate else 'http'}://{host}:{console.port}{console.base_path}/"


def serves(settings: Settings) -> bool:
    """Whether the API answers."""
    if settings.console.certificate:
        return listens(settings.console)
    # Straight to the port: a proxy of the environment is not for this machine's own console.
    connection = http.client.HTTPConnection(settings.console.host, settings.console.port, timeout=2)
    try:
        connection.request("GET", "/api/v1/health")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(endpoint: Endpoint) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=1):
            return True
    except OSError:
        return False


def _free_or_refuse(settings: Settings) -> None:
    places = (("console", settings.console, API_ROLES), ("ingest", settings.ingest, PIPELINE_ROLES))
    for name, endpoint, roles in places:
        if _here(settings, roles) and listens(endpoint):
            raise LiuheError(
                "port-in-use",
                Words(f"端口 {endpoint.port} 已被占用", f"port {endpoint.port} is in use"),
                Words(
                    f"请停止占用它的程序,或修改 center.toml 的 {name}.port",
                    f"stop what uses it, or change {name}.port in center.toml",
                ),
                field=f"{endpoint.host}:{endpoint.port}",
            )


def wait_until_serving(data: Path, *, seconds_max: float, alive: Callable[[], bool] = lambda: True) -> None:
    """Return once the center of ``data`` runs and answers.

    Raises LiuheError with the log's last line, at once where ``alive`` says that nothing will come any more.
    """
    settings = load_settings(data)
    with_api = _here(settings, API_ROLES)
    deadline = time.monotonic() + seconds_max
    while time.monotonic() < deadline:
        lives = alive()
        if running_pid(data / "run") and (serves(settings) if with_api else listens(settings.ingest)):
            return
        if not lives:
            break
        time.sleep(0.2)
    log = data / "logs" / "center.log"
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    last = lines[-1] if lines else ""
    raise LiuheError(
        "center-not-started",
        Words(f"监管中心未能启动:{last}", f"the center did not start: {last}"),
        Words("请查看日志", "read the log"),
        field=str(log),
    )


def summary(data: Path, first_login: FirstLogin | None) -> list[str]:
    """What a person needs next: URL, login, how to stop, where the data lie."""
    url, liuhe = url_of(load_settings(data)), command_word()
    lines = ["", str(Words(f"控制台    {url}", f"console   {url}"))]
    if first_login:
        lines.append(login_line(first_login))
        page = f"{url}setup"
        lines.append(
            str(
                Words(
                    f"指定三员  {page}  令牌 {first_login.setup}(只用一次,24 小时内有效)",
                    f"set-up    {page}  token {first_login.setup}  (for the three administrators; 24 h)",
                )
            )
        )
    else:
        again = f"{liuhe} center account duty --data {data}"
        lines.append(
            str(Words(f"登录      用已有账号;忘记口令:{again}", f"login     as before; lost: {again}"))
        )
    stop = f"{liuhe} center stop --data {data}"
    lines.append(str(Words(f"停止      Ctrl-C,或 {stop}", f"stop      Ctrl-C, or {stop}")))
    lines.append(str(Words(f"数据目录  {data.absolute()}", f"data      {data.absolute()}")))
    return [*lines, ""]


def login_line(login: FirstLogin) -> str:
    """The one-time login, as printed once."""
    name, password, _ = login
    return str(
        Words(
            f"一次性登录 用户 {name}  口令 {password}(首次登录须绑定动态码设备并改口令,24 小时内有效)",
            f"one-time login  user {name}  password {password}  (bind a device, change it; valid 24 h)",
        )
    )


def command_word() -> str:
    """How to call ``liuhe`` from here: by its name, else by the path beside this interpreter."""
    beside = Path(sys.executable).with_name("liuhe")
    found = shutil.which("liuhe")
    if not beside.exists() or (found and Path(found).samefile(beside)):
        return "liuhe"
    with contextlib.suppress(ValueError, OSError):
        return str(beside.relative_to(Path.cwd()))
    return str(beside)
