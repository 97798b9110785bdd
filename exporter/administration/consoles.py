"""Where a person switches on what Amazon Q Developer and Kiro log; AWS has no API that does.

As the Amazon Q Developer User Guide and Kiro's documentation name it (2026-11).
"""

from collections.abc import Mapping

from exporter.config import ActivityReports, AssistantSource, KiroReports, PromptLogs

_QDEVELOPER, _KIRO = "Amazon Q Developer console, Settings", "Kiro console, Settings"
_PER_USER = "`Collect granular metrics per user`"

SWITCHES: Mapping[type[AssistantSource], tuple[str, ...]] = {
    PromptLogs: (
        f"{_QDEVELOPER}, Preferences: `Q Developer prompt logging`",
        f"{_KIRO}, Kiro Settings, Logging: `Log Kiro prompts with metadata`",
    ),
    ActivityReports: (f"{_QDEVELOPER}, Q Developer user activity reports: {_PER_USER}",),
    KiroReports: (f"{_KIRO}, Kiro user activity reports: {_PER_USER}",),
}
"""What makes that which a source reads."""
