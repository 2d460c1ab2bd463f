"""Checks before publishing: each mistake is found, with its line and a hint."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.config.checks import check
from chalicelib.config.document import load, load_document, parse_yaml, plain
from chalicelib.config.finding import Finding
from chalicelib.config.model import Config

CONNECTORS = ("html_form", "generic_json", "typeform")
GOOD: dict[str, Any] = {
    "settings": {"mail_from": "leads@example.com", "alarms": ["mail"]},
    "sources": {
        "website": {
            "connector": "html_form",
            "secret": "website-key",
            "fields": {"mail": "email", "size": "company_size"},
        }
    },
    "destinations": {
        "mail": {"kind": "email"},
        "chat": {"kind": "slack", "secret": "chat-url"},
        "crm": {"kind": "webhook", "url": "https://crm.example.com/in", "secret": "crm-key"},
    },
    "owners": {
        "ana": {
            "name": "Ana",
            "email": "ana@example.com",
            "time_zone": "Europe/Berlin",
            "hours": {"mon": ["09:00-12:00", "13:00-17:00"]},
        },
        "desk": {"name": "Desk", "email": "desk@example.com"},
    },
    "pools": {
        "sales": {"members": [{"owner": "ana"}]},
        "all-day": {"members": [{"owner": "desk"}]},
    },
    "fields": [
        {"id": "company_size", "type": "number"},
        {"id": "enquiry", "type": "choice", "choices": ["quote", "demo"]},
        {"id": "topics", "type": "list"},
        {"id": "is_customer", "type": "boolean"},
    ],
    "scoring": {
        "fit": {
            "rules": [
                {
                    "id": "large",
                    "when": {"field": "custom.company_size", "op": "at_least", "value": 200},
                    "points": 60,
                }
            ]
        },
        "engagement": {
            "rules": [
                {
                    "id": "quote",
                    "when": {"field": "custom.enquiry", "op": "is", "value": "quote"},
                    "points": 40,
                }
            ]
        },
    },
    "routing": [
        {
            "id": "hot",
            "when": {"field": "score", "op": "at_least", "value": 60},
            "pool": "sales",
            "fallback": "all-day",
            "notify": ["mail", "chat", "crm"],
        },
        {"id": "rest", "when": {"all": []}, "pool": "all-day", "notify": ["mail"]},
    ],
}

Edit = Callable[[dict[str, Any]], object]


def changed(edit: Edit) -> Config:
    document = plain(load_document(GOOD))
    edit(document)
    return load_document(document)


def findings(edit: Edit, secrets: tuple[str, ...] | None = None) -> list[Finding]:
    return check(changed(edit), CONNECTORS, secrets)


def put(*path: Any) -> Edit:
    """Make an edit that sets the value at a path: keys, list indexes, and last the value."""

    def edit(document: dict[str, Any]) -> None:
        *steps, last, value = path
        place: Any = document
        for step in steps:
            place = place.setdefault(step, {}) if isinstance(place, dict) else place[step]
        place[last] = value

    return edit


def test_a_good_configuration_has_no_findings() -> None:
    assert check(load_document(GOOD), CONNECTORS, ("website-key", "chat-url", "crm-key")) == []


WHEN = ("routing", 0, "when")
MISTAKES: list[tuple[Edit, str, str, str]] = [
    # references
    (put("sources", "website", "connector", "html_from"), "error", "sources.website.connector",
     "there is no connector html_from; did you mean html_form?"),
    (put("pools", "sales", "members", 0, "owner", "anna"), "error",
     "pools.sales.members[0].owner", "there is no owner anna; did you mean ana?"),
    (put("routing", 0, "pool", "sale"), "error", "routing[0].pool",
     "there is no pool sale; did you mean sales?"),
    (put("routing", 0, "fallback", "all_day"), "error", "routing[0].fallback",
     "there is no pool all_day; did you mean all-day?"),
    (put("routing", 0, "fallback", "sales"), "error", "routing[0].fallback",
     "falls back to the pool that it stands in for"),
    (put("routing", 0, "notify", 1, "chatt"), "error", "routing[0].notify[1]",
     "there is no destination chatt; did you mean chat?"),
    (put("settings", "alarms", ["male"]), "error", "settings.alarms[0]",
     "there is no destination male; did you mean mail?"),
    (put("sources", "website", "fields", "mail", "e_mail"), "error",
     "sources.website.fields.mail",
     "e_mail is neither a contact field nor a field of `fields`; did you mean email?"),
    (put("sources", "website", "fields", "size", "custom.company_size"), "error",
     "sources.website.fields.size", "custom.company_size is neither a contact field nor a field "
     "of `fields`; write company_size without custom."),
    # settings, destinations, owners
    (put("settings", "time_zone", "Europe/Berln"), "error", "settings.time_zone",
     "there is no time zone Europe/Berln"),
    (put("settings", "mail_from", "leads"), "error", "settings.mail_from",
     "expected an e-mail address"),
    (lambda d: d["settings"].pop("mail_from"), "error", "settings", "mail_from is missing"),
    (lambda d: d["settings"].pop("alarms"), "warning", "settings", "alarms names no destination"),
    (lambda d: d["sources"]["website"].pop("secret"), "warning", "sources.website",
     "has no secret, so every request to it is refused"),
    (lambda d: d["destinations"]["chat"].pop("secret"), "error", "destinations.chat",
     "secret is missing: the name of the secret that holds the webhook address"),
    (lambda d: d["destinations"]["crm"].pop("secret"), "error", "destinations.crm",
     "secret is missing: the name of the secret that holds the signing secret"),
    (put("destinations", "crm", "url", "http://crm.example.com"), "error",
     "destinations.crm.url", "expected an address that starts with https://"),
    (put("destinations", "crm", "url", "https://[::1"), "error", "destinations.crm.url",
     "expected an address that starts with https://"),
    (put("destinations", "crm", "url", "https://u:p@crm.example.com"), "error",
     "destinations.crm.url", "expected an address that starts with https://"),
    (put("destinations", "mail", "to", "address"), "error", "destinations.mail.address",
     "expected an e-mail address"),
    (put("destinations", "spare", {"kind": "email"}), "warning", "destinations.spare",
     "no routing rule and no alarm uses it"),
    (put("destinations", "chat", "enabled", False), "warning", "routing[0].notify[1]",
     "chat is switched off"),
    (put("owners", "ana", "email", "ana at example.com"), "error", "owners.ana.email",
     "expected an e-mail address"),
    (put("owners", "ana", "time_zone", "Berlin"), "error", "owners.ana.time_zone",
     "there is no time zone Berlin; did you mean Europe/Berlin?"),
    (put("owners", "ana", "hours", "mon", 1, "17:00-13:00"), "error", "owners.ana.hours.mon[1]",
     "17:00-13:00 ends before it starts; for work past midnight write 17:00-24:00 here and "
     "00:00-13:00 under tue"),
    (put("owners", "ana", "hours", "mon", 1, "13:00-13:00"), "error", "owners.ana.hours.mon[1]",
     "13:00-13:00 ends before it starts"),
    (put("owners", "ana", "hours", "mon", 1, "11:59-13:00"), "error", "owners.ana.hours.mon[1]",
     "11:59-13:00 overlaps with another span of mon"),
    (put("owners", "ana", "absences", [{"first": "2026-01-02", "last": "2026-01-01"}]), "error",
     "owners.ana.absences[0]", "last, 2026-01-01, is before first, 2026-01-02"),
    (put("owners", "eva", {"name": "Eva", "email": "eva@example.com"}), "warning", "owners.eva",
     "is in no pool, so gets no leads"),
    # pools
    (put("pools", "sales", "members", []), "error", "pools.sales.members",
     "the pool has no owner"),
    (put("owners", "ana", "active", False), "error", "pools.sales",
     "the pool has nobody who ever takes a lead"),
    (put("owners", "ana", "hours", {"mon": []}), "error", "pools.sales",
     "the pool has nobody who ever takes a lead"),
    (put("owners", "ana", "daily_cap", 0), "error", "pools.sales",
     "the pool has nobody who ever takes a lead"),
    (put("pools", "sales", "members", [{"owner": "ana"}, {"owner": "ana"}]), "error",
     "pools.sales.members[1]", "ana is in this pool twice; use weight"),
    (put("pools", "spare", {"members": [{"owner": "ana"}]}), "warning", "pools.spare",
     "no routing rule uses it"),
    # fields
    (
        put("merging", {"fields": {"compny": "newest"}}),
        "error",
        "merging.fields.compny",
        "compny is neither a contact field nor a field of `fields`; did you mean company?",
    ),
    (
        put("merging", {"fields": {"custom.topics": "newest"}}),
        "error",
        'merging.fields["custom.topics"]',
        "custom.topics is neither a contact field nor a field of `fields`; write topics",
    ),
    (
        put("merging", {"fields": {"company_size": "longest"}}),
        "error",
        "merging.fields.company_size",
        "a number has no length; expected newest, oldest ...",
    ),
    (
        put("merging", {"fields": {"last_name": "oldest", "full_name": "newest"}}),
        "error",
        "merging.fields.last_name",
        "last_name comes together with full_name, so they have one rule",
    ),
    (put("fields", 0, "id", "email"), "error", "fields[0].id", "email is a contact field already"),
    (put("fields", 1, "id", "company_size"), "error", "fields[1].id",
     "company_size is there twice"),
    (put("fields", 1, "choices", []), "error", "fields[1]", "choices go with type choice"),
    (put("fields", 0, "choices", ["a"]), "error", "fields[0]", "choices go with type choice"),
    # scoring
    (put("scoring", "fit", "rules", 0, "id", "cap"), "error", "scoring.fit.rules[0].id",
     "cap is reserved for the hub's own terms"),
    (put("scoring", "fit", "rules", 0, "when", {"field": "score", "op": "at_least", "value": 1}),
     "error", "scoring.fit.rules[0].when.field", "a score may not depend on score"),
    (put("scoring", "fit", "rules", 0, "when", {"field": "stage", "op": "is", "value": "MQL"}),
     "error", "scoring.fit.rules[0].when.field", "a score may not depend on stage"),
    (put("scoring", "fit", "rules", 0, "when", {"field": "answers.x", "op": "exists"}), "error",
     "scoring.fit.rules[0].when.field", "a lead has no answers.x"),
    (put("scoring", "engagement", "rules", 0, "when", {"field": "touch_count", "op": "exists"}),
     "error", "scoring.engagement.rules[0].when.field", "a single touch has no touch_count"),
    (put("scoring", "fit", "rules", 0, "at_most", 2), "warning",
     "scoring.fit.rules[0].at_most", "counts touches: for engagement only"),
    # conditions
    (put(*WHEN, {"field": "contry", "op": "is", "value": "DE"}), "error",
     "routing[0].when.field", "there is no field contry; did you mean country?"),
    (put(*WHEN, {"field": "company_size", "op": "at_least", "value": 1}), "error",
     "routing[0].when.field", "there is no field company_size; did you mean custom.company_size?"),
    (put(*WHEN, {"field": "custom.companysize", "op": "exists"}), "error",
     "routing[0].when.field", "there is no custom field companysize; did you mean company_size?"),
    (put(*WHEN, {"field": "campaign.utm_sorce", "op": "exists"}), "error",
     "routing[0].when.field", "there is no campaign field utm_sorce; did you mean utm_source?"),
    (put(*WHEN, {"field": "custom.enquiry", "op": "is", "value": "qoute"}), "error",
     "routing[0].when.value", "custom.enquiry is never qoute; did you mean quote?"),
    (put(*WHEN, {"field": "custom.enquiry", "op": "in", "value": ["demo", "x"]}), "error",
     "routing[0].when.value", "custom.enquiry is never x; one of quote, demo"),
    (put(*WHEN, {"field": "source", "op": "is", "value": "web"}), "error",
     "routing[0].when.value", "source is never web; did you mean website?"),
    (put(*WHEN, {"field": "status", "op": "is", "value": "open"}), "error",
     "routing[0].when.value", "status is never open"),
    (put(*WHEN, {"field": "custom.company_size", "op": "contains", "value": "2"}), "error",
     "routing[0].when.value", "custom.company_size is a number; contains is for text"),
    (put(*WHEN, {"field": "custom.company_size", "op": "is", "value": "large"}), "error",
     "routing[0].when.value", "custom.company_size is a number"),
    (put(*WHEN, {"field": "custom.company_size", "op": "at_least", "value": "51-200"}), "error",
     "routing[0].when.value", "at_least needs a number"),
    (put(*WHEN, {"field": "is_free_mail", "op": "is", "value": "no"}), "error",
     "routing[0].when.value", "is_free_mail is true or false"),
    (put(*WHEN, {"field": "custom.is_customer", "op": "contains", "value": "x"}), "error",
     "routing[0].when.value", "custom.is_customer is true or false; use is"),
    (put(*WHEN, {"field": "custom.topics", "op": "at_least", "value": 1}), "error",
     "routing[0].when.value", "custom.topics is a list; at_least is for numbers"),
    (put(*WHEN, {"field": "country", "op": "is", "value": False}), "error",
     "routing[0].when.value", "country is text; put the value into quotes"),
    (put(*WHEN, {"field": "country", "op": "is", "value": ["DE"]}), "error",
     "routing[0].when.value", "is takes one value; use in for several"),
    (put(*WHEN, {"field": "country", "op": "in", "value": "DE"}), "error",
     "routing[0].when.value", "in takes a list of values"),
    (put(*WHEN, {"field": "country", "op": "in", "value": [["DE"]]}), "error",
     "routing[0].when.value", "expected text, a number, true or false"),
    (put(*WHEN, {"field": "country", "op": "contains", "value": ""}), "error",
     "routing[0].when.value", "contains needs a value"),
    (put(*WHEN, {"field": "country", "op": "is"}), "error", "routing[0].when",
     "is needs a value"),
    (put(*WHEN, {"field": "country", "op": "exists", "value": True}), "error",
     "routing[0].when.value", "exists takes no value"),
    (put(*WHEN, {"all": [{"field": "country", "op": "exists"}] * 201}), "error",
     "routing[0].when", "more than 200 comparisons in one condition"),
    # scores out of reach
    (put(*WHEN, {"field": "score", "op": "at_least", "value": 101}), "error",
     "routing[0].when.value", "score never reaches this: by its rules and caps it is at most 100"),
    (put(*WHEN, {"field": "fit", "op": "more_than", "value": 60}), "error",
     "routing[0].when.value", "fit never reaches this: by its rules and caps it is at most 60"),
    (put("scoring", "fit", "rules", 0, "points", 10), "error", "routing[0].when.value",
     "score never reaches this: by its rules and caps it is at most 50"),
    # the rules as a whole
    (lambda d: d["routing"].pop(), "error", "routing[0]", "the last rule takes every lead"),
    (lambda d: d.pop("routing"), "error", "routing", "the last rule takes every lead"),
    (lambda d: d["routing"].reverse(), "error", "routing[1].when",
     "the rule rest stands before it and takes all its leads"),
    (put("routing", 1, "id", "hot"), "error", "routing[1].id", "hot is there twice"),
    (put("routing", 0, "notify", []), "warning", "routing[0]", "notify is empty"),
    (put(*WHEN, {"any": []}), "warning", "routing[0].when", "no lead ever fits"),
    (lambda d: d["routing"][0].pop("fallback"), "warning", "routing[0]",
     "nobody is on duty at every hour, not in its fallback either (as Mon 00:00 UTC)"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("edit", "level", "path", "message"), MISTAKES, ids=[mistake[3][:50] for mistake in MISTAKES]
)
def test_a_mistake_is_found_where_it_is(edit: Edit, level: str, path: str, message: str) -> None:
    found = [each for each in findings(edit) if each.message.startswith(message)]
    assert [(each.level, each.path) for each in found] == [(level, path)]


def test_deep_conditions_are_refused() -> None:
    condition: dict[str, Any] = {"field": "country", "op": "exists"}
    for _ in range(11):
        condition = {"not": condition}
    condition = {"any": [{"field": "phone", "op": "exists"}, condition]}
    messages = [each.message for each in findings(put(*WHEN, condition))]
    assert "more than 10 levels of all, any and not" in messages


def test_missing_secrets_are_found_when_the_stored_ones_are_known() -> None:
    found = findings(lambda d: None, secrets=("website_key", "chat-url"))
    assert [(each.path, each.message) for each in found] == [
        (
            "sources.website.secret",
            "no secret of the name website-key is stored; did you mean website_key?",
        ),
        ("destinations.crm.secret", "no secret of the name crm-key is stored"),
    ]
    assert findings(lambda d: None, secrets=None) == []


SIZE = "custom.company_size"
BOUNDS = [
    ("at_least", 70, "at_least", 60, True),
    ("at_least", 60, "at_least", 60, True),
    ("at_least", 60, "at_least", 70, False),
    ("more_than", 60, "at_least", 60, True),
    ("at_least", 60, "more_than", 60, False),
    ("at_least", 61, "more_than", 60, True),
    ("at_most", 5, "at_most", 6, True),
    ("less_than", 6, "at_most", 6, True),
    ("at_most", 6, "less_than", 6, False),
    ("at_most", 6, "at_least", 6, False),
    ("is", 70, "at_least", 60, False),
    ("is", 70, "exists", None, True),
    ("missing", None, "is_not", 3, True),
    ("missing", None, "exists", None, False),
    ("is_not", 3, "exists", None, False),
]


@pytest.mark.parametrize(("op", "value", "earlier_op", "earlier_value", "shadowed"), BOUNDS)
def test_a_rule_is_shadowed_by_an_earlier_wider_one(
    op: str, value: object, earlier_op: str, earlier_value: object, shadowed: bool
) -> None:
    def edit(document: dict[str, Any]) -> None:
        narrow = {"field": SIZE, "op": op, "value": value}
        wide = {"field": SIZE, "op": earlier_op, "value": earlier_value}
        rule = document["routing"][0]
        document["routing"][:1] = [{**rule, "id": "first", "when": wide}, {**rule, "when": narrow}]

    assert any("stands before it" in each.message for each in findings(edit)) is shadowed


def test_shadows_are_seen_through_all_and_any() -> None:
    german = {"field": "country", "op": "is", "value": "de"}
    alpine = {"field": "country", "op": "in", "value": ["AT", "CH", "DE"]}
    hot = {"field": "score", "op": "at_least", "value": 60}
    hotter = {"field": "score", "op": "at_least", "value": 80}
    phone = {"field": "phone", "op": "exists"}
    cases: list[tuple[Any, Any, bool]] = [
        ({"all": [german, hotter]}, {"all": [hot]}, True),
        ({"all": [hotter, german]}, {"all": [alpine, hot]}, True),
        ({"any": [german, hotter]}, {"any": [hot, alpine]}, True),
        ({"any": [german, hotter]}, hot, False),
        ({"not": hot}, {"not": hotter}, True),
        ({"not": hotter}, {"not": hot}, False),
        (alpine, german, False),
        ({"all": [hotter, german]}, {"all": [alpine, hot, phone]}, False),
        (hotter, {"any": [phone, {"field": "email", "op": "missing"}]}, False),
        (hotter, {"any": [{"field": "phone", "op": "missing"}] * 2}, False),
        (hotter, {"not": {"any": []}}, True),
        (hotter, {"any": [phone, {"field": "phone", "op": "missing"}]}, True),
    ]  # fmt: skip
    for narrow, wide, expected in cases:

        def edit(document: dict[str, Any], narrow: Any = narrow, wide: Any = wide) -> None:
            rule = document["routing"][0]
            document["routing"][:1] = [
                {**rule, "id": "first", "when": wide},
                {**rule, "when": narrow},
            ]

        shadowed = any("stands before it" in each.message for each in findings(edit))
        assert shadowed is expected, (narrow, wide)


def test_a_finding_shows_a_lead_that_is_affected() -> None:
    shadowed = findings(lambda d: d["routing"].reverse())
    assert "a lead with score 60" in {each.example for each in shadowed}
    nearly = findings(put("routing", 1, "when", {"field": "country", "op": "missing"}))
    assert [each.example for each in nearly if "every lead" in each.message] == [""]
    unrouted = findings(lambda d: d["routing"].pop())
    assert "a lead of whom nothing is known and whose score is 0" in {
        each.example for each in unrouted
    }


@pytest.mark.parametrize(
    ("condition", "example"),
    [
        ({"field": SIZE, "op": "more_than", "value": 9}, "a lead with custom.company_size 10"),
        ({"field": SIZE, "op": "less_than", "value": 9}, "a lead with custom.company_size 8"),
        ({"field": "country", "op": "in", "value": ["DE", "AT"]}, "a lead with country DE"),
        (
            {
                "all": [
                    {"field": "phone", "op": "exists"},
                    {"field": "score", "op": "is", "value": 7},
                ]
            },
            "a lead with phone something, score 7",
        ),
        ({"field": "country", "op": "missing"}, ""),
    ],
)
def test_an_example_fits_the_rule_that_no_lead_reaches(
    condition: dict[str, Any], example: str
) -> None:
    def edit(document: dict[str, Any]) -> None:
        document["routing"].insert(0, {**document["routing"][1], "id": "all"})
        document["routing"][1]["when"] = condition

    assert example in {each.example for each in findings(edit) if each.path == "routing[1].when"}


def only_chat(document: dict[str, Any]) -> None:
    document["settings"] = {"alarms": ["chat"]}
    document["destinations"] = {"chat": document["destinations"]["chat"]}
    for rule in document["routing"]:
        rule["notify"] = ["chat"]


@pytest.mark.parametrize(
    "edit",
    [
        put(*WHEN, {"field": "fit", "op": "at_least", "value": 60}),
        put(*WHEN, {"field": "fit", "op": "more_than", "value": 59}),
        put(*WHEN, {"field": "fit", "op": "at_most", "value": 70}),
        put(*WHEN, {"field": "source", "op": "starts_with", "value": "web"}),
        put(*WHEN, {"field": "source", "op": "is", "value": "Website"}),
        put(*WHEN, {"field": "stage", "op": "in", "value": ["MQL", "SQL"]}),
        put(*WHEN, {"field": "postal_code", "op": "at_least", "value": 10000}),
        put(*WHEN, {"field": "consent.marketing", "op": "is", "value": True}),
        put(*WHEN, {"field": "custom.topics", "op": "contains", "value": "pricing"}),
        put("merging", {"keep": "newest", "fields": {"topics": "longest", "city": "oldest"}}),
        put("owners", "ana", "hours", "tue", []),
        put("owners", "ana", "absences", [{"first": "2026-01-02", "last": "2026-01-02"}]),
        put("settings", "mail_from", "Lead hub <leads@example.com>"),
        put("destinations", "crm", "url", "https://crm.example.com:8443/in?x=1"),
        only_chat,
    ],
)
def test_what_is_right_is_not_found_fault_with(edit: Edit) -> None:
    assert findings(edit) == []


def test_two_hundred_comparisons_and_ten_levels_are_fine() -> None:
    test: Any = {"field": "country", "op": "exists"}
    for _ in range(9):
        test = {"not": test}
    assert findings(put(*WHEN, {"all": [test] * 200})) == []


def test_a_gap_between_shifts_around_the_world_is_found() -> None:
    def edit(document: dict[str, Any]) -> None:
        week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        document["routing"] = [{"id": "rest", "when": {"all": []}, "pool": "sales",
                                "notify": ["mail", "chat", "crm"]}]  # fmt: skip
        document["pools"].pop("all-day")
        document["owners"].pop("desk")
        document["owners"]["ana"]["hours"] = {day: ["00:00-24:00"] for day in week}
        document["owners"]["ana"]["hours"]["sat"] = ["00:00-20:00", "20:30-24:00"]

    [finding] = findings(edit)
    assert finding.level == "warning"
    assert "as Sat 19:00 UTC" in finding.message
    assert finding.example.startswith("a lead that comes Sat 19:00 UTC waits")


def test_a_finding_names_the_line() -> None:
    text = "owners:\n  ana:\n    name: Ana\n    email: nope\n"
    _, lines = parse_yaml(text)
    found = check(load(text), CONNECTORS, None, lines)
    assert ("owners.ana.email", 4) in {(each.path, each.line) for each in found}
    assert [each.line or 0 for each in found] == sorted(each.line or 0 for each in found)


def test_findings_never_quote_what_is_not_a_name() -> None:
    for each in findings(put("sources", "website", "secret", "")):
        assert not re.search(r"whsec|Bearer", each.message)


def test_the_empty_configuration_is_refused_and_nothing_fails() -> None:
    found = check(Config(), CONNECTORS, ())
    assert [each.path for each in found if each.level == "error"] == ["routing"]


def test_a_webhook_at_this_machine_is_only_for_the_local_stage() -> None:
    url = "http://127.0.0.1:4572/told/crm"
    destination = {"kind": "webhook", "url": url, "secret": "key"}
    config = Config.model_validate({"destinations": {"crm": destination}})
    levels = {found.level for found in check(config, [], None) if found.path.endswith("url")}
    assert levels == {"warning"}
