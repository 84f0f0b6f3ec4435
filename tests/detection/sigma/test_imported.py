"""Imported releases: whole or not at all, compared with those before, silent unless chosen, with authors."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.sigma.archive import Release, read_archive
from detection.sigma.detector import alert_of
from detection.sigma.imported import LICENCE, Speaking, current_folder, manifest_of, speaking, take_in
from detection.sigma.load import load_all
from sensors.event import Event

NOW = datetime(2026, 11, 22, tzinfo=UTC)
SIGMAHQ = Path(__file__).resolve().parents[4] / "shared" / "data" / "sigma"
RULE = """title: Rule {number}
id: 5b3b6e3c-9d5e-4c9d-8f0a-0123456789{number:02d}
status: {status}
author: Ada, Bob
logsource: {{product: linux, category: process_creation}}
detection:
  selection: {{Image|endswith: {image}}}
  condition: selection
level: {level}
"""


def rule(number: int, *, image: str = "/nc", status: str = "test", level: str = "high") -> bytes:
    return RULE.format(number=number, image=image, status=status, level=level).encode()


def release(**files: bytes) -> Release:
    return Release({f"rules/{name}.yml": data for name, data in files.items()}, {"LICENSE": b"see DRL"})


def test_a_release_is_taken_in_and_told_against_the_one_before(tmp_path: Path) -> None:
    folder = tmp_path / "imported"
    first = release(a=rule(1), b=rule(2), c=rule(3), bad=b"title: x\ndetection: 5\n")
    manifest, changes = take_in(folder, first, "one.zip", NOW, {})
    assert [(one.change, one.entry.path) for one in changes] == [
        ("added", f"rules/rules/{name}.yml") for name in "abc"
    ]
    assert {one.entry.author for one in changes} == {"Ada, Bob"}
    assert len(manifest.unusable) == 1
    assert manifest.unusable[0].startswith("rules/rules/bad.yml:")
    current = current_folder(folder)
    assert current == folder / first.digest
    assert manifest_of(current) == manifest
    assert (current / LICENCE.name).read_text().startswith("Detection Rule License (DRL) 1.1")
    assert (current / "LICENSE").read_bytes() == b"see DRL"
    second = release(a=rule(1), b=rule(2, image="/ncat"), d=rule(4))
    _, changes = take_in(folder, second, "two.zip", NOW, {})
    assert [(one.change, one.entry.title) for one in changes] == [
        ("added", "Rule 4"),
        ("changed", "Rule 2"),
        ("removed", "Rule 3"),
    ]
    assert take_in(folder, second, "two.zip", NOW, {})[1] == []
    take_in(folder, release(a=rule(1)), "three.zip", NOW, {})
    assert not (folder / first.digest).exists()
    assert (folder / second.digest).is_dir()


def test_what_fails_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "imported"
    take_in(folder, release(a=rule(1)), "one.zip", NOW, {})
    before = sorted(folder.iterdir())
    with pytest.raises(BadInput) as caught:
        take_in(folder, release(a=b"["), "two.zip", NOW, {})
    assert caught.value.code == "rules-import"
    assert sorted(folder.iterdir()) == before
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput):
        take_in(tmp_path / "file" / "imported", release(a=rule(1)), "one.zip", NOW, {})
    (folder / "current").write_text("../../etc")
    assert current_folder(folder) is None
    assert current_folder(tmp_path / "absent") is None
    assert manifest_of(None) is None


def test_only_chosen_rules_speak_and_name_their_authors(tmp_path: Path) -> None:
    folder = tmp_path / "imported"
    files = {
        "a": rule(1),
        "b": rule(2, level="medium"),
        "c": rule(3, status="experimental"),
        "d": rule(4, status="deprecated", level="critical"),
        "e": rule(5, status="stable", level="critical"),
    }
    take_in(folder, release(**files), "one.zip", NOW, {})
    ours = tmp_path / "ours.yml"
    ours.write_bytes(rule(9, level="low"))
    current = current_folder(folder)
    assert current is not None
    loaded = load_all([ours, current / "rules"], {})
    kept = speaking(loaded, current, Speaking())
    assert [one.title.en for one in kept.rules] == ["Rule 9", "Rule 1", "Rule 5"]
    assert [one.credit for one in kept.rules] == ["", "Ada, Bob", "Ada, Bob"]
    more = speaking(loaded, current, Speaking(level="medium", status="experimental"))
    assert [one.title.en[-1] for one in more.rules] == list("91235")
    event = Event(
        id="0" * 40,
        time=NOW,
        unit="u",
        sensor="s",
        logsource=kept.rules[1].logsource,
        fields={"host.name": "h"},
        native={"Image": "/bin/nc"},
    )
    assert "Ada, Bob, DRL 1.1" in alert_of(kept.rules[1], event).reason.en
    assert "Ada" not in alert_of(kept.rules[0], event).reason.en


@pytest.mark.slow
def test_the_public_rules_are_taken_in_as_an_archive(tmp_path: Path) -> None:
    if not SIGMAHQ.is_dir():
        pytest.skip("../shared/data/sigma is absent")
    path = tmp_path / "sigma.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.write(SIGMAHQ / "LICENSE", "sigma/LICENSE")
        for file in sorted(SIGMAHQ.glob("rules*/**/*.yml")):
            made.write(file, Path("sigma") / file.relative_to(SIGMAHQ))
    manifest, changes = take_in(tmp_path / "imported", read_archive(path), path.name, NOW)
    assert len(manifest.rules) == len(changes) == 3_780
    assert manifest.unusable == ()
    assert sum(bool(entry.author) for entry in manifest.rules.values()) == 3_780
