#!/usr/bin/env python3
"""Make a NAT network of VirtualBox the default IPv6 router of its machines, while none of them runs."""

import os
import sys
from pathlib import Path

verb = Path(__file__).resolve().parents[2] / "scripts" / "verb.py"
os.execv(sys.executable, [sys.executable, str(verb), "advertise-ipv6-route", *sys.argv[1:]])
