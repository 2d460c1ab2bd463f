# Everything runs in .venv, which is made when needed. Python 3.11 or newer and git are enough.

.PHONY: up down test lint format bench clean

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.version_info < (3, 11) or print("$(name)")' 2>/dev/null)))
BIN := .venv/bin
READY := .venv/ready
CODE := app.py chalicelib connectors tests bench

up: $(READY)
	@$(BIN)/hub up $(ARGS)

down: $(READY)
	@$(BIN)/hub down $(ARGS)

test: $(READY)
	$(BIN)/pytest --numprocesses auto --dist loadfile $(ARGS)

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy $(CODE)

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY)
	@for bench in cold_start cpu cost; do echo "== $$bench"; $(BIN)/python -m bench.$$bench || exit 1; done

clean:
	@if [ -x $(BIN)/hub ]; then $(BIN)/hub down; fi
	rm -rf .venv .hub .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: https://www.python.org"; exit 1; }
	@echo "Making the environment in .venv with $(PYTHON) (a minute, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@
