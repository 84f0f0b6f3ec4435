"""Pseudonyms: the same for the same name, read back by the center alone, hidden wherever a name stands."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soc_api.pseudonyms import TOKEN, Finder, Pseudonyms

NAMES = Pseudonyms(bytes(32))


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=80))
def test_a_name_comes_back_from_its_pseudonym_and_from_no_other_key(name: str) -> None:
    name = name.encode("utf-8", "ignore").decode()
    token = NAMES.hide(name)
    found = TOKEN.fullmatch(token)
    assert found is not None
    assert NAMES.name(found[1]) == name
    assert NAMES.hide(name) == token
    assert Pseudonyms(b"1" * 32).name(found[1]) is None


def test_names_are_hidden_wherever_the_answer_tells_them() -> None:
    row = {
        "entity": "user:zhang.san@web-01",
        "reason": {"zh": "用户 zhang.san 在 web-01 提权", "en": "zhang.san became root"},
        "events": [{"fields": {"user.name": "zhang.san", "host.name": "zhang.san", "message": "su li.si"}}],
        "native": {"User": "root", "TargetUserName": "li.si"},
        "owner": "user:analyst",
        "q": 'user.name:"wang.wu"',
    }
    shown = NAMES.veiled(row)
    said = str(shown)
    assert "li.si" not in said
    assert "wang.wu" not in said
    assert said.count("zhang.san") == 1  # the machine that is called so
    assert shown["entity"] == f"user:{NAMES.hide('zhang.san')}@web-01"
    assert (shown["owner"], shown["native"]["User"]) == ("user:analyst", "root")
    assert NAMES.veiled({"message": "zhang.san"}) == {"message": "zhang.san"}  # nobody said it is a name


def test_no_number_of_names_lets_one_through(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a host that tells of many names would show those of others."""
    names = Pseudonyms(bytes(32))
    monkeypatch.setattr(names, "hide", lambda name: "p-" + "a" * len(name))  # as itself, 3,000 times faster
    many = [f"user{number:05d}" for number in range(3_000)]
    row = {
        "events": [{"user.name": name} for name in many],
        "message": f"{many[-1]} li.si li",
        "User": "li.si",
    }
    said = str(names.veiled(row))
    assert "user0" not in said
    assert "li.si" not in said
    hidden = Finder(["li", "li.si", "l", "张三", "a b", "-x"], lambda name: f"<{len(name)}>").hidden
    assert hidden("li li.si l, ali li_ li-a") == "<2> <5> <1>, ali li_ <2>-a"
    assert hidden("用户li.si提权,用户张三也是;a b a b2 -x") == "用户<5>提权,用户<2>也是;<3> a b2 <2>"


def test_pseudonyms_are_read_back_and_strangers_left() -> None:
    seen: set[str] = set()
    token = NAMES.hide("张三")
    assert (
        NAMES.read_back(f"user.name:{token} p-aaaaaaaaaaaaaaaa", seen) == "user.name:张三 p-aaaaaaaaaaaaaaaa"
    )
    assert seen == {"张三"}
    assert NAMES.read_back(f'note {token} user.name:"{token}"', set(), placed=True) == (
        f'note {token} user.name:"张三"'
    )
    assert NAMES.field_asked("host.name:a and user.name:") == "user.name"
    assert NAMES.field_asked("host.name:") == ""
