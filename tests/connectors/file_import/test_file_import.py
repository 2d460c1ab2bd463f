import json
from typing import Any

from chalicelib.cli.cases import load_case
from chalicelib.connector import Submission, read
from chalicelib.registry import load

CONNECTOR = load("file_import")


def told(rows: list[list[str]], mapping: dict[str, str], **more: Any) -> list[Submission]:
    case = load_case("file_import", "sample")
    body = {
        "file": "list.csv",
        "columns": list(mapping),
        "mapping": mapping,
        "dates": "dmy",
        "zone": "UTC",
        "rows": [{"row": number, "cells": cells} for number, cells in enumerate(rows, start=2)],
        **more,
    }
    acts = read(CONNECTOR, case.request(body=json.dumps(body)), {})
    assert all(isinstance(act, Submission) for act in acts)
    return [act for act in acts if isinstance(act, Submission)]


MAIL_AND_NOTE = {"Mail": "email", "Note": "answer"}


def test_a_row_is_the_same_in_another_file_that_orders_and_calls_its_columns_otherwise() -> None:
    [one] = told([["zoe@example.com", "Asks  for a demo"]], MAIL_AND_NOTE)
    [other] = told(
        [["asks for a DEMO", "Zoe@Example.com", "", "7"]],
        {"note": "answer", "E-Mail": "email", "City": "city", "Internal": "-"},
        file="another.csv",
    )
    assert one.external_id == other.external_id


def test_rows_that_say_different_things_are_different_acts() -> None:
    rows = [["zoe@example.com", "one"], ["zoe@example.com", "two"], ["zoe@example.com", ""]]
    assert len({act.external_id for act in told(rows, MAIL_AND_NOTE)}) == 3


def test_a_value_in_another_column_is_another_act() -> None:
    mapping = {"A": "answer", "B": "answer", "Mail": "email"}
    rows = [["x", "", "zoe@example.com"], ["", "x", "zoe@example.com"]]
    assert len({act.external_id for act in told(rows, mapping)}) == 2


def test_an_id_of_its_own_tells_a_row_apart_and_other_values_are_a_correction() -> None:
    mapping = {"Id": "id", "Mail": "email"}
    one, same, corrected = told(
        [["7", "zoe@example.com"], ["7", "zoe@example.com "], ["7", "zoe@example.org"]], mapping
    )
    assert (
        (one.external_id, one.revision) == (same.external_id, same.revision) == ("7", one.revision)
    )
    assert corrected.external_id == "7"
    assert corrected.revision != one.revision


def test_a_row_without_its_id_is_told_apart_by_what_it_says() -> None:
    [act] = told([["", "zoe@example.com"]], {"Id": "id", "Mail": "email"})
    assert len(act.external_id) == 32
    assert act.revision == ""


def test_several_columns_may_hold_the_same_field() -> None:
    mapping = {"Phone": "phone", "Mobile": "phone"}
    rows = [["+44 7700 900123", "+44 7700 900456"], ["+44 7700 900456", "+44 7700 900123"]]
    one, other = told(rows, mapping)
    assert one.hints == {"Phone": "phone", "Mobile": "phone"}
    assert one.external_id == other.external_id


def test_ids_of_twenty_digits_stay_exact() -> None:
    [act] = told([["12345678901234567890", "zoe@example.com"]], {"Id": "id", "Mail": "email"})
    assert act.external_id == "12345678901234567890"
