#!/usr/bin/env python3
"""Run a verb of the toolkit: verb.py VERB [OPTIONS]; --help lists them."""

import sys

from toolkit.core import console
from toolkit.verbs import command_line

if __name__ == "__main__":
    sys.exit(console.run_main(lambda: command_line.main(sys.argv[1:])))
