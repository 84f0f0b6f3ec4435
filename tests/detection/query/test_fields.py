"""The field names of the query bar: shipped data are sound, bad files are named."""

import re
from pathlib import Path

import pytest

from crypto.words import BadInput
from detection.query.fields import read_fields, shipped_fields


def test_the_shipped_fields_are_sound() -> None:
    fields = shipped_fields()
    for field in fields.known:
        assert re.search("[\u4e00-\u9fff]|SM3|SHA", field.zh), field.name
        assert field.en, field.name
        assert len(set(field.aliases)) == len(field.aliases) > 0, field.name
        for alias in field.aliases:
            # what the parser reads as one name, and never the name of a real field
            assert re.fullmatch(r"[\w.\-@]+", alias), alias
            assert field.name in fields.meant(alias)
        assert fields.meant(field.name) == (field.name,)


def test_every_shipped_field_is_one_of_events() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "event.md").read_text("utf-8")
    for field in shipped_fields().known:
        stem, last = field.name.rsplit(".", 1) if "." in field.name else ("", field.name)
        assert f"`{field.name}`" in page or (f"`{stem}" in page and f"`.{last}`" in page), field.name


def test_names_are_found_whatever_their_width_and_case() -> None:
    fields = shipped_fields()
    assert fields.meant("源ｉｐ") == ("source.ip",)
    assert fields.meant("域名") == ("dns.question.name", "tls.client.server_name", "url.domain")
    assert fields.meant("Image") == ("Image",)
    assert [fields.knows(name) for name in ("源ＩＰ", "source.ip", "Image")] == [True, True, False]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "fields = 1",
        '[[fields]]\nname = "a"\nkind = "odd"\nzh = "a"\nen = "a"',
        '[[fields]]\nname = "a"\nkind = "text"\nzh = "a"\nen = "a"\n' * 2,
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "fields.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(BadInput) as caught:
        read_fields(path)
    assert (caught.value.code, caught.value.field) == ("query-fields", str(path))
    with pytest.raises(BadInput):
        read_fields(tmp_path / "none")
