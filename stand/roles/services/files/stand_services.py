#!/usr/bin/python3
"""Start, restart and watch the services of a stand: windows of one tmux session, or units of systemd.

Runs inside the stand, on whatever Python 3 it has, with nothing but the standard library.
"""

from __future__ import annotations

import argparse
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stand_managers import Service, ServiceError, State, Units, Windows
from stand_sockets import answer, listening

CONFIGURATION = Path("/etc/stand-services.json")
#: A service that listens nowhere is taken for up when it has lived for so many seconds.
SETTLED = 3.0


def describe(service: Service, state: State) -> dict[str, Any]:
    """Return what is known of a service: name, whether it runs, and the addresses it listens on with their answers."""
    found = listening(state.pid) if state.pid else []
    addresses = {
        (f"[{address}]" if ":" in address else address) + f":{port}": answer(address, port) for address, port in found
    }
    return {"name": service.name, "running": bool(state.pid), "ended": state.ended, "listens": addresses}


def is_up(service: Service, state: State) -> bool:
    """Tell whether a running service is ready for work."""
    if service.check:
        done = subprocess.run(["/bin/sh", "-c", service.check], check=False, capture_output=True, timeout=30)
        return done.returncode == 0
    return bool(listening(state.pid)) or state.age > SETTLED


def wait(manager: Windows | Units, services: Sequence[Service], seconds: float) -> None:
    """Wait until all services are up. Raises `ServiceError`, with the last lines of those that are not."""
    deadline = time.monotonic() + seconds
    waiting, failures = list(services), []
    while waiting:
        for service in tuple(waiting):
            state = manager.state(service)
            if state.pid and is_up(service, state):
                waiting.remove(service)
            elif not state.pid or time.monotonic() > deadline:
                waiting.remove(service)
                reason = state.ended or f"is not up after {seconds:.0f} s"
                failures.append(f"{manager.log(service)}\nthe service {service.name} {reason}; see its last lines")
        time.sleep(0.2)
    if failures:
        raise ServiceError("\n\n".join(failures))


def text(described: dict[str, Any]) -> str:
    """Return a line about a service."""
    addresses = [f"{address} ({kind})" if kind else address for address, kind in described["listens"].items()]
    listens = f", listens on {', '.join(addresses)}" if addresses else ""
    return f"{described['name']}: {'running' if described['running'] else described['ended']}{listens}"


def read(path: Path = CONFIGURATION) -> tuple[str, str, list[Service]]:
    """Return who runs the services (`root`: units), the directory of the project, and the services."""
    written = json.loads(path.read_text(encoding="utf-8"))
    services = [
        Service(
            name=item["name"],
            directory=os.path.normpath(os.path.join(written["project"], item["directory"])),
            environment=os.path.join(written["environments"], item["name"]),
            script=item["script"],
            unit=item["unit"],
            check=written["checks"].get(item["name"], ""),
            made_of=item["lock"],
        )
        for item in written["services"]
        if item["name"] not in written["left_out"]
    ]
    return "root" if written["mode"] == "deb" else written["user"], written["project"], services


def become(user: str) -> None:
    """Start this program again as another user, unless this is the one."""
    if pwd.getpwuid(os.geteuid()).pw_name != user:
        os.execvp("sudo", ["sudo", "-n", "-H", "-u", user, sys.executable, *sys.argv])


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="stand-services", description="Start, restart and watch services.")
    verbs = parser.add_subparsers(dest="verb", metavar="COMMAND", required=True)
    status = verbs.add_parser("status", help="say how every service fares, and where it listens")
    status.add_argument("--json", action="store_true", help="for programs")
    verbs.add_parser("start", help="start what is not there, or not as it should be")
    waiting = verbs.add_parser("wait", help="wait until all services are up")
    waiting.add_argument("--seconds", type=float, default=60, help="for how long at most (default: 60)")
    for name, text in (
        ("restart", "start services again in place (default: all)"),
        ("log", "show the last lines that services wrote (default: all)"),
    ):
        verbs.add_parser(name, help=text).add_argument("names", nargs="*", metavar="NAME")
    return parser


def chosen(services: Sequence[Service], names: Sequence[str]) -> list[Service]:
    """Return the services of these names, all for none. Raises `ServiceError` for a name that there is not."""
    known = {service.name: service for service in services}
    for name in names:
        if name not in known:
            raise ServiceError(f"{name}: no such service; there is: {', '.join(known) or 'none'}")
    return [known[name] for name in names] or list(services)


def obey(arguments: argparse.Namespace, manager: Windows | Units, services: Sequence[Service], project: str) -> int:
    """Do what the command line says."""
    if arguments.verb == "status":
        described = [describe(service, manager.state(service)) for service in services]
        print(json.dumps(described) if arguments.json else "\n".join(map(text, described)))
        return 0 if all(item["running"] for item in described) else 1
    if arguments.verb == "start":
        for name in manager.prepare(services, project):
            print(f"{name}: taken away")
        for service in services:
            if manager.start(service):
                print(f"{service.name}: started")
    elif arguments.verb == "wait":
        wait(manager, services, arguments.seconds)
    for service in chosen(services, arguments.names) if arguments.verb in ("restart", "log") else ():
        if arguments.verb == "restart":
            manager.restart(service)
        else:
            print(manager.log(service))
    return 0


def main(argv: Sequence[str]) -> int:
    """Run the command; 1 when it fails."""
    arguments = build_parser().parse_args(argv)
    try:
        user, project, services = read()
        become(user)
        return obey(arguments, Units() if user == "root" else Windows(), services, project)
    except ServiceError as failure:
        print(failure, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
