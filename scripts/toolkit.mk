# Targets of the toolkit's own checkout. Read by project.mk, and not there in a service project.

#@ Settings
#: Where the example is made: EXAMPLE=/tmp/example
EXAMPLE ?= build/example

#: Which tests to run, instead of all: TESTS="tests/unit -k lock"
TESTS ?=

#: Which cases to measure, instead of all that take minutes at most: CASES="vendor build"
CASES ?=

#: Which kinds of attacks to try, instead of all: ONLY="backends archives"
ONLY ?=
#: What chance begins with, to repeat a run of make torture: SEED=4711
SEED ?=

reads_example = EXAMPLE
reads_test += TESTS
reads_bench = CASES
reads_torture = ONLY SEED

#@ The toolkit itself
#: Make a service project in build/example/, vendor real dependencies and build its package: the quickest way to see it all
.PHONY: example
example: common-setup
	$(call verb,example) --directory $(call quote,$(EXAMPLE))

#: Run all tests of the toolkit: on every interpreter there is, and beside that end to end on this machine's own
.PHONY: test
test:
	$(call verb,setup) --groups "build develop library sbuild check test stand vagrant"
	$(call verb,toolkit-tests) $(if $(TESTS),--tests $(call quote,$(TESTS)))

#: Run a stand in a machine that QEMU emulates, of a box made here; as root, with minutes of work for two cores
.PHONY: stand-vagrant-test
stand-vagrant-test:
	$(call verb,setup) --groups "build sbuild box vagrant emulation"
	$(call verb,toolkit-tests) --tests "tests/vagrant --capture=no"

#: Check the toolkit's own code: ruff, the rules of import of docs/architecture.md, and mypy
.PHONY: lint
lint:
	$(call verb,toolkit-tests) --environments lint

#: Draw docs/architecture.svg from the imports, and print the rooms with their modules
.PHONY: architecture
architecture:
	$(silent)$(PYTHON3) $(call quote,$(toolkit)/tests/architecture/room_picture.py)
	$(silent)$(PYTHON3) $(call quote,$(toolkit)/tests/architecture/room_figures.py) --modules

#: Measure the toolkit beside its peers on the reference set, in one run; figures go to build/bench/
.PHONY: bench
bench:
	$(silent)$(PYTHON3) $(call quote,$(toolkit)/bench/run.py) $(if $(CASES),--only $(call quote,$(CASES)))

#: Attack the toolkit for 20 minutes at most: kills, hostile builds, archives, wheels and indexes, full disks; as root also as a user
.PHONY: torture
torture:
	$(silent)cd $(call quote,$(toolkit)) && $(PYTHON3) -m tests.torture \
		$(if $(ONLY),--only $(call quote,$(ONLY))) $(if $(SEED),--seed $(call quote,$(SEED)))
