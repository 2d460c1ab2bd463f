"""What is not known of Microsoft: an id, a key and a layout are found wherever they are."""

from typing import Any

import pytest

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.errors import Malformed, Unverified
from connectors.microsoft_ads import KEYS, connector

CASE = load_case("microsoft_ads", "flat")
PERSON = {"Email": "ana@example.org", "FullName": "Ana Muestra"}


def submission(body: Any) -> Submission:
    (found,) = read(connector, CASE.request(body=body), {})
    assert isinstance(found, Submission)
    return found


@pytest.mark.parametrize("name", ["lead_id", "leadId", "id"])
def test_the_id_is_found_under_any_of_its_names(name: str) -> None:
    found = submission({**PERSON, name: 9007199254740993})
    assert found.external_id == "9007199254740993"
    assert set(found.answers) == set(PERSON)


def test_without_an_id_the_content_is_the_id_and_the_key_is_no_part_of_it() -> None:
    plain = submission(PERSON)
    assert submission(dict(reversed(PERSON.items()))).external_id == plain.external_id
    assert submission({**PERSON, "Email": "b@example.org"}).external_id != plain.external_id
    for name in KEYS:
        keyed = submission({**PERSON, name: "s3cret"})
        assert keyed.external_id == plain.external_id
        assert keyed.answers == plain.answers


@pytest.mark.parametrize("name", KEYS)
def test_a_key_in_the_body_can_be_what_proves_it(name: str) -> None:
    signature = connector.signature_for({"scheme": name})
    signed = signature.sign(CASE.request(), "s3cret")
    assert b"s3cret" not in signature.verify(signed, ("s3cret",), CASE.received_at).body
    with pytest.raises(Unverified):
        signature.verify(signed, ("other",), CASE.received_at)


@pytest.mark.parametrize("body", [{}, {"leadId": "1"}, [], "x", {"columns": [{"value": "x"}]}])
def test_what_holds_no_answer_is_kept_to_be_looked_at(body: Any) -> None:
    with pytest.raises(Malformed):
        read(connector, CASE.request(body=body), {})
