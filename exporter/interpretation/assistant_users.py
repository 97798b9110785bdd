"""Who the users of developer assistants are: ids to names, less those that are left out."""

from exporter.config.assistants import Users
from exporter.interpretation.filters import Filter
from exporter.interpretation.measures import UNKNOWN, label_text
from exporter.interpretation.names import Names


class AssistantUsers:
    """The users under one configuration; remembers every answer."""

    def __init__(self, settings: Users, names: Names | None = None) -> None:
        self._filter = Filter(settings.include, settings.exclude)
        self._names = names or Names()
        self._known: dict[str, str | None] = {}

    def name_of(self, user_id: str) -> str | None:
        """Return what a user is called; None where the filters leave the user out.

        The name that Identity Center told, else the id; UNKNOWN where the log names nobody.
        """
        if user_id not in self._known:
            name = label_text(self._names.user_name(user_id)) or label_text(user_id) or UNKNOWN
            self._known[user_id] = name if self._filter.passes(user_id, name) else None
        return self._known[user_id]
