"""hub why-not, hub statement."""

from tests.cli.desk import Desk
from tests.flow.test_route_choosing import TWO, arrive, made


def desk_with_leads() -> tuple[Desk, str]:
    world = made({"p": TWO}, {"ana": {}, "ben": {}})
    for number in range(3):
        arrive(world, number)
    return Desk(world), world.leads()[0].lead_id


def test_why_not_me_is_answered_in_words_and_as_json() -> None:
    desk, lead_id = desk_with_leads()
    texts = [desk.run("why-not", lead_id, owner).stdout for owner in ("ana", "ben")]
    assert sum("could take it, and it was another's turn" in text for text in texts) == 1
    assert sum("has this lead." in text for text in texts) == 1
    gates = {desk.json("why-not", lead_id, o)["decisions"][0]["gate"] for o in ("ana", "ben")}
    assert gates == {"turn", "chosen"}
    assert desk.run("why-not", lead_id, "nobody").exit_code == 1


def test_a_statement_lists_turns_and_says_whether_they_add_up() -> None:
    desk, _ = desk_with_leads()
    done = desk.run("statement", "ana")
    assert done.exit_code == 0
    assert "as its turns add up" in done.stdout
    found = desk.json("statement", "ana")
    assert len(found["turns"]) == 3
    assert [one["agrees"] for one in found["accounts"]] == [True]
    assert desk.json("statement", "ana", "--since", "2027-01-01")["turns"] == []
    assert desk.run("statement", "nobody").exit_code == 1


def test_who_was_never_looked_at_is_told_so() -> None:
    desk = Desk(made({"p": TWO}, {"ana": {}, "ben": {}}))
    assert "No turn has come" in desk.run("statement", "ana").output
