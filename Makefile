# `make demo` shows what Landfeed does, `make test` checks that it does. Both need Python 3.11+ and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test check torture bench clean

$(BIN)/.embedded: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install -q -e '.[embedded]'
	@touch $@

$(BIN)/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing all that the tests need into $(VENV) …"
	@$(BIN)/python -m pip install -q -e '.[embedded,spark,gcs,watch,dev]'
	@touch $@ $(BIN)/.embedded

demo: $(BIN)/.embedded          ## the login → purchase example, from two files to the target table
	@$(BIN)/python examples/user_activity/demo.py

test: $(BIN)/.dev               ## all tests but the long ones; those of Spark also over Spark Connect
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup -m "not torture"
	LANDFEED_SPARK=connect $(BIN)/python -m pytest -m "spark and not local_spark and not torture"

check: $(BIN)/.dev              ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: $(BIN)/.dev            ## long and randomised tests
	$(BIN)/python -m pytest -m torture

bench: $(BIN)/.dev              ## prints ratios against plain scripts, measured in one run
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.validate
	$(BIN)/python -m benchmarks.watch

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
