"""The process that reads, keeps and renders, so that the web's process has nothing to wait for.

Talks to the process that started it over one pipe: gets configurations, gives rendered snapshots.
Ends when told to, or when that process is gone.
"""

import os
import signal
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from queue import SimpleQueue

from exporter import config, exposition, logs, page
from exporter.collector_messages import Failed, Started
from exporter.config import Config, ConfigError
from exporter.exposition import Rendered
from exporter.identity import FOLDING_VERSION, Privacy
from exporter.interpretation.prices import PriceBook
from exporter.interpretation.virtual_cost import VirtualPrice
from exporter.ledger import LedgerError, WritableLedger
from exporter.pseudonym_key import pseudonym_key
from exporter.refresh import Refresh, Source
from exporter.snapshot import Snapshot
from exporter.sources.invocation_logs import invocation_logs
from exporter.sources.reading import ReaderPool
from exporter.sources.record_reader import Recording
from exporter.sources.reports import activity_reports, kiro_reports

_NICENESS = 10
"""Where processors are short, a scrape goes before a refresh."""
_FOLDING = "folding_version"


def run_collector(settings: Config, pipe: Connection, level: str, line_format: logs.Format) -> None:
    """Collect until told to stop; the target of the process."""
    # Signals are for the process that started this one; processes started here ignore them too.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    logs.configure(level, line_format)
    with suppress(OSError):
        os.nice(_NICENESS)
    try:
        privacy = Privacy(settings.privacy.users, pseudonym_key(settings.privacy, settings.ledger))
        ledger = WritableLedger.open(settings.ledger)
    except (LedgerError, ConfigError) as error:
        _say(pipe, Failed(str(error)))
        return
    with closing(ledger):
        try:
            _say(pipe, Started())
            _Collector(settings, privacy, ledger, pipe).run()
        except LedgerError as error:
            _say(pipe, Failed(str(error)))


def _say(pipe: Connection, message: Rendered | Started | Failed) -> None:
    with suppress(OSError):  # the other process is gone, and _listen ends this one
        pipe.send(message)


class _Collector:
    def __init__(
        self, settings: Config, privacy: Privacy, ledger: WritableLedger, pipe: Connection
    ) -> None:
        self._log = logs.get_logger()
        self._pipe = pipe
        self._privacy = privacy
        self._pool = ReaderPool()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._configurations: SimpleQueue[Config] = SimpleQueue()
        self._settings = settings
        self._check_folding(ledger)
        self._refresh = Refresh(
            settings,
            self._sources(settings),
            ledger,
            publish=self._publish,
            clock=lambda: datetime.now(UTC),
            is_stopping=self._stop.is_set,
            is_interrupted=self._wake.is_set,
            log=self._log,
        )

    def run(self) -> None:
        threading.Thread(target=self._listen, daemon=True).start()
        self._refresh.publish()
        try:
            while not self._stop.is_set():
                started = time.monotonic()
                if self._refresh.run():
                    self._pool.close()
                    interval = self._settings.refresh_interval.total_seconds()
                    self._wake.wait(max(0.0, started + interval - time.monotonic()))
                self._reconfigure()
        finally:
            self._pool.close()

    def _listen(self) -> None:
        """Take what the other process says: another configuration, or None to stop."""
        try:
            while (message := self._pipe.recv()) is not None:
                self._configurations.put(message)
                self._wake.set()
        except (EOFError, OSError):
            # That process is gone. The next one needs the ledger, and a kill costs it nothing.
            os._exit(1)
        self._stop.set()
        self._wake.set()

    def _reconfigure(self) -> None:
        self._wake.clear()
        while not self._configurations.empty():
            self._settings = self._configurations.get()
            self._refresh.configure(self._settings, self._sources(self._settings))

    def _sources(self, settings: Config) -> list[Source]:
        self._warn_of_virtual_price(settings)
        sources = [self._source(settings, source) for source in settings.sources]
        if settings.aws.lookups.are_wanted:
            from exporter.sources.lookups import Lookups

            sources.append(Lookups(settings))
        return sources

    def _warn_of_virtual_price(self, settings: Config) -> None:
        """Say why no virtual cost will show, where assistants are read at all."""
        has_assistants = any(isinstance(s, config.AssistantSource) for s in settings.sources)
        price = VirtualPrice(settings, PriceBook.bundled(settings.prices.overrides))
        today = datetime.now(UTC).date()
        if has_assistants and price.cost_usd(1, 1, today) is None:
            self._log.warning(
                "assistants.virtual_cost_model has no price, so that no virtual cost shows; "
                "correct it, or add a price under prices.overrides",
                model=settings.assistants.virtual_cost_model,
            )

    def _source(self, settings: Config, source: config.Source) -> Source:
        account = settings.aws.account(source.account)
        if isinstance(source, config.BedrockSource):
            return self._bedrock_source(settings, source, account)
        if isinstance(source, config.ActivityReports):
            return activity_reports(source, account, self._privacy, self._pool)
        if isinstance(source, config.KiroReports):
            return kiro_reports(source, account, self._privacy, self._pool)
        # The tokenizer takes memory that who reads no prompt logs need not have.
        from exporter.sources.prompt_logs import prompt_logs

        return prompt_logs(source, account, self._privacy, self._pool)

    def _bedrock_source(
        self, settings: Config, source: config.BedrockSource, account: config.Account | None
    ) -> Source:
        attribution = settings.attribution
        recording = Recording(
            attribution.metadata_keys, attribution.user_metadata_keys, self._privacy
        )
        if isinstance(source, config.InvocationLogs):
            return invocation_logs(source, account, recording, self._pool)
        # PyAthena and boto3 take memory that who reads a folder need not have.
        from exporter.sources.athena import Athena

        most_bytes = source.most_bytes_a_query(settings.aws.max_cost_usd_per_day)
        return Athena(source, account, recording, most_bytes, self._stop.wait)

    def _publish(self, snapshot: Snapshot) -> None:
        text, openmetrics = exposition.expose(snapshot.families)
        _say(self._pipe, Rendered(text, openmetrics, page.render(snapshot.page)))

    def _check_folding(self, ledger: WritableLedger) -> None:
        stored = ledger.note(_FOLDING)
        if stored not in (None, str(FOLDING_VERSION)):
            self._log.warning(
                "names that machines make up are folded by another rule than before; "
                "a user may stand under two names in this month",
                stored_version=stored,
                version=FOLDING_VERSION,
            )
        ledger.leave_note(_FOLDING, str(FOLDING_VERSION))
