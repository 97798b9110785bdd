"""Reading from S3 over HTTP: does waiting for the network overlap with parsing?

moto's server stands in for S3, so the figures say nothing of AWS; it shares the processors with the
reading. Reading that overlaps takes less than fetching and parsing one after the other.
"""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from benchmarks.logs import Shape, frozen_now, write_logs
from benchmarks.ports import free_port
from benchmarks.reading import read_all
from exporter.sources.reading import ReaderPool

_SHAPE = Shape(400, 50, 4096)
_BUCKET = "bedrock-logs"
_THREADS = 16


def run() -> None:
    """Print the time of fetching, of parsing and of reading, which does both."""
    with TemporaryDirectory() as name, _moto() as client:
        folder = Path(name)
        size = write_logs(folder, _SHAPE, frozen_now())
        keys = _upload(client, folder)
        pool = ReaderPool(2)
        read_all(str(folder), pool)  # starts the processes
        read_all(f"s3://{_BUCKET}", pool)  # and their connections
        fetching = _time(lambda: _fetch(client, keys))
        parsing = _time(lambda: read_all(str(folder), pool))
        reading = _time(lambda: read_all(f"s3://{_BUCKET}", pool))
        pool.close()
    print(f"\nReading {_SHAPE} from S3, {size / 1e6:.0f} MB of JSON")
    print(f"  fetching alone, {_THREADS} threads  {fetching:6.2f} s")
    print(f"  parsing alone, from a folder {parsing:5.2f} s")
    print(f"  ours                         {reading:5.2f} s", end="")
    print(f"  {reading / (fetching + parsing):.0%} of one after the other")


def _time(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _fetch(client: Any, keys: list[str]) -> int:
    def get(key: str) -> int:
        return len(client.get_object(Bucket=_BUCKET, Key=key)["Body"].read())

    with ThreadPoolExecutor(_THREADS) as pool:
        return sum(pool.map(get, keys))


def _upload(client: Any, folder: Path) -> list[str]:
    client.create_bucket(Bucket=_BUCKET)
    files = sorted(folder.rglob("*.json.gz"))
    for file in files:
        client.put_object(Bucket=_BUCKET, Key=str(file.relative_to(folder)), Body=file.read_bytes())
    return [str(file.relative_to(folder)) for file in files]


@contextmanager
def _moto() -> Iterator[Any]:
    """Run moto's server, and have this process and its children take it for AWS."""
    port = free_port()
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://127.0.0.1:{port}",
        AWS_ACCESS_KEY_ID="benchmark",
        AWS_SECRET_ACCESS_KEY="benchmark",
        AWS_DEFAULT_REGION="us-east-1",
    )
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://127.0.0.1:{port}/moto-api/")
        yield boto3.client("s3")
    finally:
        server.kill()
        server.wait()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
