"""Above the network line: indexes, files, and the environment of the tools that need them."""
