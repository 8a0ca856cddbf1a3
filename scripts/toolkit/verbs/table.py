"""The table of the verbs: what each is for, and the function that runs it, whose module is loaded only then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb.

    `function` is `module:function`, in this room. Where that module has a `function_options`, it adds the verb's own
    options to a parser. `exclusive` verbs change vendor/ or its history, one at a time in a project; what `packaged`
    verbs make has the same modes whoever runs them.
    """

    function: str
    help: str
    exclusive: bool = False
    packaged: bool = False


VERBS = {
    "vendor": Verb(
        function="vendor:vendor",
        help="Fill vendor/ from requirements.txt and vendor.txt: every sdist, and all that builds it, locked by hash.",
        exclusive=True,
    ),
    "add": Verb(
        function="requirements:add",
        help="Add requirements to the file that they belong to, to vendor/ and to the development environment.",
        exclusive=True,
    ),
    "remove": Verb(
        function="requirements:remove",
        help="Remove requirements from their file, from vendor/ and from the development environment.",
        exclusive=True,
    ),
    "check-vendor": Verb(
        function="vendor_files:check_vendor",
        help="Check that vendor/ holds what its locks list, and that what these were made from is the same.",
    ),
    "commit-vendor": Verb(
        function="vendor_files:commit_vendor",
        help="Commit vendor/, and its revision in the project, with a message that lists what changed.",
        exclusive=True,
    ),
    "trim-vendor": Verb(
        function="vendor_files:trim_vendor",
        help="Shorten the history of the vendor repository; what branches and tags of the project record stays.",
        exclusive=True,
    ),
    "outdated": Verb(
        function="vendor:outdated",
        help="List what has newer releases: those that the requirements allow, and the newest; changes nothing.",
    ),
    "build": Verb(
        function="building:build",
        help="Build wheels of all that the locks name and of the project's own packages, without a network.",
    ),
    "install": Verb(
        function="building:install",
        help="Install every service, each with a virtual environment, below a directory that stands for the root.",
        packaged=True,
    ),
    "load": Verb(
        function="building:load",
        help="Load once what the trees of the binary packages hold: our dh_builddeb runs it before it packs them.",
    ),
    "test": Verb(function="testing:test", help="Run the tests of every service with what vendor/ holds."),
    "lint": Verb(
        function="testing:lint",
        help="Run the linters that each service names or configures; without any, check the syntax.",
    ),
    "sbom": Verb(
        function="building:sbom",
        help="Write the bill of materials (CycloneDX) of each service to dist/, those of suites to dist/<suite>/.",
    ),
    "deb": Verb(
        function="packages:deb",
        help="Build the Debian packages, source and binary, into dist/, from vendor/ and without a network.",
        packaged=True,
    ),
    "sbuild": Verb(
        function="packages:sbuild",
        help="Build the Debian packages in clean chroots, for one suite or several, into dist/<suite>/.",
        packaged=True,
    ),
    "chroot": Verb(
        function="chroots:chroot",
        help="Make the chroot of a suite, with what builds the project; a fresh one is left alone.",
    ),
    "reproducible": Verb(
        function="packages:reproducible",
        help="Build the Debian packages twice, with all different that must not matter, and compare them byte by byte.",
        packaged=True,
    ),
    "check-deb": Verb(
        function="packages:check_deb",
        help="Check Debian packages: lintian; install, upgrade, remove and purge in a clean system; their own tests.",
    ),
    "why": Verb(function="explaining:why", help="Print every chain of requirements that brings a distribution in."),
    "tree": Verb(
        function="explaining:tree", help="Print the dependencies of each service, or of one distribution, as a tree."
    ),
    "graph": Verb(
        function="explaining:graph",
        help="Draw the dependencies of each service, and what builds them, as an SVG picture in dist/.",
    ),
    "info": Verb(
        function="explaining:info",
        help="Print what was found in the project, every setting and the version of every tool.",
    ),
    "stand": Verb(
        function="stands:stand", help="Run the project in a stand: make it where there is none, provision it."
    ),
    "stand-ssh": Verb(function="stands:stand_ssh", help="Enter the stand."),
    "stand-tmux": Verb(function="stands:stand_tmux", help="Enter the stand, in the tmux session of its services."),
    "stand-test": Verb(function="stands:stand_test", help="Make a stand, test it, and end it."),
    "stand-destroy": Verb(function="stands:stand_destroy", help="End the stand and remove all that belongs to it."),
    "stand-variables": Verb(
        function="stand_settings:stand_variables",
        help="Print what Ansible gets to know of the project and its developer, as JSON: `ansible-playbook -e @file`.",
    ),
    "vagrant-settings": Verb(
        function="stand_settings:vagrant_settings", help="Print what stand/Vagrantfile asks for, as JSON."
    ),
    "boot-machine": Verb(
        function="packages:boot_machine", help="Boot a machine that runs a program and ends, as root."
    ),
    "boot-container": Verb(function="stands:boot_container", help="Boot the container of a stand, as root."),
    "end-container": Verb(function="stands:end_container", help="End the container of a stand, as root."),
    "box": Verb(function="stands:box", help="Make a Vagrant box of a suite for libvirt, of Debian packages alone."),
    "ipv6-nat-network": Verb(
        function="ipv6_nat_network:create",
        help="Make the network that stands reach IPv6 through: NAT, with a default route advertised. Once is enough.",
    ),
    "advertise-ipv6-route": Verb(
        function="ipv6_nat_network:advertise",
        help="Make a NAT network of VirtualBox the default IPv6 router of its machines, while none of them runs.",
    ),
    "clean": Verb(function="setup:clean", help="Remove what other verbs made in the project: build/ and dist/."),
    "setup": Verb(
        function="setup:setup",
        help="Install the Debian packages that this machine lacks, and prepare users for clean chroots.",
    ),
    "unread-settings": Verb(
        function="unread_settings:report",
        help="Find settings on make's command line that nothing reads, or that the given targets do not read.",
    ),
    "unknown-target": Verb(
        function="unread_settings:unknown_target", help="Say that a target is none, and which was meant."
    ),
    "create-virtual-environment": Verb(
        function="develop:create",
        help="Make a virtual environment to develop the project in, or bring the one that is there to the lock.",
    ),
    "new-project": Verb(
        function="scaffolding:new_project",
        help="Make a project with the toolkit in common/, vendor/ and a service; or what is missing of one.",
    ),
    "adopt": Verb(
        function="scaffolding:adopt",
        help="Make a project of a repository that exists: find its programs, write what is missing, touch nothing.",
    ),
    "new-service": Verb(
        function="scaffolding:add_service",
        help="Write a service into a project, with its package in debian/; what is there stays as it is.",
    ),
    "example": Verb(
        function="scaffolding:example",
        help="Make a service project with this toolkit as its submodule, vendor and build its Debian package.",
    ),
    "toolkit-tests": Verb(
        function="toolkit_tests:run",
        help="Run the toolkit's own tests: tox on every interpreter there is, then end to end.",
    ),
}
