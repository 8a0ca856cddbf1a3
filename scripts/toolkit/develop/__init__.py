"""The development environment that `workon` enters."""
