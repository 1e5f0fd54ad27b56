# Fettle's commands. Each one sets up what it needs first and says what it does.
#
#   make demo              build, fetch SmolLM2-135M, tune it for two devices, show the bundles
#   make test              build, run every test
#   make check DATA=DIR    the figures that need WikiText-2, SmolLM2 and llama.cpp (DIR keeps what is fetched)
#   make trust DATA=DIR    predicted against measured over 12 profiles
#   make techniques DATA=DIR   each technique alone: the tables of docs/techniques.md
#   make hybrid DATA=DIR   the free search against one grid and one activation, at equal bytes
#   make lint              formatting, import order, file sizes
#   make arm               the runtime's kernels on aarch64, under qemu
#   make bench             llama.cpp and Fettle side by side
#   make install           fettle into PREFIX/bin (default /usr/local)

PACKAGES := libyaml-dev libsqlite3-dev libssl-dev pkg-config python3-pip
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
PREFIX ?= /usr/local
BUILD := swift build -c release
TEST := swift test -c release --disable-testable-imports --disable-xctest --no-parallel
FETTLE := .build/release/fettle

.PHONY: demo test check trust techniques hybrid lint arm bench install setup build

setup:
	@scripts/setup.sh "$(SUDO)" $(PACKAGES)

build: setup
	@echo "Building Fettle in release (about 8 minutes the first time on 2 cores, mostly its dependencies)."
	@$(BUILD) --product fettle

demo: build
	@scripts/demo.sh $(FETTLE)

test: setup
	@echo "Building and running the tests (first time: about 15 minutes on 2 cores, half of it dependencies; then 6)."
	@scripts/test.sh $(TEST)

check: build
	@test -n "$(DATA)" || { echo "make check: write DATA=DIR, where DIR has wikitext2-valid.txt and wikitext2-test.txt"; exit 2; }
	@echo "Three scripts, about two hours on 2 cores: times are measured, so let nothing else run beside them."
	@failed=0; for script in check.sh figures/formats.sh figures/search.sh; do \
	    scripts/$$script $(FETTLE) "$(DATA)" || failed=1; \
	done; exit $$failed

trust: build
	@test -n "$(DATA)" || { echo "make trust: write DATA=DIR, where DIR has wikitext2-valid.txt"; exit 2; }
	@scripts/figures/trust.sh $(FETTLE) "$(DATA)"

techniques: build
	@test -n "$(DATA)" || { echo "make techniques: write DATA=DIR, where DIR has the WikiText-2 texts"; exit 2; }
	@scripts/figures/techniques.sh $(FETTLE) "$(DATA)"

hybrid: build
	@test -n "$(DATA)" || { echo "make hybrid: write DATA=DIR, where DIR has wikitext2-valid.txt and wikitext2-test.txt"; exit 2; }
	@scripts/figures/hybrid.sh $(FETTLE) "$(DATA)"

lint:
	@echo "Checking format (swift format lint --strict), a few seconds."
	@swift format lint --strict --recursive --parallel Package.swift Sources Tests Plugins Profiles/Profiles.swift

arm:
	@echo "Cross-compiling the kernels and running them under qemu (about 1 minute)."
	@scripts/arm.sh "$(SUDO)"

bench: build
	@scripts/bench.sh $(FETTLE)

install: build
	@install -D -m 755 $(FETTLE) "$(DESTDIR)$(PREFIX)/bin/fettle"
	@echo "Installed $(DESTDIR)$(PREFIX)/bin/fettle; it needs the system's libyaml and libsqlite3."
