"""Sources as written, to sources that each have one location: those of aws.accounts filled in.

A source without `location` stands for all accounts that have one, or for the one that it names.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from exporter.config.aws import Account, Aws
from exporter.config.sources import Athena, Source


@dataclass(frozen=True, slots=True)
class Expanded:
    """A source with its location, and where it comes from."""

    index: int
    """Of the source in the file."""
    source: Source
    account: Account | None
    """In whose role it is read."""
    is_filled: bool
    """Whether its location is the account's."""

    @property
    def place(self) -> str:
        """Return what the source is called in a message about it."""
        of_account = f" (account {self.source.account!r})" if self.is_filled else ""
        return f"sources[{self.index}]{of_account}"


def expand(index: int, source: Source, aws: Aws) -> Iterator[Expanded]:
    """Yield the sources that one of the file stands for.

    Raises ValueError, with what is wrong, if it has no location or names no account that is there.
    """
    _check(source, aws)
    if source.location:
        account = aws.account(source.account)
        yield Expanded(index, _placed(source, account), account, is_filled=False)
        return
    for account in _meant(source, aws):
        for region, location in account.located():
            parts = [source.name, account.name, region]
            filled = {
                "name": "-".join(filter(None, parts)),
                "account": account.name,
                "location": location,
            }
            copy = _placed(source.model_copy(update=filled), account, region)
            yield Expanded(index, copy, account, is_filled=True)


def _check(source: Source, aws: Aws) -> None:
    if source.account is not None and aws.account(source.account) is None:
        raise ValueError(f"account: {aws.without(source.account)}")
    if source.location:
        if source.account is not None and not source.location.startswith("s3://"):
            raise ValueError("account: goes with an s3:// location only")
    elif not aws.accounts:
        raise ValueError("location: is required")
    elif not any(account.location for account in _meant(source, aws)):
        whose = f"account {source.account!r}" if source.account else "entry of aws.accounts"
        raise ValueError(f"location: is required, as no {whose} has one")


def _meant(source: Source, aws: Aws) -> list[Account]:
    return [item for item in aws.accounts if source.account in (None, item.name)]


def _placed(source: Source, account: Account | None, region: str = "") -> Source:
    """Return an athena source with its region and owners, as far as the account tells them."""
    if not isinstance(source, Athena) or account is None:
        return source
    regions = (region,) if region else account.regions
    update: dict[str, object] = {}
    if not source.region and len(regions) == 1:
        update["region"] = regions[0]
    if not source.list_objects and not source.owners:
        update["owners"] = {account.account_id: regions}
    return source.model_copy(update=update)
