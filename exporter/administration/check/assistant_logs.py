"""Judges prompt logs and reports of developer assistants that are missing, or old.

No API of AWS tells whether they are switched on: what is to be looked at in the console is told.
"""

from datetime import timedelta

from exporter.administration.check.rows import Row, failed, warning
from exporter.administration.consoles import SWITCHES
from exporter.config import AssistantSource, PromptLogs
from exporter.sources.log_layout import LAYOUTS

_OLD_LOGS = timedelta(days=1)
_OLD_REPORTS = timedelta(days=5)
"""A report comes on the day after, and has only who worked: none comes after a weekend."""


def oldest_fresh(source: AssistantSource) -> timedelta:
    """Return the age past which the newest object is worth a second look."""
    return _OLD_LOGS if isinstance(source, PromptLogs) else _OLD_REPORTS


def where_to_look(source: AssistantSource) -> str:
    """Return what to look at where nothing comes."""
    return (
        "did nobody use it, or is it switched off? No API tells; look at the console, in the "
        f"region of the profile: {'; '.join(SWITCHES[type(source)])}"
    )


def check_empty(subject: str, check: str, source: AssistantSource) -> Row:
    """Judge a location where nothing lies: perhaps nothing was delivered yet."""
    found = f"{source.location}/AWSLogs/: no {LAYOUTS[source.type].logs}"
    if source.location.startswith("s3://"):
        remedy = f"{where_to_look(source)}, S3 location {source.location.rstrip('/')}/"
        return warning(subject, check, f"{found} yet", remedy)
    return failed(subject, check, found, "correct `location`, which is what stands before AWSLogs/")
