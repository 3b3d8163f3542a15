"""heliograph audit"""

import typer

from heliograph.cli.show import answer
from heliograph.cli.world import run
from heliograph.services.audit import Audit
from heliograph.services.refused import Refused


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("audit")(audit)


def audit() -> None:
    """Check that the books agree with the messages, and that no message is lost."""
    import sys

    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True) as progress:
        task = progress.add_task("searches", total=None)
        findings = run(
            lambda store: Audit(store).check(lambda done, of: progress.update(task, completed=done, total=of))
        )
    answer({"is_clean": not findings, "findings": list(findings)}, "\n".join(findings) or "Everything agrees.")
    if findings:
        raise Refused(f"{len(findings)} findings.")
