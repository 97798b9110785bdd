"""Who answers for an application, as the tags of the roles say that it calls in.

A role speaks only for the applications that its own ARN names: metadata can be forged, and a
gateway calls for many. What the configuration says comes first, and is not looked at here.
"""

from collections import defaultdict
from collections.abc import Iterable

from exporter.config import Application
from exporter.config.lookups import RoleTags
from exporter.interpretation.attribution import Attribution
from exporter.interpretation.measures import UNKNOWN, label_text
from exporter.interpretation.names import Names


def owners(
    principals: Iterable[str], attribution: Attribution, names: Names, keys: RoleTags
) -> dict[str, Application]:
    """Return who answers for the applications that principals call in roles of.

    A field on which the roles of an application disagree stays empty, as if no role had said it.
    """
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for principal in sorted(set(principals)) if keys.keys else ():
        tags = names.role_tags(principal)
        application = application_of(principal, attribution) if tags else None
        if application is not None:
            for field, key in keys:
                if value := label_text(tags.get(key or "", "")):
                    said[application][field].add(value)
    agreed = {
        application: {field: values.pop() for field, values in fields.items() if len(values) == 1}
        for application, fields in said.items()
    }
    return {name: Application(**fields) for name, fields in agreed.items() if fields}


def application_of(principal: str, attribution: Attribution) -> str | None:
    """Return the application that a principal alone names; None where it names none."""
    attributed = attribution.attribute(principal, (), "")
    if attributed is None or attributed.application == UNKNOWN:
        return None
    return attributed.application
