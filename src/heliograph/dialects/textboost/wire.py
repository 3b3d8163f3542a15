"""What stands on the wire, with the product's names.

Source: the pages of the product's API, which the vendor prints as its own, and published answers of installs. Where
versions of the product differ an answer has the members of both.
"""

from typing import Generic, TypeVar

from msgspec import Struct, field

from heliograph.dialects.fields import Written

ROOT, OLDER_ROOT = "/api/v3", "/api/http"
PER_PAGE = 25
MOST_RECIPIENTS = 100
"""Numbers in one request."""

Data = TypeVar("Data")


class Success(Struct, Generic[Data], tag_field="status", tag="success", kw_only=True):
    """What every good answer is."""

    message: str | None = None
    data: Data


class Failure(Struct, tag_field="status", tag="error"):
    """What every bad answer is."""

    message: str


class GroupChange(Struct):
    """A contact group to be made or renamed."""

    name: Written = None


class Group(Struct):
    """A contact group."""

    uid: str
    name: str


class GroupSaved(Struct):
    """A contact group that was made or renamed."""

    name: str
    uid: str


class ContactChange(Struct):
    """A contact to be made or changed. Other names in capitals are custom fields, as are those in `custom_fields`."""

    phone: Written = None
    first_name: Written = None
    last_name: Written = None
    custom_fields: dict[str, Written] | None = None


class Contact(Struct):
    """A contact."""

    uid: str
    phone: int
    first_name: str | None
    last_name: str | None


class ContactSaved(Struct):
    """A contact that was made or changed."""

    uid: str
    phone: int
    status: str
    first_name: str | None
    last_name: str | None
    created_at: str
    updated_at: str
    custom_fields: dict[str, str | None]


class SmsSend(Struct):
    """A message. `recipient` (at most 100 numbers) and `contact_list_id` may be a list, or a text with commas."""

    recipient: Written | list[Written] = None
    contact_list_id: Written | list[Written] = None
    sender_id: Written = None
    type: Written = None
    message: Written = None
    language: Written = None
    gender: Written = None
    media_url: Written = None
    schedule_time: Written = None
    dlt_template_id: Written = None
    name: Written = None


class Report(Struct, omit_defaults=True):
    """A message in either direction. `customer_status`: what newer versions call `status`."""

    uid: str
    to: str
    sender: str = field(name="from")
    message: str
    status: str
    cost: str
    customer_status: str
    sms_count: int = 0


class Balance(Struct):
    """Credits, which never end here."""

    remaining_balance: str
    remaining_unit: str
    used_unit: str
    expired_on: str = "Unlimited"


class Profile(Struct, kw_only=True):
    """The account."""

    uid: str
    api_token: str
    first_name: str
    last_name: str = ""
    email: str = ""
    locale: str = "en"
    timezone: str


class Campaign(Struct, kw_only=True):
    """A message to contact groups. `stats`: contacts that it came to, and those that got a message and did not."""

    id: str
    uid: str
    name: str
    message: str
    status: str
    type: str
    created_at: str
    start_at: str | None
    delivery_at: str | None
    reason: str | None
    stats: dict[str, int]
