"""`bridge demo`."""

import click


@click.command()
def demo() -> None:
    """Everything on one machine."""
