# The exporter's image. Nothing is installed that no lock file names by its hash; it runs as nobody
# in particular, on a file system that may be read-only but for /bedrock/data and /tmp.

FROM python:3.13.16-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
RUN python -m venv --without-pip /venv
COPY docker/build-requirements.lock requirements.lock ./
RUN pip install --require-hashes --only-binary :all: --requirement build-requirements.lock \
    && pip --python /venv/bin/python install --require-hashes --only-binary :all: \
        --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY exporter exporter
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
    && pip --python /venv/bin/python install --no-deps --no-index /wheel/*.whl


FROM python:3.13.16-slim-trixie

# Volumes take their owners from these folders. Group 0 may write to the first two, so that any user
# will do in place of 10118; Prometheus' folder is nobody's, as in its own image.
RUN install --directory --owner 10118 --group 0 --mode 0770 \
        /bedrock/data /bedrock/data/logs \
    && install --directory --owner 10118 --group 0 --mode 0775 /history \
    && install --directory --owner 65534 --group 65534 /prometheus
COPY --from=build /venv /venv

# HOME is where boto3 looks for .aws.
ENV PATH=/venv/bin:$PATH HOME=/bedrock PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /bedrock
USER 10118:0
EXPOSE 10118
# Past any proxy; with TLS or a password of its own, the exporter needs another check.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=6 \
    CMD ["python", "-c", "from http.client import HTTPConnection; c = HTTPConnection('127.0.0.1', 10118, timeout=4); c.request('GET', '/-/ready'); raise SystemExit(c.getresponse().status != 200)"]
ENTRYPOINT ["bedrock-exporter"]
CMD ["serve", "--config.file=config.yaml", "--web.listen-address=:10118"]
