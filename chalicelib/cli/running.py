"""hub up, down, deploy, mail: the hub on this machine and in AWS."""

from typing import TYPE_CHECKING, Annotated

import typer

from chalicelib.cli.tools import JsonOption, Tools, tools_of
from chalicelib.errors import NotFound

if TYPE_CHECKING:
    from chalicelib.cli.up import Up


def up(
    context: typer.Context,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget everything that was stored before.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run the whole hub on this machine: cloud, mailbox, stack, sample configuration, samples."""
    from chalicelib.cli.play import play_samples
    from chalicelib.cli.up import up as bring_up

    tools = tools_of(context)
    running = bring_up(tools.err, play_samples=play_samples, fresh=fresh)
    if as_json:
        tools.show_json(
            {
                "url": running.deployed.url,
                "mailbox": running.mailbox_url,
                "provider": running.provider,
                "admin_token": running.admin_token,
            }
        )
        return
    _tell_next(tools, running)


def down(context: typer.Context, as_json: JsonOption = False) -> None:
    """Stop what hub up started; what is stored stays for the next time."""
    from chalicelib.cli.up import down as take_down

    tools = tools_of(context)
    ran = take_down()
    if as_json:
        tools.show_json({"stopped": ran})
        return
    tools.show(f"Stopped: {', '.join(ran)}." if ran else "Nothing was running.")


def deploy(
    context: typer.Context,
    stage: Annotated[str, typer.Option("--stage", help="Such as prod; each is a stack.")],
    mail_identity: Annotated[
        str, typer.Option(help="The SES identity (domain or address) that mail is sent from.")
    ] = "",
    alarm_email: Annotated[str, typer.Option(help="Who gets the alarms.")] = "",
    public_url: Annotated[str, typer.Option(help="Address under a domain of your own.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Deploy or update a stage in the AWS account that the environment names.

    Example: AWS_PROFILE=sales hub deploy --stage prod --alarm-email duty@example.com
    """
    from chalicelib.cli.deploy import deploy as bring_up_to_date
    from chalicelib.cli.deploy import make_ready
    from chalicelib.cli.up import HOME

    tools = tools_of(context)
    given = {"MailIdentity": mail_identity, "AlarmEmail": alarm_email, "PublicUrl": public_url}
    with tools.err.status("Deploying") as status:
        deployed = bring_up_to_date(
            stage,
            status.update,
            home=HOME,
            parameters={name: value for name, value in given.items() if value},
        )
        token = make_ready(deployed)
    if as_json:
        bucket = deployed.settings.bucket
        tools.show_json(
            {"url": deployed.url, "stage": stage, "bucket": bucket, "admin_token": token}
        )
        return
    tools.show(f"Deployed: {deployed.url}")
    tools.show(f"Bucket:   {deployed.settings.bucket}")
    _tell_token(tools, token)
    tools.say(f"Next: hub config publish FILE --stage {stage}; hub doctor --stage {stage}")


def mail(
    context: typer.Context,
    mail_id: Annotated[str, typer.Argument(metavar="ID", help="Show this one.")] = "",
    as_json: JsonOption = False,
) -> None:
    """List what the local hub has mailed, or show one mail."""
    from chalicelib.cli.mailbox import messages
    from chalicelib.cli.up import HOME

    tools = tools_of(context)
    found = messages(HOME)
    if mail_id:
        found = [one for one in found if one.id == mail_id]
        if not found:
            raise NotFound(f"mail {mail_id}")
    if as_json:
        tools.show_json(
            [
                {
                    "id": one.id,
                    "received_at": one.received_at,
                    "to": one.to,
                    "subject": one.subject,
                    **({"text": one.text} if mail_id else {}),
                }
                for one in found
            ]
        )
    elif mail_id:
        tools.show(f"To: {found[0].to}")
        tools.show(f"Subject: {found[0].subject}")
        tools.show("")
        tools.show(found[0].text)
    elif found:
        rows = [(one.id, one.received_at, one.to, one.subject) for one in found]
        tools.show_table(("ID", "ARRIVED", "TO", "SUBJECT"), rows)
    else:
        tools.say("No mail yet. Play a provider: hub send typeform --wait")


def _tell_next(tools: Tools, running: "Up") -> None:
    tools.show(f"API      {running.deployed.url}")
    tools.show(f"Mailbox  {running.mailbox_url}")
    _tell_token(tools, running.admin_token)
    tools.say("Next: hub leads, hub why ID, hub send typeform --wait, hub down")


def _tell_token(tools: Tools, token: str) -> None:
    if not token:
        tools.say("For a token: hub token make NAME --role admin")
        return
    tools.say("An admin's token; keep it now, it is not shown again:")
    tools.out.out(token, highlight=False)
