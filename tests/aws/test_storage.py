"""One suite over the storage classes and over their fakes, so that the fakes cannot drift."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.aws.blobs import S3Blobs
from chalicelib.aws.queue import SqsQueue
from chalicelib.aws.secrets import SsmSecrets
from chalicelib.aws.table import DynamoTable
from chalicelib.errors import Conflict, Malformed, NotFound, Unavailable
from chalicelib.storage import (
    Absent,
    Blobs,
    Check,
    Delete,
    Holds,
    Item,
    Key,
    Message,
    Put,
    Queue,
    Received,
    Secrets,
    Table,
    Write,
)
from tests.aws.engines import Cloud, on_cloud
from tests.fakes import Clock, MemoryBlobs, MemoryQueue, MemorySecrets, MemoryTable
from tests.faults import Call, Fault, aws_fault
from tests.strict import cancelled, conflict, failing, throttled, unprocessed

ENGINES = ["memory", "moto", pytest.param("cloud", marks=pytest.mark.cloud)]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Cloud | None:
    """Clients on moto, then on the local cloud; None for memory."""
    match request.param:
        case "memory":
            return None
        case "moto":
            moto: Cloud = request.getfixturevalue("moto")
            return moto
    return on_cloud(request.getfixturevalue("local_cloud"))


@pytest.fixture
def table(engine: Cloud | None) -> Table:
    return MemoryTable() if engine is None else dynamo(engine)


def dynamo(cloud: Cloud) -> DynamoTable:
    return DynamoTable(cloud.client("dynamodb"), cloud.table(), lambda _: None, lambda: 0.5)


def item(pk: str, sk: str = "A", writer: str = "w", version: int = 1, **more: Any) -> Item:
    return {"pk": pk, "sk": sk, "writer": writer, "version": version, **more}


def put(name: str, made: Item, condition: Absent | Holds | None = None) -> Put:
    return Put(name, made, condition)


# --- the table ------------------------------------------------------------------------------------


def test_an_item_comes_back_as_it_was_written(table: Table) -> None:
    made = item(
        "1",
        text="Zoë 😀",
        empty="",
        number=10**37,
        less=-3,
        yes=True,
        data=b"\x00\xff",
        many=["a", {"b": 1}],
        nested={"c": {"d": ["e"]}},
    )
    table.write([put("one", made)])
    assert table.get(Key("1", "A")) == made


def test_a_tuple_comes_back_as_a_list(table: Table) -> None:
    table.write([put("one", item("1", many=("a", "b")))])
    found = table.get(Key("1", "A"))
    assert found is not None
    assert found["many"] == ["a", "b"]


def test_what_was_never_written_is_absent(table: Table) -> None:
    assert table.get(Key("1", "A")) is None
    assert table.get_many([Key("1", "A"), Key("2", "A")]) == {}
    assert table.get_many([]) == {}
    assert table.query("1") == []


def test_many_items_are_read_at_once_and_repeated_keys_do_no_harm(table: Table) -> None:
    for start in range(0, 130, 65):
        table.write([put(f"p{n}", item(f"{n:03}")) for n in range(start, start + 65)])
    keys = [Key(f"{n:03}", "A") for n in range(140)]
    found = table.get_many([*keys, *keys])
    assert set(found) == set(keys[:130])
    assert found[Key("007", "A")] == item("007")


def test_a_partition_is_read_in_the_byte_order_of_its_sort_keys(table: Table) -> None:
    for sk in ("z", "é", "A", "😀", "a", "\uffee"):
        table.write([put("one", item("p", sk))])
    table.write([put("other", item("q", "b"))])
    assert [each["sk"] for each in table.query("p")] == ["A", "a", "z", "é", "\uffee", "😀"]


def test_a_prefix_narrows_a_partition(table: Table) -> None:
    for sk in ("TOUCH#1", "TOUCH#2", "TOUC", "EVENT#1"):
        table.write([put("one", item("p", sk))])
    assert [each["sk"] for each in table.query("p", "TOUCH#")] == ["TOUCH#1", "TOUCH#2"]


def test_a_partition_larger_than_one_page_is_read_whole(table: Table) -> None:
    for number in range(5):
        table.write([put("one", item("p", str(number), data=bytes(300_000)))])
    assert len(table.query("p")) == 5


def test_an_absent_item_may_be_put_once(table: Table) -> None:
    table.write([put("one", item("1", writer="first"), Absent())])
    with pytest.raises(Conflict) as caught:
        table.write([put("one", item("1", writer="second"), Absent())])
    assert caught.value.found == {"one": item("1", writer="first")}
    assert table.get(Key("1", "A")) == item("1", writer="first")


def test_a_put_that_meets_itself_counts_as_done(table: Table) -> None:
    for _ in range(2):
        table.write([put("one", item("1", writer="same", version=4), Absent())])


def test_a_put_that_meets_its_writer_at_another_version_is_a_conflict(table: Table) -> None:
    table.write([put("one", item("1", writer="same", version=4), Absent())])
    with pytest.raises(Conflict):
        table.write([put("one", item("1", writer="same", version=5), Absent())])


def test_a_version_may_be_replaced_while_it_stands(table: Table) -> None:
    table.write([put("one", item("1", version=1))])
    table.write([put("one", item("1", version=2, writer="b"), Holds("version", 1))])
    with pytest.raises(Conflict) as caught:
        table.write([put("one", item("1", version=2, writer="c"), Holds("version", 1))])
    assert caught.value.found == {"one": item("1", version=2, writer="b")}


def test_a_value_is_not_taken_for_one_of_another_type(table: Table) -> None:
    table.write([put("one", item("1", mark="1"))])
    with pytest.raises(Conflict):
        table.write([put("one", item("1", version=2), Holds("mark", 1))])


def test_a_condition_on_an_absent_item_finds_nothing(table: Table) -> None:
    with pytest.raises(Conflict) as caught:
        table.write([put("one", item("1", version=2), Holds("version", 1))])
    assert caught.value.found == {"one": None}


def test_a_transaction_writes_all_or_nothing(table: Table) -> None:
    table.write([put("there", item("b", writer="other"))])
    with pytest.raises(Conflict) as caught:
        table.write(
            [put("a", item("a")), put("b", item("b"), Absent()), put("c", item("c"), Absent())]
        )
    assert caught.value.found == {"b": item("b", writer="other")}
    assert table.get_many([Key("a", "A"), Key("c", "A")]) == {}


def test_a_transaction_names_every_condition_that_failed(table: Table) -> None:
    table.write([put("there", item("b", writer="other"))])
    with pytest.raises(Conflict) as caught:
        table.write(
            [
                put("a", item("a"), Holds("version", 1)),
                put("b", item("b"), Absent()),
                put("c", item("c"), Absent()),
            ]
        )
    assert caught.value.found == {"a": None, "b": item("b", writer="other")}


def test_a_transaction_that_meets_itself_counts_as_done(table: Table) -> None:
    writes = [put("a", item("a"), Absent()), put("b", item("b"), Absent()), put("c", item("c"))]
    table.write(writes)
    table.write(writes)
    assert len(table.get_many([Key(name, "A") for name in "abc"])) == 3


def test_a_transaction_that_meets_itself_only_in_part_is_a_conflict(table: Table) -> None:
    table.write([put("a", item("a", writer="me"), Absent())])
    table.write([put("b", item("b", writer="other"), Absent())])
    with pytest.raises(Conflict):
        table.write(
            [
                put("a", item("a", writer="me"), Absent()),
                put("b", item("b", writer="me"), Absent()),
            ]
        )


def test_a_transaction_of_which_only_a_part_was_made_is_a_conflict(table: Table) -> None:
    table.write([put("a", item("a", writer="me"), Absent())])
    with pytest.raises(Conflict) as caught:
        table.write(
            [
                put("a", item("a", writer="me"), Absent()),
                put("b", item("b", writer="me"), Absent()),
            ]
        )
    assert set(caught.value.found) == {"a"}
    assert table.get(Key("b", "A")) is None


def test_a_check_that_still_holds_does_not_hide_that_a_transaction_was_made(table: Table) -> None:
    table.write([put("config", item("config", version=3))])
    check = Check("config", Key("config", "A"), Holds("version", 3))
    for _ in range(2):
        table.write([check, put("b", item("b", writer="me"), Absent())])


def test_an_item_is_taken_away_while_its_condition_holds(table: Table) -> None:
    table.write([put("a", item("1")), put("b", item("2"))])
    with pytest.raises(Conflict) as caught:
        table.write([Delete("gone", Key("1", "A"), Holds("version", 2))])
    assert caught.value.found == {"gone": item("1")}
    table.write([Delete("gone", Key("1", "A"), Holds("version", 1))])
    assert table.get(Key("1", "A")) is None
    assert table.get(Key("2", "A")) == item("2")


def test_what_was_taken_away_already_counts_as_taken_away(table: Table) -> None:
    table.write([put("a", item("1"))])
    writes: list[Write] = [
        Delete("gone", Key("1", "A"), Holds("version", 1)),
        put("made", item("2"), Absent()),
    ]
    table.write(writes)
    table.write(writes)
    assert table.get(Key("1", "A")) is None
    table.write([Delete("gone", Key("1", "A"), Holds("version", 1))])


def test_taking_away_again_does_not_hide_what_somebody_else_wrote(table: Table) -> None:
    table.write([put("made", item("2", writer="other"))])
    with pytest.raises(Conflict):
        table.write(
            [
                Delete("gone", Key("1", "A"), Holds("version", 1)),
                put("made", item("2"), Absent()),
            ]
        )
    assert table.get(Key("2", "A")) == item("2", writer="other")


def test_an_item_that_is_taken_away_leaves_its_indexes(table: Table) -> None:
    table.write([put("a", item("1", list_pk="L", list_sk="1", summary="{}"))])
    assert len(table.query_index("list", "L").items) == 1
    table.write([Delete("gone", Key("1", "A"), Holds("version", 1))])
    assert table.query_index("list", "L").items == ()


def test_a_check_writes_nothing_and_stops_the_transaction(table: Table) -> None:
    table.write([put("config", item("config", version=3))])
    check = Check("config", Key("config", "A"), Holds("version", 3))
    table.write([check, put("a", item("a"))])
    table.write([put("config", item("config", version=4))])
    with pytest.raises(Conflict) as caught:
        table.write([check, put("b", item("b"))])
    assert caught.value.found == {"config": item("config", version=4)}
    assert table.get(Key("b", "A")) is None
    assert table.get(Key("config", "A")) == item("config", version=4)


def test_a_check_is_never_taken_for_our_own_write(table: Table) -> None:
    table.write([put("config", item("config", version=4, writer="me"))])
    check = Check("config", Key("config", "A"), Holds("version", 3))
    with pytest.raises(Conflict):
        table.write([check, put("b", item("b", writer="me"))])


@pytest.mark.parametrize(
    "refused",
    [
        item("", "A"),
        item("1", ""),
        item("p" * 2049),
        item("1", "s" * 1025),
        item("1", list_pk="", list_sk="a"),
        item("1", due_shard=1, due_at="a"),
        item("1", data=bytes(410_000)),
        item("1", number=10**38 + 1),
    ],
    ids=["empty pk", "empty sk", "long pk", "long sk", "empty index key", "typed", "big", "digits"],
)
def test_an_item_that_dynamodb_refuses_is_malformed(table: Table, refused: Item) -> None:
    for writes in ([put("one", refused)], [put("one", refused), put("two", item("2"))]):
        with pytest.raises(Malformed):
            table.write(writes)
    assert table.get(Key("2", "A")) is None


def test_a_transaction_takes_each_item_once_and_a_hundred_at_most(table: Table) -> None:
    with pytest.raises(Malformed):
        table.write([put("a", item("1")), put("b", item("1", version=2))])
    with pytest.raises(Malformed):
        table.write([put(f"p{n}", item(str(n))) for n in range(101)])


def test_counters_add_up_and_give_what_they_are_afterwards(table: Table) -> None:
    key = Key("SOURCE#a", "REFUSALS")
    assert table.add(key, {"unverified": 1})["unverified"] == 1
    after = table.add(key, {"unverified": 2, "toolarge": 1}, expires_at=2_000_000_000)
    assert after == table.get(key)
    assert (after["unverified"], after["toolarge"]) == (3, 1)
    assert after["expires_at"] == 2_000_000_000


def listed(number: int, day: int = 1, owner: str = "") -> Item:
    more: dict[str, Any] = {"owner_pk": owner} if owner else {}
    return item(
        f"L{number:02}",
        kind="lead",
        secret="not projected",
        summary={"n": number},
        list_pk="LEADS",
        list_sk=f"2026-01-{day:02}",
        **more,
    )


def walk(table: Table, index: str, pk: str, limit: int, newest_first: bool = False) -> list[str]:
    found: list[str] = []
    start = None
    for _ in range(60):
        page = table.query_index(index, pk, limit=limit, start=start, newest_first=newest_first)
        assert len(page.items) <= limit
        found += [each["pk"] for each in page.items]
        start = page.next
        if start is None:
            return found
    raise AssertionError("the cursor never ends")


def test_an_index_holds_only_items_with_its_keys_and_only_what_it_projects(table: Table) -> None:
    table.write([put("a", listed(1, owner="O")), put("b", listed(2)), put("c", item("L03"))])
    (found,) = table.query_index("owner", "O").items
    assert found == {
        "pk": "L01",
        "sk": "A",
        "kind": "lead",
        "summary": {"n": 1},
        "owner_pk": "O",
        "list_sk": "2026-01-01",
    }
    assert walk(table, "list", "LEADS", 10) == ["L01", "L02"]


@pytest.mark.parametrize("newest_first", [False, True])
def test_an_index_is_walked_page_by_page_without_gap_or_repeat(
    table: Table, newest_first: bool
) -> None:
    table.write([put(f"p{n}", listed(n, day=1 + n)) for n in range(12)])
    expected = [f"L{n:02}" for n in range(12)]
    found = walk(table, "list", "LEADS", 4, newest_first)
    assert found == (expected[::-1] if newest_first else expected)


def test_items_of_one_moment_are_all_walked(table: Table) -> None:
    table.write([put(f"p{n}", listed(n)) for n in range(12)])
    assert sorted(walk(table, "list", "LEADS", 5)) == [f"L{n:02}" for n in range(12)]


def test_an_index_is_read_up_to_a_moment_that_is_included(table: Table) -> None:
    due = [item(f"D{n}", due_shard="DUE#0", due_at=f"2026-01-0{n}", kind="x") for n in range(1, 5)]
    table.write([put(each["pk"], each) for each in due])
    page = table.query_index("due", "DUE#0", up_to="2026-01-03")
    assert [each["pk"] for each in page.items] == ["D1", "D2", "D3"]
    assert set(page.items[0]) == {"pk", "sk", "due_shard", "due_at"}


def test_an_item_leaves_an_index_with_its_key(table: Table) -> None:
    table.write([put("a", listed(1))])
    table.write([put("a", item("L01", version=2))])
    assert walk(table, "list", "LEADS", 5) == []


def test_the_cursor_of_an_item_that_is_gone_still_works(table: Table) -> None:
    table.write([put(f"p{n}", listed(n, day=1 + n)) for n in range(6)])
    page = table.query_index("list", "LEADS", limit=3)
    table.write([put("moved", item("L02", version=2))])
    rest = table.query_index("list", "LEADS", limit=5, start=page.next)
    assert [each["pk"] for each in rest.items] == ["L03", "L04", "L05"]


# --- the queues -----------------------------------------------------------------------------------


@dataclass
class Line:
    """A queue, and how a test takes messages out of it."""

    queue: Queue
    receive: Callable[[], list[Received]]
    delete: Callable[[list[Received]], None]


def line(cloud: Cloud | None, is_fifo: bool) -> Line:
    if cloud is None:
        memory = MemoryQueue(Clock(), is_fifo)
        return Line(
            memory, memory.receive, lambda taken: memory.delete([m.message_id for m in taken])
        )
    import json

    client = cloud.client("sqs")
    url = cloud.queue(is_fifo, VisibilityTimeout=60)
    receipts: dict[str, str] = {}

    def receive() -> list[Received]:
        asked = client.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=10,
            WaitTimeSeconds=0,
            AttributeNames=["ApproximateReceiveCount"],
        )
        found = asked.get("Messages", [])
        receipts.update({m["MessageId"]: m["ReceiptHandle"] for m in found})
        return [
            Received(
                m["MessageId"],
                json.loads(m["Body"]),
                int(m["Attributes"]["ApproximateReceiveCount"]),
            )
            for m in found
        ]

    def delete(taken: list[Received]) -> None:
        for message in taken:
            client.delete_message(QueueUrl=url, ReceiptHandle=receipts[message.message_id])

    return Line(SqsQueue(client, url, lambda _: None), receive, delete)


@pytest.fixture
def standard(engine: Cloud | None) -> Line:
    return line(engine, is_fifo=False)


@pytest.fixture
def fifo(engine: Cloud | None) -> Line:
    return line(engine, is_fifo=True)


def drained(taken_from: Line) -> list[Received]:
    found: list[Received] = []
    while taken := taken_from.receive():
        found += taken
    return found


def test_a_message_arrives_as_it_was_sent_and_is_then_hidden(standard: Line) -> None:
    standard.queue.send([Message({"delivery": "1", "text": "Zoë"})])
    (message,) = drained(standard)
    assert message.body == {"delivery": "1", "text": "Zoë"}
    assert message.tries == 1
    assert standard.receive() == []


def test_many_messages_are_sent_at_once(standard: Line) -> None:
    standard.queue.send([Message({"n": n}) for n in range(23)])
    assert sorted(m.body["n"] for m in drained(standard)) == list(range(23))
    standard.queue.send([])
    assert standard.receive() == []


@pytest.mark.parametrize(
    "refused",
    [
        Message({"a": 1}, delay_seconds=901),
        Message({"a": 1}, group="g", once="1"),
        Message({"a": "x" * (1024 * 1024)}),
    ],
    ids=["delay", "group", "size"],
)
def test_a_standard_queue_takes_no_long_delay_no_de_duplication_and_no_giant(
    standard: Line, engine: Cloud | None, refused: Message
) -> None:
    if engine is not None and engine.kind == "cloud" and len(str(refused.body)) < 100:
        pytest.skip("the local cloud takes long delays and needless ids; the shim does not")
    with pytest.raises(Unavailable):
        standard.queue.send([refused])


def test_a_group_is_handed_out_in_order_and_waits_while_it_is_worked_on(fifo: Line) -> None:
    fifo.queue.send([Message({"n": n}, "a", f"a{n}") for n in range(12)])
    first = fifo.receive()
    assert [m.body["n"] for m in first] == list(range(10))
    fifo.queue.send([Message({"n": 100}, "b", "b")])
    assert [m.body["n"] for m in fifo.receive()] == [100]
    fifo.delete(first)
    assert [m.body["n"] for m in fifo.receive()] == [10, 11]


def test_the_same_message_is_sent_once_even_when_it_is_handled_already(fifo: Line) -> None:
    for _ in range(2):
        fifo.queue.send([Message({"n": 1}, "a", "same")])
    taken = fifo.receive()
    assert len(taken) == 1
    fifo.delete(taken)
    fifo.queue.send([Message({"n": 1}, "a", "same")])
    assert fifo.receive() == []


def test_a_fifo_queue_wants_to_know_a_message_again(fifo: Line) -> None:
    with pytest.raises(Unavailable):
        fifo.queue.send([Message({"n": 1}, "a", "")])


# --- blobs and secrets ----------------------------------------------------------------------------


@pytest.fixture
def blobs(engine: Cloud | None) -> Blobs:
    if engine is None:
        return MemoryBlobs()
    return S3Blobs(lambda: engine.client("s3"), engine.bucket())


def test_a_blob_comes_back_byte_for_byte(blobs: Blobs) -> None:
    data = bytes(range(256)) * 40
    for _ in range(2):
        blobs.put("deliveries/1", data)
    assert blobs.get("deliveries/1") == data


def test_a_blob_is_taken_away_however_often(blobs: Blobs) -> None:
    blobs.put("a/b", b"1")
    blobs.put("a/c", b"2")
    for _ in range(2):
        blobs.remove("a/b")
        assert blobs.facts("a/b") is None
    assert blobs.get("a/c") == b"2"


def test_a_blob_that_is_not_there_is_not_an_empty_one(blobs: Blobs) -> None:
    with pytest.raises(NotFound):
        blobs.get("deliveries/none")


@pytest.fixture
def secrets(engine: Cloud | None) -> Iterator[Secrets]:
    if engine is None:
        yield MemorySecrets({"two": ("new", "old"), "none": ("",)})
        return
    store = SsmSecrets(lambda: engine.client("ssm"), "/hub/test", Clock(), lambda: 0.0)
    store.put("two", [{"value": "new", "not_after": None}, {"value": "old", "not_after": None}])
    store.put("none", [{"value": "", "not_after": None}])
    yield store


def test_secrets_are_live_newest_first_and_an_empty_one_is_none(secrets: Secrets) -> None:
    assert secrets.get("two") == ("new", "old")
    assert secrets.get("none") == ()
    assert secrets.get("absent") == ()
    assert secrets.get("") == ()


# --- what only the real classes meet --------------------------------------------------------------


def test_a_lost_answer_of_a_conditional_put_is_not_a_conflict(moto: Cloud) -> None:
    table = dynamo(moto)
    lose_next(moto, "PutItem")
    table.write([put("one", item("1"), Absent())])
    lose_next(moto, "TransactWriteItems")
    table.write([put("two", item("2"), Absent()), put("three", item("3"), Absent())])
    assert len(table.get_many([Key(name, "A") for name in "123"])) == 3


def lose_next(cloud: Cloud, operation: str) -> None:
    left = [operation]

    def hook(call: Call, go: Callable[[], Any]) -> Any:
        if call.does in left:
            left.remove(call.does)
            return aws_fault(Fault.LOST, go)
        return go()

    cloud.hook = hook


def test_a_busy_table_is_tried_again(moto: Cloud) -> None:
    assert moto.shim is not None
    table = dynamo(moto)
    moto.shim.answer_next("TransactWriteItems", conflict(2), cancelled("None", "ThrottlingError"))
    table.write([put("a", item("a"), Absent()), put("b", item("b"), Absent())])
    moto.shim.answer_next("PutItem", throttled(), throttled(), throttled())
    table.write([put("c", item("c"), Absent())])
    assert len(table.get_many([Key(name, "A") for name in "abc"])) == 3
    assert moto.shim.reached == {"TransactWriteItems": 2, "PutItem": 3}


def test_a_table_that_stays_busy_is_unavailable_in_the_end(moto: Cloud) -> None:
    assert moto.shim is not None
    table = dynamo(moto)
    moto.shim.answer_next("TransactWriteItems", *[conflict(2) for _ in range(100)])
    with pytest.raises(Unavailable):
        table.write([put("a", item("a"), Absent()), put("b", item("b"), Absent())])
    assert table.get(Key("a", "A")) is None


@pytest.mark.parametrize("code", ["ValidationError", "ItemCollectionSizeLimitExceeded"])
def test_a_cancellation_for_what_the_item_is_is_not_tried_again(moto: Cloud, code: str) -> None:
    assert moto.shim is not None
    table = dynamo(moto)
    moto.shim.answer_next("TransactWriteItems", cancelled(code, "None"))
    with pytest.raises(Malformed):
        table.write([put("a", item("a")), put("b", item("b"))])
    assert moto.shim.reached == {"TransactWriteItems": 1}


def test_a_conflict_beside_a_failed_condition_is_a_conflict(moto: Cloud) -> None:
    assert moto.shim is not None
    table = dynamo(moto)
    moto.shim.answer_next(
        "TransactWriteItems", cancelled("ConditionalCheckFailed", "ThrottlingError")
    )
    with pytest.raises(Conflict):
        table.write([put("a", item("a"), Absent()), put("b", item("b"))])


def test_keys_that_dynamodb_left_unread_are_read(moto: Cloud) -> None:
    assert moto.shim is not None
    table = dynamo(moto)
    table.write([put(f"p{n}", item(f"{n}")) for n in range(9)])
    moto.shim.answer_next("BatchGetItem", unprocessed(2), unprocessed(0), unprocessed(3))
    assert len(table.get_many([Key(f"{n}", "A") for n in range(9)])) == 9
    assert moto.shim.reached == {"BatchGetItem": 3}


def test_an_index_may_lag_in_memory_as_behind_the_shim(moto: Cloud) -> None:
    assert moto.shim is not None
    moto.shim.index_lag = 1
    for table in (MemoryTable(index_lag=1), dynamo(moto)):
        table.write([put("a", listed(1))])
        table.write([put("b", listed(2))])
        assert walk(table, "list", "LEADS", 5) == ["L01"]


def test_messages_that_sqs_names_as_failed_are_sent_again(moto: Cloud) -> None:
    assert moto.shim is not None
    client, url = moto.client("sqs"), moto.queue()
    moto.shim.answer_next("SendMessageBatch", failing("0", "2"))
    SqsQueue(client, url, lambda _: None).send([Message({"n": n}) for n in range(4)])
    bodies = [
        m["Body"] for m in client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    ]
    assert sorted(bodies) == ['{"n":0}', '{"n":2}']
    moto.shim.answer_next("SendMessageBatch", *[failing("0", "1") for _ in range(10)])
    with pytest.raises(Unavailable):
        SqsQueue(client, url, lambda _: None).send([Message({"n": n}) for n in range(2)])


def test_a_remembered_secret_serves_while_the_store_is_down(moto: Cloud) -> None:
    ages = iter([0.0, 299.0, 301.0, 899.0, 901.0])
    store = SsmSecrets(lambda: moto.client("ssm"), "/hub/test", Clock(), lambda: next(ages))
    store.put("name", [{"value": "live", "not_after": None}])
    assert store.get("name") == ("live",)
    moto.hook = lambda call, go: aws_fault(Fault.DOWN, go)
    assert [store.get("name") for _ in range(3)] == [("live",)] * 3
    with pytest.raises(Unavailable):
        store.get("name")


def test_a_secret_ends_when_it_is_said_to(moto: Cloud) -> None:
    clock = Clock()
    store = SsmSecrets(lambda: moto.client("ssm"), "/hub/test", clock, clock.monotonic)
    ends = "2026-11-23T09:30:00+00:00"
    store.put("name", [{"value": "new", "not_after": None}, {"value": "old", "not_after": ends}])
    assert store.get("name") == ("new", "old")
    clock.advance(minutes=31)
    assert store.get("name") == ("new",)


# --- what only the fakes do on purpose ------------------------------------------------------------


def test_a_memory_queue_may_shuffle_and_double_by_its_seed() -> None:
    def handed(seed: int) -> list[int]:
        queue = MemoryQueue(Clock(), chance=random.Random(seed))
        queue.send([Message({"n": n}) for n in range(8)])
        return [m.body["n"] for m in queue.receive()]

    assert handed(1) == handed(1)
    assert any(handed(seed) != sorted(handed(seed)) for seed in range(5))
    assert any(len(handed(seed)) > 8 for seed in range(9))


def test_a_memory_queue_gives_up_after_five_tries_and_redrives_under_a_new_id() -> None:
    queue = MemoryQueue(Clock())
    queue.send([Message({"n": 1})])
    ids = set()
    for tries in range(1, 6):
        (message,) = queue.receive()
        ids.add(message.message_id)
        assert message.tries == tries
        queue.give_back([message.message_id])
    assert queue.receive() == []
    assert [kept.message.body for kept in queue.dead] == [{"n": 1}]
    queue.redrive()
    (message,) = queue.receive()
    assert message.message_id not in ids
    assert message.tries == 1


def test_what_is_down_raises_unavailable() -> None:
    table, queue, blobs, secrets = (
        MemoryTable(),
        MemoryQueue(Clock()),
        MemoryBlobs(),
        MemorySecrets(),
    )
    table.is_down = queue.is_down = blobs.is_down = secrets.is_down = True
    for call in (
        lambda: table.get(Key("1", "A")),
        lambda: table.write([put("a", item("a"))]),
        lambda: queue.send([Message({})]),
        lambda: blobs.get("a"),
        lambda: secrets.get("a"),
    ):
        with pytest.raises(Unavailable):
            call()
