"""What the words of the command line do: each command a function that returns its exit code."""
