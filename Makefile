# `make demo` shows what Landfeed does, `make test` checks that it does. Both need Python 3.11+ and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2
# Hundreds of tests start a process of their own, which is not to compile the package once more.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-connect check torture coverage mutants bench gcs-connector sbom test-lowest clean

GCS_CONNECTOR := com.google.cloud.bigdataoss:gcs-connector:4.0.4:jar:shaded
GCS_CONNECTOR_SHA1 := 7ffdc04d1cc08c742916c696805761044e36b919

$(BIN)/.embedded: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) …"
	@$(BIN)/python -m pip install -q -e '.[embedded]'
	@touch $@

$(BIN)/.dev: pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing all that the tests need into $(VENV) …"
	@$(BIN)/python -m pip install -q -e '.[all,dev]'
	@touch $@ $(BIN)/.embedded

demo: $(BIN)/.embedded          ## the login → purchase example, from two files to the target table
	@rm -rf build/demo
	@$(BIN)/landfeed demo build/demo

# Spark's tests stay in one process, which starts one JVM. Those over Spark Connect have a server and run beside the
# others: together they leave no core idle.
PYTEST := $(BIN)/python -m pytest --durations=10
SPREAD := -n $(WORKERS) --dist loadgroup

test: $(BIN)/.dev               ## all tests but the long ones; over Spark Connect what shows that the engine works there
	@mkdir -p build
	@LANDFEED_SPARK=connect $(PYTEST) -m "spark and connect and not local_spark and not torture" >build/connect.txt 2>&1 & connect=$$!; \
	trap 'kill $$connect; exit 130' INT TERM; \
	$(PYTEST) $(SPREAD) -m "not torture"; native=$$?; \
	wait $$connect; connect=$$?; \
	echo "Over Spark Connect:"; cat build/connect.txt; \
	[ $$native = 0 ] && [ $$connect = 0 ]

test-connect: $(BIN)/.dev       ## all tests of Spark over a Spark Connect server
	LANDFEED_SPARK=connect $(PYTEST) -m "spark and not local_spark and not torture"

check: $(BIN)/.dev              ## style, types, import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

torture: $(BIN)/.dev            ## long and randomised tests
	$(PYTEST) --hypothesis-profile random -m torture
	$(PYTEST) --hypothesis-profile random $(SPREAD) -k random -m "not torture"
	@$(MAKE) test-lowest

# Whoever is killed by a test leaves nothing behind, so what only such processes reach is not seen.
coverage: $(BIN)/.dev           ## branches of the package that the tests without Spark reach, by module
	@rm -rf build/coverage
	$(BIN)/python -m coverage run -m pytest $(SPREAD) -m "not spark and not torture" $(COVERED)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m tests.covered

mutants: $(BIN)/.dev            ## changes the core in thousands of places and prints which its own tests do not notice
	$(BIN)/python -m mutmut run --max-children $(WORKERS)
	@$(BIN)/python -m mutmut export-cicd-stats
	@$(BIN)/python -m tests.mutated

# The core, the embedded engine and the formats: what runs with every dependency at its lower end. Whatever pip installs
# for the other tests is the upper end. The tests, and nothing else, take moments from DuckDB, which makes them by pytz.
LOWEST := build/lowest
LOWEST_TESTS := tests/loader tests/plan tests/law tests/begin tests/infer tests/cli tests/runs/test_load.py tests/runs/test_formats.py

test-lowest:                    ## tests with the oldest versions of the dependencies that the wheel allows
	@rm -rf $(LOWEST) build/uv
	@$(PYTHON) -m venv build/uv
	@build/uv/bin/python -m pip install -q uv
	@build/uv/bin/uv venv -q --seed -p $(PYTHON) $(LOWEST)
	@build/uv/bin/uv pip install -q -p $(LOWEST)/bin/python --resolution lowest-direct '.[embedded,watch,parquet,avro,orc,excel,zstd]'
	@build/uv/bin/uv pip install -q -p $(LOWEST)/bin/python hypothesis 'pytest<9.2' pytest-timeout pytest-xdist pytz
	@build/uv/bin/uv pip list -p $(LOWEST)/bin/python
	$(LOWEST)/bin/python -m pytest $(SPREAD) -p no:cacheprovider -m "not spark and not torture and not gcs" $(LOWEST_TESTS)

sbom:                           ## build/landfeed.cdx.json: what an installation with every extra consists of (CycloneDX)
	@rm -rf build/sbom build/cyclonedx
	@$(PYTHON) -m venv build/sbom
	@build/sbom/bin/python -m pip install -q '.[all]'
	@$(PYTHON) -m venv build/cyclonedx
	@build/cyclonedx/bin/python -m pip install -q cyclonedx-bom
	@build/cyclonedx/bin/cyclonedx-py environment --pyproject pyproject.toml --mc-type application \
	  --output-reproducible --of JSON -o build/landfeed.cdx.json build/sbom/bin/python
	@echo "build/landfeed.cdx.json"

bench: $(BIN)/.dev              ## prints ratios against plain scripts, measured in one run
	$(BIN)/python -m benchmarks.load
	$(BIN)/python -m benchmarks.load_json
	$(BIN)/python -m benchmarks.expressions
	$(BIN)/python -m benchmarks.validate
	$(BIN)/python -m benchmarks.watch
	$(BIN)/python -m benchmarks.gcs
	$(BIN)/python -m benchmarks.load_spark

gcs-connector: jars/gcs-connector.jar   ## with which a local Spark reaches gs:// (needs Maven; then set gcs.connector)

# Maven keeps what it loads in a folder of its own: in ~/.m2 it would leave entries that Spark's Ivy stumbles over.
jars/gcs-connector.jar:
	@echo "fetching $(GCS_CONNECTOR) …"
	@mvn -q -B -Dstyle.color=never org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -Dartifact=$(GCS_CONNECTOR) \
	  -Dtransitive=false -Dmdep.stripVersion=true -DoutputDirectory=$(CURDIR)/jars/new -Dmaven.repo.local=$(CURDIR)/jars/maven
	@echo "$(GCS_CONNECTOR_SHA1)  jars/new/gcs-connector-shaded.jar" | sha1sum -c --quiet
	@mv jars/new/gcs-connector-shaded.jar $@
	@rm -r jars/new jars/maven

clean:
	rm -rf $(VENV) jars build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis mutants
