"""/answer/{token}: the routes behind the accept and decline links in notifications.

Light to import, for every Lambda does; the pages themselves are in answer_pages.
"""

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING

from chalice import Blueprint, Response

from chalicelib.errors import HubError
from chalicelib.hub import Hub

if TYPE_CHECKING:
    from chalicelib.api.answer_pages import Page

FORM = "application/x-www-form-urlencoded"


def make_answers(get_hub: Callable[[], Hub]) -> Blueprint:
    """Make the Blueprint of the answer pages."""
    blueprint = Blueprint(__name__)

    def shown(work: "Callable[[Hub], Page]") -> Response:
        from chalicelib.api.answer_pages import HEADERS, failed, render

        try:
            page = work(get_hub())
            kind, frames = "", ""
        except HubError as error:
            page, kind, frames = failed(error), type(error).__name__, ""
        except Exception as error:  # noqa: BLE001, Chalice would log its message, with what is in it
            page, kind = failed(error), type(error).__name__
            frames = "".join(traceback.format_tb(error.__traceback__))
        if page.status >= 500:
            blueprint.log.error("answer: %s\n%s", kind, frames)
        is_head = blueprint.current_request.method == "HEAD"
        body = "" if is_head else render(page)
        return Response(body, status_code=page.status, headers=dict(HEADERS))

    def view_answer(token: str) -> Response:
        from chalicelib.api.answer_pages import look

        return shown(lambda hub: look(hub, token))

    def give_answer(token: str) -> Response:
        from chalicelib.api.answer_pages import act, reason_in

        raw = blueprint.current_request.raw_body
        body = raw if isinstance(raw, bytes) else raw.encode()
        return shown(lambda hub: act(hub, token, reason_in(body)))

    path = "/answer/{token}"
    blueprint.route(path, methods=["GET", "HEAD"], name="answers.view")(view_answer)
    register = blueprint.route(path, methods=["POST"], name="answers.give", content_types=[FORM])
    register(give_answer)
    return blueprint
