toolkit := $(subst /project.mk,,$(realpath $(lastword $(MAKEFILE_LIST))))
project := $(abspath $(dir $(firstword $(MAKEFILE_LIST))))
# What a service project links to: `ln -s common/project.mk Makefile`, or `include common/project.mk` in a Makefile of
# its own. Variables, targets and their wiring; the work is done by scripts/. `make help` is made from the comments here:
# `#@` heads a section, `#:` explains the target or the variable below it. It is one file, though a long one, as MAKEFILE_LIST
# is a list of words: a second file would have to be named by a path, and the toolkit's may have spaces in it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
# `make -j vendor deb` must not start the second before the first is done; each verb uses all the cores by itself.
.NOTPARALLEL:
.DEFAULT_GOAL := $(or $(.DEFAULT_GOAL),build)

#@ Settings of every target
#: The directory below /usr/lib that holds the services, and the prefix of the scripts that go to /usr/bin: NAMESPACE=acme
NAMESPACE ?= yc
#: Package directories, instead of every directory with a setup.py or a pyproject.toml: PACKAGES="api lib"
PACKAGES ?=
#: Service directories, instead of every package with a bin/ directory: SERVICES=api
SERVICES ?=
#: The interpreter that runs the toolkit itself
PYTHON3 ?= $(firstword $(wildcard /usr/bin/python3) python3)
#: How much to say: 0 errors only, 1 what is done, 2 every command with its output
V ?= 1

#@ Settings of vendor and outdated
#: What chooses the versions: uv or pip-tools
RESOLVER ?= uv
#: Leave out what was published later: EXCLUDE_NEWER=2026-11-01, or younger than a week: EXCLUDE_NEWER=7d
EXCLUDE_NEWER ?=
#: The package index, instead of the one pip is configured with: INDEX_URL=https://index.example/simple
INDEX_URL ?=
#: Further indexes, beside those pip is configured with: EXTRA_INDEX_URL="https://one.example/simple https://two.example/simple"
EXTRA_INDEX_URL ?=
#: The systems to lock for, as sys.platform names them: PLATFORMS="linux darwin"
PLATFORMS ?= linux

#@ Settings of vendor
#: Locked versions that may move: UPGRADE=all, or names: UPGRADE="flask jinja2"
UPGRADE ?=

#@ Settings of vendor, commit-vendor and deb
#: Say what would be done, and do nothing: DRY_RUN=1
DRY_RUN ?=

#@ Settings of trim-vendor
#: How many of the newest revisions of each branch of the vendor repository to keep: KEEP=1
KEEP ?= 10
#: Do it, instead of showing what it would do: YES=1
YES ?=

#@ Settings of vendor, outdated, build, install, deb, sbuild, reproducible, sbom, lint and test
#: How many things to build at once (empty: as many as there are cores): JOBS=4
JOBS ?=

#@ Settings of vendor, outdated, build, install, deb, sbom, lint and test
#: Where built wheels are kept, so that nothing is built twice: a directory, or empty for nowhere
WHEEL_STORE ?= default

#@ Settings of build, install, deb, reproducible, sbom, lint and test
#: The interpreter to build for, instead of the one .python-version asks for: PYTHON=/usr/bin/python3.11
PYTHON ?=

#@ Settings of deb, sbuild and reproducible
#: How packages are compressed (empty: deb is fast with zstd:1, sbuild small with xz:9): DEB_COMPRESSION=zstd:19
DEB_COMPRESSION ?=

#@ Settings of sbuild and check-deb
#: The suites to build for (empty: that of this machine), or to check (empty: what make deb built): SUITES="bookworm trixie"
SUITES ?=

#@ Settings of check-deb
#: A directory with packages of an older version, to upgrade from: UPGRADE_FROM=/srv/released
UPGRADE_FROM ?=

#@ Settings of sbuild
#: What versions end with, so that each suite has its own: VERSION_SUFFIX=+deb{release}u1 makes 1.2.3+deb12u1
VERSION_SUFFIX ?= ~{suite}1

#@ Settings of chroot and box
#: The suite to make a chroot or a box of (empty: that of this machine): SUITE=trixie
SUITE ?=

#@ Settings of chroot, sbuild, check-deb, box, stand and stand-test
#: Where chroots and boxes get their packages, instead of where this machine does: MIRROR=http://mirror.example/debian
MIRROR ?=

#@ Settings of chroot, sbuild, check-deb, stand and stand-test
#: After how many days a chroot is made again; 0 makes it now: CHROOT_MAX_AGE=30
CHROOT_MAX_AGE ?= 7

#@ Settings of outdated
#: Print JSON for other programs, and nothing else: JSON=1
JSON ?=
#: End with status 1 where anything has newer releases: STRICT=1
STRICT ?=

#@ Settings of why
#: The distribution to explain: NAME=flask (or `make why flask`)
NAME ?=
#: How many chains to print at most: CHAINS=100, or all
CHAINS ?= 20

#@ Settings of stand, stand-ssh, stand-tmux, stand-test and stand-destroy
#: What runs the project: container (systemd-nspawn), remote (a host that ssh knows) or vagrant: STAND=remote
STAND ?= container
#: The host of a remote stand: HOST=user@host.example
HOST ?=

#@ Settings of stand and stand-test
#: How services run in a stand: tmux (from the sources), or deb (the packages of make deb, as units): STAND_MODE=deb
STAND_MODE ?= tmux
#: The suite of a stand (empty: that of this machine): STAND_SUITE=trixie
STAND_SUITE ?=
#: The port of this machine on which a container lets in by ssh (empty: a free one): STAND_PORT=2222
STAND_PORT ?=
#: An ansible-playbook instead of the toolkit's own: ANSIBLE=~/.virtualenvs/project/bin/ansible-playbook
ANSIBLE ?=

#@ Settings of install
#: Where the root of the file system is taken to be: DESTDIR=/tmp/root
DESTDIR ?=

# A value as one word of the shell, whatever is in it; an option that is left out when its value is empty.
quote = '$(subst ','\'',$(1))'
option = $(if $(2),$(1) $(call quote,$(2)))
silent_0 := @
silent_1 := @
silent_2 :=
verb = $(silent_$(V))$(PYTHON3) $(call quote,$(toolkit)/scripts/$(1).py) $(common_options)

common_options = --project $(call quote,$(project)) --namespace $(call quote,$(NAMESPACE)) --verbosity $(call quote,$(V)) \
	$(call option,--packages,$(PACKAGES)) $(call option,--services,$(SERVICES))
resolving_options = --resolver $(call quote,$(RESOLVER)) --platforms $(call quote,$(PLATFORMS)) \
	$(call option,--exclude-newer,$(EXCLUDE_NEWER)) \
	$(call option,--index-url,$(INDEX_URL)) $(call option,--extra-index-url,$(EXTRA_INDEX_URL)) $(store_options)
vendor_options = $(resolving_options) $(call option,--upgrade,$(UPGRADE)) $(dry_run)
store_options = $(call option,--jobs,$(JOBS)) \
	$(if $(filter default,$(WHEEL_STORE)),,--wheel-store $(call quote,$(WHEEL_STORE)))
build_options = $(store_options) $(call option,--python,$(PYTHON))
chroot_options = $(call option,--mirror,$(MIRROR)) --max-age $(call quote,$(CHROOT_MAX_AGE))
stand_options = --stand $(call quote,$(STAND)) $(call option,--host,$(HOST))
stand_made_options = $(stand_options) --mode $(call quote,$(STAND_MODE)) $(call option,--suite,$(STAND_SUITE)) \
	$(call option,--port,$(STAND_PORT)) $(call option,--ansible,$(ANSIBLE)) $(chroot_options)
compression = $(call option,--compression,$(DEB_COMPRESSION))
dry_run = $(if $(DRY_RUN),--dry-run)

#@ Targets
#: requirements.txt and vendor.txt -> vendor/: the source of every dependency and of all that builds it, locked by hash
.PHONY: common-vendor
common-vendor:
	$(call verb,vendor) $(vendor_options)

#: Compare vendor/ with its lock, and the lock with the files it was made from; needs no network
.PHONY: common-check-vendor
common-check-vendor:
	$(call verb,check_vendor)

#: Commit vendor/, then its revision in the project, with a message that lists what was added, removed and upgraded
.PHONY: common-commit-vendor
common-commit-vendor:
	$(call verb,commit_vendor) $(dry_run)

#: Shorten the history of the vendor repository; what branches and tags of the project record stays
.PHONY: common-trim-vendor
common-trim-vendor:
	$(call verb,trim_vendor) --keep $(call quote,$(KEEP)) $(if $(filter 1,$(YES)),--yes)

#: vendor/ -> wheels, from source and without a network (the default target)
.PHONY: common-build
common-build:
	$(call verb,build) $(build_options)

#: Install every service with its virtual environment below DESTDIR
.PHONY: common-install
common-install:
	$(call verb,install) $(build_options) --destdir $(call quote,$(DESTDIR))

#: Build the Debian packages into dist/
.PHONY: common-deb
common-deb:
	$(call verb,deb) $(build_options) $(compression) $(dry_run)

#: Build the Debian packages into dist/<suite>/, in a clean chroot for each suite
.PHONY: common-sbuild
common-sbuild:
	$(call verb,sbuild) $(call option,--jobs,$(JOBS)) $(call option,--suites,$(SUITES)) \
		--version-suffix=$(call quote,$(VERSION_SUFFIX)) $(compression) $(chroot_options)

#: Make the chroot of a suite, with all that builds the project; sbuild does so where there is none
.PHONY: common-chroot
common-chroot:
	$(call verb,chroot) $(call option,--suite,$(SUITE)) $(chroot_options)

#: Make a Vagrant box of a suite for libvirt, of Debian packages alone, into the cache; a stand of that suite is made of it
.PHONY: common-box
common-box:
	$(call verb,box) $(call option,--suite,$(SUITE)) $(call option,--mirror,$(MIRROR))

#: Build the Debian packages twice, the second time as if on another machine, and compare them byte for byte
.PHONY: common-reproducible
common-reproducible:
	$(call verb,reproducible) $(call option,--jobs,$(JOBS)) $(call option,--python,$(PYTHON)) $(compression)

#: Check what was built: lintian; install, upgrade, remove and purge in a clean system; the tests of debian/tests there
.PHONY: common-check-deb
common-check-deb:
	$(call verb,check_deb) $(call option,--suites,$(SUITES)) $(call option,--upgrade-from,$(UPGRADE_FROM)) $(chroot_options)

#: Run the tests of the services, offline, with what vendor/ holds
.PHONY: common-test
common-test:
	$(call verb,run_tests) $(build_options)

#: Run the linters of the services (those they name or configure: ruff, flake8, pylint, mypy), offline
.PHONY: common-lint
common-lint:
	$(call verb,lint) $(build_options)

#: Write the bill of materials (CycloneDX) of every service to dist/
.PHONY: common-sbom
common-sbom:
	$(call verb,sbom) $(build_options)

#: Say what has newer releases: those that the requirements allow, and the newest there are; changes nothing
.PHONY: common-outdated
common-outdated:
	$(call verb,outdated) $(resolving_options) $(if $(JSON),--json) $(if $(STRICT),--strict)

#: Say why a distribution is there: every chain of requirements that brings it in (`make why flask`); needs no network
.PHONY: common-why
common-why:
	$(call verb,why) --chains $(call quote,$(CHAINS)) -- $(call quote,$(NAME))

#: Draw the dependencies of each service, and what builds them, in dist/<service>.svg; needs no network
.PHONY: common-graph
common-graph:
	$(call verb,graph)

#: Run the whole project in a stand: a machine with all services in one tmux session, made where there is none
.PHONY: common-stand
common-stand:
	$(call verb,stand) up $(stand_made_options)

#: Enter the stand
.PHONY: common-stand-ssh
common-stand-ssh:
	$(call verb,stand) ssh $(stand_options)

#: Enter the stand and attach to the tmux session of its services
.PHONY: common-stand-tmux
common-stand-tmux:
	$(call verb,stand) tmux $(stand_options)

#: Make a stand, see that every service answers and that provisioning it again changes nothing, and end it
.PHONY: common-stand-test
common-stand-test:
	$(call verb,stand) test $(stand_made_options)

#: End the stand and remove all that belongs to it
.PHONY: common-stand-destroy
common-stand-destroy:
	$(call verb,stand) destroy $(stand_options)

#: Remove build/ and dist/
.PHONY: common-clean
common-clean:
	$(call verb,clean)

#: Print the packages found, every setting and the version of every tool
.PHONY: common-info
common-info:
	$(call verb,info) $(foreach name,$(settings),--setting $(call quote,$(name)=$($(name))))

#: Install the Debian packages that the toolkit needs and this machine lacks
.PHONY: common-setup
common-setup:
	$(call verb,system_packages)

#: Print what makes bash complete targets, settings and values: source it in ~/.bashrc
.PHONY: common-completion
common-completion:
	@cat $(call quote,$(toolkit)/scripts/completion.bash)

#: Print this text
.PHONY: common-help
common-help:
	@colour=; test ! -t 1 || test -n "$${NO_COLOR-}" || colour=1; \
	awk -v colour="$$colour" -f $(call quote,$(toolkit)/scripts/help.awk) $(MAKEFILE_LIST)

settings = $(shell sed -n 's/^\([A-Z0-9_]*\) ?=.*/\1/p' $(MAKEFILE_LIST))

# Targets that only the toolkit's own checkout has.
ifeq ($(project),$(toolkit))
include $(dir $(firstword $(MAKEFILE_LIST)))scripts/toolkit.mk
endif

# A setting on the command line that nothing reads is an error or a warning; without settings no process is started.
if_defined = $(if $(filter undefined,$(origin $(1))),,$($(1)))
given := $(foreach word,$(subst \ ,_,$(call if_defined,MAKEOVERRIDES)),$(firstword $(subst =, ,$(word))))
goals := $(or $(call if_defined,MAKECMDGOALS),$(.DEFAULT_GOAL))
problem := $(if $(filter-out V,$(given)),$(shell $(PYTHON3) $(call quote,$(toolkit)/scripts/check_variables.py) \
	--makefiles $(MAKEFILE_LIST) --goals $(goals) --given $(given)))
$(if $(problem),$(error $(problem)))

# `make why flask`: what follows `why` and is no target is a name, in this run alone.
ifeq ($(firstword $(goals)),why)
names := $(filter-out common-% $(shell sed -n 's/^\(common-\)\{0,1\}\([a-z][a-z0-9-]*\):.*/\2/p' $(MAKEFILE_LIST)),$(goals))
ifneq ($(names),)
override NAME := $(if $(filter command,$(origin NAME)),$(NAME)) $(names)
.PHONY: $(names)
$(names): ; @:
endif
endif

# A project adds to a target with `test: common-test my-test`, and replaces one by a rule with a recipe of its own; one
# that it leaves alone is made here.
%: common-% ;
# Otherwise make would look for a `common-Makefile` to remake these from.
$(MAKEFILE_LIST): ;
