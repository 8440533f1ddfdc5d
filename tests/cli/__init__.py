"""The `bridge` command, as a shell or a program runs it."""
