"""hub send: plays every connector's cases at the door of a hub."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from chalicelib import registry
from chalicelib.cli.cases import Case, case_names, load_case, sample_case
from chalicelib.cli.freshen import external_ids, freshen
from chalicelib.config.document import load
from chalicelib.connector import CLOSED, Submission, read
from tests.cli.desk import Desk
from tests.world import World

SAMPLE = Path(__file__).parents[2] / "chalicelib" / "config" / "sample.yaml"


def desk_of_the_sample() -> Desk:
    """Give a hub with a source of every connector, and providers that know their cases."""
    config = load(SAMPLE.read_text())
    world = World(config=config)
    for source in config.sources.values():
        for name in (source.secret, source.token, source.verify_token):
            if name:
                world.secrets.values[name] = (sha256(name.encode()).hexdigest(),)
    world.secrets.values["sales-slack-url"] = ("https://hooks.slack.com/services/T0/B0/made-up",)
    world.secrets.values["crm-hook-key"] = ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",)
    for connector in registry.names():
        for path, page in sample_case(connector).fetched.items():
            world.web.pages[path.partition("?")[0]] = page
    return Desk(world)


POSTED = [name for name in registry.names() if registry.load(name).signature is not CLOSED]


def is_thin(case: Case) -> bool:
    """Say whether the answers of a case have still to be fetched."""
    code = registry.load(case.connector)
    acts = read(code, case.request(), {**code.options, **case.options})
    return any(isinstance(act, Submission) and act.lookup for act in acts)


@pytest.mark.parametrize("connector", POSTED)
def test_the_sample_of_every_connector_becomes_a_lead_with_an_owner(connector: str) -> None:
    desk = desk_of_the_sample()
    (sent,) = desk.json("send", connector, "--wait")
    assert sent["status"] == 200
    assert sent["outcome"] == "accepted"
    assert sent["leads"][0]["owner"]


@pytest.mark.parametrize("connector", [name for name in POSTED if not is_thin(sample_case(name))])
def test_sending_again_is_a_new_submission_unless_it_is_told_not_to_be(connector: str) -> None:
    desk = desk_of_the_sample()
    outcomes = []
    for options in ((), (), ("--again",), ("--again",)):
        desk.world.clock.advance(seconds=20)
        outcomes.append(desk.json("send", connector, "--wait", *options)[0]["outcome"])
    assert outcomes == ["accepted", "accepted", "accepted", "duplicate"]
    assert desk.world.lead().touch_count == 3


SAME = {
    ("calcom", "routing_form"),
    ("calcom", "routing_form_without_a_booking"),
    ("elementor", "advanced"),
    ("hubspot", "workflow_after_a_form"),
}
"""Known by parts of their content that cannot be told from others, so they stay as they are."""


@pytest.mark.parametrize(
    ("connector", "name"),
    [
        (connector, name)
        for connector in POSTED
        for name in case_names(connector)
        if load_case(connector, name).submissions
        and not is_thin(load_case(connector, name))
        and (connector, name) not in SAME
    ],
)
def test_every_case_can_be_made_new_and_is_read_as_before(connector: str, name: str) -> None:
    case = load_case(connector, name)
    code = registry.load(connector)
    options = {**code.options, **case.options}
    now = World().clock()

    def ids(body: object) -> frozenset[str]:
        return external_ids(code, case.request(now, body=body), options)

    bad = frozenset({""} & ids(case.body))
    first, second = (freshen(case, options, now) for _ in range(2))
    assert len(ids(first)) == len(ids(case.body))
    assert ids(first) & ids(case.body) == bad
    assert ids(first) & ids(second) == bad


@pytest.mark.parametrize(
    ("connector", "name"),
    [
        (connector, name)
        for connector in POSTED
        for name in case_names(connector)
        if load_case(connector, name).handshake
    ],
)
def test_a_handshake_is_played_with_the_live_secret(connector: str, name: str) -> None:
    done = desk_of_the_sample().run("send", connector, name)
    assert done.exit_code == 0, done.output
    assert "As the provider wants it." in done.stdout


def test_a_wrong_answer_to_a_handshake_fails() -> None:
    desk = desk_of_the_sample()
    real = desk.http
    desk.http = lambda *request: type(real(*request))(200, "something else")  # type: ignore[method-assign]
    assert desk.run("send", "meta", "handshake").exit_code == 1


def test_many_are_sent_and_counted() -> None:
    desk = desk_of_the_sample()
    done = desk.run("send", "typeform", "--times", "5")
    assert "5 sent to typeform, 5 accepted." in done.stdout
    desk.world.drain()
    assert desk.world.lead().touch_count == 5


def test_a_refused_request_fails() -> None:
    desk = desk_of_the_sample()
    desk.world.inbox.is_down = True
    desk.world.table.is_down = True
    assert desk.run("send", "typeform").exit_code == 1


def test_waiting_ends_when_nothing_works() -> None:
    desk = desk_of_the_sample()
    desk.is_working = False
    done = desk.run("send", "typeform", "--wait")
    assert done.exit_code == 1
    assert "hub doctor" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("nobody",), "typeform"),
        (("typeform", "nothing"), "demo_request"),
        (("typeform", "--source", "nothing"), "website"),
    ],
)
def test_what_there_is_not_is_said_with_what_there_is(
    arguments: tuple[str, ...], hint: str
) -> None:
    done = desk_of_the_sample().run("send", *arguments)
    assert done.exit_code == 1
    assert hint in done.stderr


def test_a_source_without_a_secret_says_how_to_set_it() -> None:
    desk = desk_of_the_sample()
    del desk.world.secrets.values["typeform-secret"]
    done = desk.run("send", "typeform")
    assert done.exit_code == 1
    assert "hub secret set typeform-secret" in done.stderr


def test_cases_are_listed() -> None:
    assert "demo_request" in Desk().run("send", "typeform", "--list").stdout
    assert json.loads(Desk().run("send", "meta", "--list", "--json").stdout)


def test_a_case_keeps_everything_but_ids_and_times() -> None:
    case = sample_case("typeform")
    body = freshen(case, {}, World().clock())
    response = body["form_response"]
    assert response["submitted_at"] == "2026-11-23T09:00:00Z"
    assert response["answers"] == case.body["form_response"]["answers"]
    assert len(response["token"]) == len(case.body["form_response"]["token"])


def test_what_is_fetched_keeps_the_ids_that_its_provider_knows() -> None:
    case = load_case("meta", "demo_request")
    body = freshen(case, {}, World().clock())
    value = body["entry"][0]["changes"][0]["value"]
    assert value["leadgen_id"] == case.body["entry"][0]["changes"][0]["value"]["leadgen_id"]
    assert value["created_time"] == int(World().clock().timestamp())


def test_a_case_without_submissions_is_sent_as_it_is() -> None:
    case = Case("typeform", "x", "made up", body={"event_type": "other"})
    assert freshen(case, {"consents": {}}, World().clock()) == {"event_type": "other"}
