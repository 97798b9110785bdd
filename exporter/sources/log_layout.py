"""Which folders and names the objects of one kind of log have, below AWSLogs/{account}/.

Lists nothing itself. Folders and names are whatever somebody put there: one that does not fit is
passed over.
"""

import re
from dataclasses import dataclass

from exporter.sources.log_store import OBJECT_NAME, SERVICE, is_region, name_in

_LONGEST_NAME = 512
_LOG_TYPE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")
_SERVICES = ("QDeveloperLogs", "KiroLogs")
_ACTIVITY, _CREDITS = "by_user_analytic", "user_report"
_REPORT = re.compile(r"[^./][^/]*\.csv(\.gz)?")


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of one kind of log, each with a folder for a region, and its objects' names."""

    logs: str
    """What they are called in a message."""
    names: re.Pattern[str]
    """Of what follows the hour in an object's key."""
    folders: tuple[str, ...] = ()
    """The service, or service/log type."""
    services: tuple[str, ...] = ()
    """Those of which every log type counts that holds no reports, known or not."""
    is_nested: bool = False
    """Whether objects may lie in folders named *.gz below the hour."""
    is_rewritten: bool = False
    """Whether an object may be written again under the same name, and is then read again."""
    label: str = ""
    """Tells how far they are read from how far others at the same location are."""

    def object_name(self, folder: str, rest: str) -> str | None:
        """Return the name of the object at {folder}/.../HH/{rest}; None if that is foreign."""
        name = name_in(folder, rest)
        if len(name) > _LONGEST_NAME or not name.isprintable() or not self.names.fullmatch(rest):
            return None
        return name

    def is_entered(self, folder: str) -> bool:
        """Tell whether a folder below an hour may hold objects."""
        return self.is_nested and folder.endswith(".gz")


def is_log_type(folder: str) -> bool:
    """Tell whether a folder of a service is that of a log type, and of no reports."""
    return (
        _LOG_TYPE.fullmatch(folder) is not None
        and folder not in (_ACTIVITY, _CREDITS)
        and not is_region(folder)
    )


INVOCATION_LOGS = Layout("Bedrock logs", re.compile(OBJECT_NAME), folders=(SERVICE,))
PROMPT_LOGS = Layout(
    "prompt logs",
    re.compile(r"([^./][^/]*\.gz/)?[^./][^/]*\.(json|gz)"),
    services=_SERVICES,
    is_nested=True,
    label="prompt_logs",
)
"""AWS's documentation has {name}.gz/{name}.json, which may well mean an object {name}.gz that holds
a file; what lies in buckets is {name}.json.gz."""
ACTIVITY_REPORTS = Layout(
    "activity reports",
    _REPORT,
    folders=tuple(f"{service}/{_ACTIVITY}" for service in _SERVICES),
    is_rewritten=True,
    label="activity_reports",
)
KIRO_REPORTS = Layout(
    "Kiro reports",
    _REPORT,
    folders=(f"KiroLogs/{_CREDITS}",),
    is_rewritten=True,
    label="kiro_reports",
)

LAYOUTS = {
    "invocation_logs": INVOCATION_LOGS,
    "athena": INVOCATION_LOGS,
    **{layout.label: layout for layout in (PROMPT_LOGS, ACTIVITY_REPORTS, KIRO_REPORTS)},
}
"""By the type of a source."""
