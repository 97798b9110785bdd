"""The section `aws`: the accounts that are read in roles of their own, and what may be spent."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self

from pydantic import Field, model_validator

from exporter.config.fields import (
    LocationTemplate,
    Money,
    Name,
    RegionNames,
    RoleArn,
    check_s3_location,
)
from exporter.config.lookups import Lookups
from exporter.config.partitions import partition_of
from exporter.config.section import Section


class Account(Section):
    """An account of AWS that is read in a role of its own."""

    name: Name
    """What a source calls it; its account id, where the file does not say."""
    role_arn: RoleArn
    external_id: str | None = Field(default=None, min_length=2, max_length=1224, repr=False)
    regions: RegionNames
    location: LocationTemplate = ""
    """Where its logs lie; {account_id} and {region} stand for its own."""

    @model_validator(mode="before")
    @classmethod
    def _name_it(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" not in data:
            account_id = re.search(r":([0-9]{12}):", str(data.get("role_arn", "")))
            return {**data, "name": account_id[1] if account_id else "unnamed"}
        return data

    @model_validator(mode="after")
    def _check(self) -> Self:
        for region in self.regions:
            if partition_of(region) != self.partition:
                raise ValueError(
                    f"regions: {region!r} is not in {self.partition}, the partition of role_arn"
                )
        for _, location in self.located():
            check_s3_location(location)
        return self

    @property
    def account_id(self) -> str:
        """Return the id of the account whose role it is."""
        return self.role_arn.split(":")[4]

    @property
    def partition(self) -> str:
        """Return the partition of AWS that its role is of: aws, aws-us-gov, aws-cn."""
        return self.role_arn.split(":")[1]

    def located(self) -> Iterator[tuple[str, str]]:
        """Yield each location, after the region that stands in it, which may be empty."""
        if not self.location:
            return
        for region in self.regions if "{region}" in self.location else ("",):
            filled = self.location.replace("{account_id}", self.account_id)
            yield region, filled.replace("{region}", region)


class Aws(Section):
    """How AWS is reached, and what the exporter itself may spend there."""

    accounts: tuple[Account, ...] = ()
    lookups: Lookups = Lookups()
    max_cost_usd_per_day: Money = Decimal("1.00")

    def account(self, name: str | None) -> Account | None:
        """Return the account that a source names; None, the ambient one, for None."""
        return next((account for account in self.accounts if account.name == name), None)

    def without(self, name: str) -> str:
        """Say that there is no account of a name."""
        known = ", ".join(account.name for account in self.accounts) or "none"
        return f"aws.accounts has no {name!r}; known: {known}"
