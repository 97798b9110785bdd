"""Puts the parts together: one process serves the web, its child collects.

The only module that knows all of them. The web's process does nothing but hand out bytes, so that
a scrape is as quick during a refresh as at any other time.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from exporter import config, logs, web_config
from exporter.collector_messages import Failed, Started
from exporter.collector_process import start_collector
from exporter.config import Config, ConfigError
from exporter.exposition import Rendered
from exporter.web import Site, create_app
from exporter.web_config import Gate, WebConfig
from exporter.web_server import Address, listen, serve

_STOP_SECONDS = 3.0
"""How long the collector may take to stop, before it is killed: nothing is lost by that."""


class CollectorError(Exception):
    """The collector ended by itself; the text says why."""


class App:
    """A running exporter."""

    def __init__(
        self,
        config_file: Path,
        web_config_file: Path | None,
        lifecycle: bool,
        level: str,
        line_format: logs.Format,
    ) -> None:
        """Load both files. Raises ConfigError with every mistake."""
        self._config_file = config_file
        self._web_config_file = web_config_file
        self._level = level
        self._line_format = line_format
        self._log = logs.get_logger()
        self._settings, web = _load(config_file, web_config_file)
        self._gate = Gate(web)
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._is_collector_lost = False
        self._failure: str | None = None
        self._lifecycle = lifecycle

    async def run(self, address: Address) -> None:
        """Serve until a signal. Raises ListenError, CollectorError."""
        listener = listen(address)
        self._stop = asyncio.Event()
        self._site = Site(
            self._reload,
            clock=lambda: datetime.now(UTC),
            lifecycle=self._lifecycle,
            collector_pid=lambda: self._process.pid if self._process else None,
        )
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_on_signal)
        self._process, self._pipe = start_collector(self._settings, self._level, self._line_format)
        receiver = threading.Thread(
            target=self._receive, args=(self._pipe, loop.call_soon_threadsafe), daemon=True
        )
        receiver.start()
        ending = asyncio.create_task(self._end_collector(self._process, self._pipe, receiver))
        host, port = listener.getsockname()[:2]
        self._log.info("listening", address=str(Address(host, port)), tls=bool(self._gate.context))
        try:
            await serve(
                create_app(self._site, self._gate), listener, self._gate.context, self._stop
            )
        finally:
            self._stop.set()
            await ending
        if self._is_collector_lost:
            raise CollectorError(self._failure or _describe_end(self._process.exitcode))

    def _receive(self, pipe: Connection, call: Callable[..., object]) -> None:
        """Take what the collector says, until it ends; runs in a thread of its own."""
        try:
            while True:
                call(self._hear, pipe.recv())
        except (EOFError, OSError):
            call(self._collector_ended)

    def _hear(self, message: Rendered | Started | Failed) -> None:
        if isinstance(message, Rendered):
            self._site.rendered = message
        elif isinstance(message, Failed):
            self._failure = message.text
        else:
            self._log.info("reading logs", ledger=str(self._settings.ledger))

    def _collector_ended(self) -> None:
        if not self._stop.is_set():
            self._is_collector_lost = True
            self._stop.set()

    async def _end_collector(
        self, process: BaseProcess, pipe: Connection, receiver: threading.Thread
    ) -> None:
        """End the collector once the exporter stops, while the web answers what it still may."""
        await self._stop.wait()
        with suppress(OSError):  # it has ended already
            pipe.send(None)
        await asyncio.to_thread(process.join, _STOP_SECONDS)
        if process.is_alive():
            process.kill()
            process.join()
        await asyncio.to_thread(receiver.join)

    def _reload_on_signal(self) -> None:
        task = asyncio.ensure_future(self._site.reload())
        task.add_done_callback(self._tell_reload)

    def _tell_reload(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()):
            self._log.error("the configuration stays as it was", error=str(error))

    async def _reload(self) -> None:
        """Read both files again and go on under them. Raises ConfigError, changing nothing."""
        settings, web = _load(self._config_file, self._web_config_file)
        _check_reloadable(self._config_file, self._settings, settings)
        self._gate.replace(web)
        self._settings = settings
        if self._pipe is not None:
            await asyncio.to_thread(self._pipe.send, settings)
        self._log.info("the configuration was loaded again", file=str(self._config_file))


def _load(config_file: Path, web_config_file: Path | None) -> tuple[Config, WebConfig]:
    """Load both files. Raises ConfigError with the mistakes of both."""
    problems: list[str] = []
    settings, web = None, WebConfig()
    try:
        settings = config.load(config_file)
    except ConfigError as error:
        problems += error.problems
    try:
        web = web_config.load(web_config_file) if web_config_file else web
    except ConfigError as error:
        problems += error.problems
    if settings is None or problems:
        raise ConfigError(problems)
    return settings, web


def _describe_end(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"the collecting process was killed ({name}); is memory short?"
    return "the collecting process ended unexpectedly; the log says why"


def _check_reloadable(file: Path, old: Config, new: Config) -> None:
    """Refuse what the running collector cannot change."""
    problems = [
        f"{file}: {key}: changes by a restart only"
        for key in ("ledger", "privacy")
        if getattr(old, key) != getattr(new, key)
    ]
    if problems:
        raise ConfigError(problems)
