# The one door to the repository. `make help` lists the targets.
# Every target installs and builds what it needs; a second run does nothing twice.

SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

APP := _build/default/lib/ssl_port
TS_SOURCES := $(shell find src -name '*.ts' 2>/dev/null)
TEST_SOURCES := $(shell find test -name '*.ts' -not -path '*/node_modules/*' 2>/dev/null)
ERL_SOURCES := $(wildcard erlang/*) rebar.config

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

# --- what must be there -------------------------------------------------------------------------

node_modules/.package-lock.json: package-lock.json package.json
	sh scripts/packages.sh node
	npm ci --no-audit --no-fund --no-update-notifier --loglevel=error
	@touch $@

packages-%:
	@sh scripts/packages.sh $*

# --- building -----------------------------------------------------------------------------------

dist/.built: node_modules/.package-lock.json tsconfig.json $(TS_SOURCES)
	rm -rf dist
	npx --no-install tsc -p tsconfig.json
	@touch $@

build/.built: node_modules/.package-lock.json tsconfig.json test/tsconfig.json $(TS_SOURCES) $(TEST_SOURCES)
	rm -rf build/src build/test
	npx --no-install tsc -p test/tsconfig.json
	@touch $@

priv/.assembled: dist/.built scripts/assemble_priv.sh
	sh scripts/assemble_priv.sh
	@touch $@

$(APP)/ebin/ssl_port.app: priv/.assembled $(ERL_SOURCES)
	@sh scripts/packages.sh erlang
	rebar3 compile
	@erl -noshell -pa $(APP)/ebin -eval 'ok = ssl_port_dropin:write("$(APP)/dropin"), halt().'
	@touch $@

build: $(APP)/ebin/ssl_port.app ## the OTP application, in _build/default/lib/ssl_port

dropin-path: ## what stands behind `erl -pa` for the module ssl that is ssl_port
	@$(MAKE) build >&2
	@echo $(CURDIR)/$(APP)/dropin $(CURDIR)/$(APP)/ebin

# --- running ------------------------------------------------------------------------------------

demo: packages-demo build ## the main job on real TLS traffic against real peers
	@sh demo/run.sh

test: packages-test build build/.built ## all tests; ends with one line of totals
	@sh test/run.sh all

check: packages-check build/.built ## the quick loop: format, lint, types, unit tests
	npx --no-install biome check
	@sh test/run.sh unit

interop: packages-interop packages-programs build build/.built ## both roles against every peer, as a table; real programs
	@sh test/interop/run.sh; status=$$?; sh test/interop/programs/run.sh && [ $$status -eq 0 ]

programs: packages-programs build ## real BEAM programs over the drop-in module ssl; PROGRAMS="ftp yaws"
	@sh test/interop/programs/run.sh $(PROGRAMS)

conformance: packages-test build ## OTP's own ssl suites on ssl_port; OTP_SRC=..., SUITES="...", MIX=client|server, TRANSPORT=inet
	@sh test/conformance/run.sh $(SUITES)

bench: packages-bench build build/.built ## ssl and ssl_port in one run, ratios printed
	@sh test/bench/run.sh

bench-memory: packages-bench build build/.built ## memory of idle connections, ssl and ssl_port in one run
	@sh test/bench/run.sh memory

bench-chain: packages-bench build/.built ## validating a chain of certificates, beside public_key and OpenSSL; part of bench
	@sh test/bench/chain/run.sh

bench-roots: build/.built ## 150 roots given on every connect: the first time, and again
	@node build/test/bench/roots.js

bench-etf: packages-bench build/.built ## src/etf beside erlang_js and erlpack
	@sh test/bench/etf/run.sh

dialyzer: packages-test build ## Dialyzer and xref over the Erlang modules
	rebar3 xref
	rebar3 dialyzer

docs: packages-test build ## EDoc of the Erlang modules, in _build/docs
	sh scripts/edoc.sh

format: node_modules/.package-lock.json ## rewrite the TypeScript sources in the house format
	npx --no-install biome check --write

clean: ## remove everything built
	rm -rf dist build priv _build

.PHONY: help build dropin-path demo test check interop programs conformance bench bench-memory bench-chain bench-roots bench-etf dialyzer docs format clean
