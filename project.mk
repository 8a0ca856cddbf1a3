toolkit := $(subst /project.mk,,$(realpath $(lastword $(MAKEFILE_LIST))))
first := $(abspath $(dir $(firstword $(MAKEFILE_LIST))))
# `make --file common/project.mk` is for the directory that it is run in.
project := $(if $(subst $(toolkit),,$(first)),$(first),$(CURDIR))
# What a service project links to: `ln -s common/project.mk Makefile`, or `include common/project.mk` in a Makefile of
# its own. Variables, targets and their wiring; the work is done by scripts/. `make help` is made from the comments here:
# `#@` heads a section, `#:` explains the verb, the target or the setting below it. Who reads a setting follows from the
# `reads_VERB` that name it; its default stands here alone, and verbs that are called without make read it from here.
# It is one file, though a long one, as MAKEFILE_LIST is a list of words: a second file would have to be named by a
# path, and the toolkit's may have spaces in it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.SUFFIXES:
# `make -j vendor deb` must not start the second before the first is done; each verb uses all the cores by itself.
.NOTPARALLEL:
.DEFAULT_GOAL := $(or $(.DEFAULT_GOAL),build)

space := $(subst ,, )
# What a makefile sets by `NAME ?= value`.
defaulted = $(patsubst %?=,%,$(filter %?=,$(subst $(space)?=,?=,$(file <$(1)))))
# In the environment a setting is called PYTHON_COMMON_<NAME>, as names like NAME, HOST and V are exported for other
# reasons. These are taken as they are: URLs that may hold a password, which no command line should, and what
# DESTDIR is to every makefile. So is what a project's own makefile, before it includes this one, sets by `?=`.
bare := INDEX_URL EXTRA_INDEX_URL DESTDIR
own := $(if $(word 2,$(MAKEFILE_LIST)),$(call defaulted,$(firstword $(MAKEFILE_LIST))))
ignored :=
define from_environment =
ifeq ($$(origin $(1))$$(filter $(1),$(bare) $(own)),environment)
ignored += $(1)
undefine $(1)
endif
ifeq ($$(origin PYTHON_COMMON_$(1))$$(filter-out undefined environment $$(if $$(filter $(1),$(own)),file),$$(origin $(1))),environment)
$(1) = $$(value PYTHON_COMMON_$(1))
endif
endef
$(foreach name,$(call defaulted,$(toolkit)/project.mk),$(eval $(call from_environment,$(name))))

#@ Settings
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

#: What chooses the versions: uv or pip-tools
RESOLVER ?= uv
#: Leave out what was published later: EXCLUDE_NEWER=2026-11-01, or younger than a week: EXCLUDE_NEWER=7d
EXCLUDE_NEWER ?=
#: The package index, instead of the one pip is configured with: INDEX_URL=https://index.example/simple
INDEX_URL ?=
#: Further indexes, beside those pip is configured with: EXTRA_INDEX_URL="https://one.example/simple https://two.example/simple"
EXTRA_INDEX_URL ?=
#: Of several indexes, the one that a distribution is taken from: first-index that has it, or best-match among all of them
INDEX_STRATEGY ?= first-index
#: The systems to lock for, as sys.platform names them: PLATFORMS="linux darwin"
PLATFORMS ?= linux

#: Locked versions that may move: UPGRADE=all, or names: UPGRADE="flask jinja2"
UPGRADE ?=

#: Of several services the one to test or lint (empty: all), or the package whose requirements change: SERVICE=api
SERVICE ?=
#: Of what only developers need, in dev-requirements.txt: DEV=1
DEV ?=
#: A lock of another tool (uv.lock, poetry.lock, pylock.toml), whose versions are taken where they fit: FROM=uv.lock
FROM ?=

#: Add the Debian packages that builds need to Build-Depends in debian/control: APT=1
APT ?=
#: Build all wheels before vendor/ is changed, and tell all that do not build: TRIAL=1
TRIAL ?=
#: Compare the locks with the indexes that their files came from, too: ONLINE=1
ONLINE ?=
#: Say what would be done, and do nothing: DRY_RUN=1
DRY_RUN ?=

#: How many of the newest revisions of each branch of the vendor repository to keep: KEEP=1
KEEP ?= 10
#: Do it, instead of showing what it would do: YES=1
YES ?=

#: How many things to build at once (empty: as many as there are cores): JOBS=4
JOBS ?=

#: What may lack an extension that did not compile, with a warning: optional (all), required (nothing, as in make sbuild), or names
EXTENSIONS ?=

#: Where built wheels are kept, so that nothing is built twice: a directory, or empty for nowhere
WHEEL_STORE ?= default

#: Foreign code (builds, hooks, tests) runs in a sandbox or not at all: on, required (in a build chroot too), or off
SANDBOX ?= on
#: The longest that one build, hook or test run takes, in seconds: SANDBOX_TIME=28800
SANDBOX_TIME ?= 14400
#: The most memory that it has: SANDBOX_MEMORY=16G
SANDBOX_MEMORY ?= 8G
#: The most that it writes to the disk: SANDBOX_DISK=64G
SANDBOX_DISK ?= 16G
#: The most processes that it has at one time: SANDBOX_PROCESSES=4096
SANDBOX_PROCESSES ?= 1024
#: The most that it prints: SANDBOX_OUTPUT=4G
SANDBOX_OUTPUT ?= 1G

#: The interpreter to build for, instead of the one .python-version asks for: PYTHON=/usr/bin/python3.11
PYTHON ?=

#: How packages are compressed (empty: deb is fast with zstd:1, sbuild small with xz:9): DEB_COMPRESSION=zstd:19
DEB_COMPRESSION ?=

#: The suites to build for (empty: that of this machine; vendor compares their Rust), or whose packages to check, to build again, or to take a bill from (empty: what make deb builds): SUITES="bookworm trixie"
SUITES ?=

#: A directory for what test and check-deb report to CI systems: JUnit, and Cobertura where tests require pytest-cov: REPORTS=build/reports
REPORTS ?=

#: A directory with packages of an older version, to upgrade from: UPGRADE_FROM=/srv/released
UPGRADE_FROM ?=

#: Whether check-deb starts units in a machine that boots, which takes root: auto (where it can be), required, or no
BOOT ?= auto

#: What versions end with, so that each suite has its own: VERSION_SUFFIX=+deb{release}u1 makes 1.2.3+deb12u1
VERSION_SUFFIX ?= ~{suite}1

#: The suite to make a chroot or a box of (empty: that of this machine): SUITE=trixie
SUITE ?=

#: Where chroots and boxes get their packages, instead of where this machine does: MIRROR=http://mirror.example/debian
MIRROR ?=

#: After how many days a chroot is made again; 0 makes it now: CHROOT_MAX_AGE=30
CHROOT_MAX_AGE ?= 7

#: Print JSON for other programs, and nothing else: JSON=1
JSON ?=
#: End with status 1 where anything has newer releases: STRICT=1
STRICT ?=

#: Distributions, or for add requirements: NAME="httpx flask[async]>=3" (names alone may follow the target, too: `make why flask`)
NAME ?=
#: How many chains to print; where there are more, one for each that needs it directly: CHAINS=100, or all
CHAINS ?= 20
#: The tree of who needs NAME, instead of what it needs: INVERT=1
INVERT ?=
#: How to print the tree: text, dot (Graphviz), mermaid or json: FORMAT=json
FORMAT ?= text

#: What runs the project: container (systemd-nspawn), remote (a host that ssh knows), vagrant, lima, or local (this machine, as in a devcontainer): STAND=remote
STAND ?= container
#: The host of a remote stand: HOST=user@host.example
HOST ?=

#: How services run in a stand: tmux (from the sources), or deb (the packages of make deb, as units): STAND_MODE=deb
STAND_MODE ?= tmux
#: The suite of a stand (empty: that of this machine): STAND_SUITE=trixie
STAND_SUITE ?=
#: The port of this machine on which a container lets in by ssh (empty: a free one): STAND_PORT=2222
STAND_PORT ?=
#: An ansible-playbook instead of the toolkit's own: ANSIBLE=~/.virtualenvs/project/bin/ansible-playbook
ANSIBLE ?=

#: Where the root of the file system is taken to be: DESTDIR=/tmp/root
DESTDIR ?=

define newline


endef
# A value as one word of the shell, whatever is in it.
quote = '$(subst ','\'',$(1))'
quoted = $(foreach word,$(1),$(call quote,$(word)))
silent = $(if $(filter 2,$(V)),,@)
# Settings as `NAME=value`. An empty one is left out, but for those in which empty is another value than the default.
passed = $(foreach name,$(1),$(if $(call literal,$(name))$(filter VERSION_SUFFIX WHEEL_STORE DESTDIR,$(name)),$(name)=$(call quote,$(call literal,$(name)))))
# What was given on a command line is no makefile: debhelper's DESTDIR is a path, which may have a `$` in it.
literal = $(if $(filter command line,$(origin $(1))),$(value $(1)),$($(1)))
verb = $(silent)$(PYTHON3) $(call quote,$(toolkit)/scripts/verb.py) $(1) --project $(call quote,$(project)) \
	$(call passed,$(reads_every_verb))
# What may have a password in it is on no command line, which everybody on this machine can see.
export INDEX_URL EXTRA_INDEX_URL

# What several verbs read.
reads_every_verb = NAMESPACE PACKAGES SERVICES V
sandbox = SANDBOX SANDBOX_TIME SANDBOX_MEMORY SANDBOX_DISK SANDBOX_PROCESSES SANDBOX_OUTPUT
resolving = RESOLVER EXCLUDE_NEWER INDEX_URL EXTRA_INDEX_URL INDEX_STRATEGY PLATFORMS JOBS WHEEL_STORE $(sandbox)
building = JOBS WHEEL_STORE PYTHON EXTENSIONS $(sandbox)
entering_stand = STAND HOST
making_stand = $(entering_stand) STAND_MODE STAND_SUITE STAND_PORT ANSIBLE MIRROR CHROOT_MAX_AGE

#@ Targets
#: requirements.txt and vendor.txt -> vendor/: the source of every dependency and of all that builds it, locked by hash
reads_vendor = $(resolving) UPGRADE FROM DRY_RUN APT TRIAL SUITES
#: Add requirements (NAME="httpx>=0.27") to the file that they belong to; bring vendor/ and the development environment up to date
reads_add = NAME SERVICE DEV $(resolving) DRY_RUN APT SUITES
#: Remove the lines of requirements (NAME=httpx), and what only they needed from vendor/ and the development environment
reads_remove = NAME SERVICE DEV $(resolving) DRY_RUN APT SUITES
#: Compare vendor/ with its lock, and the lock with the files it was made from; without ONLINE=1 it needs no network
reads_check-vendor = ONLINE INDEX_URL EXTRA_INDEX_URL INDEX_STRATEGY
#: Commit vendor/, then its revision in the project with the requirements it was made from; the message lists what changed
reads_commit-vendor = DRY_RUN
#: Shorten the history of the vendor repository; what branches and tags of the project record stays
reads_trim-vendor = KEEP YES
#: vendor/ -> wheels, from source and without a network (the default target)
reads_build = $(building)
#: Install every service with its virtual environment below DESTDIR
reads_install = $(building) DESTDIR
#: Build the Debian packages into dist/
reads_deb = $(building) DEB_COMPRESSION DRY_RUN
#: Build the Debian packages into dist/<suite>/, in a clean chroot for each suite
reads_sbuild = JOBS EXTENSIONS DEB_COMPRESSION SUITES VERSION_SUFFIX MIRROR CHROOT_MAX_AGE
#: Make the chroot of a suite, with all that builds the project; sbuild does so where there is none
reads_chroot = SUITE MIRROR CHROOT_MAX_AGE
#: Make a Vagrant box of a suite for libvirt, of Debian packages alone, into the cache; a stand of that suite is made of it
reads_box = SUITE MIRROR
#: Build the Debian packages twice, the second time as if on another machine, or with SUITES those of make sbuild again; compare them byte for byte
reads_reproducible = JOBS PYTHON DEB_COMPRESSION SUITES MIRROR CHROOT_MAX_AGE $(sandbox)
#: Check what was built: lintian; install, upgrade, remove and purge in a clean system; the tests of debian/tests there
reads_check-deb = SUITES UPGRADE_FROM BOOT REPORTS MIRROR CHROOT_MAX_AGE
#: Run the tests of the services, offline, with what vendor/ holds
reads_test = $(building) SERVICE REPORTS
#: Run the linters of the services (those they name or configure: ruff, flake8, pylint, mypy), offline
reads_lint = $(building) SERVICE
#: Write the bill of materials (CycloneDX) of every service to dist/; with SUITES, that of its package to dist/<suite>/
reads_sbom = $(building) SUITES
#: Say what has newer releases: those that the requirements allow, and the newest there are; changes nothing
reads_outdated = $(resolving) JSON STRICT
#: Say why a distribution is there: every chain of requirements that brings it in (`make why flask`); needs no network
reads_why = NAME CHAINS
#: Print the dependencies of each service, or of NAME alone, as a tree; builds apart; needs no network (`make tree flask`)
reads_tree = NAME INVERT FORMAT
#: Draw the dependencies of each service, and what builds them, in dist/<service>.svg; needs no network
reads_graph =
#: Run the whole project in a stand: a machine with all services in one tmux session, made where there is none
reads_stand = $(making_stand)
#: Enter the stand
reads_stand-ssh = $(entering_stand)
#: Enter the stand and attach to the tmux session of its services
reads_stand-tmux = $(entering_stand)
#: Make a stand, see that every service answers and that provisioning it again changes nothing, and end it
reads_stand-test = $(making_stand)
#: End the stand and remove all that belongs to it
reads_stand-destroy = $(entering_stand)
#: Remove build/ and dist/
reads_clean =

#: Print the packages found, every setting and the version of every tool
.PHONY: common-info
common-info: export SETTINGS_TO_SHOW = $(foreach name,$(settings),$(name)=$($(name))$(newline))
common-info:
	$(call verb,info) $(call passed,$(sandbox))
#: Install the Debian packages that the toolkit needs and this machine lacks
reads_setup =

verbs = $(patsubst reads_%,%,$(filter-out reads_every_verb,$(filter reads_%,$(.VARIABLES))))
.PHONY: $(verbs:%=common-%)
$(verbs:%=common-%): common-%:
	$(call verb,$*) $(call passed,$(filter-out INDEX_URL EXTRA_INDEX_URL,$(reads_$*)))

#: Print what makes bash complete targets, settings and values: source it in ~/.bashrc
.PHONY: common-completion
common-completion:
	@cat $(call quote,$(toolkit)/scripts/completion.bash)
#: Print what makes zsh do so: source <(make -s completion-zsh), after compinit
.PHONY: common-completion-zsh
common-completion-zsh:
	@printf 'source %q\n' $(call quote,$(toolkit)/scripts/completion.zsh)
#: Print what makes fish do so: make -s completion-fish | source
.PHONY: common-completion-fish
common-completion-fish:
	@printf 'source %q\n' $(call quote,$(toolkit)/scripts/completion.fish)

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

# What follows `why`, and other verbs on distributions, is a name, in this run alone: `make why flask`. Elsewhere it may be
# a target that only a later makefile has.
if_defined = $(if $(filter undefined,$(origin $(1))),,$($(1)))
goals := $(or $(call if_defined,MAKECMDGOALS),$(.DEFAULT_GOAL))
targets = $(sort $(patsubst common-%,%,$(verbs) $(shell sed -n 's/^\(common-\)\{0,1\}\([a-z][a-z0-9-]*\):.*/\2/p' $(MAKEFILE_LIST))))
unknown := $(patsubst common-%,%,$(filter-out $(verbs) $(verbs:%=common-%),$(goals)))
unknown := $(if $(unknown),$(filter-out $(targets),$(unknown)))
ifneq ($(filter add remove tree why,$(firstword $(goals:common-%=%))),)
names := $(unknown)
unknown :=
ifneq ($(names),)
override NAME := $(if $(filter command,$(origin NAME)),$(NAME)) $(names)
.PHONY: $(names)
$(names): ; @:
endif
endif

# A setting on the command line that nothing reads is an error or a warning; without settings no process is started.
given := $(foreach word,$(subst \ ,_,$(call if_defined,MAKEOVERRIDES)),$(firstword $(subst =, ,$(word))))
# A word alone in the environment is somebody else's.
ignored := $(foreach name,$(ignored),$(if $(findstring _,$(name)),$(name)))
problem := $(if $(filter-out V,$(given))$(ignored),$(shell $(PYTHON3) $(call quote,$(toolkit)/scripts/verb.py) unread-settings \
	$(foreach verb,$(verbs),--reads $(call quote,$(verb): $(reads_$(verb)))) --makefiles $(MAKEFILE_LIST) --goals $(call quoted,$(goals)) \
	$(addprefix --given=,$(call quoted,$(given))) $(addprefix --ignored ,$(ignored))))
$(if $(problem),$(error $(problem)))

# A project adds to a target with `test: common-test my-test`, and replaces one by a rule with a recipe of its own; one
# that it leaves alone is made here.
%: common-% ;
# Otherwise make would look for a `common-Makefile` to remake these from.
$(MAKEFILE_LIST): ;
# What no makefile has a rule for. Not always there: make would take it for files that are included where they exist, too,
# and debhelper asks by `make -n` whether there is a target.
ifneq ($(if $(findstring n,$(firstword -$(MAKEFLAGS))),,$(unknown)),)
.DEFAULT:
	$(if $(filter $(@:common-%=%),$(unknown)),@$(PYTHON3) $(call quote,$(toolkit)/scripts/verb.py) unknown-target $(call quote,$(@:common-%=%)) --targets $(targets),\
		@echo "No rule to make target '$@'." >&2; false)
endif
