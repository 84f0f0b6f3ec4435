"""Headings: ids of documents that have none, and our own keys."""

import pytest
from sigma.correlations import SigmaCorrelationRule

from crypto.words import BadInput, Words
from detection.sigma.heading import heading, named_id, own_keys


def parsed(**more: object) -> SigmaCorrelationRule:
    section = {"type": "event_count", "rules": ["a"], "timespan": "1m", "condition": {"gte": 1}}
    return SigmaCorrelationRule.from_dict({"title": "T", "correlation": section, **more})


def test_an_id_is_made_of_name_and_title_where_there_is_none() -> None:
    assert named_id(parsed(name="n")) == named_id(parsed(name="n")) != named_id(parsed(name="m"))
    given = "0e95725d-7320-415d-80f7-004da920fc11"
    assert named_id(parsed(id=given)) == given


def test_a_heading_of_nothing_but_a_title() -> None:
    said = heading(parsed(), {})
    assert (said["title"], said["level"], said["attack"]) == (Words("T", "T"), "medium", ())


@pytest.mark.parametrize("own", [{"nosuch": 1}, {"entity": "planet"}, {"reason": {"zh": "{", "en": "x"}}, 7])
def test_wrong_keys_of_ours_are_refused(own: object) -> None:
    with pytest.raises(BadInput):
        own_keys({"liuhe": own})
