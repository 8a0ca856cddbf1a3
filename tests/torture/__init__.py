"""An attack on the toolkit: kills, hostile builds, archives, wheels and index answers, full disks, a bad network.

A black box: it runs `make` in projects that it makes itself and looks at what came of it from the outside.
"""
