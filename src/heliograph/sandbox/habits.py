"""How a message centre behaves; the defaults are those of a fast and friendly one."""

from dataclasses import dataclass

from heliograph.core.fates import LATE_MS
from heliograph.core.receipts import IdForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """The times are milliseconds.

    system_id, password: who may bind; None for anyone. response_delay_ms, receipt_delay_ms: how long answers take, and
    receipts from then on; late_ms: and late receipts on top. throughput: segments a second before ESME_RTHROTTLED, 0
    for any. window: unanswered segments of a session before ESME_RMSGQFUL, 0 for any. deliver_window: our own.
    id_form: whether answer and receipt write an id differently. has_fates: false treats every recipient alike.
    """

    system_id: str | None = None
    password: str | None = None
    response_delay_ms: int = 0
    receipt_delay_ms: int = 0
    late_ms: int = LATE_MS
    throughput: int = 0
    window: int = 0
    deliver_window: int = 500
    id_form: IdForm = IdForm.AS_IS
    has_fates: bool = True
