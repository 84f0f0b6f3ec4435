"""Lists: files of values, later folders first, placeholders replaced or named as missing."""

from pathlib import Path

import pytest
from sigma.rule import SigmaDetections

from detection.condition import Condition, any_of
from detection.sigma import lists as module
from detection.sigma.lists import expanded, read_lists
from detection.sigma.load import load_all
from detection.sigma.translate import translated
from rules import ROOT


def test_files_are_lists_and_later_folders_win(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, text in ((first, "# who\n\n a \nb\na\n"), (second, "\ufeffc\n")):
        folder.mkdir()
        (folder / "Admins.txt").write_text(text, encoding="utf-8")
    (first / "empty.txt").write_text("# nobody yet\n", encoding="utf-8")
    assert read_lists([first]) == ({"admins": ("a", "b")}, [])
    assert read_lists([first, second])[0] == {"admins": ("c",)}
    assert read_lists([tmp_path / "none"]) == ({}, [])


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"x\n" * 20, b"y" * 200])
def test_a_bad_list_is_told_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setattr(module, "LIST_BYTES_MAX", 100)
    monkeypatch.setattr(module, "VALUES_MAX", 5)
    (tmp_path / "bad.txt").write_bytes(
        data if len(set(data)) != 2 else b"\n".join(b"%d" % n for n in range(9))
    )
    (tmp_path / "good.txt").write_text("v", encoding="utf-8")
    found, (error,) = read_lists([tmp_path])
    assert found == {"good": ("v",)}
    assert error.code == "rule-list"
    assert error.path.endswith("bad.txt")


def test_the_shipped_lists_can_be_read() -> None:
    found, errors = read_lists([ROOT / "lists"])
    assert errors == []
    assert found["userdomain"] == ("%userdomain%",)


def parsed(**items: object) -> SigmaDetections:
    return SigmaDetections.from_dict({"sel": dict(items), "condition": "sel"})


@pytest.mark.parametrize(
    ("items", "plain"),
    [
        ({"f|expand": "%l%"}, {"f": ["a*", "b.c"]}),
        ({"f|contains|expand": "x%l%"}, {"f|contains": ["xa\\*", "xb.c"]}),
        ({"f|re|expand": "^%L%$"}, {"f|re": ["^a\\x2a$", "^b\\.c$"]}),
        ({"f|cased|expand": "%l%"}, {"f|cased": ["a\\*", "b.c"]}),
    ],
)
def test_a_placeholder_is_any_value_of_its_list_taken_literally(
    items: dict[str, object], plain: dict[str, object]
) -> None:
    detections = parsed(**items)
    assert expanded(detections, {"l": ("a*", "b.c")})[0] == ()
    wanted: Condition = translated(parsed(**{k: [v] if isinstance(v, str) else v for k, v in plain.items()}))
    if items == {"f|expand": "%l%"}:
        wanted = translated(parsed(f=["a\\*", "b.c"]))
    assert any_of([translated(detections)]) == wanted


def test_all_asks_for_one_value_of_each_list() -> None:
    detections = parsed(**{"f|contains|all|expand": ["%l%", "%m%"]})
    assert expanded(detections, {"l": ("a", "b"), "m": ("c",)})[0] == ()
    tree = translated(detections)
    assert [part.values for part in tree.parts] == [("a", "b"), ("c",)]  # type: ignore[union-attr]


def test_missing_lists_are_named_once() -> None:
    detections = parsed(**{"f|expand": ["%one%", "%two%", "%one%"], "g": "x"})
    assert expanded(detections, {"x": ("1",)})[0] == ("one", "two")


def test_a_changed_list_changes_the_digest_of_the_rules_that_name_it(tmp_path: Path) -> None:
    text = """title: t
id: 5b9c7a3e-8f10-4d7b-9a55-0f7f3f5c9c1{n}
logsource: {{product: linux}}
detection:
    sel: {{User{m}: {v}}}
    condition: sel
"""
    (tmp_path / "a.yml").write_text(text.format(n=1, m="|expand", v="'%names%'"))
    (tmp_path / "b.yml").write_text(text.format(n=2, m="", v="x"))

    def digests(lists: dict[str, tuple[str, ...]]) -> list[str]:
        return [rule.digest for rule in load_all([tmp_path], lists).rules]

    one, two, none = digests({"names": ("a",)}), digests({"names": ("a", "b")}), digests({})
    assert len({one[0], two[0], none[0]}) == 3
    assert one[1] == two[1] == none[1]
    assert digests({"names": ("a",), "others": ("b",)}) == one
