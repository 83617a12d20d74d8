# Wherry: build, run, test, install. `make help` lists the targets.
#
# Each target first installs what it lacks from Debian's packages and says so (without root it names them).

PREFIX      ?= /usr/local
DESTDIR     ?=
BINDIR      ?= $(PREFIX)/bin
LIBEXECDIR  ?= $(PREFIX)/libexec/wherry
UNITDIR     ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/systemd/system,/etc/systemd/system)
USERUNITDIR ?= $(if $(filter /usr,$(PREFIX)),/usr/lib/systemd/user,/etc/systemd/user)
SHAREDIR    ?= $(PREFIX)/share
# `make uninstall PURGE=1` also removes images, containers, volumes and everything made on the host.
PURGE       ?=
# `make test FILTER=Ports` runs the test classes and methods whose full name contains it.
FILTER      ?=
# `make bench BENCH="--rounds 5 --only run"` hands options to the benchmark.
BENCH       ?=

OUT         := $(CURDIR)/out
BINARIES    := $(OUT)/wherry $(OUT)/wherryd $(OUT)/wherry-shim $(OUT)/wherry-oci
RULES       := Directory.Build.props Directory.Packages.props global.json src/Directory.Build.props

.DEFAULT_GOAL := build
# One publish uses every core, and two at once would write the same obj folders.
.NOTPARALLEL:
.PHONY: help build run test bench install uninstall clean format check-format

help:
	@echo 'make build         out/wherry, out/wherryd, out/wherry-shim, out/wherry-oci (native, no .NET needed to run them)'
	@echo 'make run           build, start the engine if none runs, make base images, run a real Debian container'
	@echo 'make test          unit and end-to-end tests (FILTER=text selects)'
	@echo 'make bench         side by side with the container engines installed here; JSON in out/bench.json'
	@echo 'make install       binaries, systemd unit, shell completion (PREFIX, DESTDIR)'
	@echo 'make uninstall     the opposite; PURGE=1 removes all state too'
	@echo 'make format        format the code; make check-format only looks'
	@echo 'make clean         forget what was built'

build: $(BINARIES)

# Which source folders an executable is made of follows from its project references.
$(OUT)/wherry:      $(RULES) $(shell eng/sources.sh src/Wherry.Cli)
	@eng/publish.sh src/Wherry.Cli $@
$(OUT)/wherryd:     $(RULES) $(shell eng/sources.sh src/Wherry.Daemon)
	@eng/publish.sh src/Wherry.Daemon $@
$(OUT)/wherry-shim: $(RULES) $(shell eng/sources.sh src/Wherry.Shim)
	@eng/publish.sh src/Wherry.Shim $@
# One binary under two names: called wherry-oci it is an OCI runtime.
$(OUT)/wherry-oci: $(OUT)/wherry-shim
	@ln -f $< $@ && touch $@

run: build
	@eng/need.sh run
	@eng/run.sh $(OUT)

test: build
	@eng/need.sh test
	@FILTER='$(FILTER)' eng/test.sh

bench: build
	@eng/bench.sh $(BENCH)

install: build
	@DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' LIBEXECDIR='$(LIBEXECDIR)' UNITDIR='$(UNITDIR)' USERUNITDIR='$(USERUNITDIR)' SHAREDIR='$(SHAREDIR)' eng/install.sh $(OUT)

uninstall:
	@DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' LIBEXECDIR='$(LIBEXECDIR)' UNITDIR='$(UNITDIR)' USERUNITDIR='$(USERUNITDIR)' SHAREDIR='$(SHAREDIR)' PURGE='$(PURGE)' eng/uninstall.sh

format:
	dotnet format Wherry.slnx

check-format:
	dotnet format Wherry.slnx --verify-no-changes

clean:
	rm -rf $(OUT)
	find src tests bench -type d \( -name bin -o -name obj \) -prune -exec rm -rf {} +
