"""What any program needs: errors, console, processes, files, threads, git. The standard library alone."""
