"""Above the network line: which versions; two engines behind one seam, and the index that they are shown."""
