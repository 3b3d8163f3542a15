# Everything a contributor does. `make demo` and `make test` are all a newcomer needs: each sets up what it uses.

.DEFAULT_GOAL := help
.PHONY: help setup setup-check demo test test-all interop faults check docs format lock clean

BIN := .venv/bin
# Half as many again as processors: many tests wait, for a disk, a clock or a process of their own.
WORKERS := $(shell n=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((n > 4 ? 6 : (n * 3 + 1) / 2)))
PYTEST := $(BIN)/python -m pytest --numprocesses=$(WORKERS) --dist=worksteal
# A test of these that takes two minutes hangs.
SHORT := --override-ini=faulthandler_timeout=120
# Tests start hundreds of processes: none of them should compile again what the one before it has compiled.
unexport PYTHONDONTWRITEBYTECODE
PEERS := tests/interop/node_modules/.package-lock.json

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## make .venv with the locked dependencies (PYTHON=... chooses the interpreter)
	@tools/setup

setup-check:
	@tools/setup check

demo: setup ## send real messages through a sandbox and watch them arrive (ONCE=1 ends after the tour)
	@$(BIN)/heliograph sandbox $(if $(ONCE),--once)

test: setup ## the tests, without third-party peers and long repetitions
	@$(PYTEST) $(SHORT) -m "not long" --ignore=tests/interop $(ARGS)

interop: setup $(PEERS) ## the tests against other people's SMPP software; what is missing is skipped with its reason
	@$(PYTEST) $(SHORT) -rs tests/interop $(ARGS)

faults: setup ## crashes, cut wires and full disks, repeated many times
	@$(PYTEST) tests/faults $(ARGS)

test-all: setup $(PEERS) ## every test there is
	@$(PYTEST) -rs $(ARGS)

check: setup-check ## format, lint, types, import contract, sizes, words, a test module for each module, documents
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/python tools/shape.py
	$(BIN)/python tools/words.py
	$(BIN)/python tools/mirror.py
	$(BIN)/python tools/pictures.py --check

docs: setup ## draw anew what the documents show of the code
	$(BIN)/python tools/pictures.py

format: setup-check ## put the code into its format and repair what can be repaired
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## write requirements/*.txt anew from pyproject.toml (ARGS=--upgrade takes the newest versions)
	@tools/lock $(ARGS)

clean: ## remove what these targets made
	rm -rf .venv build tests/interop/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Without npm the tests that need this folder say so and are skipped.
$(PEERS): tests/interop/package-lock.json
	@if command -v npm >/dev/null; then npm --prefix tests/interop ci --no-audit --no-fund --loglevel=error || echo "npm could not install the peers of tests/interop"; else echo "npm is missing: its peers are skipped"; fi
