"""Foreign code confined: the walls around it, the limits upon it, and a run inside of both."""
