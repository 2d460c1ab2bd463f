from pathlib import Path
from xml.etree import ElementTree

from chalicelib.cli.train_page import render
from chalicelib.flow.move import move
from chalicelib.flow.train import publish_card
from chalicelib.lead.predict.card import Card, Term, Test
from chalicelib.lead.predict.measure import measure
from chalicelib.lead.predict.report import Learnt, Report
from tests.cli.desk import Desk
from tests.world import World, form


def worked(count: int = 24) -> World:
    """Give a world in which whoever asks about prices is won, mostly."""
    world = World()
    for number in range(count):
        topic = "prices" if number % 2 else "support"
        email = f"p{number}@example{number}.com"
        world.send("forms", form(number, email=email, topic=topic, seats=str(number % 5)))
        world.settle()
    for lead in world.leads():
        won = (lead.custom["topic"].value == "prices") != (lead.lead_id[-1] in "01")
        for status in ("contacted", "qualified") if won else ("disqualified",):
            move(world.hub, lead.lead_id, "ann", status=status, reason="as we talked")
    world.clock.advance(days=40)
    return world


def test_training_says_what_it_found_and_puts_it_to_use(tmp_path: Path) -> None:
    desk = Desk(worked())
    page = tmp_path / "report.html"
    shown = desk.run("train", "--out", str(page))
    assert shown.exit_code == 0, shown.output
    assert "24 leads are old enough" in shown.stdout
    assert "Model 1 is in use now" in shown.stderr
    assert "<svg" in page.read_text() or "too few outcomes" in page.read_text()
    assert desk.run("train", "--out", str(page)).exit_code == 1
    (kept,) = desk.json("model", "list")
    assert (kept["number"], kept["leads"], kept["is_used"]) == (1, 24, True)
    lead_id = desk.world.leads()[0].lead_id
    said = desk.json("model", "chance", lead_id)
    assert 0 < said["chance"] < 1
    assert "%" in desk.run("model", "chance", lead_id).stdout
    assert "double the odds" in desk.run("model", "show").stderr
    assert desk.json("model", "show", "1")["leads"] == 24
    assert desk.json("model", "use", "0") == {"number": 0}
    assert desk.run("model", "chance", lead_id).exit_code == 1


def test_a_dry_run_changes_nothing() -> None:
    desk = Desk(worked(12))
    assert "Nothing was changed" in desk.run("train", "--dry-run").stderr
    assert desk.json("train", "--dry-run")["number"] == 0
    assert desk.json("model", "list") == []


def test_points_that_a_person_changed_are_put_to_use(tmp_path: Path) -> None:
    desk = Desk()
    term = Term(tests=(Test(field="source", any_of=("forms",)),), points=5)
    publish_card(desk.world.hub, Card(terms=(term,), base=-7, leads=10, won=5))
    file = tmp_path / "card.json"
    file.write_text(
        desk.run("model", "show", "--json").stdout.replace('"points": 5', '"points": 9')
    )
    assert desk.json("model", "load", str(file)) == {"number": 2}
    assert desk.json("model", "show")["terms"][0]["points"] == 9
    file.write_text('{"terms": [{"points": 1}], "base": 0}')
    refused = desk.run("model", "load", str(file))
    assert refused.exit_code == 1
    assert "card.json is no card" in refused.stderr and "tests" in refused.stderr


def test_too_little_to_learn_from_is_said() -> None:
    desk = Desk()
    assert "too little" in desk.run("train").stderr
    assert "Nothing was learnt yet" in desk.run("model", "list").stderr
    assert desk.run("model", "show").exit_code == 1


def test_a_field_that_leaks_is_named() -> None:
    from chalicelib.lead.predict.card import Refused

    desk = Desk()
    refused = (Refused(field="talk", reason="it knows", is_leak=True),)
    publish_card(desk.world.hub, Card(terms=(), base=0, refused=refused, leads=10, won=5))
    assert "talk is refused: it knows" in desk.run("model", "show").stderr


def test_the_page_is_whole_and_shows_no_markup_of_strangers() -> None:
    strange = "<script>alert(1)</script>"
    term = Term(tests=(Test(field=strange, any_of=("a",)),), points=-7, leads=9, won=1)
    found = measure([n / 101 for n in range(1, 101)], [n % 3 == 0 for n in range(100)])
    report = Report(
        card=Card(
            terms=(term,), base=3, leads=100, won=34, ranges={"month": (1, 2)},
            elsewhere=Card(terms=(term,), base=1),
        ),
        across=found,
        newest=found,
        learning=tuple(
            Learnt(won=won, auc=0.6, least=0.5, most=0.7, error=0.1) for won in (10, 20, 40)
        ),
    )  # fmt: skip
    page = render(report, "A title")
    assert strange not in page and "&lt;script&gt;" in page
    assert "http" not in page.replace("http-equiv", "")
    pictures = page.split("<svg")[1:]
    assert len(pictures) == 7
    for picture in pictures:
        drawn = ElementTree.fromstring("<svg" + picture.partition("</svg>")[0] + "</svg>")
        assert drawn.attrib["role"] == "img"
        assert len(drawn.attrib["aria-label"]) > 20
    empty = render(Report(card=Card(terms=(), base=0, trust=0)), "A title")
    assert "too little to learn from" in empty
