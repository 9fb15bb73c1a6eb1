"""The description of the customer-support data set."""

from __future__ import annotations

from ledger.model.dataset import (
    Check,
    Column,
    DataSet,
    Label,
    LocalMonth,
    SecondsBetween,
    Summary,
    Table,
    Type,
    UtcMonth,
    View,
)
from ledger.store.sql import packaged_text

AGENTS = Table(
    "agents",
    (
        Column("agent_id", "Identifies the agent."),
        Column("full_name", "The agent's name."),
        Column("contact_center_id", "Where the agent works now.", references="contact_centers"),
        Column("hire_date", "The day on which the agent was hired.", Type.DATE),
        Column("category_id", "What the agent mostly deals with.", references="service_categories"),
    ),
)

CONTACT_CENTERS = Table(
    "contact_centers",
    (
        Column("contact_center_id", "Identifies the contact centre."),
        Column("contact_center_name", "Its name."),
        Column("location", "Where it stands."),
    ),
)

SERVICE_CATEGORIES = Table(
    "service_categories",
    (
        Column("category_id", "Identifies the category."),
        Column("category_name", "Its name."),
        Column("department", "The department that answers for it."),
    ),
)

INTERACTIONS = Table(
    "interactions",
    (
        Column("interaction_id", "Identifies the interaction."),
        Column("timestamp", "When the row was last written.", Type.TIMESTAMP),
        Column("channel", "How the customer came: phone, email, chat."),
        Column("category_id", "What it was about.", references="service_categories"),
        Column("agent_id", "Who dealt with it.", references="agents"),
        Column("contact_center_id", "The centre that took it.", references="contact_centers"),
        Column("interaction_start", "When it began.", Type.TIMESTAMP),
        Column("agent_resolution_timestamp", "When the agent had resolved it.", Type.TIMESTAMP),
        Column("interaction_end", "When it ended.", Type.TIMESTAMP),
        Column("call_duration_minutes", "Length of the call in minutes.", Type.NUMBER),
        Column("satisfaction_rating", "The customer's rating; mostly blank.", Type.NUMBER),
    ),
    derived=(
        LocalMonth("month", "interaction_start"),
        UtcMonth("utc_month", "interaction_start"),
        UtcMonth("timestamp_utc_month", "timestamp"),
        SecondsBetween("seconds_to_resolution", "interaction_start", "agent_resolution_timestamp"),
        SecondsBetween("seconds_after_resolution", "agent_resolution_timestamp", "interaction_end"),
        SecondsBetween("seconds_to_end", "interaction_start", "interaction_end"),
    ),
    month="month",
    labels=(
        Label("agent_name", "agent_id", "full_name", "The agent's name."),
        Label(
            "contact_center_name", "contact_center_id", "contact_center_name", "The centre's name."
        ),
        Label("category_name", "category_id", "category_name", "The category's name."),
        Label("department", "category_id", "department", "The department that answers for it."),
    ),
    checks=(
        Check(
            "negative-duration",
            "call_duration_minutes",
            ("call_duration_minutes",),
            "call_duration_minutes < 0",
            "a call cannot last less than no time",
        ),
        Check(
            "ends-before-start",
            "interaction_end",
            ("seconds_to_end",),
            "seconds_to_end < 0",
            "ends before it began",
        ),
        Check(
            "duration-differs",
            "call_duration_minutes",
            ("channel", "call_duration_minutes", "seconds_to_end"),
            # Rounded, for 4.15 * 60 is a little more than 249 as a double.
            "channel = 'phone' AND abs(round(call_duration_minutes * 60 - seconds_to_end, 6)) > 60",
            "differs from end minus start by more than a minute",
        ),
    ),
)

TOTALS = Summary(
    "support_totals",
    INTERACTIONS.name,
    reads=(
        "channel",
        "category_id",
        "contact_center_id",
        "call_duration_minutes",
        "satisfaction_rating",
        "month",
        "seconds_to_resolution",
        "seconds_after_resolution",
    ),
    select=packaged_text("datasets/support/totals.sql"),
    groups=("month", "contact_center_id", "category_id"),
    count="interactions",
    magnitude="magnitude",
)

READINGS = Summary(
    "support_readings",
    INTERACTIONS.name,
    reads=(
        "timestamp",
        "channel",
        "contact_center_id",
        "interaction_start",
        "call_duration_minutes",
        "month",
        "utc_month",
        "timestamp_utc_month",
        "seconds_to_resolution",
        "seconds_to_end",
    ),
    select=packaged_text("datasets/support/interpretations.sql"),
    groups=(
        "month",
        "utc_month",
        "est_month",
        "timestamp_month",
        "timestamp_utc_month",
        "timestamp_est_month",
        "contact_center_id",
    ),
    count="interactions",
    magnitude="magnitude",
)

SUPPORT = DataSet(
    name="customer-support",
    title="Customer support: interactions, agents, contact centres, service categories",
    zone="America/New_York",
    tables=(AGENTS, CONTACT_CENTERS, SERVICE_CATEGORIES, INTERACTIONS),
    summaries=(TOTALS, READINGS),
    views=(
        View(
            "support_report",
            ("month", "contact_center_name", "department"),
            ("total_interactions", "total_calls", "total_call_duration"),
        ),
    ),
)
