"""Whose logging a command is about, in which regions, and what is planned there.

A region that refuses is told and left out; it hides no other.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from exporter.administration.plan import PlanError, Step, allowed
from exporter.administration.setup.site import Sessions, Site, enter
from exporter.config import Account, Athena, Config


@dataclass
class Entered:
    """The regions that let us in, and why the others did not."""

    sites: list[Site] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def plan(self, plan: Callable[[Site], Iterable[Step]]) -> list[Step]:
        """Plan every region; one that cannot be planned becomes a problem."""
        steps: list[Step] = []
        for site in list(self.sites):
            try:
                steps += list(plan(site))
            except PlanError as error:
                self.problems.append(f"{site.place}: {error}")
                self.sites.remove(site)
        return steps


def enter_regions(
    account: Account | None, regions: Iterable[str], make_session: Sessions
) -> Entered:
    """Ask AWS in each region whose credentials these are."""
    entered = Entered()
    for name in regions:
        try:
            entered.sites.append(enter(account, name, make_session))
        except PlanError as error:
            entered.problems.append(f"{name}: {error}")
    return entered


def named_account(config: Config, name: str | None) -> Account | None:
    """Return one of `aws.accounts`; None, the ambient credentials, for None.

    Raises PlanError where there is none of that name.
    """
    account = config.aws.account(name)
    if name is not None and account is None:
        known = ", ".join(account.name for account in config.aws.accounts) or "none"
        raise PlanError(f"--account: aws.accounts has no {name!r}; it has {known}")
    return account


def ambient_region(make_session: Sessions) -> str | None:
    """Return the region of the environment; None where it names none.

    Raises PlanError where the AWS configuration cannot be read, or has not the profile.
    """
    with allowed("sts:GetCallerIdentity", "*"):
        return make_session(None, None).region_name


def regions_of(
    config: Config, account: Account | None, given: Sequence[str], ambient: str | None
) -> tuple[str, ...]:
    """Return the regions that were given, else the account's, else those that are configured.

    Raises PlanError where nothing says any.
    """
    if given:
        return tuple(dict.fromkeys(given))
    if account is not None:
        return account.regions
    sources = [source for source in config.sources if isinstance(source, Athena)]
    of_sources = [source.region for source in sources if source.account is None]
    regions = tuple(dict.fromkeys([*of_sources, *([ambient] if ambient else [])]))
    if not regions:
        raise PlanError("--region: none is configured; name one, such as us-east-1")
    return regions
