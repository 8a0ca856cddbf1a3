"""The verbs: the table of them, their options, and for each the function that runs it."""
