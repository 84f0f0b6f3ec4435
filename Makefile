# make run   sets everything up and runs a center with live sensors on this machine;
#            ARGS go to "liuhe center run", DATA is its data folder
# make test  sets everything up and runs all tests
# make test-long  a thousand rounds of faults and a hundred kills: some 20 minutes
SHELL := /bin/bash
UV_VERSION := 0.13.8
UV := $(shell command -v uv 2>/dev/null || echo .tools/uv/bin/uv)
LIUHE := .venv/bin/liuhe
DATA ?= var/center
ARGS ?=

.PHONY: run test test-long unit lint bench wheel clean

run: .venv/.ready soc_api/static/index.html
	@exec $(LIUHE) center run --data $(DATA) --init --local-sensors --drill $(ARGS)

test: .venv/.ready soc_api/static/index.html lint
	@bash tests/browser/install.sh
	cd web && npm test --silent
	.venv/bin/pytest -q -n 2 -m "not slow"
	@bash tests/slow.sh

test-long: .venv/.ready soc_api/static/index.html
	LIUHE_FAULT_ROUNDS=1000 LIUHE_FAULT_KILLS=100 .venv/bin/pytest -q tests/simulation tests/end_to_end/test_f_faults.py

unit: .venv/.ready
	.venv/bin/pytest -q -n 2 -m "not slow"

lint: .venv/.ready
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

bench: .venv/.ready
	@for script in bench/*.py; do .venv/bin/python -m bench.$$(basename $$script .py) || exit 1; done

wheel: soc_api/static/index.html
	$(UV) build --wheel

clean:
	rm -rf .venv .tools soc_api/static/assets soc_api/static/index.html web/node_modules dist

.tools/uv/bin/uv:
	@echo "[1/3] uv …"
	@python3 -m venv .tools/uv
	@.tools/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.venv/.ready: pyproject.toml uv.lock $(if $(findstring .tools,$(UV)),.tools/uv/bin/uv)
	@echo "[2/3] 依赖 / dependencies …"
	@$(UV) sync --quiet --all-extras --frozen
	@touch $@

soc_api/static/index.html: .venv/.ready $(shell find web -path web/node_modules -prune -o -type f -print 2>/dev/null)
	@echo "[3/3] 控制台 / console …"
	@UV=$(UV) bash web/build.sh
	@touch $@
