"""The description of the customer-support data set."""

from __future__ import annotations

from importlib.resources import files

from ledger.dataset import Column, DataSet, LocalMonth, SecondsBetween, Summary, Table, Type

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
        SecondsBetween("seconds_to_resolution", "interaction_start", "agent_resolution_timestamp"),
        SecondsBetween("seconds_after_resolution", "agent_resolution_timestamp", "interaction_end"),
    ),
)

SUPPORT = DataSet(
    name="customer-support",
    title="Customer support: interactions, agents, contact centres, service categories",
    zone="America/New_York",
    tables=(AGENTS, CONTACT_CENTERS, SERVICE_CATEGORIES, INTERACTIONS),
    summaries=(
        Summary(
            "support_totals",
            files("ledger.support").joinpath("totals.sql").read_text(encoding="utf-8"),
        ),
    ),
    views=("support_report",),
)
