# The only interface a newcomer needs: `make demo`, then `make dev`.
PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv pip
export UV_COMPILE_BYTECODE = 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo dev build docs lint check test spark bench holidays lock clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: .venv/.runtime ## Make .venv from requirements.lock

demo: .venv/.runtime ## Make demo sources and run the whole way: ingest, dbt build, reports, dashboard
	@$(BIN)/analytics demo

dev: .venv/.runtime ## Start Dagster's UI on loopback
	@$(BIN)/analytics dev

build: .venv/.runtime ## Build and test the models
	@$(BIN)/analytics build

docs: .venv/.runtime ## Write docs/metrics.md, docs/api.md, and dbt's documentation as one page, data/docs/index.html
	@$(BIN)/python -m transform.metric_docs
	@$(BIN)/python -m reports.server.reference
	@$(BIN)/analytics docs

lint: .venv/.dev ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

check: lint ## Style, types and the unit tests, in less than a minute
	$(BIN)/pytest -q $(BOTH_CORES) -m unit

# Apache Spark is tested where there is a Java.
test: lint $(if $(shell command -v java),.venv/.spark) ## Everything
	$(BIN)/pytest -q $(BOTH_CORES) -m "not whole_spark"

# A file of tests stays in one process, since its tests share a warehouse.
BOTH_CORES := -n 2 --dist loadfile --no-loadscope-reorder

spark: .venv/.spark ## Run the whole way on a local Apache Spark, and compare every cell with Postgres
	$(BIN)/pytest -q -m spark
	@export ANALYTICS_HOME="$(CURDIR)/data/spark" SPARK_CONF_DIR="$(CURDIR)/tests/spark"; set -e; \
		$(BIN)/analytics demo; $(BIN)/analytics lake copy; \
		$(BIN)/analytics --target spark run; $(BIN)/analytics lake compare

bench: .venv/.dev ## Measure: what it costs beside its limits and its peers (BENCH="ingest …" picks some)
	$(BIN)/python -m benchmarks $(BENCH)

holidays: .venv/.dev ## Write the macro of public holidays anew
	$(BIN)/python dbt_project/macros/make_holidays.py

lock: .venv/.dev ## Resolve the dependencies of pyproject.toml anew
	$(UV) compile $(LOCK) --extra setup pyproject.toml -o requirements.lock
	$(UV) compile $(LOCK) --extra setup --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["spark"], sep="\n")' | \
		$(UV) compile $(LOCK) -c requirements-dev.lock - -o requirements-spark.lock

LOCK := -q --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url

clean: ## Stop the warehouse and remove everything that was made, .venv too
	-$(BIN)/analytics warehouse stop
	rm -rf .venv data target logs profiles.yml

.venv/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 …" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check "$$(grep -o '^uv==[0-9.]*' requirements.lock)"
	$(UV) install -q -p $(BIN)/python --require-hashes -r requirements.lock
	$(UV) install -q -p $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.lock
	$(UV) install -q -p $(BIN)/python --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.spark: .venv/.dev requirements-spark.lock
	$(UV) install -q -p $(BIN)/python --require-hashes -r requirements-spark.lock
	@touch $@
