"""SurveyMonkey: the bulk list gives what the notice gave once it was fetched."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.cli.cases import Case, load_case, sample_case
from chalicelib.connector import Submission, Window, complete, read
from chalicelib.errors import Malformed
from connectors.surveymonkey import PAGE_SIZE, connector, page, subscription
from tests.listing import items_of, pages_of

TOLD = sample_case("surveymonkey")
SURVEY = "123456789"
DETAILS = TOLD.fetched[f"surveys/{SURVEY}/details"]
ONE = TOLD.fetched[f"surveys/{SURVEY}/responses/118700012345/details"]
WINDOW = Window(datetime(2025, 10, 9, tzinfo=UTC), datetime(2025, 10, 10, tzinfo=UTC))
OPTIONS = connector.options_with({"forms": [SURVEY], "consents": {"q1003": "marketing"}})


class SurveyMonkey:
    """Plays the API: the surveys' responses, in the order of their last change."""

    def __init__(self, survey: Any = DETAILS, **responses: list[Any]) -> None:
        self.survey = survey
        self.responses = responses
        self.asked: list[Mapping[str, str]] = []

    def __call__(self, path: str, params: Any = None, **more: Any) -> Any:
        _, survey, what, *_ = path.split("/")
        if what == "details":
            return self.survey
        assert params
        self.asked.append(params)
        size = int(params["per_page"])
        start = (int(params["page"]) - 1) * size
        told = self.responses[f"s{survey}"]
        links = {"self": path, **({"next": path} if start + size < len(told) else {})}
        return {"data": told[start : start + size], "links": links}


def fetched(case: Case, options: Mapping[str, Any]) -> Submission:
    (thin,) = read(connector, case.request(), options)
    assert isinstance(thin, Submission)
    whole = complete(connector, thin, case.get)
    assert isinstance(whole, Submission)
    return whole


@pytest.mark.parametrize("story", ["survey_completed", "every_kind_of_answer"])
def test_a_response_of_the_list_is_what_its_notice_gave(story: str) -> None:
    assert connector.backfill
    case = load_case("surveymonkey", story)
    (path,) = (path for path in case.fetched if "responses" in path)
    survey_id = path.split("/")[1]
    survey = case.fetched[f"surveys/{survey_id}/details"]
    extra = {"id": "9", "questions": [{"id": "99", "headings": [{"heading": "Not answered"}]}]}
    get = SurveyMonkey(
        {**survey, "pages": [*survey["pages"], extra]}, **{f"s{survey_id}": [case.fetched[path]]}
    )
    (item,) = page(get, WINDOW, "", {**OPTIONS, "forms": (survey_id,)}).items
    listed = connector.backfill.parse(item, OPTIONS)
    assert isinstance(listed, Submission)
    given = fetched(case, OPTIONS)
    # The notice says when it was finished, the list when it was last changed.
    assert listed.submitted_at <= given.submitted_at
    assert listed == given.model_copy(update={"submitted_at": listed.submitted_at})
    assert "Not answered" not in str(item), "an item keeps only what its answers need"


@pytest.mark.parametrize("count", [0, 1, PAGE_SIZE, PAGE_SIZE + 1, 2 * PAGE_SIZE])
def test_all_pages_of_all_surveys_are_read_once(count: int) -> None:
    ids = [str(1000 + number) for number in range(count)]
    get = SurveyMonkey(s1=[{**ONE, "id": one} for one in ids], s2=[ONE])
    pages = pages_of(connector, get, WINDOW, {**OPTIONS, "forms": ["1", "2"]}, most=10)
    found = [item["response"]["id"] for item in items_of(pages)]
    assert found == [*ids, ONE["id"]]


def test_the_window_is_asked_for_and_other_statuses_are_left_out() -> None:
    get = SurveyMonkey(s123456789=[ONE, {**ONE, "id": "2", "response_status": "partial"}])
    found = page(get, WINDOW, "", OPTIONS).items
    assert [item["response"]["id"] for item in found] == [ONE["id"]]
    both = page(get, WINDOW, "", {**OPTIONS, "statuses": ["completed", "partial"]}).items
    assert len(both) == 2
    assert get.asked[0]["start_modified_at"] == "2025-10-09T00:00:00+00:00"
    assert get.asked[0]["end_modified_at"] == "2025-10-10T00:00:00+00:00"


@pytest.mark.parametrize("given", ["../users/me", "1/2", "", None, "x"])
@pytest.mark.parametrize("where", ["object_id", "survey_id"])
def test_only_numbers_are_read_from_the_api(where: str, given: Any) -> None:
    resources = TOLD.body["resources"]
    changed = {"object_id": given} if where == "object_id" else {}
    if where == "survey_id":
        changed = {"resources": {**resources, "survey_id": given}}
    request = TOLD.request(body={**TOLD.body, **changed})
    with pytest.raises(Malformed):
        read(connector, request, OPTIONS)


OURS = "https://hub.example.com/hooks/surveys"


@pytest.mark.parametrize(
    ("hook", "is_active"),
    [
        ({}, True),
        ({"object_type": "collector", "object_ids": ["456789012"]}, True),
        ({"event_type": "response_created"}, False),
        ({"subscription_url": "https://www.example.org/"}, False),
        ({"object_ids": ["5"]}, False),
    ],
)
def test_a_webhook_that_is_gone_is_noticed(hook: Mapping[str, Any], is_active: bool) -> None:
    whole = {
        "event_type": "response_completed",
        "object_type": "survey",
        "object_ids": [SURVEY],
        "subscription_url": OURS,
        **hook,
    }
    answers = {"webhooks": {"data": [{"id": "7", "name": "hub"}]}, "webhooks/7": whole}
    found = subscription(lambda path, params=None, **_: answers[path], OPTIONS, OURS)
    assert found.is_active is is_active
