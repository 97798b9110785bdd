# Every target sets up what it needs: Python packages in .venv, programs for tests in .tools.
# Nothing is written outside this folder, and nothing asks for root.

PYTHON ?=
export PYTHON
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV_PYTHON := .venv/bin/python
INSTALL := $(VENV_PYTHON) -m pip install --quiet
COMPILE := $(VENV_PYTHON) -m uv pip compile --quiet --universal --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)

.PHONY: help run stack test lint format bench docs dashboards lock clean

help:
	@echo 'make run     simulated logs and the exporter reading them: http://localhost:10118/'
	@echo 'make stack   the same with Prometheus, Alertmanager, and Grafana where it is installed'
	@echo 'make test    everything that must hold before a commit; under ten minutes'
	@echo 'make lint    formatting, style and types alone'
	@echo 'make format  rewrite the code in its format'
	@echo 'make bench   speed and memory, as ratios measured in one run'
	@echo 'make docs    rewrite the generated parts of docs/'
	@echo 'make dashboards  rewrite grafana/dashboards/'
	@echo 'make lock    rewrite the lock files after a change of pyproject.toml; UPGRADE=1 takes newer releases'
	@echo 'make clean   remove what make installed here; data/ stays'
	@echo
	@echo 'PYTHON=/path/to/python chooses the Python; without it, any of 3.11 or newer on PATH.'

run: .venv/runtime
	@scripts/run

stack: .venv/runtime
	@scripts/fetch-tools
	@scripts/stack

test: lint
	@scripts/fetch-tools
	@$(VENV_PYTHON) -m pytest --numprocesses logical --maxprocesses 4 --dist loadfile

lint: .venv/dev
	@$(VENV_PYTHON) -m ruff format --check .
	@$(VENV_PYTHON) -m ruff check .
	@$(VENV_PYTHON) -m mypy

format: .venv/dev
	@$(VENV_PYTHON) -m ruff check --fix .
	@$(VENV_PYTHON) -m ruff format .

bench: .venv/dev
	@$(VENV_PYTHON) -m benchmarks

docs: .venv/dev
	@$(VENV_PYTHON) docs/generate.py

dashboards: .venv/dev
	@$(VENV_PYTHON) -m grafana.generator

lock: .venv/dev
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --constraint requirements.lock \
		--output-file requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .tools .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

# The two stamps. The development lock holds everything of the other one, in the same versions.

.venv/runtime: requirements.lock pyproject.toml $(VENV_PYTHON)
	@echo 'Installing requirements.lock into .venv ...'
	@$(INSTALL) --require-hashes --requirement requirements.lock
	@$(INSTALL) --no-deps --editable .
	@touch $@

.venv/dev: requirements-dev.lock pyproject.toml $(VENV_PYTHON)
	@echo 'Installing requirements-dev.lock into .venv ...'
	@$(INSTALL) --require-hashes --requirement requirements-dev.lock
	@$(INSTALL) --no-deps --editable .
	@touch .venv/runtime $@

$(VENV_PYTHON):
	@scripts/create-venv
