"""Who a call is attributed to: principal, metadata and profile to application and user.

Applies the configured rules in their order; the first match of each field wins. A profile's tags
are those that AWS told. Asks AWS nothing and keeps no state: callers remember the answers.
"""

import re
from dataclasses import dataclass

from exporter import config
from exporter.interpretation.filters import Filter
from exporter.interpretation.measures import UNKNOWN, label_text, printable
from exporter.interpretation.names import Names

_PROFILES = ("inference-profile/", "application-inference-profile/")


@dataclass(frozen=True, slots=True)
class Attributed:
    """The application and user of a call; UNKNOWN where no rule names one."""

    application: str
    user: str


class Attribution:
    """The configured rules and filters, ready to be applied."""

    def __init__(self, settings: config.Attribution, names: Names | None = None) -> None:
        self._rules = settings.rules
        self._names = names or Names()
        self._filter = Filter(settings.include, settings.exclude)

    def attribute(
        self, principal: str, metadata: tuple[tuple[str, str], ...], model_id: str
    ) -> Attributed | None:
        """Return who a call is attributed to; None where the filters leave its principal out.

        A group that matched nothing names nobody: the rule's constant holds, else a later rule.
        """
        if not self._filter.passes(principal):
            return None
        parts = {"principal": _resource(principal), "profile": _profile(model_id)}
        values = dict(metadata)
        application = user = ""
        for rule in self._rules:
            if rule.key is None:
                subject = parts[rule.origin]
            elif rule.origin == "metadata":
                subject = printable(values.get(rule.key, ""))
            else:
                subject = printable(self._names.profile_tag(model_id, rule.key))
            if not subject or not (match := rule.match.fullmatch(subject)):
                continue
            application = application or _named("application", match, rule.application)
            user = user or _named("user", match, rule.user)
            if application and user:
                break
        return Attributed(application or UNKNOWN, user or UNKNOWN)


def _resource(principal: str) -> str:
    """Return all after the fifth colon of an ARN; a principal that is no ARN, whole."""
    parts = principal.split(":", 5)
    return printable(parts[5] if len(parts) == 6 and parts[0] == "arn" else principal)


def _profile(model_id: str) -> str:
    """Return the resource part of an inference profile's ARN; empty for other model ids."""
    resource = _resource(model_id) if model_id.startswith("arn:") else ""
    return resource if resource.startswith(_PROFILES) else ""


def _named(field: str, match: re.Match[str], constant: str | None) -> str:
    value = match[field] if field in match.re.groupindex else None
    return label_text(value or "") or label_text(constant or "")
