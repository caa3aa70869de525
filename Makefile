# `make demo` and `make test` set up everything they need in $(VENV).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

SECONDS ?= 600
MINUTES ?= 30
SETUP ?= sqlite
# What kills, starves and floods a gate takes minutes of waiting.
TRIALS := crash deploy faults load scanners several

.PHONY: help demo test trials test-postgresql several crash load model temporal check fuzz bench aged look clean

help: ## Say what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

# Each stamp says that what this extra of pyproject.toml asks for is there; dev holds demo too.
$(VENV)/demo $(VENV)/dev: $(VENV)/%: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Installing into $(VENV) what '$*' needs; this takes a minute, once."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	touch $(VENV)/demo $@

demo: $(VENV)/demo ## Try the gate with a simulated Abiquo and a mailbox
	$(BIN)/approval demo $(ARGS)

test: $(VENV)/dev ## Run the tests, except the trials
	$(BIN)/pytest -n 4 --dist worksteal $(TRIALS:%=--ignore=tests/%) $(ARGS)

trials: $(VENV)/dev ## Run the tests that kill, starve and flood gates, and try deploy/
	$(BIN)/pytest -n 4 --dist worksteal $(TRIALS:%=tests/%) $(ARGS)

test-postgresql: $(VENV)/dev ## Run the tests with every store on PostgreSQL
	$(BIN)/pytest -n 4 --dist worksteal --store=postgresql $(ARGS)

several: $(VENV)/dev ## Let three gates die while 2,000 tasks go their way, and write docs/reliability.md
	$(BIN)/pytest tests/several -m "long or not long" $(ARGS)
	$(BIN)/python -m tests.several

crash: $(VENV)/dev ## Kill the gate everywhere, and write docs/reliability.md
	$(BIN)/python -m tests.crash

load: $(VENV)/dev ## Use the gate for MINUTES amid all kinds of trouble, and write docs/reliability.md
	$(BIN)/python -m tests.load $(MINUTES)

model: $(VENV)/dev ## Try the gate against its model, for some minutes
	$(BIN)/pytest tests/model --hypothesis-profile=model $(ARGS)

temporal: $(VENV)/dev ## Try the gate with a Temporal that dies, with many requests
	$(BIN)/pytest tests/engine/temporal -m "long or not long" $(ARGS)

check: $(VENV)/dev ## Look for mistakes without running anything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --recursive --severity-level medium approval
	$(BIN)/python -m tests.rules approval
	$(BIN)/djlint --quiet --lint templates

$(VENV)/fuzz: $(VENV)/dev
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	touch $@

fuzz: $(VENV)/fuzz ## Feed callbacks, hrefs and tokens with what breaks them, SECONDS each
	$(BIN)/python -m tests.fuzz $(SECONDS)

# What operators install, and nothing else.
$(VENV)/gate: pyproject.toml $(VENV)/dev
	$(PYTHON) -m venv --clear $@
	$@/bin/pip install --quiet --disable-pip-version-check --editable '.[postgresql,temporal]'
	touch $@

bench: $(VENV)/gate ## Measure, and write docs/benchmarks.md; SETUPS=postgresql alone is only shown
	BENCH_PYTHON=$(VENV)/gate/bin/python $(BIN)/python -m bench $(SETUPS)

aged: $(VENV)/gate ## Measure what a million stored tasks cost a SETUP, into docs/benchmarks.md
	BENCH_PYTHON=$(VENV)/gate/bin/python $(BIN)/python -m bench.aged $(SETUP) $(TASKS)

look: $(VENV)/dev ## Photograph every mail and page into build/look
	$(BIN)/python -m tests.look build/look

clean: ## Remove what was made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
