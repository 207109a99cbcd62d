# The project's front door. On a fresh Debian 12 (root or sudo) these two are enough:
#
#   make run    build it and look at it
#   make test   every test
#
# Compilers and servers come from scripts/install and scripts/peers; both do nothing when all is there.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Debian's Python, since python3-pytest, -boto3 and their like belong to it and not to another one in PATH.
PYTHON ?= /usr/bin/python3
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60
PYTEST ?= $(PYTHON) -m pytest -q tests
# Sanitized programs are slower; every deadline of the black-box suite is stretched by this.
SLOW ?= 5

release := build/release
binary := $(release)/sekisho
configure = log=$$(cmake --preset $(1) 2>&1) || { echo "$$log"; exit 1; }
compile = cmake --build build/$(1) -j $(JOBS) --target

.PHONY: help build run test test-year-ahead bench bench-once prove regression prove-ab sabotage bench-prove instr instr-save asan \
        asan-test tsan tsan-test fuzz coverage format check tidy docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile

# ---- use

build: ## leave build/release/sekisho
	@scripts/install build
	@$(call configure,release)
	@$(call compile,release) sekisho

run: build ## start it on a demo folder; prints three curl commands to paste
	@exec $(binary) serve --demo build/demo

# ---- test

test: ## unit tests, then the black-box suite against real servers
	@scripts/install build test
	@scripts/peers minio versitygw hdrhistogram oidc || [ "$${SEKISHO_REQUIRE_PEERS:-0}" != 1 ]
	@$(call configure,release)
	@$(call compile,release) all
	@scripts/run-tests release

# K=… chooses black-box tests. libfaketime shifts the waits of what measures waits, so the harness is left out.
test-year-ahead: ## the same in a year, since no test may depend on the day; without the harness, S3 and OpenID servers
	@scripts/install build test
	@$(call configure,release)
	@$(call compile,release) all
	@GTEST_FILTER=-SelftestTest.ShowsAStall* FAKETIME_DONT_FAKE_MONOTONIC=1 faketime -f +365d scripts/run-tests release unit
	@faketime -f +365d scripts/run-tests release black-box -k "$(or $(K),not test_prove and not test_sabotage)"

asan: ## build/asan: AddressSanitizer, UBSan and the fuzz targets
	@scripts/install build test
	@$(call configure,asan)
	@$(call compile,asan) all

tsan: ## build/tsan: ThreadSanitizer
	@scripts/install build test
	@$(call configure,tsan)
	@$(call compile,tsan) all

asan-test: asan ## every test under AddressSanitizer and UBSan
	@scripts/peers minio versitygw hdrhistogram oidc || [ "$${SEKISHO_REQUIRE_PEERS:-0}" != 1 ]
	@SEKISHO_SLOW=$(SLOW) scripts/run-tests asan

tsan-test: tsan ## every test under ThreadSanitizer
	@scripts/peers minio versitygw hdrhistogram oidc || [ "$${SEKISHO_REQUIRE_PEERS:-0}" != 1 ]
	@SEKISHO_SLOW=$(SLOW) scripts/run-tests tsan

fuzz: asan ## every fuzz target for FUZZ_SECONDS (60), two at a time
	@scripts/fuzz build/asan $(FUZZ_SECONDS)

bench: ## beside nginx, HAProxy, Varnish and Envoy; some ten minutes, on an idle machine
	@scripts/install build test bench
	@scripts/peers envoy
	@$(call configure,release)
	@$(call compile,release) all
	@$(PYTHON) bench/run.py

bench-once: ## every bench once, in its shortest form, so that none rots; two minutes, and no bar is judged
	@scripts/install build test bench
	@$(call configure,release)
	@$(call compile,release) all
	@scripts/bench-once build/release

prove: ## the shipped campaigns, each scaled down to some fifteen seconds
	@scripts/install build test
	@$(call configure,release)
	@$(call compile,release) sekisho
	@$(PYTHON) scripts/prove $(binary)

regression: build ## this build beside the last one that was green here, in turn: is a hit dearer than it was?
	@scripts/regression $(binary)

prove-ab: build ## this build beside that of BASE (HEAD~1), in turn: is a hit dearer than it was?
	@scripts/prove-ab $(or $(BASE),HEAD~1)

sabotage: ## gateways with a mistake, one at a time, each of which a campaign must notice; some six minutes
	@scripts/install build test
	@$(call configure,release)
	@$(call compile,release) sekisho sekisho_wire_proxy
	@$(call configure,sabotage)
	@$(call compile,sabotage) sekisho
	@scripts/check-sabotage $(binary)
	@$(PYTHON) scripts/sabotage $(SABOTAGE)
	@$(PYTEST)/test_prove_sabotage.py

bench-prove: ## the harness beside wrk, hey, k6 and Artillery; some fifteen minutes, on an idle machine
	@scripts/install build test bench
	@scripts/peers k6 hey artillery
	@$(call configure,release)
	@$(call compile,release) sekisho
	@$(PYTHON) bench/prove.py

instr: ## instructions of the micro-benchmarks and of a cached hit, held against the baseline; half a minute
	@scripts/install build test
	@$(call configure,release)
	@$(call compile,release) sekisho_instr
	@scripts/instructions

instr-save: ## renew that baseline, docs/results/instructions.json
	@scripts/install build test
	@$(call configure,release)
	@$(call compile,release) sekisho_instr
	@scripts/instructions --save

coverage: ## lines that the unit tests reach, by file
	@scripts/install build test
	@$(call configure,coverage)
	@$(call compile,coverage) all
	@scripts/coverage build/coverage

# ---- keep it in order

format: ## clang-format on everything of ours, and comments within their width
	@scripts/install test
	@scripts/check-format --fix
	@scripts/check-comments --fix

check: build ## the static checks: format, comments, rooms, lengths, examples, generated documents
	@scripts/install test
	@scripts/check-format
	@scripts/check-comments
	@scripts/check-includes
	@scripts/check-length
	@scripts/check-documents
	@scripts/check-examples $(binary)
	@scripts/check-generated $(binary)
	@scripts/check-sabotage $(binary)

tidy: ## clang-tidy on the files that differ from BASE (all without one); what was clean is remembered
	@scripts/install build test
	@$(call configure,release)
	@scripts/tidy build/release $(BASE)

docs: build ## renew docs/configuration.md and docs/campaigns.md from the tables of keys
	@$(binary) schema --docs > docs/configuration.md
	@$(binary) schema prove --docs > docs/campaigns.md

clean: ## remove what was built
	@rm -rf build
