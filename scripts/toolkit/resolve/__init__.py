"""Above the network line: requirements become pins, and what builds them."""
