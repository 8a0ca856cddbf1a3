"""Machines to run a whole project on."""
