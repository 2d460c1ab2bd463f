"""/v1/forms and /v1/sources/{source_id}/forms/{form}: what forms ask, and what about it changed."""

from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import unquote

from pydantic import Field

from chalicelib.api.calls import Answer, Call
from chalicelib.api.pages import NEXT, Line, PageQuery
from chalicelib.errors import NotFound
from chalicelib.flow.confirm import FormView, confirm, ignore, show_form
from chalicelib.flow.lists import list_forms
from chalicelib.flow.reread import Reread, rereads
from chalicelib.lead.form_change import Change, Proposal
from chalicelib.lead.model import Model

NO_FORM = "-"
"""Stands in the path for the form of a source that has no forms."""


class FormsQuery(PageQuery):
    """Which forms."""

    every: Annotated[bool, Field(description="also those of which nothing waits")] = False


class FormSummary(Model):
    """A form as it stands in lists."""

    source_id: str
    form: str = Field(description="the provider's id of it; empty where there are none")
    title: str
    open: int = Field(description="changes that wait for a person")
    noticed_at: str = Field(description="when the last change was noticed, or `-`")


class FormList(Model):
    """A page of forms, what was noticed last first."""

    forms: tuple[FormSummary, ...]
    next: str = Field(description=NEXT)


class QuestionView(Model):
    """One question of a form."""

    key: str
    label: str
    field: str = Field(description="that takes its answers; empty when none does")
    seen: int = Field(description="submissions looked at; no more are counted once it is known")
    given: int = Field(description="of those, how many answered it")
    shapes: Mapping[str, int] = Field(description="what its answers look like")
    is_gone: bool


class ChangeView(Model):
    """A change, with what is proposed where it waits for a person."""

    change: Change
    proposals: tuple[Proposal, ...] = Field(description="the likeliest first")


class FormAnswer(Model):
    """What is known of a form."""

    source_id: str
    form: str
    title: str
    questions: tuple[QuestionView, ...]
    changes: tuple[ChangeView, ...] = Field(description="oldest first")
    rereads: tuple[Reread, ...] = Field(description="earlier deliveries being read again")


class ConfirmBody(Model):
    """What is to be done about a question that changed."""

    key: Annotated[Line, Field(min_length=1, max_length=256)]
    field: Annotated[str, Field(max_length=63)] | None = Field(
        default=None,
        description="contact or custom field; empty leaves it an answer; the first proposal if "
        "not said",
    )
    action: Literal["confirm", "ignore"] = "confirm"


class Confirmed(Model):
    """What settling a change did; earlier deliveries are read again in the background."""

    key: str
    field: str
    number: int | None = Field(description="the configuration that was published, if one was")
    reread: Reread | None


def list_them(call: Call, query: FormsQuery) -> FormList:
    """List forms with changes that wait for a person, or all."""
    after = call.after(query, query.cursor)
    found = list_forms(call.hub, query.limit, after, only_open=not query.every)
    return FormList.model_validate(
        {"forms": found.entries, "next": call.cursor(query, found.after)}
    )


def show(call: Call) -> FormAnswer:
    """Give a form's questions, how they are read, and what has changed."""
    return _answer(call, _view(call))


def settle(call: Call, body: ConfirmBody) -> Answer[Confirmed]:
    """Confirm how a question is read from now on and in what has come, or ignore its change."""
    form = _view(call).form
    if body.action == "ignore":
        done = ignore(call.hub, form.source_id, form.form, body.key, call.actor)
    else:
        done = confirm(call.hub, form.source_id, form.form, body.key, body.field, call.actor)
    number = done.active.number if done.active else None
    answer = Confirmed(key=body.key, field=done.field, number=number, reread=done.reread)
    return Answer(answer, 202 if done.reread else 200)


def _view(call: Call) -> FormView:
    """Find the form that the path names; its id may have come percent-encoded."""
    source_id, form = call.path["source_id"], call.path["form"]
    if form == NO_FORM:
        return show_form(call.hub, source_id, "")
    try:
        return show_form(call.hub, source_id, form)
    except NotFound:
        return show_form(call.hub, source_id, unquote(form))


def _answer(call: Call, view: FormView) -> FormAnswer:
    form = view.form
    return FormAnswer(
        source_id=form.source_id,
        form=form.form,
        title=form.title,
        questions=tuple(
            QuestionView(
                key=key,
                label=question.label,
                field=question.field,
                seen=question.seen,
                given=question.given,
                shapes=question.shapes,
                is_gone=question.is_gone,
            )
            for key, question in form.questions.items()
        ),
        changes=tuple(
            ChangeView(
                change=change,
                proposals=view.proposals[change.key] if change.state == "open" else (),
            )
            for change in form.changes
        ),
        rereads=rereads(call.hub, form.source_id, form.form),
    )
