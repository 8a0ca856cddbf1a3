"""Above the network line: the verb `vendor`."""
