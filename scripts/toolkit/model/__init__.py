"""Data, frozen: names, pins, locks, targets, markers. No files, no processes, no console."""
