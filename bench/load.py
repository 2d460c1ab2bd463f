"""Load on a deployed hub, and the same load while its Lambda processes are killed.

A hub of its own is deployed to a local cloud of its own. People post forms over 32 connections to
the real address of the API, a fifth of the posts once more; a post is repeated until it is answered
200. Once all is quiet, what is stored and mailed is held against what was posted. Then once more,
with half of the cloud's worker processes ended by SIGKILL five times during the posting. Bare calls
of the same cloud over as many connections are the yardstick. Needs Linux. Exit code 1 if anything
was lost, doubled or mailed twice.

    python -m bench.load [LEADS]
"""

import http.client
import json
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from bench.stand import CONFIG, HEADERS, SECRET, form
from chalicelib import registry
from chalicelib.cli import background
from chalicelib.cli.cloud import NAME, start_cloud, stop_cloud
from chalicelib.cli.deploy import LOCAL, Deployed, deploy, make_ready, secrets_of
from chalicelib.cli.up import HOME
from chalicelib.config.model import Config
from chalicelib.flow.publish import publish
from chalicelib.hub import build, now_utc
from chalicelib.records import Delivery, Effect, delivery_of, effect_of, lead_of, touch_record_of
from chalicelib.request import Request, unpack

LEADS = 500
CONNECTIONS = 32
WARM = 4 * CONNECTIONS
REPEATED = 0.2
KILLS = 5
SEED = 20
TRIES = 60
PATIENCE_SECONDS = 900
"""Messages of a killed worker come back after 360 s, and a mail's claim lapses after 300 s."""

POST_SECONDS = 30
"""How long a sender waits for an answer; API Gateway itself gives up after 29 s."""

YARDSTICK = "bare"
YARDSTICK_CALLS = 500
BARE = "def handler(event, context):\n    return {}\n"
PERSON = re.compile(r"person(\d+)@")


@dataclass(frozen=True)
class Post:
    """One HTTP POST to send, of the person with this number."""

    person: int
    address: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    """What one try of a post got.

    Attributes:
        status: 0 if the connection broke.
        began_at: seconds since 1970.
    """

    person: int
    status: int
    began_at: float
    seconds: float


@dataclass
class Seen:
    """Everything stored and mailed, by number of the person."""

    leads: Counter[int] = field(default_factory=Counter)
    touches: Counter[int] = field(default_factory=Counter)
    effects: dict[int, list[Effect]] = field(default_factory=lambda: defaultdict(list))
    deliveries: dict[int, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    mailed_at: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True)
class Bench:
    """A deployed hub and the home of its cloud."""

    home: Path
    deployed: Deployed
    made: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Give a client that may do anything; making one costs much CPU, so it is kept."""
        if service not in self.made:
            self.made[service] = boto3.client(service, **self.deployed.endpoint)
        return self.made[service]

    def posts(self, people: Sequence[int]) -> list[Post]:
        """Sign one form of each person; a fifth comes again, up to a hundred posts later."""
        chance = random.Random(SEED)
        signature = registry.load("typeform").signature
        again = set(chance.sample(people, int(REPEATED * len(people))))
        placed: list[tuple[float, Post]] = []
        for place, person in enumerate(people):
            request = Request("POST", "/hooks/web", {}, HEADERS, form(person), now_utc())
            signed = signature.sign(request, SECRET)
            headers = {name: ", ".join(values) for name, values in signed.headers.items()}
            post = Post(person, f"{self.deployed.url}/hooks/web", headers, signed.body)
            placed.append((place, post))
            if person in again:
                placed.append((place + chance.uniform(0, 100), post))
        return [post for _, post in sorted(placed, key=lambda pair: pair[0])]

    def waiting(self) -> tuple[int, int]:
        """Count the messages on queues, and on dead-letter queues."""
        sqs = self.client("sqs")
        names = ["ApproximateNumberOfMessages" + more for more in ("", "NotVisible", "Delayed")]
        alive = dead = 0
        for url in sqs.list_queues()["QueueUrls"]:
            got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
            count = sum(map(int, got.values()))
            alive, dead = (alive, dead + count) if "-dead" in url else (alive + count, dead)
        return alive, dead

    def look(self) -> Seen:
        """Read everything."""
        seen, person_of = Seen(), {}
        items = [
            {name: next(iter(value.values())) for name, value in item.items()}
            for page in self.client("dynamodb")
            .get_paginator("scan")
            .paginate(TableName=self.deployed.settings.table, ConsistentRead=True)
            for item in page["Items"]
        ]
        for item in items:
            if item.get("kind") == "lead":
                lead = lead_of(item)
                person = int(PERSON.findall(str(lead.profile["email"].value))[0])
                person_of[lead.lead_id] = person
                seen.leads[person] += not lead.merged_into
        for item in items:
            match item.get("kind"):
                case "touch":
                    touch = touch_record_of(item).touch
                    seen.touches[int(touch.external_id.removeprefix("bench-"))] += 1
                case "effect":
                    effect = effect_of(item)
                    seen.effects[person_of[effect.lead_id]].append(effect)
                case "delivery":
                    delivery = delivery_of(item)
                    person = int(PERSON.findall(unpack(delivery.raw).body.decode())[0])
                    seen.deliveries[person].append(delivery)
        for mail in self._mails():
            person = int(PERSON.findall(mail["BodyText"])[0])
            seen.mailed_at[person].append(float(mail["Timestamp"]))
        return seen

    def _mails(self) -> list[dict[str, Any]]:
        where = urlsplit(self.deployed.endpoint["endpoint_url"])
        connection = http.client.HTTPConnection(where.netloc, timeout=60)
        connection.request("GET", "/_ministack/ses/messages")
        found = json.loads(connection.getresponse().read())["messages"]
        connection.close()
        return [mail for mails in found.values() for mail in mails]

    def settle(self, people: Sequence[int]) -> Seen:
        """Wait until no queue holds anything and everyone's mail is sent or set aside."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self.waiting()[0] == 0:
                seen = self.look()
                if all(_is_settled(seen, person) for person in people):
                    return seen
                time.sleep(3)
            if time.monotonic() > end:
                print(f"  not quiet after {PATIENCE_SECONDS} s")
                return self.look()
            time.sleep(0.5)

    def workers(self) -> Iterator[tuple[int, str]]:
        """Give the Lambda workers of this cloud: a handle of the process, and the function."""
        running = background.find(self.home.resolve(), NAME)
        assert running is not None
        for entry in Path("/proc").glob("[0-9]*"):
            # A handle keeps naming this very process, even if its number is given to another.
            with suppress(OSError):
                handle = os.pidfd_open(int(entry.name))
                try:
                    parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    command = (entry / "cmdline").read_bytes().decode("utf-8", "replace")
                    is_worker = command.endswith("/_worker.py\0")
                    if parent == running.pid and is_worker and str(self.home.resolve()) in command:
                        yield handle, _function((entry / "environ").read_bytes())
                finally:
                    os.close(handle)

    def kill_half(self, chance: random.Random, spared: str = "") -> Counter[str]:
        """End half of each function's workers, at least one, but none of a spared function."""
        killed: Counter[str] = Counter()
        for handle, function in self.workers():
            if function in (spared, YARDSTICK):
                continue
            if not killed[function] or chance.random() < 0.5:
                with suppress(ProcessLookupError):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    killed[function] += 1
        return killed

    def cut_off(self) -> int:
        """Count the batches whose worker died."""
        return (self.home / "cloud.log").read_text("utf-8").count("failed processing SQS batch")


def main(leads: int) -> int:
    """Measure and print; gives the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with deployed_hub() as bench:
        people = iter(range(WARM + 2 * leads))
        first, steady, killed = ([next(people) for _ in range(n)] for n in (WARM, leads, leads))
        warm_up(bench, first)
        invoked, put = yardstick(bench)
        print(
            f"yardstick      a bare Lambda {invoked:.0f}/s, PutItem {put:.0f}/s, "
            f"{CONNECTIONS} connections"
        )
        problems, rate, door = play(bench, "steady", steady)
        print(f"  to yardstick {door / invoked:.2f} posts and {rate / invoked:.2f} leads", end="")
        print(f" per bare Lambda, {rate / put:.3f} leads per PutItem")
        problems += play(bench, "killed", killed, KILLS)[0]
    for problem in problems[:20]:
        print(f"WRONG: {problem}")
    return 1 if problems else 0


def warm_up(bench: Bench, people: Sequence[int]) -> None:
    """Have the workers started a few at a time: all cold starts at once would time out here."""
    size = len(people) // 4
    for part, connections in enumerate((4, 8, 16, CONNECTIONS)):
        pound(bench.posts(people[part * size : (part + 1) * size]), TRIES, connections)
    bench.settle(people)


def play(
    bench: Bench, name: str, people: Sequence[int], kills: int = 0
) -> tuple[list[str], float, float]:
    """Post, wait, check and print; gives what is wrong, leads per second, posts per second."""
    posts = bench.posts(people)
    killed: list[Counter[str]] = []
    cut_off = bench.cut_off()
    answers = pound(disturbed(bench, posts, kills, killed), TRIES)
    seen = bench.settle(people)
    good = [answer for answer in answers if answer.status == 200]
    first_at: dict[int, float] = {}
    for answer in answers:
        first_at[answer.person] = min(answer.began_at, first_at.get(answer.person, answer.began_at))
    start = min(first_at.values())
    waits = [seen.mailed_at[p][0] - first_at[p] for p in people if p in seen.mailed_at]
    last = max(seen.mailed_at[p][0] for p in people if p in seen.mailed_at) - start
    door = len(good) / (max(a.began_at + a.seconds for a in answers) - start)
    print(f"{name:<14} {len(posts)} posts of {len(people)} people, {CONNECTIONS} connections")
    if kills:
        by_function = Counter[str]()
        for each in killed:
            by_function += each
        told = ", ".join(f"{function} {n}" for function, n in sorted(by_function.items()))
        cut = bench.cut_off() - cut_off
        print(f"  kill -9      {by_function.total()} workers in {kills} rounds: {told}")
        print(f"  cut off      {len(answers) - len(good)} requests, {cut} batches")
    statuses = sorted(Counter(answer.status or "broken" for answer in answers).items(), key=str)
    print(f"  answers      {', '.join(f'{count} x {status}' for status, count in statuses)}")
    low, high = middle_and_most([1000 * answer.seconds for answer in good])
    print(f"  door         p50 {low:.0f} ms, p99 {high:.0f} ms, {door:.0f} posts/s")
    low, high = middle_and_most(waits)
    print(f"  post to mail p50 {low:.1f} s, p99 {high:.1f} s, last {max(waits):.1f} s")
    print(f"  leads        {len(waits) / last:.1f}/s, first post to last mail {last:.1f} s")
    problems, summary = check(bench, seen, people, good)
    print(f"  outcome      {summary}")
    return problems, len(waits) / last, door


def check(
    bench: Bench, seen: Seen, people: Sequence[int], good: Sequence[Answer]
) -> tuple[list[str], str]:
    """Hold what came of it against what was posted; gives what is wrong, and a summary."""
    problems: list[str] = []
    answered = Counter(answer.person for answer in good)
    outcomes: Counter[str] = Counter()
    tally: Counter[str] = Counter()
    for person in people:
        who = f"person {person}"
        deliveries, effects = seen.deliveries[person], seen.effects[person]
        leads, touches, mails = (
            seen.leads[person],
            seen.touches[person],
            len(seen.mailed_at[person]),
        )
        uncertain = [e for e in effects if e.reason.startswith("uncertain")]
        tally["lost"] += not leads or not touches
        tally["doubled"] += leads > 1 or touches > 1
        tally["mailed twice"] += mails > 1
        tally["without a mail"] += not mails and not uncertain
        tally["set aside"] += bool(uncertain)
        tally["of them mailed"] += bool(uncertain and mails)
        states = [effect.state for effect in effects]
        ended = Counter(delivery.outcome for delivery in deliveries)
        outcomes.update(ended)
        if leads != 1 or touches != 1:
            problems.append(f"{who} has {leads} leads and {touches} touches")
        if mails != 1 and not (mails == 0 and uncertain):
            problems.append(f"{who} has {mails} mails; effects {states}")
        if len(effects) != 1 or not (states == ["done"] or uncertain):
            problems.append(f"{who} has effects {states}")
        if ended["accepted"] != 1 or set(ended) - {"accepted", "duplicate"}:
            problems.append(f"{who} has deliveries {dict(ended)}")
        if len(deliveries) < answered[person] or not answered[person]:
            problems.append(f"{who}: {answered[person]} x 200, {len(deliveries)} deliveries")
    dead = bench.waiting()[1]
    if dead:
        problems.append(f"{dead} dead letters")
    told = [f"{tally[name]} {name}" for name in ("lost", "doubled", "mailed twice")]
    told.append(f"{tally['without a mail']} without a mail")
    aside = f"{tally['set aside']} mails set aside as uncertain ({tally['of them mailed']} arrived)"
    kept = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return problems, f"{', '.join(told)}; {aside}; deliveries {kept}; {dead} dead letters"


def disturbed(
    bench: Bench, posts: Sequence[Post], kills: int, killed: list[Counter[str]]
) -> Iterator[Post]:
    """Give the posts, killing at even distances in between."""
    chance = random.Random(SEED)
    marks = {len(posts) * (n + 1) // (kills + 1) for n in range(kills)}
    for place, post in enumerate(posts):
        if place in marks:
            # A batch of route that dies holds up its pool for 180 s, and then no mail would be
            # under way in the rounds that follow.
            spared = "route" if place < max(marks) else ""
            killed.append(bench.kill_half(chance, spared))
        yield post


def pound(
    posts: Iterable[Post], tries: int = 1, connections_at_once: int = CONNECTIONS
) -> list[Answer]:
    """Send posts over all connections, each again until it is answered 200; gives every answer."""
    answers: list[Answer] = []
    waiting, turn = iter(posts), threading.Lock()

    def work() -> None:
        connections: dict[str, http.client.HTTPConnection] = {}
        while True:
            with turn:
                post = next(waiting, None)
            if post is None:
                break
            for attempt in range(tries):
                answers.append(_send(connections, post))
                if answers[-1].status == 200:
                    break
                time.sleep(min(2.0, 0.1 * 2**attempt))
        for connection in connections.values():
            connection.close()

    with ThreadPoolExecutor(connections_at_once) as pool:
        for done in [pool.submit(work) for _ in range(connections_at_once)]:
            done.result()
    return answers


def _send(connections: dict[str, http.client.HTTPConnection], post: Post) -> Answer:
    where = urlsplit(post.address)
    if where.netloc not in connections:
        connections[where.netloc] = http.client.HTTPConnection(where.netloc, timeout=POST_SECONDS)
    connection = connections[where.netloc]
    began_at, began = time.time(), time.perf_counter()
    try:
        connection.request("POST", where.path, post.body, dict(post.headers))
        answer = connection.getresponse()
        answer.read()
        status = answer.status
    except (OSError, http.client.HTTPException):
        connection.close()
        status = 0
    return Answer(post.person, status, began_at, time.perf_counter() - began)


def yardstick(bench: Bench) -> tuple[float, float]:
    """Give bare Lambda calls and PutItem calls per second, each over all connections."""
    functions = bench.client("lambda")
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("bare.py", BARE)
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = bench.client("iam").create_role(
        RoleName=YARDSTICK, AssumeRolePolicyDocument=json.dumps(trust)
    )
    functions.create_function(
        FunctionName=YARDSTICK,
        Runtime=f"python{sys.version_info[0]}.{sys.version_info[1]}",
        Role=role["Role"]["Arn"],
        Handler="bare.handler",
        Code={"ZipFile": archive.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName=YARDSTICK)
    bench.client("dynamodb").create_table(
        TableName=YARDSTICK,
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    text = form(0).decode()
    invoke = [
        signed(bench, "lambda", f"/2015-03-31/functions/{YARDSTICK}/invocations", {}, b"{}")
    ] * YARDSTICK_CALLS
    put = [
        signed(
            bench,
            "dynamodb",
            "/",
            {
                "X-Amz-Target": "DynamoDB_20120810.PutItem",
                "Content-Type": "application/x-amz-json-1.0",
            },
            json.dumps({"TableName": YARDSTICK, "Item": {"pk": {"S": str(n)}, "raw": {"S": text}}}),
        )
        for n in range(YARDSTICK_CALLS)
    ]
    return rate(invoke), rate(put)


def signed(
    bench: Bench, service: str, path: str, headers: Mapping[str, str], body: str | bytes
) -> Post:
    """Sign a call of AWS ahead, so that signing is not measured."""
    endpoint = bench.deployed.endpoint
    request = AWSRequest("POST", endpoint["endpoint_url"] + path, dict(headers), body)
    keys = Credentials(endpoint["aws_access_key_id"], endpoint["aws_secret_access_key"])
    SigV4Auth(keys, service, endpoint["region_name"]).add_auth(request)
    made = request.prepare()
    return Post(0, made.url, dict(made.headers), body.encode() if isinstance(body, str) else body)


def rate(posts: Sequence[Post]) -> float:
    """Give calls per second, once warm."""
    pound(posts[:WARM])
    began = time.perf_counter()
    answers = pound(posts)
    seconds = time.perf_counter() - began
    bad = Counter(answer.status for answer in answers if answer.status != 200)
    assert not bad, f"yardstick: {dict(bad)}"
    return len(answers) / seconds


def middle_and_most(values: Sequence[float]) -> tuple[float, float]:
    """Give the 50th and the 99th percentile."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]


def _is_settled(seen: Seen, person: int) -> bool:
    effects, deliveries = seen.effects[person], seen.deliveries[person]
    return (
        bool(effects)
        and all(effect.state not in ("pending", "sending") for effect in effects)
        and all(delivery.outcome not in ("pending", "waiting") for delivery in deliveries)
    )


def _function(environment: bytes) -> str:
    """Read which function a worker runs from its environment: hub-local-NAME."""
    for line in environment.split(b"\0"):
        name, _, value = line.decode("utf-8", "replace").partition("=")
        if name == "AWS_LAMBDA_FUNCTION_NAME":
            return value.rpartition("-")[2]
    return "unknown"


@contextmanager
def deployed_hub() -> Iterator[Bench]:
    """Deploy a hub of its own to a cloud of its own; end it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        try:
            cloud = start_cloud(home, lambda *_: None, port=0)
            deployed = deploy(
                LOCAL,
                lambda *_: None,
                home=HOME,
                endpoint=cloud.endpoint,
                parameters={"MailIdentity": "example.com"},
            )
            boto3.client("sesv2", **cloud.endpoint).create_email_identity(
                EmailIdentity="example.com"
            )
            make_ready(deployed)
            secrets_of(deployed).put("web", [{"value": SECRET, "not_after": None}])
            hub = build(deployed.settings, deployed.endpoint)
            publish(hub, Config.model_validate(CONFIG), "bench")
            yield Bench(home, deployed)
        finally:
            stop_cloud(home)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LEADS))
