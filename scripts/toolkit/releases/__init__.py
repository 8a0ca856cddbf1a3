"""Above the network line: what indexes and registries have of a distribution, and what releases say of themselves."""
