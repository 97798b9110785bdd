"""Starts the collecting process.

The process that serves imports this and not the collector, of which it needs nothing.
"""

import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from exporter import logs
from exporter.config import Config


def _collect(settings: Config, pipe: Connection, level: str, line_format: logs.Format) -> None:
    from exporter.collector import run_collector

    run_collector(settings, pipe, level, line_format)


def start_collector(
    settings: Config, level: str, line_format: logs.Format
) -> tuple[BaseProcess, Connection]:
    """Start the process; returns it and this side of the pipe."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_collect, args=(settings, theirs, level, line_format), name="collector"
    )
    process.start()
    theirs.close()
    return process, ours
