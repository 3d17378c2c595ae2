# replguard: what a developer runs. Every target sets up what it needs.

# The first that runs and is new enough: a name on the path may be a shim without a Python behind it.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV ?= .venv
RUN = $(VENV)/bin
PYTEST_ARGS ?=
# Three workers for two cores, since tests wait for servers a third of their time. Each has servers of its own; neighbours
# in the list stay together, and with them their engine.
PYTEST = $(RUN)/pytest -n 3 --dist worksteal $(if $(CI),--require-engines) $(PYTEST_ARGS)

.PHONY: demo test test-long lint bench servers schemas docs reference clean

demo: $(VENV)/ready ## run the main job on an embedded PostgreSQL pair
	$(RUN)/replguard demo

test: $(VENV)/ready servers ## all tests, on real servers of every engine
	$(PYTEST)

test-long: $(VENV)/ready servers ## the same with the large campaigns whole
	REPLGUARD_LONG=1 $(PYTEST)

lint: $(VENV)/ready ## style, types, layers
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports

bench: $(VENV)/ready servers ## measure, beside the peers
	$(RUN)/pip install -q --disable-pip-version-check -e '.[bench]'
	$(RUN)/python -m benchmarks.diff
	$(RUN)/python -m benchmarks.stream

servers: $(VENV)/ready ## get the database servers that the tests need
	$(RUN)/python -m tests.servers install

schemas: $(VENV)/ready ## write schemas/ from the models
	$(RUN)/python -m replguard.report.schema

$(VENV)/ready: pyproject.toml
	@test -n "$(PYTHON)" || { echo "replguard needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { test "$$(id -u)" = 0 && apt-get update -q && apt-get install -q -y python3-venv && \
		rm -rf $(VENV) && $(PYTHON) -m venv $(VENV); } || \
		{ echo "python3 cannot make a virtual environment: install the package python3-venv"; exit 1; }
	$(RUN)/pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

docs: $(VENV)/ready ## build the site of the documents
	$(RUN)/pip install -q --disable-pip-version-check -e '.[docs]'
	$(RUN)/mkdocs build --strict --quiet --site-dir build/site

reference: $(VENV)/ready ## write the reference from the code
	$(RUN)/python docs/reference/make.py

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache
