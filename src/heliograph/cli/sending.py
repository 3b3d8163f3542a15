"""What the commands that send, or say what would become of a message, have in common."""

from typing import TYPE_CHECKING, Any

from heliograph.cli import dialects
from heliograph.cli.world import world
from heliograph.net.clock import SystemClock

if TYPE_CHECKING:
    from heliograph.services.sending import Sending


def sending(store: Any) -> "Sending":
    """The service, with the terms of the settings in force."""
    from heliograph.core.alphabets import language_table_of
    from heliograph.pipeline.drafting import Terms
    from heliograph.services.sending import Sending

    settings = world().settings()
    terms = Terms(
        sender=settings.sender,
        validity_ms=settings.validity_hours * 3_600_000,
        most_in_memory=0,
        most_in_store=settings.message_limit,
        needs_campaign=settings.us_campaigns == "required",
        languages=language_table_of(settings.national_tables),
    )
    return Sending(store, SystemClock(), told=dialects.told, terms=terms)
