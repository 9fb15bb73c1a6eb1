"""A ledger built again from delivered files and the records of a chain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.errors import VerificationFailed
from ledger.integrity.chain_document import Chain
from ledger.integrity.checks.delivered import DeliveredFiles
from ledger.model.dataset import DataSet
from ledger.model.periods import Month
from ledger.model.records import File, Records
from ledger.recording.recorder import Recorder
from ledger.store.event_store import Store


@contextmanager
def rebuilt(chain: Chain, delivered: DeliveredFiles, as_of: Month) -> Iterator[tuple[Store, int]]:
    """Build a ledger with the events of one edition, and delete it afterwards.

    Args:
        chain: the records of the former ledger, up to the known-at batch.
        delivered: the delivered files.
        as_of: the month; only files that count then are read.

    Returns:
        the ledger, within a transaction, and the number of files that were read.

    Raises:
        VerificationFailed: a delivered file is missing, or does not match its record.
    """
    effective = Records((), tuple(chain.files), ()).effective().values()
    counting = [file for file in effective if file.month <= as_of]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "rebuilt.db"
        with Store.for_writing(path, create=True) as store, store.rehearsal():
            store.restore([*chain.batches, *chain.files])
            for file in counting:
                _append(store, chain.dataset, file, delivered)
            yield store, len(counting)


def _append(store: Store, dataset: DataSet, file: File, delivered: DeliveredFiles) -> None:
    delivery = delivered.find(file)
    if delivery is None:
        raise VerificationFailed(
            f"no file of the bytes of {file.name} is in {delivered.folder}: SHA-256 {file.sha256}"
        )
    recorder = Recorder(store, dataset, file.month, file.first_event or 0)
    contents, _ = recorder.append(delivery, file.file, file.supersedes)
    for problem in recorder.problems:
        raise VerificationFailed(f"the file was never recorded: {problem}")
    if contents != file.contents:
        raise VerificationFailed(f"{delivery.path} is not what the record of {file.name} describes")
