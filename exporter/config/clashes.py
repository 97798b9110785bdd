"""What is wrong only beside something else.

Sources beside each other, or beside their accounts; limits beside `privacy.users: drop`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from exporter.config.expansion import Expanded
from exporter.config.partitions import partition_of
from exporter.config.schema import Limit
from exporter.config.sources import Athena, InvocationLogs, Source

_LONGEST_NAME = 64


def clashes(sources: Sequence[Expanded], resolve: Callable[[str], str]) -> Iterator[str]:
    """Yield each mistake, by its place; `resolve` makes a location absolute."""
    for expanded in sources:
        yield from _check_name(expanded)
        if isinstance(expanded.source, Athena):
            yield from _check_regions(expanded, expanded.source)
    yield from _check_names(sources)
    yield from _check_overlaps(sources, resolve)
    yield from _check_tables(sources)


def limits_on_dropped_users(limits: Iterable[tuple[int, Limit]]) -> Iterator[str]:
    """Find limits on users of assistants, all of whom `privacy.users: drop` makes one.

    Limits on users of Bedrock stand: a rule may name a user by a role, or by a constant.
    """
    for index, limit in limits:
        key = "by" if "user" in limit.by else "match"
        if limit.product != "bedrock" and "user" in {*limit.by, *limit.match}:
            yield (
                f"limits[{index}].{key}: 'user' tells nobody apart, as 'privacy.users: drop' "
                f"leaves no user of {limit.product} known; leave it out, or take "
                "'privacy.users: pseudonym'"
            )


def _check_name(expanded: Expanded) -> Iterator[str]:
    name = expanded.source.name
    if len(name) > _LONGEST_NAME:
        yield (
            f"sources[{expanded.index}].name: {name!r} has more than {_LONGEST_NAME} characters; "
            "shorten that of the source or of the account"
        )


def _check_regions(expanded: Expanded, source: Athena) -> Iterator[str]:
    place, account = f"sources[{expanded.index}]", expanded.account
    if not source.region:
        several = f", as account {account.name!r} has several" if account else ""
        yield f"{place}.region: is required{several}"
        return
    if account and partition_of(source.region) != account.partition:
        yield (
            f"{place}.region: {source.region!r} is not in {account.partition}, "
            f"the partition of account {account.name!r}"
        )
    partition = partition_of(source.region)
    for owner, regions in source.owners.items():
        for region in regions:
            if partition_of(region) != partition:
                yield (
                    f"{place}.owners.{owner}: {region!r} is not in {partition}, the partition "
                    f"of {source.region!r}"
                )


def _check_names(sources: Sequence[Expanded]) -> Iterator[str]:
    """Find names that became the same; those written twice are found in the file itself."""
    first: dict[str, Expanded] = {}
    for expanded in sources:
        other = first.setdefault(expanded.source.name, expanded)
        if other is not expanded and (other.is_filled or expanded.is_filled):
            name = expanded.source.name
            yield f"sources[{expanded.index}].name: {name!r} is taken by {other.place}"


def _check_overlaps(sources: Sequence[Expanded], resolve: Callable[[str], str]) -> Iterator[str]:
    """Find logs that two sources would read; one example for two sources of the file.

    Logs of different kinds may lie at one location: AWS keeps them in folders of their own.
    """
    resolved = [(item, resolve(item.source.location).rstrip("/") + "/") for item in sources]
    told: set[tuple[int, int]] = set()
    for (other, outer), (one, inner) in combinations(resolved, 2):
        pair = (one.index, other.index)
        if pair in told or _kind(one.source) is not _kind(other.source):
            continue
        if inner.startswith(outer) or outer.startswith(inner):
            told.add(pair)
            place = f"sources[{one.index}].location: {one.source.location!r}"
            whose = f" (account {one.source.account!r})" if one.is_filled else ""
            yield (
                f"{place}{whose} overlaps that of {other.place}; "
                "each log may be read by one source only"
            )


def _kind(source: Source) -> type:
    """Return what tells kinds of logs apart: Bedrock's have two ways to be read."""
    return InvocationLogs if isinstance(source, Athena) else type(source)


def _check_tables(sources: Sequence[Expanded]) -> Iterator[str]:
    """Find tables that would lie over two locations."""
    first: dict[tuple[str | None, str, str, str], Expanded] = {}
    told: set[tuple[int, int]] = set()
    for expanded in sources:
        source = expanded.source
        if isinstance(source, Athena) and source.region:
            table = (source.account, source.region, source.database, source.table)
            other = first.setdefault(table, expanded)
            pair = (expanded.index, other.index)
            if other is not expanded and pair not in told:
                told.add(pair)
                yield (
                    f"sources[{expanded.index}].table: {source.table!r} of {source.database!r} in "
                    f"{source.region} is that of {other.place}; a table has one location"
                )
