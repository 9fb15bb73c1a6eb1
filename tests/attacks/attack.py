"""What an attack is, what has to come out, and how it is tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

from ledger import Fault, Ledger, LedgerDamaged, LedgerError, VerificationFailed, standalone
from ledger.datasets.support.description import SUPPORT
from ledger.integrity.checks.delivered import DeliveredFiles, DeliveredFilesCheck
from ledger.integrity.documents import read_document
from ledger.integrity.fault import FaultKind
from ledger.integrity.ledger_target import LedgerTarget
from ledger.integrity.verify import Checks, find_faults, ledger_checks
from ledger.model.receipt import Receipt
from ledger.store.event_store import Store
from tests.attacks.scene import Scene
from tests.commands import run_ledger

NOT_ANCHORED = "internally consistent; not anchored"


@dataclass(frozen=True)
class Setting:
    """With what the verification is helped.

    Attributes:
        receipt: that was kept elsewhere.
        sources: the delivered files.
        quick: without what is computed from the events.
    """

    receipt: bool = False
    sources: bool = False
    quick: bool = False

    def __str__(self) -> str:
        names = [name for name in ("receipt", "sources", "quick") if getattr(self, name)]
        return " and ".join(names) or "no anchor"


ALONE, QUICK = Setting(), Setting(quick=True)
SETTINGS = [Setting(*anchors) for anchors in product((False, True), repeat=2)]


@dataclass(frozen=True)
class Seen:
    """It is found, exit code 6, and this is named first.

    Attributes:
        first: how the kind and the place of the first fault begin; of a document, the sentence.
        check: the name of the check that finds it; None of a document, which has no list of them.
        quick: whether `--quick` finds it too.
    """

    first: str
    check: str | None = None
    quick: bool = True

    def __str__(self) -> str:
        by = f"{self.check}: " if self.check else ""
        return f"{by}`{self.first}`" if self.quick else f"{by}`{self.first}`, not by `--quick`"


@dataclass(frozen=True)
class Refused:
    """It is no ledger, or no document, that could be verified: another exit code.

    Attributes:
        code: the exit code.
        says: a part of what is said.
    """

    code: int
    says: str

    def __str__(self) -> str:
        return f"exit code {self.code}: {self.says}"


@dataclass(frozen=True)
class Unseen:
    """It goes through.

    Attributes:
        why: it cannot be seen.
        told: what the verdict then says all the same, so that the reader is warned.
    """

    why: str
    told: str = ""

    def __str__(self) -> str:
        return "told" if self.told else "unseen"


@dataclass(frozen=True)
class NotProved(Unseen):
    """Nothing binds it, which is said: exit code 6, also where nothing was done."""

    told: str = "not proved"

    def __str__(self) -> str:
        return "not proved"


Outcome = Seen | Refused | Unseen


@dataclass(frozen=True)
class Found:
    """What came out.

    Attributes:
        code: the exit code that the command line gives.
        says: the first fault, the verdict or the error.
        check: the name of the check that found the first fault, if that is known.
    """

    code: int
    says: str
    check: str | None = None


Act = Callable[[Scene], object]
Door = Callable[[Scene, Setting], Found]


@dataclass(frozen=True)
class Attack:
    """Something that is done to a scene, and what has to come out.

    Attributes:
        name: what is done, in words.
        act: does it.
        alone: what comes out without an anchor.
        receipt: with a receipt.
        sources: with the delivered files.
        door: how it is verified.
    """

    name: str
    act: Act
    alone: Outcome
    receipt: Outcome
    sources: Outcome
    door: Door

    def expected(self, setting: Setting) -> Outcome:
        """What has to come out in a setting: with both anchors, what the one or the other sees."""
        if setting.quick and isinstance(self.alone, Seen) and not self.alone.quick:
            return Unseen("it is computed from the events")
        both = setting.receipt and setting.sources
        if both and isinstance(self.receipt, NotProved) and isinstance(self.sources, NotProved):
            return Unseen("the receipt binds the records, and the files bind the rows")
        # What the delivered files give is proved.
        bound = setting.sources and isinstance(self.receipt, NotProved)
        anchors = [self.receipt] if setting.receipt and not bound else []
        anchors += [self.sources] if setting.sources else []
        # What is computed from the events is looked at last.
        last = isinstance(self.alone, Seen) and not self.alone.quick
        outcomes = [*anchors, self.alone] if last else [self.alone, *anchors]
        seen = [one for one in outcomes if not isinstance(one, Unseen)]
        told = [one for one in anchors if isinstance(one, Unseen) and one.told]
        return [*seen, *told, *anchors, self.alone][0]


def verify(scene: Scene, setting: Setting) -> Found:
    """Verify the ledger of a scene."""
    try:
        result = Ledger(scene.ledger).verify(
            receipts=[scene.receipt] if setting.receipt else [],
            sources=scene.sources if setting.sources else None,
            quick=setting.quick,
        )
    except LedgerError as error:
        return Found(error.exit_code, str(error))
    if not (setting.receipt or setting.sources or result.faults):
        assert result.verdict == NOT_ANCHORED
    if result.faults:
        check, _ = faults_found(scene, setting)[0]
        return Found(VerificationFailed.exit_code, str(result.faults[0]), check)
    return Found(0, result.verdict)


def faults_found(scene: Scene, setting: Setting, without: str = "") -> list[tuple[str, Fault]]:
    """Verify the ledger of a scene, by all checks or without one of them.

    Args:
        scene: with the ledger.
        setting: of the verification.
        without: the name of the check that is left out.
    """
    checks = checks_of(scene, setting).without(without)
    try:
        with Store.for_reading(scene.ledger) as store, store.snapshot():
            return find_faults(LedgerTarget(store, SUPPORT), checks)
    except LedgerDamaged as error:
        return [("storage", Fault(FaultKind.STORAGE, str(scene.ledger), str(error)))]


def checks_of(scene: Scene, setting: Setting) -> Checks[LedgerTarget]:
    """The checks of a verification."""
    receipts = [(scene.receipt, read_document(scene.receipt, Receipt))] if setting.receipt else []
    files = DeliveredFiles(scene.sources, SUPPORT) if setting.sources else None
    delivered = DeliveredFilesCheck(files) if files else None
    return ledger_checks(receipts, delivered, quick=setting.quick)


def verify_by_command(scene: Scene, setting: Setting) -> Found:
    """The same by the command line."""
    options: list[object] = ["--quick"] if setting.quick else []
    options += ["--receipt", scene.receipt] if setting.receipt else []
    options += ["--sources", scene.sources] if setting.sources else []
    ran = run_ledger("verify", "--db", scene.ledger, *options, cwd=scene.folder)
    says = ran.out.splitlines() if ran.out else [ran.err.strip()]
    if ran.code == VerificationFailed.exit_code:
        assert says[0] in ran.err, "the first fault stands in the error too"
        return Found(ran.code, says[0])
    return Found(ran.code, says[-1].removesuffix("."))


def verify_proof(scene: Scene, _: Setting) -> Found:
    """Verify the proof of an event, for which a receipt is needed."""
    try:
        standalone.verify_proof(scene.proof, scene.receipt)
    except LedgerError as error:
        return Found(error.exit_code, str(error))
    return Found(0, "this event is part of the ledger that the receipt is of")


def verify_report(format: str) -> Door:
    """Verify the report that was published in a format."""

    def door(scene: Scene, setting: Setting) -> Found:
        try:
            result = standalone.verify_report(
                scene.report(format),
                scene.report_proof,
                receipt=scene.receipt if setting.receipt else None,
                sources=scene.sources if setting.sources else None,
            )
        except LedgerError as error:
            return Found(error.exit_code, str(error))
        if result.differences:
            return Found(VerificationFailed.exit_code, result.differences[0])
        return Found(0 if result.proved else VerificationFailed.exit_code, result.verdict)

    return door


def difference(found: Found, expected: Outcome) -> str | None:
    """What is not as it has to be, or None."""
    if isinstance(expected, Seen):
        right = found.code == VerificationFailed.exit_code and found.says.startswith(expected.first)
        right = right and found.check in (None, expected.check)
    elif isinstance(expected, Refused):
        right = found.code == expected.code and expected.says in found.says
    else:
        code = VerificationFailed.exit_code if isinstance(expected, NotProved) else 0
        right = found.code == code and expected.told in found.says
    by = f" by {found.check}" if found.check else ""
    return None if right else f"{expected} was expected, and came: {found.code}, {found.says}{by}"


def anywhere(
    name: str,
    act: Act,
    first: str,
    check: str | None = None,
    *,
    quick: bool = True,
    door: Door = verify,
) -> Attack:
    """An attack that is found whatever the setting; for its other arguments see `Seen`."""
    seen = Seen(first, check, quick)
    return Attack(name, act, seen, seen, seen, door)


def settings_of(attack: Attack) -> list[Setting]:
    """In which settings an attack is tried."""
    if attack.door is verify_proof:
        return [Setting(receipt=True)]
    return [*SETTINGS, QUICK] if attack.door is verify else SETTINGS


def try_attack(
    attack: Attack,
    scene: Scene,
    folder: Path,
    settings: Sequence[Setting] | None = None,
    *,
    door: Door | None = None,
) -> Iterator[tuple[Setting, str]]:
    """Carry out an attack on a copy of a scene; yields what was not as it had to be.

    Args:
        attack: the attack.
        scene: is copied, and left as it is.
        folder: for the copy; must not be there.
        settings: in which it is tried; by default all.
        door: another way to verify.
    """
    copy = scene.copy(folder)
    attack.act(copy)
    possible = settings_of(attack)
    for setting in [one for one in possible if one in (settings or possible)] or possible:
        try:
            found = (door or attack.door)(copy, setting)
        except Exception as error:
            # What a user would see as a traceback.
            found = Found(1, f"{type(error).__name__}: {error}")
        # Where the copy lies is of no interest.
        found = replace(found, says=found.says.replace(f"{copy.folder}/", ""))
        problem = difference(found, attack.expected(setting))
        if problem:
            yield setting, problem
