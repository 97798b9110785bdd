"""What the web answers: /metrics, the status page, health, readiness and reload.

Hands out what was rendered before and adds the few metrics that must be of this very moment. It
never reads a log, the ledger or AWS, so that a scrape can neither be slow nor cost money. How the
answers travel is web_server's business, who gets them web_config's.
"""

import asyncio
import platform
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime

from prometheus_client import CollectorRegistry, ProcessCollector
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter import __version__, exposition
from exporter.config import ConfigError
from exporter.exposition import Rendered
from exporter.metrics import (
    BUILD_INFO,
    CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS,
    CONFIG_LAST_RELOAD_SUCCESSFUL,
    Family,
)
from exporter.web_config import Gate

_NOTHING = exposition.compress([])
_NO_DATA_YET = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="5">
<title>bedrock-exporter</title>
<h1>bedrock-exporter</h1>
<p>No data yet: the logs are being read for the first time. This page renews itself.</p>
<p><a href="/metrics">Metrics</a></p>
</html>
"""
_HEADERS = (
    # The page is one document with its own style; whatever a log says, nothing of it can run.
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        b"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
)
_UNAUTHORIZED = PlainTextResponse(
    "Unauthorized\n", 401, {"WWW-Authenticate": 'Basic realm="bedrock-exporter", charset="UTF-8"'}
)


class Site:
    """What the web shows, and what it can ask for. `rendered` is set anew after each refresh."""

    def __init__(
        self,
        load_config: Callable[[], Awaitable[None]],
        clock: Callable[[], datetime],
        lifecycle: bool = False,
        collector_pid: Callable[[], int | None] = lambda: None,
    ) -> None:
        """Take the parts of a started exporter; its configuration has just been loaded.

        `load_config` reads the configuration again and applies it, or raises ConfigError and
        leaves the old one. `lifecycle` lets /-/reload call it. `collector_pid` names the process
        whose metrics are shown beside this one's; None while there is none.
        """
        self.rendered: Rendered | None = None
        self.lifecycle = lifecycle
        self._load_config = load_config
        self._clock = clock
        self._reloading = asyncio.Lock()
        self._reload_successful = True
        self._reloaded_at = clock()
        self._processes = CollectorRegistry()
        ProcessCollector(registry=self._processes)
        ProcessCollector(
            namespace="bedrock_exporter_collector",
            # No process has the number 0, so that /proc/0 is never found.
            pid=lambda: collector_pid() or 0,
            registry=self._processes,
        )

    async def reload(self) -> None:
        """Load the configuration again, one reload at a time, and note in metrics how it went.

        Raises ConfigError if it was refused.
        """
        async with self._reloading:
            try:
                await self._load_config()
            except Exception:
                self._reload_successful = False
                raise
            self._reload_successful = True
            self._reloaded_at = self._clock()

    def live_metrics(self, openmetrics: bool) -> bytes:
        """Render the metrics of this moment, up to the end of the exposition."""
        families = (
            Family(BUILD_INFO, BUILD_INFO.labels, {(__version__, platform.python_version()): 1}),
            Family(CONFIG_LAST_RELOAD_SUCCESSFUL, (), {(): int(self._reload_successful)}),
            Family(
                CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS,
                (),
                {(): self._reloaded_at.timestamp()},
            ),
        )
        parts = exposition.render(families, openmetrics)
        return b"".join(parts) + exposition.generate(self._processes, openmetrics)


def create_app(site: Site, gate: Gate) -> Starlette:
    """Return the routes over a site, behind a gate."""

    async def metrics(request: Request) -> Response:
        return _expose(site, request)

    async def page(request: Request) -> Response:
        return HTMLResponse(site.rendered.page if site.rendered else _NO_DATA_YET)

    async def healthy(request: Request) -> Response:
        return PlainTextResponse("bedrock-exporter is healthy.\n")

    async def ready(request: Request) -> Response:
        if site.rendered is None:
            return PlainTextResponse("bedrock-exporter has read no logs yet.\n", 503)
        return PlainTextResponse("bedrock-exporter is ready.\n")

    async def reload(request: Request) -> Response:
        if not site.lifecycle:
            return PlainTextResponse(
                "Reloading over HTTP is off; start with --web.enable-lifecycle.\n", 403
            )
        try:
            await site.reload()
        except ConfigError as error:
            return PlainTextResponse(f"The configuration stays as it was:\n{error}\n", 500)
        return PlainTextResponse("The configuration was loaded again.\n")

    app = Starlette(
        routes=[
            Route("/", page),
            Route("/metrics", metrics),
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/-/reload", reload, methods=["POST", "PUT"]),
        ],
        middleware=[Middleware(_Guard, gate=gate)],
    )
    app.router.redirect_slashes = False
    return app


def _expose(site: Site, request: Request) -> Response:
    openmetrics = prefers_openmetrics(", ".join(request.headers.getlist("accept")))
    tail = site.live_metrics(openmetrics)
    body = _NOTHING
    if site.rendered:
        body = site.rendered.openmetrics if openmetrics else site.rendered.text
    content_type = (
        exposition.OPENMETRICS_CONTENT_TYPE if openmetrics else exposition.TEXT_CONTENT_TYPE
    )
    headers = {"Content-Type": content_type, "Vary": "Accept, Accept-Encoding"}
    if accepts_gzip(", ".join(request.headers.getlist("accept-encoding"))):
        return Response(exposition.gzip(body, tail), headers=headers | {"Content-Encoding": "gzip"})
    headers["Content-Length"] = str(body.size + len(tail))
    if request.method == "HEAD":
        return Response(headers=headers)
    return StreamingResponse(exposition.plain(body, tail), headers=headers)


def prefers_openmetrics(accept: str) -> bool:
    """Tell whether an Accept header names OpenMetrics 1.0.0 and likes it no less than text."""
    weights = {"text/plain": 0.0}
    openmetrics = 0.0
    for media_type, parameters, weight in _accepted(accept):
        if media_type != "application/openmetrics-text":
            weights[media_type] = max(weight, weights.get(media_type, 0.0))
        elif parameters.get("version", "1.0.0") == "1.0.0":
            openmetrics = max(weight, openmetrics)
    return openmetrics > 0 and openmetrics >= weights["text/plain"]


def accepts_gzip(accept_encoding: str) -> bool:
    """Tell whether an Accept-Encoding header allows gzip."""
    weights = {coding: weight for coding, _, weight in _accepted(accept_encoding)}
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _accepted(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield what an Accept header lists: name, parameters and weight, 0 where it is no weight."""
    for item in header.lower().split(","):
        name, *rest = (part.strip() for part in item.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        weight = parameters.get("q", "1")
        yield name, parameters, float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0


class _Guard:
    """Lets in whom the gate admits, on every path, and adds the security headers."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        admitted = await self._gate.admits(Headers(scope=scope).get("authorization"))
        await (self._app if admitted else _UNAUTHORIZED)(scope, receive, send_guarded)
