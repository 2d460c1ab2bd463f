"""The doors: each turns an AWS event into one call of a flow."""

import os
from typing import Any

from chalice import Chalice, Rate

STAGE = os.environ.get("HUB_STAGE", "local")

app = Chalice(app_name="hub")


@app.lambda_function(name="receive")
def receive(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one webhook; API Gateway calls this for /hooks/."""
    return {"statusCode": 200, "body": "{}", "headers": {"Content-Type": "application/json"}}


@app.on_sqs_message(queue=f"hub-{STAGE}-inbox", batch_size=10, name="process")
def process(event: Any) -> dict[str, Any]:
    """Turn kept deliveries into saved leads."""
    return {"batchItemFailures": []}


@app.on_sqs_message(queue=f"hub-{STAGE}-routing.fifo", batch_size=10, name="route")
def route(event: Any) -> dict[str, Any]:
    """Give leads their owners."""
    return {"batchItemFailures": []}


@app.on_sqs_message(queue=f"hub-{STAGE}-outbox", batch_size=10, name="notify")
def notify(event: Any) -> dict[str, Any]:
    """Send what has been decided to its destinations."""
    return {"batchItemFailures": []}


@app.schedule(Rate(1, unit=Rate.MINUTES), name="tick")
def tick(event: Any) -> dict[str, Any]:
    """Send on whatever is overdue."""
    return {}


@app.route("/health", methods=["GET"])
def health() -> dict[str, Any]:
    """Say that the API answers."""
    return {"status": "ok"}
