"""Make the samples of the host rules: real situations, staged on a private view of this machine, recorded
by the real sources. Run as root: ``unshare --mount --uts python tests/sensors/host/stage_samples.py``.

/etc, /var/log, /root/.ssh, /home, /tmp, /usr/local and /opt are private copies or empty folders, which is
checked before anything is staged; nothing outside them is touched and nothing leaves the machine. Programs
that are not installed (nc, frpc, ...) are copies of bash under their name: what counts is that a program of
that name is started with that command line.
"""

import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT))

from detection.sigma.detector import SigmaDetector  # noqa: E402
from detection.sigma.load import load_rules  # noqa: E402
from detection.sigma.rule import Rule  # noqa: E402
from sensors.event import Event, Observation, encode, stamp  # noqa: E402
from sensors.host.auth_log import AuthLogSource  # noqa: E402
from sensors.host.cursor import Cursor  # noqa: E402
from sensors.host.file_integrity import FileIntegritySource  # noqa: E402
from sensors.host.listeners import ListenerSource  # noqa: E402
from sensors.host.logins import LoginSource  # noqa: E402
from sensors.host.observe import gap  # noqa: E402
from sensors.host.probes import ProbeSource  # noqa: E402
from sensors.host.processes import ProcessSource  # noqa: E402
from sensors.host.settings import default_watch_paths  # noqa: E402
from tests.sensors.host import staged  # noqa: E402

SAMPLES = ROOT / "rules/samples"
HOST = "web-01"
HIT_LINES_MAX = 3
QUIET = ("login", "auth.log", "listener.change", "file.change")
EMPTY = ("/usr/local", "/home", "/opt", "/tmp", "/var/spool/cron", "/root/.ssh")
FORBIDDEN = re.compile(r"cloudsdk|:2024|-fc-|pyenv|/work|stage_samples|bash_jobs|\.venv")


class Recorder:
    """Everything the sources emit, in order."""

    def __init__(self) -> None:
        self.seen: list[Observation] = []
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, source: object) -> None:
        run: Callable[..., None] = source.run  # type: ignore[attr-defined]
        thread = threading.Thread(target=run, args=(self.seen.extend, self._stop), daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(10)


class Shell:
    """A person's shell: commands are typed into it, so that their parent is a shell."""

    def __init__(self, user: str) -> None:
        home = "/opt" if user == "root" else f"/home/{user}"
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        command = ["/usr/bin/bash", "--norc"]
        if user != "root":
            command = ["/usr/sbin/runuser", "-u", user, "--", *command]
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={"PATH": path, "HOME": home, "USER": user, "LANG": "C.UTF-8"},
        )

    def type(self, line: str) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.write(f"{{ {line}\n}} </dev/null; echo; echo __done__\n".encode())
        self._child.stdin.flush()
        while self._child.stdout.readline() != b"__done__\n":
            pass

    def close(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        self._child.wait(10)


def private_view() -> None:
    """Copies and empty folders over everything the staging touches; needs its own mount namespace."""

    def sh(*words: str) -> None:
        subprocess.run(words, check=True)

    sh("mount", "--make-rprivate", "/")
    sh("hostname", HOST)
    store = Path("/mnt")
    sh("mount", "-t", "tmpfs", "none", str(store))
    for name in ("etc", "var/log"):
        copy = store / name
        copy.mkdir(parents=True)
        sh("cp", "-a", f"/{name}/.", str(copy))
        sh("mount", "--bind", str(copy), f"/{name}")
    for name in EMPTY:
        Path(name).mkdir(exist_ok=True)
        sh("mount", "-t", "tmpfs", "none", name)
    Path("/tmp").chmod(0o1777)
    shared = Path("/").stat().st_dev
    touched = ("/etc", "/var/log", *EMPTY)
    assert all(Path(name).stat().st_dev != shared for name in touched), "not a private view"
    for name in ("/usr/local/sbin", "/usr/local/bin", "/var/spool/cron/crontabs"):
        Path(name).mkdir(exist_ok=True, parents=True)
    for tool in staged.TOOLS:
        sh("cp", "/usr/bin/bash", f"/usr/local/sbin/{tool}")
    sh("useradd", "-m", "-s", "/bin/bash", "zhang")
    sh("cp", "/usr/bin/perl", "/home/zhang/agent")
    Path("/home/zhang/.ssh").mkdir(exist_ok=True)
    for name in ("btmp", "wtmp", "auth.log"):
        Path(f"/var/log/{name}").write_bytes(b"")


def staged_processes(rules: dict[str, Rule], recorder: Recorder) -> None:
    """Type each command, keep what the process source saw of it."""
    shells = {"root": Shell("root"), "zhang": Shell("zhang")}
    for stem, (user, hits, misses) in staged.PROCESSES.items():
        detector = SigmaDetector([rules[stem]])
        write(stem, "hit", _typed(shells[user], hits, recorder, detector, matching=True))
        write(stem, "miss", _typed(shells[user], misses, recorder, detector, matching=False))
    for shell in shells.values():
        shell.close()


def _typed(
    shell: Shell, lines: Sequence[str], recorder: Recorder, detector: SigmaDetector, *, matching: bool
) -> list[Event]:
    kept: list[Event] = []
    for line in lines:
        for _ in range(8):
            start = len(recorder.seen)
            shell.type(line)
            time.sleep(0.15)
            events = clean(recorder.seen[start:])
            found = [one for one in events if bool(detector.matching(one)) is matching]
            found = [one for one in found if "process.command_line" in one.fields]
            if found:
                kept.append(found[0])
                break
        else:
            print("not seen:", line, file=sys.stderr)
    return kept


def staged_files(rules: dict[str, Rule], recorder: Recorder) -> None:
    """Do each change in the private /etc, keep what the file source saw."""
    shell = Shell("root")
    for stem, (hits, misses) in staged.FILES.items():
        detector = SigmaDetector([rules[stem]])
        for name, lines, matching in (("hit", hits, True), ("miss", misses, False)):
            start = len(recorder.seen)
            for line in lines:
                shell.type(line)
                time.sleep(1.0)
            events = [one for one in clean(recorder.seen[start:]) if "file.path" in one.fields]
            kept = [one for one in events if bool(detector.matching(one)) is matching]
            write(stem, name, kept[:HIT_LINES_MAX])
    shell.close()


def staged_records(rules: dict[str, Rule], recorder: Recorder) -> None:
    """Real failures of su, records and log lines as login programs append them, real listeners."""
    start = len(recorder.seen)
    for user in ("nobody", "zhang"):
        words = ["runuser", "-u", "nobody", "--", "su", user]
        subprocess.run(words, input=b"wrong\n", capture_output=True, check=False)
    with Path("/var/log/wtmp").open("ab") as wtmp:
        wtmp.write(staged.utmp_records())
    with Path("/var/log/auth.log").open("a", encoding="utf-8") as log:
        log.writelines(f"{time.strftime('%b %e %H:%M:%S')} {HOST} {line}\n" for line in staged.LOG_LINES)
    shells = [(Shell(user), command) for user, command in staged.LISTENERS]
    for shell, command in shells:
        shell.type(f"{command} >/dev/null 2>&1 & sleep 3")
    for shell, _ in shells:
        shell.type("kill %1")
        shell.close()
    time.sleep(3)
    events = clean(recorder.seen[start:])
    events += clean([gap("flows", "quota reached; oldest flows dropped", count=1200), *staged.CAPTURE])
    done = set(staged.PROCESSES) | set(staged.FILES)
    for stem, rule in rules.items():
        if stem in done:
            continue
        detector = SigmaDetector([rule])
        near = [one for one in events if _near(rule, one)]
        write(stem, "hit", [one for one in near if detector.matching(one)][:HIT_LINES_MAX])
        write(stem, "miss", [one for one in near if not detector.matching(one)][:HIT_LINES_MAX])


def _near(rule: Rule, event: Event) -> bool:
    """Whether an event is of the rule's kind; a miss of another log source would prove nothing."""
    if rule.logsource.product == "liuhe":
        return event.logsource.product == "liuhe"
    if rule.logsource.service:
        return event.logsource.service in ("login", "sshd", "sudo", "su", "auth")
    return event.logsource.category == rule.logsource.category


def staged_benign(recorder: Recorder, rules: dict[str, Rule]) -> None:
    """A morning of ordinary work; what a rule matches in it is shown, not hidden."""
    start = len(recorder.seen)
    for user, lines in staged.BENIGN.items():
        shell = Shell(user)
        for line in lines:
            shell.type(line)
            time.sleep(0.05)
        shell.close()
    recorder.start(ProbeSource())
    time.sleep(4)
    detector = SigmaDetector(list(rules.values()))
    work = clean(recorder.seen[start:])
    for event in work:
        for rule in detector.matching(event):
            print("benign match:", rule.path, event.fields, file=sys.stderr)
    # Logins, log lines, listeners and files come from the staging before: those nobody objects to.
    rest = [one for one in clean(recorder.seen[:start]) if one.fields["event.dataset"] in QUIET]
    quiet = [one for one in rest if not detector.matching(one)]
    save(SAMPLES / "benign/host.ndjson", [*quiet, *work])


def clean(seen: Sequence[Observation]) -> list[Event]:
    """Events of the staged host alone: whatever else runs on this machine stays out."""
    events = [
        stamp(one, unit="sample", sensor=HOST, epoch=1, sequence=number) for number, one in enumerate(seen, 1)
    ]
    return [one for one in events if not FORBIDDEN.search(encode(one).decode()) and _ours(one)]


def _ours(event: Event) -> bool:
    if event.fields.get("gov.process.unread"):
        return False
    user = event.fields.get("user.name")
    parent = str(event.fields.get("process.parent.command_line", ""))
    if event.fields["event.dataset"] == "process.start":
        directory = str(event.fields.get("process.working_directory", ""))
        return directory.startswith(("/opt", "/home/zhang", "/tmp", "/etc", "/var")) and bool(parent)
    if event.fields["event.dataset"] == "listener.change":
        return user in ("root", "zhang") and event.native.get("LocalPort") != 2024
    return True


def write(stem: str, name: str, events: Sequence[Event]) -> None:
    """One sample file; an empty one is an error to be seen."""
    if not events:
        print("no events:", stem, name, file=sys.stderr)
    save(SAMPLES / "host" / stem / f"{name}.ndjson", events)


def save(path: Path, events: Sequence[Event]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode(one) + b"\n" for one in events))


def main() -> None:
    """Stage everything and write every sample."""
    loaded, errors = load_rules([ROOT / "rules/sigma/host"])
    assert not errors, errors
    rules = {Path(rule.path).stem: rule for rule in loaded}
    private_view()
    assert socket.gethostname() == HOST
    recorder = Recorder()
    cursors = Path("/mnt/cursors")
    recorder.start(ProcessSource(Cursor(cursors, "processes")))
    recorder.start(ListenerSource(interval_seconds=1.0))
    recorder.start(LoginSource(Path("/var/log/btmp"), Cursor(cursors, "btmp"), failed=True))
    recorder.start(LoginSource(Path("/var/log/wtmp"), Cursor(cursors, "wtmp"), failed=False))
    recorder.start(AuthLogSource(Path("/var/log/auth.log"), Cursor(cursors, "auth")))
    watched = [Path(one) for one in default_watch_paths()]
    recorder.start(FileIntegritySource(watched, Cursor(cursors, "files")))
    time.sleep(1.5)
    staged_processes(rules, recorder)
    staged_files(rules, recorder)
    staged_records(rules, recorder)
    staged_benign(recorder, rules)
    recorder.stop()


if __name__ == "__main__":
    main()
