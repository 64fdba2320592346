# Needs Python 3.11 or newer and make; everything else is fetched, in the versions the locks name.

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.setup
LOCKS := requirements/dev.lock requirements/build.lock
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet
COMPILE := UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet --no-config --universal \
	--python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links $(UPGRADE)

# $(call debian,PACKAGE,WHAT FOR): install a Debian package, or say in one sentence what is missing.
define debian
as_root=""; [ "$$(id -u)" = 0 ] || as_root="sudo -n"; \
export DEBIAN_FRONTEND=noninteractive; \
install="$$as_root apt-get install -y -qq --no-install-recommends $(1)"; \
if command -v apt-get >/dev/null && { [ -z "$$as_root" ] || sudo -n true 2>/dev/null; }; then \
	echo "Installing $(1) for $(2) ..."; \
	$$install </dev/null >/dev/null 2>&1 || { $$as_root apt-get update -qq </dev/null >/dev/null 2>&1; $$install </dev/null >/dev/null 2>&1; } \
	|| echo "Could not install $(1): install it by hand for $(2)."; \
else \
	echo "Install $(1) (Debian's name) for $(2)."; \
fi
endef

.PHONY: setup demo test chaos storm fines upgrade-drill restore-drill bench check check-rules format lock picture reference clean fonts

setup: $(STAMP) fonts

$(STAMP): pyproject.toml $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Arrears needs Python 3.11 or newer as $(PYTHON): name another with make PYTHON=python3.12." >&2; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment: on Debian install python3-venv." >&2; exit 1; }
	@echo "Installing the locked packages into .venv ..."
	@$(PIP) install --require-hashes -r requirements/dev.lock -r requirements/build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# Letters in Chinese need glyphs.
fonts:
	@[ -n "$$(find /usr/share/fonts /usr/local/share/fonts "$$HOME/.local/share/fonts" -iname 'noto*cjk*' 2>/dev/null | head -n 1)" ] \
		|| { $(call debian,fonts-noto-cjk,letters in Chinese); }

demo: setup
	$(BIN)/arrears demo

test: setup
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# What Prometheus reads, and the alerts' own tests. Debian's package is unpacked, not installed: it would start a server.
PROMETHEUS := .venv/prometheus
PROMTOOL = $$(command -v promtool || echo $(PROMETHEUS)/usr/bin/promtool)
unpacked = mkdir -p $(PROMETHEUS) && cd $(PROMETHEUS) && apt-get download -qq $(1) 2>/dev/null \
	&& for package in *.deb; do dpkg -x "$$package" . || exit 1; done && rm *.deb
check-rules:
	@command -v promtool >/dev/null || [ -x $(PROMETHEUS)/usr/bin/promtool ] \
		|| ( $(call unpacked,prometheus) ) \
		|| { echo "Put promtool (Debian's package prometheus) on the PATH to check the alerts." >&2; exit 1; }
	$(PROMTOOL) check config deploy/prometheus/prometheus.yml deploy/prometheus/systemd.yml
	$(PROMTOOL) test rules deploy/prometheus/rules_test.yml

format: setup
	$(BIN)/ruff check --fix-only --select I .
	$(BIN)/ruff format .

# Rewrites the locks, keeping what they name where it still fits; make lock UPGRADE=--upgrade takes the newest.
lock: setup
	@$(COMPILE) --extra dev pyproject.toml --output-file requirements/dev.lock
	@$(COMPILE) --constraints requirements/dev.lock pyproject.toml --output-file requirements/base.lock
	@$(COMPILE) --constraints requirements/dev.lock --group build --output-file requirements/build.lock

# Long runs: a worker killed 300 times, races for one text, a stop in a burst. ARGS="--without look-up" takes a mechanism away: it must fail.
chaos: setup
	$(BIN)/python -m tests.chaos $(ARGS)
	$(BIN)/python -m tests.chaos --races 1000
	$(BIN)/python -m tests.chaos --burst 500

# 20,000 payments over HTTP while every part is killed five times. ARGS="--without outbox", commit or unique takes a mechanism away: it must fail.
storm: setup
	$(BIN)/python -m tests.storm $(ARGS)

# A tape of real debts in three orders beside what was really owed and paid. FOLDER=... takes another, as docs/fines.md describes it.
FOLDER ?= tests/tapes/fines
fines: setup
	$(BIN)/python -m benchmarks.fines_replay $(FOLDER)

# A new build follows the old one under cases that sleep, are awake, and are being contacted.
upgrade-drill: setup
	$(BIN)/python -m tests.upgrade $(ARGS)
	$(BIN)/python -m tests.upgrade --back $(ARGS)

# The ledger, then Temporal, is restored to an earlier time, or lost, and put in order again. ARGS=--without-recovery must fail.
restore-drill: setup
	$(BIN)/python -m tests.restore $(ARGS)

# Every figure is a ratio in its own run; a table, and bench.json. The whole takes some two hours: ARGS="http_entries overhead" for a part.
bench: setup
	$(BIN)/python -m benchmarks $(ARGS)

# What Debian's Prometheus shows its figures with.
PAGES := libjs-bootstrap4 libjs-d3 libjs-eonasdan-bootstrap-datetimepicker libjs-jquery libjs-jquery-hotkeys libjs-moment \
	libjs-moment-timezone libjs-mustache libjs-popper.js libjs-rickshaw fonts-glyphicons-halflings
picture: setup
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null \
		|| { $(call debian,chromium,the picture of a case); }
	@command -v dot >/dev/null || { $(call debian,graphviz,the picture of the architecture); }
	$(BIN)/python -m docs.pictures.take
	$(BIN)/python -m docs.pictures.take_codec
	@[ -d $(PROMETHEUS)/usr/share/javascript/jquery ] || ( $(call unpacked,prometheus $(PAGES)) ) \
		|| { echo "The pictures of Prometheus need Debian's packages prometheus and $(PAGES)." >&2; exit 1; }
	$(BIN)/python -m docs.pictures.take_prometheus
	dot -Tsvg docs/pictures/architecture.dot -o docs/pictures/architecture.svg

reference: setup
	$(BIN)/python docs/reference/write.py

# Leaves .arrears, the state of the embedded stack, alone.
clean:
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
