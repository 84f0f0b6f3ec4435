"""Gap records say what is lost; neighbours of one kind become one record."""

from datetime import UTC, datetime, timedelta

from sensors.gap import Gap, gap_fields, gap_observation, joined

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_a_record_travels_in_the_first_lane() -> None:
    seen = gap_observation(gap_fields(Gap("bulk", 3, 9, 7, "quota", NOW, NOW)), NOW)
    assert seen.lane == "alerts"
    assert (seen.fields["gov.gap.count"], seen.fields["gov.gap.from"]) == (7, "2026-03-01T00:00:00+00:00")
    assert "gov.gap.from" not in gap_fields(Gap("bulk", 3, 9, 7, "damaged"))


def test_neighbours_are_joined_and_others_left() -> None:
    later = NOW + timedelta(hours=1)
    records = [
        gap_fields(Gap("bulk", 10, 19, 10, "quota", later, later)),
        gap_fields(Gap("bulk", 1, 9, 9, "quota", NOW, NOW)),
        gap_fields(Gap("bulk", 20, 29, 10, "age")),
        gap_fields(Gap("flows", 30, 39, 10, "age")),
        gap_fields(Gap("bulk", 0, 0, 4, "refused")),
        gap_fields(Gap("bulk", 0, 0, 5, "refused")),
    ]
    found = [gap for gap in joined(records) if gap["gov.gap.reason"] != "refused"]
    assert [(gap["gov.gap.first"], gap["gov.gap.last"], gap["gov.gap.count"]) for gap in found] == [
        (20, 29, 10),
        (1, 19, 19),
        (30, 39, 10),
    ]
    assert (found[1]["gov.gap.from"], found[1]["gov.gap.to"]) == (NOW.isoformat(), later.isoformat())
    assert len(joined(records)) == 5
