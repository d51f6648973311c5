# What one does with this checkout. `make` alone lists it.
# Settings pass through: `make run PORT=9000` and `PORT=9000 make run` do the same.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.PHONY: help run test test-all chaos corpus fuzz bench screenshots lint requirements clean

PYTHON ?= $(shell for p in python3.14 python3.13 python3.12 python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
LINT_ENV = SECRET_KEY=lint GALLIMG_DATA=$(VENV)/lint
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --custom-compile-command "make requirements"
PYTEST = $(BIN)/python -m pytest
UNIT = not (slow or e2e or corpus or browser or chaos or faults or hostile or proxies or container)
# What is stored, and where from it is read: the other end-to-end tests would tell nothing new on S3.
ON_S3 = tests/e2e/uploads tests/e2e/storage tests/e2e/clients tests/e2e/test_instructions.py
# Three at once on two processors: tests wait as long as they compute.
AT_ONCE = -n 3
CORPUS ?=
export CORPUS

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.run ## set up and run everything on this machine; Ctrl-C stops it
	@exec $(BIN)/python manage.py serve --welcome

test: $(VENV)/.dev ## tests that need pip only, on SQLite and PostgreSQL
	TEST_DB=sqlite $(PYTEST) $(AT_ONCE) --dist worksteal -m "$(UNIT) or smoke"
	TEST_DB=postgres $(PYTEST) $(AT_ONCE) --dist worksteal -m "$(UNIT) or smoke"

test-all: test ## also what takes long, whole services, all faults of S3, chaos in short, clients that nobody likes, real proxies, the corpus (CORPUS=dir) and the browser
	@test -n "$(CORPUS)" || echo "CORPUS is not set: the corpus tests will be skipped. make test-all CORPUS=dir runs them."
	TEST_DB=sqlite $(PYTEST) -rfEs $(AT_ONCE) --dist loadfile -m "(slow and not e2e) or hostile or proxies or disaster"
	TEST_DB=postgres $(PYTEST) -rfEs $(AT_ONCE) --dist loadfile -m "(e2e or slow or corpus or browser or chaos or faults) and not (smoke or s3 or hostile or proxies)"
	TEST_STORE=s3 TEST_DB=postgres $(PYTEST) -rfEs $(AT_ONCE) --dist loadfile -m "e2e and not (corpus or browser or chaos or faults)" $(ON_S3)

chaos: $(VENV)/.dev ## everything dies while the service works, in long; CHAOS="-k kills" takes a part
	LONG=1 TEST_DB=postgres $(PYTEST) -rfEs $(AT_ONCE) --dist loadfile tests/chaos $(CHAOS)

image: ## build the container image, gallimg
	DOCKER_BUILDKIT=1 docker build --tag gallimg $(DOCKER_BUILD) .

image-test: $(VENV)/.dev ## build it and put pictures, pages and commands through it, in 256 MB; IMAGE=name takes one that is there
	TEST_DB=sqlite $(PYTEST) -rfEs -p no:randomly -m container tests/deploy

corpus: $(VENV)/.dev ## every picture of CORPUS=dir through the pipeline, against its manifest.csv
	@$(BIN)/python -m tests.corpus "$(CORPUS)"

fuzz: $(VENV)/.dev ## 20,000 damaged pictures through the decoder; FUZZ="--seed 7" tries others
	@$(BIN)/python -m tests.fuzz $(FUZZ)

bench: $(VENV)/.dev ## speed and memory against what is wanted, and against peers; BENCH="speed --rounds 15" for a part
	@$(BIN)/python -m bench $(BENCH)

screenshots: $(VENV)/.dev ## every page of the admin, wide and narrow, light and dark; SCREENSHOTS=dir says where to
	@$(BIN)/python -m tests.browser.screenshots "$(or $(SCREENSHOTS),var/screenshots)"

lint: $(VENV)/.dev ## style, types, import rules, security, missing migrations
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	@mkdir -p $(VENV)/lint
	$(LINT_ENV) $(BIN)/mypy
	$(LINT_ENV) $(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive media_jobs gallimg_site clients/python manage.py 2>$(VENV)/lint/bandit.log  # where it doubts each nosec
	$(LINT_ENV) $(BIN)/python manage.py makemigrations --check --dry-run

requirements: $(VENV)/.dev ## pin what pyproject.toml asks for, with hashes; UPGRADE=1 takes newer ones
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --output-file requirements.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --extra shadow --constraint requirements.txt \
		--output-file requirements-shadow.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) pyproject.toml --group dev --constraint requirements-shadow.txt \
		--extra shadow --output-file requirements-dev.txt

clean: ## remove the virtual environment and caches; data stays
	rm -rf bench/node_modules bench/.cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the virtual environment -----------------------------------------------------------------------

$(VENV)/.run: requirements.txt
	@$(call install,requirements.txt)
	@touch $@

# What tests need includes what running needs.
$(VENV)/.dev: requirements-dev.txt requirements.txt
	@$(call install,requirements-dev.txt)
	@touch $(VENV)/.run $@

define install
	if [ -z "$(PYTHON)" ]; then \
		echo "gallimg needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || echo none). Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; fi; \
	[ -x $(BIN)/python ] || { echo "making $(VENV) with $$($(PYTHON) --version)"; \
		out=$$($(PYTHON) -m venv $(VENV) 2>&1); } || { rm -rf $(VENV); \
		echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }; \
	echo "installing the packages of $(1)"; \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1) || { \
		echo "The packages could not be installed (see above). Is there a network, and if need be a proxy (HTTPS_PROXY) or a package index (PIP_INDEX_URL)? Then call make again." >&2; exit 1; }
endef
