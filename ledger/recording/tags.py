"""Records tags: names of editions."""

from __future__ import annotations

from ledger.errors import WrongUsage
from ledger.model.editions import Edition, check_tag_name
from ledger.model.records import Records, Tag
from ledger.store.event_store import Store


def record_tag(store: Store, records: Records, name: str, edition: Edition) -> Tag:
    """Name an edition; to give the same name again changes nothing.

    Args:
        store: open for writing, within a transaction.
        records: of the store.
        name: letters, digits, `.`, `_` and `-`, a letter first.
        edition: to be named.

    Raises:
        WrongUsage: the name is that of another edition, or could be taken for a batch or a month.
    """
    check_tag_name(name)
    tag = next((tag for tag in records.tags if tag.name == name), None)
    if tag is None:
        store.add_tag(name, edition.as_of, edition.batch)
        return store.tags()[-1]
    if (tag.as_of, tag.batch) != (edition.as_of, edition.batch):
        raise WrongUsage(
            f"{name!r} is the tag of {tag.as_of}@{tag.batch} since {tag.tagged_at}, "
            "and a tag cannot be moved; choose another name"
        )
    return tag
