"""CPU for one lead, from the door to notified, in batches of ten, against bare boto3 calls.

Only this process is counted; the local cloud that answers the calls is another one.
Run: python -m bench.cpu [LEADS]
"""

import sys
import time

from bench.stand import BATCH, Stand, stand

WARM = 20


def main() -> None:
    """Measure and print."""
    leads = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with stand() as bench:
        run(bench, WARM, start=0)
        spent, calls = run(bench, leads, start=WARM)
        bare = bare_call(bench)
    total = sum(spent.values())
    print(f"leads                 {leads}, in batches of {BATCH}")
    for step, seconds in spent.items():
        print(f"{step:<21} {1000 * seconds / leads:6.2f} ms  {calls[step] / leads:5.2f} AWS calls")
    print(
        f"{'all':<21} {1000 * total / leads:6.2f} ms  {sum(calls.values()) / leads:5.2f} AWS calls"
    )
    print(f"a bare GetItem        {1000 * bare:6.2f} ms")
    print(f"a lead costs as much as {total / leads / bare:.1f} bare calls")


def run(bench: Stand, leads: int, start: int) -> tuple[dict[str, float], dict[str, int]]:
    """Put leads through all steps; gives CPU seconds and AWS calls by step."""
    posts = [bench.post(number) for number in range(start, start + leads)]
    bench.calls.seen.clear()
    bench.calls.step = "receive"
    spent = {"receive": -time.process_time()}
    for post in posts:
        bench.send(post)
    spent["receive"] += time.process_time()
    for name, url, step in bench.steps():
        bench.calls.step = name
        spent[name] = 0.0

        def counted(hub, messages, step=step, name=name):  # type: ignore[no-untyped-def]
            before = time.process_time()
            failed = step(hub, messages)
            spent[name] += time.process_time() - before
            return failed

        while bench.work(url, counted):
            pass
    bench.calls.step = ""
    return spent, {step: len(seen) for step, seen in bench.calls.seen.items()}


def bare_call(bench: Stand) -> float:
    """CPU seconds of one call of boto3 without any work of ours."""
    client = bench.hub.table._client  # type: ignore[attr-defined]
    key = {"pk": {"S": "CONFIG"}, "sk": {"S": "ACTIVE"}}
    before = time.process_time()
    for _ in range(300):
        client.get_item(TableName="bench", Key=key)
    return (time.process_time() - before) / 300


if __name__ == "__main__":
    main()
