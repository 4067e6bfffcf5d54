"""The form of a master batch record: what is typed becomes the content, empty rows do not, errors find their place."""

from api.ui.record_form import at_the_place, content_of, faults_at, rows
from tests.api.records import TAB
from wording.texts import Words, place_of


def test_a_content_goes_through_the_form_and_comes_out_as_it_was() -> None:
    shown = rows(TAB, ["MIX", "PRESS"], {1: "API"})
    assert [len(own["instructions"]) for own in shown["operations"]] == [3, 3]
    assert [own["number"] for own in shown["operations"][0]["instructions"]] == [10, 20, 30]
    content, _ = content_of(shown)
    for own in content["operations"]:
        own["instructions"] = [{"number": one["number"], "text": one["text"]} for one in own["instructions"]]
        if not own["expectedValues"]:
            del own["expectedValues"]
    assert content == TAB


def test_operations_and_lines_that_nobody_has_written_about_are_offered_and_left_out_when_empty() -> None:
    shown = rows({"routeVersion": "1"}, ["MIX", "PRESS"], {1: "API", 2: "LAC"})
    assert [own["operation"] for own in shown["operations"]] == ["MIX", "PRESS"]
    assert [own["material"] for own in shown["materials"]] == ["API", "LAC"]
    content, _ = content_of(shown)
    assert (content["operations"], content["materials"]) == ([], [])


def test_a_form_that_comes_back_keeps_its_rows_where_they_are_and_gets_no_more_of_them() -> None:
    told = [{"row": "1", "number": 10}, {"row": "1", "number": 20}]
    values = [{"row": "1"}, {"row": "1", "name": "speed"}]
    filled = {"operations": [{"operation": "MIX", "instructions": told, "expectedValues": values}]}
    (own,) = rows(filled, ["MIX"], {})["operations"]
    assert [one["number"] for one in own["instructions"]] == [10, 20]
    assert [one.get("name") for one in own["expectedValues"]] == [None, "speed", None]


def test_minutes_become_seconds_and_nonsense_stays_to_be_refused() -> None:
    for minutes, seconds in (("90", 5400), ("1.5", 90), ("soon", "soon")):
        content, _ = content_of({"operations": [{"operation": "MIX", "longestWaitMinutes": minutes}]})
        assert content["operations"][0]["longestWaitSeconds"] == seconds
    (own,) = rows({"operations": [{"operation": "MIX", "longestWaitSeconds": 5400}]}, [], {})["operations"]
    assert own["longestWaitMinutes"] == "90"


def test_an_error_is_said_at_the_row_of_the_form_although_rows_before_it_were_left_out() -> None:
    form = {"operations": [
        {"operation": "MIX"},
        {"operation": "PRESS", "room": "R", "expectedValues": [{"row": "1"}, {"row": "1", "name": "w", "low": "x"}]},
    ]}  # fmt: skip
    _, places = content_of(form)
    fields = [{"field": "body.content.operations.0.expectedValues.0.low", "problem": "no number"},
              {"field": "body.changeControl", "problem": "too short"}]  # fmt: skip
    assert at_the_place(fields, places) == {
        "operations.1.expectedValues.1.low": "no number", "changeControl": "too short"}  # fmt: skip


def test_faults_are_found_by_what_they_are_about() -> None:
    faults = [{"id": f"A/B/2{end}"} for end in ("", "/route", "/MIX", "/MIX/10/zh", "/PRESS/weight", "/line/3")]
    assert list(faults_at(faults, "A/B/2")) == ["", "route", "MIX", "MIX/10", "PRESS/weight", "line/3"]


def test_a_place_in_a_document_is_said_in_words() -> None:
    path = "content.operations[MIX].expectedValues[speed].warningHigh"
    assert place_of(Words("en"), path) == "Operations MIX › Expected values speed › Warning high"
    assert place_of(Words("zh"), "operations.0.instructions.1.text.zh") == "工序 1 › 操作指令 2 › 中文"
