"""`bedrock-exporter aws permissions`: what IAM must allow, and whether it allows applications."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exporter.aws_commands.planning import config_option, fail

if TYPE_CHECKING:
    from exporter.administration.models_in_use import InUse
    from exporter.config import Account, Config


@click.command()
@config_option
@click.option(
    "--account",
    "name",
    metavar="NAME",
    help="That of the role of one of aws.accounts; without it, of the exporter's own credentials.",
)
@click.option(
    "--trust",
    "principal",
    metavar="ARN",
    help="With --account, its trust policy: this role or user, the exporter's own, may assume it.",
)
@click.option(
    "--account-id",
    metavar="ID",
    help="The account of the exporter's own credentials; without it, * stands in ARNs.",
)
@click.option(
    "--partition",
    type=click.Choice(["aws", "aws-us-gov", "aws-cn"]),
    help="Of the exporter's own credentials; without it, that of the regions in the configuration.",
)
@click.option(
    "--results",
    metavar="LOCATION",
    help="Where Athena keeps results; without it, in the bucket that `aws setup` makes.",
)
@click.option(
    "--kms-key",
    "kms_keys",
    metavar="ARN",
    multiple=True,
    help="A key that buckets are encrypted with; repeatable.",
)
@click.option(
    "--with-checks", "checks", is_flag=True, help="Allow all that `aws check` can look at, too."
)
@click.option(
    "--roles",
    "pattern",
    metavar="PATTERN",
    help="Instead: whether roles of these names, such as '*-BedrockRole', may call Bedrock.",
)
@click.option(
    "--region",
    "regions",
    metavar="REGION",
    multiple=True,
    help="With --roles, a region to ask for; without it, those of the configuration, or all.",
)
@click.option(
    "--model",
    "models",
    metavar="ID",
    multiple=True,
    help="With --roles, a model or inference profile to ask for; without it, every one, and those "
    "that the ledger has seen by name.",
)
def permissions(
    config_file: Path,
    name: str | None,
    principal: str | None,
    pattern: str | None,
    regions: tuple[str, ...],
    models: tuple[str, ...],
    **wishes: Any,
) -> None:
    """Print the least that IAM must allow for this configuration, as a policy in JSON.

    AWS is not asked. Each identity has a policy of its own: the exporter's credentials, and each
    role of aws.accounts.

    With --roles, ask IAM instead whether application roles may call Bedrock in each region. That
    needs iam:ListRoles and iam:SimulatePrincipalPolicy, which the exporter does not.
    """
    from exporter import config

    try:
        settings = config.load(config_file)
    except config.ConfigError as error:
        fail(error)
    account = _account(settings, name)
    if pattern is not None:
        _print_access(settings, account, pattern, regions, models)
        return
    if regions or models:
        raise click.UsageError("--region and --model go with --roles")
    _print_policy(settings, account, principal, wishes)


def _account(settings: "Config", name: str | None) -> "Account | None":
    account = settings.aws.account(name)
    if name is not None and account is None:
        known = ", ".join(each.name for each in settings.aws.accounts) or "there are none"
        raise click.BadParameter(f"none of aws.accounts ({known})", param_hint="--account")
    return account


def _print_policy(
    settings: "Config", account: "Account | None", principal: str | None, wishes: dict[str, Any]
) -> None:
    import json

    from exporter.administration.permissions import (
        MAX_MANAGED_POLICY,
        PermissionsError,
        Wishes,
        policy,
        trust_policy,
    )

    if principal is not None and account is None:
        raise click.UsageError("--trust goes with --account")
    try:
        if principal is not None and account is not None:
            document = trust_policy(account, principal)
        else:
            document = policy(settings, account, Wishes(**wishes))
    except PermissionsError as error:
        fail(error)
    if not document["Statement"]:
        click.echo("no permissions are needed", err=True)
        return
    click.echo(json.dumps(document, indent=2))
    if len(json.dumps(document, separators=(",", ":"))) > MAX_MANAGED_POLICY:
        click.echo(
            f"longer than the {MAX_MANAGED_POLICY:,} characters of a managed policy: "
            "attach its statements as several policies",
            err=True,
        )
    if account is None and settings.aws.accounts:
        names = " ".join(f"--account {each.name}" for each in settings.aws.accounts)
        click.echo(f"the roles of aws.accounts have policies of their own: {names}", err=True)


def _print_access(
    settings: "Config",
    account: "Account | None",
    pattern: str,
    regions: tuple[str, ...],
    models: tuple[str, ...],
) -> None:
    from exporter.administration.plan import printable
    from exporter.administration.role_access import (
        AccessError,
        as_table,
        asked_for,
        check_roles,
    )

    try:
        found = check_roles(settings, account, pattern, regions, models, _in_use(settings))
        for line in (*as_table(found), "", asked_for(found)):
            click.echo(printable(line))
    except AccessError as error:
        fail(error)
    sys.exit(0 if all(access.is_allowed for access in found) else 1)


def _in_use(settings: "Config") -> "InUse":
    """Return the models that the exporter's ledger has seen; none where there is no ledger."""
    from contextlib import closing

    from exporter.administration.models_in_use import models_in_use
    from exporter.ledger import Ledger, LedgerError

    if not settings.ledger.exists():
        return {}
    try:
        with closing(Ledger.open(settings.ledger)) as ledger:
            return models_in_use(settings, ledger)
    except LedgerError as error:
        click.echo(f"without the models in use: {error}", err=True)
        return {}
