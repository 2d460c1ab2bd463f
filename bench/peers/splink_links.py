"""Splink 5 on one set at once, its weights learnt without labels: gives pairs with probabilities.

`documented`: the models of its own documentation for the two sets that come from there (pages
"Evaluation when you have fully labelled data" and "Linking a dataset of real historical persons",
read 2026-11-22). `wide`: a comparison of every field there is, and every block that may help;
`apart`: the same with first and last name each compared by itself.
Speaks what `bench/match_run.py: play_peer` speaks; runs in an environment of its own.
"""

import json
import os
import re
import sys
from typing import Any

import splink.comparison_level_library as cll  # type: ignore[import-not-found, unused-ignore]
import splink.comparison_library as cl  # type: ignore[import-not-found, unused-ignore]
from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # type: ignore[import-not-found, unused-ignore]

from bench.peers.cleaning import cleaned, fields_of

SEED = 1
LEAST = 0.01
"""Less probable pairs are not given."""
PREFIXES = {"company": 5, "street": 6, "email": 4, "dob": 7}
"""How many first letters of a field make a wide block."""


def rows_of(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lay the records out as columns, lower case and without needless blanks."""
    rows = cleaned(records)
    for row in rows:
        row["unique_id"] = row.pop("rid")
        first, last = row["first_name"], row["last_name"]
        row["both_names"] = f"{first} {last}" if first and last else None
        row["words"] = sorted(set(re.findall(r"\w{3,}", row["company"] or ""))) or None
        number = re.search(r"\d+", row["street"] or "")
        row["house"] = number.group() if number else None
    return rows


def documented(rows: list[dict[str, Any]]) -> tuple[SettingsCreator, list[str], float, list[Any]]:
    """Give the model of the documentation: settings, sure rules, their recall, training blocks."""
    if all(row["postal_code"] is None and row["company"] is None for row in rows):
        rules = [
            block_on("first_name"), block_on("last_name"), block_on("dob"), block_on("email")
        ]  # fmt: skip
        comparisons = [
            cl.ForenameSurnameComparison("first_name", "last_name"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("city").configure(term_frequency_adjustments=True),
            cl.EmailComparison("email"),
        ]
        sure = [
            "l.first_name = r.first_name and levenshtein(r.dob, l.dob) <= 1",
            "l.last_name = r.last_name and levenshtein(r.dob, l.dob) <= 1",
            "l.first_name = r.first_name and levenshtein(r.last_name, l.last_name) <= 2",
            "l.email = r.email",
        ]
        training = [block_on("dob"), block_on("email"), block_on("first_name", "last_name")]
        return _settings(rules, comparisons), sure, 0.7, training
    rules = [
        block_on("substr(first_name,1,3)", "substr(last_name,1,4)"),
        block_on("last_name", "dob"),
        block_on("first_name", "dob"),
        block_on("postal_code", "first_name"),
        block_on("postal_code", "last_name"),
        block_on("dob", "city"),
        block_on("substr(postal_code,1,3)", "dob"),
        block_on("substr(postal_code,1,3)", "first_name"),
        block_on("substr(postal_code,1,3)", "last_name"),
        block_on("substr(first_name,1,2)", "substr(last_name,1,2)", "substr(dob,1,4)"),
    ]
    comparisons = [
        cl.ForenameSurnameComparison(
            "first_name", "last_name", forename_surname_concat_col_name="both_names"
        ),
        cl.DateOfBirthComparison("dob", input_is_string=True),
        cl.PostcodeComparison("postal_code"),
        cl.ExactMatch("city").configure(term_frequency_adjustments=True),
        cl.ExactMatch("extra").configure(term_frequency_adjustments=True),
    ]
    sure = [
        "l.first_name = r.first_name and l.last_name = r.last_name and l.dob = r.dob",
        "substr(l.first_name,1,2) = substr(r.first_name,1,2) and l.last_name = r.last_name"
        " and substr(l.postal_code,1,2) = substr(r.postal_code,1,2)",
        "l.dob = r.dob and l.postal_code = r.postal_code",
    ]
    return _settings(rules, comparisons), sure, 0.6, [
        block_on("first_name", "last_name"), block_on("dob")
    ]  # fmt: skip


def wide(rows: list[dict[str, Any]]) -> tuple[SettingsCreator, list[str], float, list[Any]]:
    """Give a model of every field, the two names compared together."""
    both = cl.ForenameSurnameComparison(
        "first_name", "last_name", forename_surname_concat_col_name="both_names"
    )
    return _wide(rows, [both])


def apart(rows: list[dict[str, Any]]) -> tuple[SettingsCreator, list[str], float, list[Any]]:
    """Give the same with each name compared by itself, and with the other if they were swapped."""
    return _wide(rows, [_one_name("first_name", "last_name"), _one_name("last_name", "first_name")])


def _one_name(name: str, other: str) -> Any:
    return cl.CustomComparison(
        output_column_name=name,
        comparison_levels=[
            cll.NullLevel(name),
            cll.ExactMatchLevel(name).configure(tf_adjustment_column=name),
            cll.CustomLevel(f"{name}_l = {other}_r or {name}_r = {other}_l"),
            *(cll.JaroWinklerLevel(name, likeness) for likeness in (0.92, 0.85, 0.7)),
            cll.ElseLevel(),
        ],
    )


def _wide(
    rows: list[dict[str, Any]], names: list[Any]
) -> tuple[SettingsCreator, list[str], float, list[Any]]:
    """Compare every field that at least one record in fifty has."""
    there = set(fields_of(rows))
    comparisons, rules, sure, training = [], [], [], []
    are_people = {"first_name", "last_name"} <= there
    if are_people:
        comparisons += names
        rules += [
            block_on("first_name"),
            block_on("last_name"),
            block_on("substr(first_name,1,3)", "substr(last_name,1,3)"),
            "l.first_name = r.last_name",
            "r.first_name = l.last_name",
        ]
        sure.append("l.first_name = r.first_name and l.last_name = r.last_name{and_more}")
        training.append(block_on("first_name", "last_name"))
        for name, part in (("dob", "substr(dob,1,4)"), ("city", "city")):
            if name in there:
                rules += [
                    block_on("substr(first_name,1,2)", part),
                    block_on("substr(last_name,1,2)", part),
                ]
    wanted: dict[str, Any] = {
        "company": cl.JaroWinklerAtThresholds("company", [0.95, 0.88, 0.75]),
        "email": cl.EmailComparison("email"),
        "phone": cl.LevenshteinAtThresholds("phone", [1, 2]),
        "street": cl.JaroWinklerAtThresholds("street", [0.95, 0.88, 0.75]),
        "city": cl.JaroWinklerAtThresholds("city", [0.9]),
        "postal_code": cl.LevenshteinAtThresholds("postal_code", [1, 2]),
        "state": cl.ExactMatch("state"),
        "country": cl.ExactMatch("country"),
        "dob": cl.DateOfBirthComparison("dob", input_is_string=True),
        "extra": cl.ExactMatch("extra"),
    }
    for name, comparison in wanted.items():
        if name in there:
            weighed = name in {
                "company",
                "email",
                "phone",
                "city",
                "postal_code",
                "extra",
                "street",
            }
            comparisons.append(
                comparison.configure(term_frequency_adjustments=True) if weighed else comparison
            )
    rules += [
        block_on(name) for name in ("email", "phone", "dob", "postal_code", "street", "both_names")
        if name in there or (name == "both_names" and are_people)
    ]  # fmt: skip
    rules += [block_on(f"substr({n},1,{k})") for n, k in PREFIXES.items() if n in there]
    if "email" in there:
        rules.append(block_on("split_part(email, '@', 1)"))
        sure.append("l.email = r.email")
        training.append(block_on("email"))
    if "dob" in there:
        training.append(block_on("dob"))
    if "phone" in there:
        sure.append("l.phone = r.phone")
        training.append(block_on("phone"))
    if "company" in there:
        rules.append(block_on("words", arrays_to_explode=["words"]))
        sure.append("l.company = r.company{and_more}")
    # In a block of colleagues or neighbours nearly all pairs are of two people.
    if "company" in there and not are_people:
        training.append(block_on("company"))
    if "street" in there and not are_people:
        comparisons.append(cl.ExactMatch("house"))
        training.append(block_on("street"))
    more = [name for name in ("dob", "postal_code", "street", "city") if name in there]
    and_more = " and (" + " or ".join(f"l.{n} = r.{n}" for n in more) + ")" if more else ""
    return (
        _settings(rules, comparisons),
        [rule.replace("{and_more}", and_more) for rule in sure],
        0.6,
        training,
    )


def _settings(rules: list[Any], comparisons: list[Any]) -> SettingsCreator:
    return SettingsCreator(
        link_type="dedupe_only",
        blocking_rules_to_generate_predictions=rules,
        comparisons=comparisons,
        retain_matching_columns=False,
    )


def links(records: list[dict[str, Any]], model: Any) -> tuple[list[tuple[int, int, float]], Any]:
    """Learn the weights from the records and give the probable pairs."""
    rows = rows_of(records)
    settings, sure, recall, training = model(rows)
    database = DuckDBAPI()
    linker = Linker(database.register(rows), settings, log_level=40)
    linker.training.estimate_probability_two_random_records_match(sure, recall=recall)
    linker.training.estimate_u_using_random_sampling(max_pairs=5e6, seed=SEED)
    for block in training:
        try:
            linker.training.estimate_parameters_using_expectation_maximisation(
                block, estimate_without_term_frequencies=True
            )
        except Exception as e:  # noqa: BLE001 - too few pairs in one block: the others teach
            print(f"splink: no training on a block ({type(e).__name__})", file=sys.stderr)
    predicted = linker.inference.predict(threshold_match_probability=LEAST)
    found = predicted.as_duckdbpyrelation().project("unique_id_l, unique_id_r, match_probability")
    return found.fetchall(), linker


def main() -> None:
    """Answer: ready, the links, then how many of some pairs were compared."""
    # Splink prints charts of its progress; answers must stand alone.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    model = {"documented": documented, "wide": wide, "apart": apart}[sys.argv[1]]
    print(json.dumps({"ready": True}), file=answers, flush=True)
    found, linker = links(json.loads(sys.stdin.readline())["records"], model)
    print(json.dumps({"links": found}), file=answers, flush=True)
    wanted = {tuple(pair) for pair in json.loads(sys.stdin.readline())["true_pairs"]}
    blocked = linker.inference.compute_blocked_pairs_for_predict().as_duckdbpyrelation()
    compared = blocked.project("join_key_l, join_key_r").fetchall()
    met = wanted & {(min(pair), max(pair)) for pair in compared}
    print(json.dumps({"blocked": len(met)}), file=answers, flush=True)


if __name__ == "__main__":
    main()
