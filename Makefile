# `make help` lists what there is to make.

CARGO ?= cargo
CFLAGS ?= -O2 -g
RELEASE := $(abspath $(or $(CARGO_TARGET_DIR),target))/release
BUILD := build/$(notdir $(firstword $(CC)))
VERSION := $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)

STRICT := -std=c99 -pedantic -Wall -Wextra
C_FLAGS = $(STRICT) $(CFLAGS) -Iinclude -Ic_examples
LINK_FLAGS = $(LDFLAGS) -Wl,-rpath,$(RELEASE) -pthread
HOTPART := -L$(RELEASE) -lhotpart

EXAMPLES := basic callback observe recording threads replay synthesize
C_TESTS := layout bad_input bad_structs bad_observe caller due hot scenarios fork
ifeq ($(shell uname -s),Darwin)
# Asked for POSIX alone, macOS hides ru_maxrss. And unload is about ELF, by whose flag the library stays mapped.
STRICT += -D_DARWIN_C_SOURCE
LEFT_OUT := unload unload_plugin
else
C_TESTS += unload unload_plugin
LEFT_OUT :=
endif
PROGRAMS := $(addprefix $(BUILD)/,$(EXAMPLES) $(C_TESTS) instructions metrics_server fleet_process)
# The programs that check themselves.
CHECKS := basic callback observe recording threads $(C_TESTS)

.PHONY: all build cli test c-test demo header bindings abi bench instructions compare python-bench cli-bench python-lock clean help library

all: distribution ## the libraries that `make install` installs

build: $(PROGRAMS) ## the library in target/release, and the C programs with $(CC)

test: ## every test; ci/extended.sh runs the long ones for longer
	@env -u MAKEFLAGS -u MFLAGS ci/test.sh

c-test: build ## run the C programs that check themselves
	@set -e; for check in $(CHECKS); do echo "$(BUILD)/$$check"; $(BUILD)/$$check; done
	@for check in $(LEFT_OUT); do echo "skipped: $$check is not for this platform"; done

cli: ## the command, target/release/hotpart
	$(CARGO) build --release --locked --package hotpart-cli

demo: build cli ## replay a small synthetic trace, and report what was hot in it
	@echo 'A synthetic trace of three minutes; hot: 100 writes or 150 reads in 10 seconds.'
	@$(BUILD)/synthesize >build/demo.csv
	@$(BUILD)/replay --window 10 --writes 100 --reads 150 <build/demo.csv
	@echo
	@echo 'The same trace, by the command; hot: more than 1 % of what DynamoDB lets one partition have.'
	@$(RELEASE)/hotpart report --hot 1% --top 3 build/demo.csv
	@$(RELEASE)/hotpart heatmap --quiet --title 'make demo' --preset moderate --window 10 --writes 100 --reads 150 -o build/heat.html build/demo.csv

header: ## write include/hotpart.h anew from the Rust source
	HOTPART_BLESS=1 $(CARGO) test --locked --test header

bindings: header ## write what Python, Node and tests/c/layout.c have of the header anew
	HOTPART_BLESS=1 ci/bindings.sh

abi: ## write abi/hotpart.c anew, if the version in Cargo.toml is not released
	HOTPART_BLESS=1 $(CARGO) test --locked --test abi

bench: library ## measure, and write BENCHMARKS.md; BENCH_FLAGS=--quick: in seconds, and print only
	HOTPART_LIBRARY_DIR=$(RELEASE) CC="$(CC)" $(CARGO) bench --locked --bench report -- $(BENCH_FLAGS)

instructions: ## write benches/instructions.txt, the instruction counts, anew
	HOTPART_BLESS=1 ci/instructions.sh

compare: ## a record's cost beside that of another commit: make compare WITH=COMMIT
	ci/compare.sh $(WITH)

build/compare: benches/compare.c c_examples/check.h include/hotpart.h
	@mkdir -p $(@D)
	$(CC) $(C_FLAGS) $< -ldl -o $@

python-bench: ## measure the Python package beside pydynox's detector, once ci/python.sh has run
	build/python/newest/bin/python bindings/python/benches/benchmark.py $(BENCH_FLAGS)

cli-bench: cli ## measure `hotpart report` beside DuckDB, once ci/sql.sh has run
	build/sql/python/bin/python cli/benches/speed.py $(RELEASE)/hotpart $(BENCH_FLAGS)

python-lock: ## lock anew what the Python package is tested with
	cd bindings/python/requirements && for each in newest oldest aiobotocore suites tools; do \
		../../../build/python/tools/bin/uv pip compile --quiet --upgrade --no-header --no-annotate -o $$each.txt $$each.in; done

clean: ## remove everything that was made
	$(CARGO) clean
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

include install.mk

# Cargo knows best whether there is something to do. The loader looks for the library by its SONAME.
library:
	$(CARGO) rustc --release --locked --lib --crate-type cdylib,staticlib
	ln -sf $(BUILT) $(RELEASE)/$(SONAME)

$(BUILD)/replay: $(addprefix $(BUILD)/,trace.o tally.o partition_text.o)
$(addprefix $(BUILD)/,bad_input bad_structs bad_observe caller due hot): $(BUILD)/witness.o
$(addprefix $(BUILD)/,metrics_server fleet_process): $(BUILD)/serve.o
$(BUILD)/scenarios: $(addprefix $(BUILD)/,script.o heard.o)
# These load the library by themselves: one by its name, one as a plugin that has it inside.
$(BUILD)/unload $(BUILD)/unload_plugin: HOTPART := -ldl
$(BUILD)/unload_plugin: | $(BUILD)/libplugin.so
$(BUILD)/unload_plugin.o: tests/c/unload.c $(wildcard c_examples/*.h) include/hotpart.h Makefile $(BUILD)/flags
	$(CC) $(C_FLAGS) -DLIBRARY='"$(abspath $(BUILD))/libplugin.so"' -c $< -o $@

$(RELEASE)/libhotpart.a: library ;

$(BUILD)/libplugin.so: $(RELEASE)/libhotpart.a $(BUILD)/flags
	$(CC) -shared $(LDFLAGS) -Wl,--whole-archive $(RELEASE)/libhotpart.a -Wl,--no-whole-archive -pthread -ldl -lm -lgcc_s -o $@

$(PROGRAMS): $(BUILD)/%: $(BUILD)/%.o $(BUILD)/flags
	$(CC) $(filter %.o,$^) $(LINK_FLAGS) $(HOTPART) -o $@

$(BUILD)/%.o: c_examples/%.c $(wildcard c_examples/*.h) include/hotpart.h Makefile $(BUILD)/flags
	$(CC) $(C_FLAGS) -c $< -o $@

$(BUILD)/%.o: tests/c/%.c $(wildcard tests/c/*.h c_examples/*.h) include/hotpart.h Makefile $(BUILD)/flags
	$(CC) $(C_FLAGS) -c $< -o $@

$(BUILD)/%.o: benches/%.c $(wildcard c_examples/*.h) include/hotpart.h Makefile $(BUILD)/flags
	$(CC) $(C_FLAGS) -c $< -o $@

# Written only when one of them has changed; then all is made anew.
$(BUILD)/flags: FLAGS = $(CFLAGS) $(LDFLAGS) $(RELEASE)
$(BUILD)/flags: library
	@mkdir -p $(BUILD)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' >$@
