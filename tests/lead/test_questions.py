"""What answers look like, and what labels and keys speak of, in four languages."""

import pytest

from chalicelib.config.model import CustomField
from chalicelib.lead.model import CONTACT_FIELDS
from chalicelib.lead.questions import (
    FITS,
    Question,
    alike,
    digest_of_text,
    fit,
    label_without,
    likeness,
    meanings,
    says_no_field,
    says_other_person,
    shape_of,
)

SEATS = {"seats": CustomField(id="seats", type="number", title="Number of seats")}


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("ann@example.com", "email"),
        ("<ann@example.com>", "email"),
        ("+44 7700 900123", "phone"),
        ("(555) 555-0142", "phone"),
        ("030/23125-345", "phone"),
        ("tel:+447700900123", "phone"),
        ("https://www.example.com/a?b=c", "url"),
        ("example.org", "url"),
        ("2026-12-03", "date"),
        ("03.12.2026", "date"),
        ("03/12/26 14:00", "date"),
        ("yes", "yes_no"),
        ("Nein", "yes_no"),
        ("sí", "yes_no"),
        ("on", "yes_no"),
        ("250", "number"),
        ("10115", "number"),
        ("1.200 €", "number"),
        ("0", "number"),
        ("LS1 4DY", "code"),
        ("GB123456789", "code"),
        ("Ann", "word"),
        ("Ann-Marie O'Brien", "name"),
        ("Dr. Eva Roth", "name"),
        ("Jörg Köhler", "name"),
        ("a few of them", "short"),
        ("5k - 20k", "short"),
        ("We would like a quote for forty seats, please.", "text"),
        ("-", "short"),
        ("日本語", "short"),
    ],
)
def test_an_answer_has_a_shape(text: str, shape: str) -> None:
    assert shape_of(text) == shape


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("Wie lautet Ihre E-Mail-Adresse?", "email"),
        ("Votre adresse électronique", "email"),
        ("¿Cuál es tu correo electrónico?", "email"),
        ("workEmail", "email"),
        ("Telefonnummer (tagsüber)", "phone"),
        ("N° de téléphone portable", "phone"),
        ("Vor- und Nachname", "full_name"),
        ("Nombre y apellidos", "full_name"),
        ("Prénom", "first_name"),
        ("Name of your company", "company"),
        ("Nom de la société", "company"),
        ("PLZ", "postal_code"),
        ("How can we help?", "message"),
        ("strasse_hausnummer", "street"),
        ("How many seats do you need?", "seats"),
    ],
)
def test_a_label_speaks_of_a_field(label: str, field: str) -> None:
    found = meanings(label, SEATS)
    assert max(found, key=lambda one: found[one]) == field


def test_opaque_keys_speak_of_nothing() -> None:
    for key in ("q7", "input_12", "9ac1c2f0-77e1", "hW9k", "", "::"):
        assert meanings(key, SEATS) == {}


def test_what_is_asked_of_others_or_is_no_field_is_told_apart() -> None:
    assert says_other_person("Email of a colleague")
    assert not says_other_person("Your e-mail")
    assert says_no_field("Wie haben Sie von uns erfahren?")
    assert not says_no_field("Your phone number")


def test_shapes_fit_fields_and_types() -> None:
    assert fit("email", {"email": 9, "short": 1}, {}) == 0.9
    assert fit("phone", {"text": 3}, {}) == 0
    assert fit("seats", {"number": 2}, SEATS) == 1
    assert fit("seats", {"text": 2}, SEATS) == 0
    assert fit("email", {}, {}) == 0.6


def test_every_contact_field_says_what_fits_it() -> None:
    assert set(FITS) == set(CONTACT_FIELDS)


def test_likeness_is_of_shares_and_the_same_both_ways() -> None:
    one, other = {"email": 10}, {"phone": 3}
    assert likeness(one, one) == 1
    assert likeness(one, other) == likeness(other, one) == 0
    assert 0 < likeness({"word": 4}, {"name": 4}) < 1


def test_labels_are_alike_by_the_words_that_say_something() -> None:
    assert alike("Your e-mail address, please", "E-mail address") == 1
    assert alike("Phone", "Company") == 0
    assert alike("?", "?") == 0


def test_a_label_that_addresses_a_person_is_kept_without_the_person() -> None:
    label = "Thanks Annabel, what is your e-mail?"
    assert label_without(label, ["Annabel", ("x", "yes")]) == "Thanks …, what is your e-mail?"
    assert len(label_without("x" * 900, [])) == 200


def test_a_digest_is_shared_by_thousands_of_texts() -> None:
    assert digest_of_text("Größe") == digest_of_text("grosse ") or digest_of_text("Größe") < 65536
    assert all(0 <= digest_of_text(str(number)) < 65536 for number in range(500))


def test_a_question_is_a_choice_when_few_answers_come_again_and_again() -> None:
    few = {"given": 30, "seen": 30, "shapes": {"word": 30}}
    assert Question(options=(1, 2, 3), **few).is_choice
    assert not Question(options=tuple(range(9)), **few).is_choice
    assert not Question(options=(1, 2), is_open=True, **few).is_choice
    assert not Question(options=(1,), **{**few, "shapes": {"phone": 29, "word": 1}}).is_choice
