"""The desk refuses a step that is not of the group's playbook."""

from typing import Any

import pytest

from crypto.words import Refused
from soc_api.triage_desk import TriageDesk

LOGIN_FAILED = "107d2fe8-f826-4ac3-8e81-611db8015914"


def test_only_steps_of_the_groups_playbook_can_be_marked(world: Any) -> None:
    desk: TriageDesk = world.center.triage
    group = world.raise_alert(rule=LOGIN_FAILED).group
    book, marks = desk.playbook(group)
    assert book is not None
    assert (book.id, marks) == ("login", {})
    desk.mark(group, book.steps[1].id, True, "user:a", world.now)
    assert list(desk.playbook(group)[1]) == [book.steps[1].id]
    with pytest.raises(Refused, match="playbook-step-not-found"):
        desk.mark(group, "0" * 16, True, "user:a", world.now)
    without = world.raise_alert(rule="r1", sequence=2).group
    assert desk.playbook(without) == (None, {})
    with pytest.raises(Refused, match="playbook-step-not-found"):
        desk.mark(without, book.steps[1].id, True, "user:a", world.now)
