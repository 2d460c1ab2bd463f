"""The configuration document: read with lines, refused in words, written and hashed."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.config.document import (
    Lines,
    canonical,
    config_hash,
    did_you_mean,
    dump_yaml,
    load,
    load_document,
    parse_yaml,
    path_text,
    plain,
)
from chalicelib.config.model import Config
from chalicelib.errors import Invalid

SMALL = """
owners:
  ana:
    name: Ana
    email: ana@example.com
    hours:
      mon: ["09:00-12:00", "13:00-24:00"]
    absences:
      - {first: 2026-12-24, last: 2026-12-31}
pools:
  sales:
    members: [{owner: ana}]
routing:
  - id: rest
    when: {not: {any: [{field: country, op: in, value: [NO, "on"]}]}}
    pool: sales
"""


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(Invalid) as caught:
        load(text)
    assert caught.value.problems
    return caught.value.problems


def test_a_document_is_read_into_the_models() -> None:
    config = load(SMALL)
    assert config.owners["ana"].hours["mon"] == ("09:00-12:00", "13:00-24:00")
    assert str(config.owners["ana"].absences[0].first) == "2026-12-24"
    assert config.routing[0].pool == "sales"


def test_an_empty_document_is_the_empty_configuration() -> None:
    assert load("") == load("# nothing\n") == Config()


def test_words_that_old_yaml_took_for_booleans_and_times_are_text() -> None:
    values, _ = parse_yaml("a: NO\nb: on\nc: 12:30\nd: 2026-12-24\ne: 010\nf: yes\ng: 1e3\nh: .5")
    assert values == {
        "a": "NO",
        "b": "on",
        "c": "12:30",
        "d": "2026-12-24",
        "e": "010",
        "f": "yes",
        "g": "1e3",
        "h": ".5",
    }


def test_plain_values_are_what_they_are_in_json() -> None:
    values, _ = parse_yaml('a: true\nb: null\nc: 12\nd: -1.5\ne: ["1", two]\nf: ~\n7: x')
    assert values == {
        "a": True,
        "b": None,
        "c": 12,
        "d": -1.5,
        "e": ["1", "two"],
        "f": None,
        "7": "x",
    }


def test_json_is_read_as_yaml() -> None:
    config = load(SMALL)
    assert load(json.dumps(plain(config))) == config
    assert load(canonical(config)) == config


def test_each_value_has_its_line() -> None:
    _, lines = parse_yaml("a:\n  b:\n    - x\n    - y: 1\n      z: 2\n")
    assert lines.line(("a",)) == 1
    assert lines.line(("a", "b")) == 2
    assert lines.line(("a", "b", 1, "z")) == 5
    assert lines.line(("a", "b", 1, "none", "deeper")) == 4
    assert lines.line(("none",)) == 1
    assert Lines().line(("a",)) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("setings: {}", "line 1: setings: unknown key; did you mean settings?"),
        (
            "\nowners:\n  ana:\n    nme: A\n    email: a",
            "line 4: owners.ana.nme: unknown key; did you mean name?",
        ),
        ("owners:\n  ana:\n    email: a", "line 2: owners.ana.name: is missing"),
        (
            "sources:\n  web: {connector: x, trust: 300}",
            "line 2: sources.web.trust: expected less than or equal to 100",
        ),
        (
            "owners:\n  a:\n    name: A\n    email: a\n    hours: {mon: ['9-5']}",
            "line 5: owners.a.hours.mon[0]: expected hours such as 09:00-17:30, up to 24:00",
        ),
        (
            "owners: {Ana B: {name: A, email: a}}",
            'line 1: owners["Ana B"]: expected an id: lower-case letters, digits, _ and -, '
            "a letter first",
        ),
        (
            "settings:\n  default_country: Germany",
            "line 2: settings.default_country: expected a country as two capital letters, "
            "such as DE",
        ),
        ("pools: 3", "line 1: pools: expected keys and values"),
        ("routing: {}", "line 1: routing: expected a list"),
        (
            "scoring:\n  fit: {cap: 90}",
            "line 1: scoring: fit.cap and engagement.cap together are at most 100",
        ),
        (
            "routing:\n- id: a\n  pool: p\n  when:\n    not:\n      any:\n"
            "      - {field: x, op: iss}",
            "line 7: routing[0].when.not.any[0].op: expected is, is_not, in, not_in, contains, "
            "starts_with, ends_with, at_least, at_most, more_than, less_than, exists or missing",
        ),
        (
            "routing:\n- id: a\n  pool: p\n  when: {field: x, op: is, valeu: 3}",
            "line 4: routing[0].when.valeu: unknown key; did you mean value?",
        ),
    ],
)
def test_a_mistake_is_told_with_line_place_and_what_was_expected(text: str, expected: str) -> None:
    assert expected in problems(text)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text() -> None:
    told = problems("pools: 3\nrouting: 4\nowners: 5\nsetings: 6")
    assert [line.split(":")[0] for line in told] == ["line 1", "line 2", "line 3", "line 4"]


def test_a_secret_pasted_instead_of_its_name_is_not_repeated() -> None:
    text = "sources: {web: {connector: x, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'}}"
    [problem] = problems(text)
    assert problem == (
        "line 1: sources.web.secret: expected the name of a secret, never the secret itself"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key a stands here again, first on line 1"),
        ("a: !!python/object/apply:os.system [x]", "line 1: a tag; only plain values are read"),
        ("a: !!python/name:os.system x", "line 1: a tag; only plain values are read"),
        ("a: !secret x", "line 1: a tag; only plain values are read"),
        ("a: !!binary aGk=", "line 1: a tag; only plain values are read"),
        ("a: &a [*a]", "line 1: an alias inside of what it names"),
        ("a: &a {b: 1}\nc: {<<: *a}", "line 2: merging by << is not supported; write the keys out"),
        ("? [a, b]\n: c", "line 1: a key is text"),
        ("[" * 5000, "line 1: more than 40 levels deep"),
        ("a: " + "{b: " * 5000, "line 1: more than 40 levels deep"),
        ("a: \x00", "line 1: a character that YAML does not allow"),
        ("ok: 1\na: \ud800", "line 2: a character that YAML does not allow"),
        ("- a", "line 1: expected keys such as sources, owners, pools, routing"),
        ("a", "line 1: expected keys such as sources, owners, pools, routing"),
        ("a: *b", "line 1: found undefined alias 'b'"),
        ("a: 1\n--- \nb: 2",
         "line 2: expected a single document in the stream, but found another document"),
        ("x" * 1_048_577, "the document is larger than 1048576 bytes"),
        ("é" * 524_289, "the document is larger than 1048576 bytes"),
    ],
)  # fmt: skip
def test_a_document_that_cannot_be_read_is_refused(text: str, expected: str) -> None:
    assert problems(text) == (expected,)


def test_a_document_of_too_many_values_is_given_up_early() -> None:
    assert problems("a: [" + "x," * 50_001 + "]") == ("line 1: more than 50000 values",)


def test_aliases_can_be_used_but_not_to_blow_a_document_up() -> None:
    values, _ = parse_yaml("a: &week [mon, tue]\nb: *week")
    assert values["b"] == ["mon", "tue"]
    assert problems("a: &a x\nb: [" + ", ".join(["*a"] * 101) + "]") == (
        "line 2: more than 100 aliases",
    )
    layers = ["a0: &a0 [" + ", ".join(["x"] * 9) + "]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 11)]
    assert problems("\n".join(layers)) == (
        "line 1: more than 50000 values, aliases counted each time",
    )


@given(st.text(max_size=60))
def test_no_text_fails_in_any_other_way_than_invalid(text: str) -> None:
    try:
        load(text)
    except Invalid as error:
        assert error.problems


@given(st.text(alphabet="{}[]:,-&*!|>'\"%@`? \n\tab1~#<", max_size=40))
def test_no_punctuation_fails_in_any_other_way_than_invalid(text: str) -> None:
    try:
        load(text)
    except Invalid as error:
        assert error.problems


def deep(levels: int) -> Any:
    value: Any = {"all": []}
    for _ in range(levels):
        value = {"not": value}
    return value


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"settings": {"company": "\ud800"}}, "settings.company: a control or broken character"),
        ({"settings": {"company": "\udfff"}}, "settings.company: a control or broken character"),
        ({"settings": {"company": "a\x00b"}}, "settings.company: a control or broken character"),
        ({"settings": {"\x1b": 1}}, "settings: a control or broken character"),
        ({"routing": [math.nan]}, "routing[0]: expected a finite number"),
        ({"routing": [math.inf]}, "routing[0]: expected a finite number"),
        ({"routing": [10**400]}, "routing[0]: the number is too large"),
        ({"routing": {1: 2}}, "routing: a key is text"),
        ({"routing": deep(5000)}, "routing.not.not: more than 40 levels deep"),
    ],
)
def test_a_document_from_json_is_as_strict(document: dict[str, Any], expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        load_document(document)
    assert caught.value.problems == (expected,)


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Co", "Cn"], exclude_characters="\ufeff"),
    max_size=12,
)


@settings(deadline=None)
@given(texts, texts, st.lists(texts | st.integers(-(10**9), 10**9) | st.booleans(), max_size=4))
def test_what_is_written_reads_back_the_same(key: str, text: str, values: list[Any]) -> None:
    config = load(SMALL)
    changed = plain(config)
    changed["settings"] = {"company": text}
    changed["sources"] = {"web": {"connector": "x", "options": {key: values, "s": text}}}
    config = load_document(changed)
    again = load(dump_yaml(config))
    assert again == config
    assert config_hash(again) == config_hash(config)
    assert load_document(json.loads(canonical(config))) == config


def test_the_hash_is_of_what_is_said_and_not_of_how() -> None:
    one = load("settings: {company: A, language: en}\npools: {}")
    other = load("# hello\npools: {}\nsettings:\n  company: 'A'\n")
    assert config_hash(one) == config_hash(other)
    assert config_hash(one) != config_hash(load("settings: {company: B}"))
    assert len(config_hash(one)) == 64
    assert canonical(one) == '{"settings":{"company":"A"}}'


def test_the_order_of_rules_counts_in_the_hash_and_that_of_keys_does_not() -> None:
    rules: list[Any] = [{"id": each, "when": {"all": []}, "pool": "p"} for each in ("a", "b")]
    forward, backward = (load_document({"routing": order}) for order in (rules, rules[::-1]))
    assert config_hash(forward) != config_hash(backward)
    pools: dict[str, Any] = {"a": {"members": []}, "b": {"members": []}}
    turned = dict(reversed(pools.items()))
    assert config_hash(load_document({"pools": pools})) == config_hash(
        load_document({"pools": turned})
    )


def test_a_place_is_written_for_people() -> None:
    assert path_text(("routing", 2, "when", "all", 0, "field")) == "routing[2].when.all[0].field"
    assert path_text(("sources", "google-ads", "fields", "Your mail?")) == (
        'sources.google-ads.fields["Your mail?"]'
    )
    assert path_text(()) == ""


def test_a_suggestion_is_made_only_when_something_is_near() -> None:
    assert did_you_mean("contry", ["country", "company"]) == "; did you mean country?"
    assert did_you_mean("zzz", ["country", "company"]) == ""


def test_a_field_map_keeps_its_order_when_published() -> None:
    fields = {"work_email": "email", "email": "email"}
    config = Config.model_validate(
        {"sources": {"web": {"connector": "typeform", "fields": fields}}}
    )
    again = Config.model_validate_json(canonical(config))
    assert list(again.sources["web"].fields) == ["work_email", "email"]
