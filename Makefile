# Two commands are enough: make call, make test. Each installs what it needs.

export PATH := $(CURDIR)/target/tools/bin:$(PATH)
CARGO := cargo
TARGET := $(abspath $(or $(CARGO_TARGET_DIR),target))
# Cargo prefers it to its own settings (CARGO_BUILD_TARGET_DIR, build.target-dir), so that programs are where this file looks for them.
export CARGO_TARGET_DIR := $(TARGET)
# A target builds the programs that it runs, by name but with the features of the whole workspace, so that no crate is built twice. Then
# they run as files, so that none is replaced while it runs.
PRODUCT := webhook call-control reaper outbox media-task ahoy
build = $(CARGO) build --locked --workspace $(addprefix --bin ,$(PRODUCT) $1) $(if $(filter release,$2),--release)
REHEARSE := $(TARGET)/debug/rehearse
SUITES := $(TARGET)/debug/suites
# Benches are built for release. PROFILE=debug tries them without that build: limits are shown, not judged.
PROFILE := release
BENCH := $(TARGET)/$(PROFILE)/bench
# The build of `make call` carries calls: libopus and the cryptography in it are optimised. RELEASE=1 is for many calls at once.
SERVED := $(if $(RELEASE),release,debug)
$(if $(filter debug release,$(PROFILE)),,$(error PROFILE is debug or release, not $(PROFILE)))

# The name of FAULT before it was renamed.
FAULT ?= $(MISCHIEF)

.NOTPARALLEL:
.PHONY: help call ahoy picture test check docs conformance chaos interop callers peers sip-lab network bench soak bench-webhook bench-turns serve ci readme programs rehearse suites bench-programs build-tools test-tools interop-tools peers-tools sip-lab-tools quality-tools check-infra infra-tools queries release image artefacts sizes deploy undeploy secrets cost

help:
	@echo 'make call          a simulated caller rings, talks, interrupts, says goodbye: no accounts, no keys, no Docker (FAULT=name injects a fault, LINE=sip: by telephone, also with TRANSFER=1)'
	@echo 'make ahoy          the ahoy command on the calls that make call left (ARGS=calls, ARGS="show CALL")'
	@echo 'make picture       docs/report.png, of the last call that make call left'
	@echo 'make test          every test'
	@echo 'make check         format, lints, docs, plain words, names, and what the architecture forbids'
	@echo 'make serve         the product alone, on this machine, for your own callers (settings: README.md; RELEASE=1: for many calls)'
	@echo 'make docs          the pages generated from code: docs/events.md'
	@echo 'make conformance   every recorded model session, of the last call and the last tests, checked against OpenAI'"'"'s own types'
	@echo 'make chaos         two hundred calls under every injected fault and kill, ten minutes (SEED, CALLS)'
	@echo 'make bench         what the media task costs on one core, with up to 150 calls at once, release build (CALLS, WINDOWS)'
	@echo 'make soak          two thousand calls in a row, and what they leak, release build (CALLS)'
	@echo 'make interop       make callers, make peers, make sip-lab and make network'
	@echo 'make callers       aiortc and headless Chromium call, with their own offers and with WhatsApp'"'"'s form of them, IPv4 and IPv6'
	@echo 'make peers         third-party clients (Pipecat, OpenAI'"'"'s, LiveKit'"'"'s, boto3) against the simulators, without a network (PEERS=pipecat)'
	@echo 'make sip-lab       a telephone call through the edge of docs/sip.md to a stand-in for OpenAI: half a minute, on Debian; root installs its packages (ARGS=sound)'
	@echo 'make bench-webhook how fast the webhook is, and decisions on the SIP line, release build (ARTEFACTS=target/ship/stage: as shipped)'
	@echo 'make bench-turns   how fast the conversation is, release build, seven minutes (CALLS)'
	@echo 'make network       calls through nine kinds of network: how the speech sounds, and whether calls survive, four minutes'
	@echo 'make check-infra   the deployment, as far as it can be checked without an account'
	@echo 'make queries       infra/queries.yaml, from infra/queries/*.cwl'
	@echo 'make release       release artefacts: functions and media task, small, for arm64 where it can be built (FEATURES=otlp: with traces)'
	@echo 'make image         the media task in an image FROM scratch, by docker or without it'
	@echo 'make artefacts     release, image, and a whole call on both'
	@echo 'make sizes         the sizes of release artefacts, and their limits'
	@echo 'make deploy        deploys ahoy to your AWS account (DRY_RUN=1: all that needs none; ENVIRONMENT=small or production)'
	@echo 'make secrets       stores the secrets of the environment in the account (STACK, else the stack of ENVIRONMENT)'
	@echo 'make undeploy      removes it again, and lists what stays'
	@echo 'make cost          docs/cost.md from infra/prices.toml'
	@echo 'make readme        the README'"'"'s commands that no other part of CI runs, unoptimised, at their smallest'
	@echo 'make ci            what CI runs: check, check-infra, test, a call, conformance, readme, a little chaos, interop, with the seconds of each'

call: rehearse
	@$(REHEARSE) call $(if $(LINE),--line $(LINE)) $(if $(TRANSFER),--transfer) $(if $(FAULT),--fault $(FAULT))

# Makes a call first where there is none to look at.
ahoy: rehearse
	@[ -e target/rehearsal/table.sqlite ] || { echo 'There is no call yet: make call comes first.'; $(REHEARSE) call; }
	@$(REHEARSE) ahoy -- $(or $(ARGS),--help)

picture: rehearse
	scripts/picture.sh

test: programs test-tools
	scripts/previous-release.sh
	rm -rf target/stories
	$(CARGO) nextest run --locked --workspace
	$(TARGET)/debug/privacy target/nextest/default/junit.xml target/stories
	$(TARGET)/debug/events target/stories
	$(CARGO) test --quiet --locked --workspace --doc

check: build-tools
	$(CARGO) fmt --all --check
	@if git grep -nIE '^(<{7}|>{7}) '; then echo 'check: conflict markers are committed'; exit 1; fi
	scripts/plain-words.sh
	python3 scripts/names.py
	$(CARGO) clippy --quiet --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --quiet --locked --workspace --no-deps
	scripts/purity.sh

docs:
	AHOY_WRITE_DOCS=1 $(CARGO) nextest run --locked --workspace -E 'package(journal)'

conformance:
	scripts/conformance.sh

chaos: suites
	@$(SUITES) chaos --seed $(or $(SEED),1) --calls $(or $(CALLS),200)

bench: bench-programs
	@$(BENCH) load $(if $(filter release,$(PROFILE)),--out docs/bench) $(if $(CALLS),--calls $(CALLS)) $(if $(WINDOWS),--windows $(WINDOWS))

soak: bench-programs
	@$(BENCH) soak --calls $(or $(CALLS),2000)

interop: callers peers sip-lab network

callers: suites interop-tools
	@$(SUITES) interop

# One minute, and another to install pinned versions.
peers: programs peers-tools
	@scripts/peers.sh $(PEERS)

# Half a minute, and another to install Debian's packages.
sip-lab: build-tools sip-lab-tools
	@$(CARGO) build --locked --workspace --bin heard
	@scripts/sip-lab.sh $(ARGS)

bench-webhook: bench-programs
	@$(BENCH) webhook $(if $(ARTEFACTS),--artefacts $(ARTEFACTS),$(if $(filter release,$(PROFILE)),--out docs/bench))

bench-turns: bench-programs
	@$(BENCH) turns $(if $(CALLS),--calls $(CALLS))

# Four minutes: two calls whose scores count, then eight others, six at a time, beside two of two minutes' silence.
network: suites quality-tools
	@$(SUITES) network

serve: build-tools
	@$(call build,serve,$(SERVED))
	@$(TARGET)/$(SERVED)/serve

check-infra: infra-tools
	@scripts/check-infra.sh

queries:
	REWRITE=1 $(CARGO) test --quiet --locked --workspace --test contracts the_saved_queries_are_the_files

release: build-tools
	@scripts/release.sh

image:
	@scripts/image.sh

artefacts: release image programs
	@scripts/artefacts.sh

sizes: release programs
	@scripts/sizes.sh

deploy:
	@scripts/deploy.sh

secrets:
	@scripts/put-secrets.sh $(STACK)

undeploy:
	@scripts/undeploy.sh

cost:
	@python3 scripts/cost.py > docs/cost.md

ci:
	@scripts/ci.sh

# Every command of README.md that no other part of CI runs, except those that build release artefacts.
readme: programs
	@scripts/readme.sh

programs: build-tools
	@$(CARGO) build --locked --workspace --bins

rehearse: build-tools
	@$(call build,rehearse)

suites: build-tools
	@$(call build,suites)

bench-programs: build-tools
	@$(call build,bench,$(PROFILE))

build-tools:
	@scripts/build-tools.sh

test-tools:
	@scripts/test-tools.sh

interop-tools:
	@scripts/interop-tools.sh

peers-tools:
	@scripts/peers-tools.sh

sip-lab-tools:
	@scripts/sip-lab-tools.sh

quality-tools:
	@scripts/quality-tools.sh

infra-tools:
	@scripts/infra-tools.sh
