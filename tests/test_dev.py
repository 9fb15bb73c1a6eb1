"""`dev.py`: when the environment is made, when something is added to it, and when it is left."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import dev

MADE, ADDED, LEFT = ["venv", "pip"], ["pip"], list[str]()


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to an environment, which is none here."""
    steps: list[str] = []
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(dev, "STAMP", tmp_path / "dev.stamp")
    monkeypatch.setattr(dev, "create_venv", lambda: steps.append("venv"))
    monkeypatch.setattr(dev, "install", lambda _: steps.append("pip"))
    return steps


@pytest.mark.parametrize(
    ("before", "target", "steps"),
    [
        (None, dev.RUN, MADE),
        (None, dev.ENGINES, MADE),
        (dev.RUN, dev.TEST, ADDED),
        (dev.TEST, dev.ENGINES, ADDED),
        (dev.ENGINES, dev.ENGINES, LEFT),
        (dev.ENGINES, dev.TEST, LEFT),
        (dev.ENGINES, dev.RUN, LEFT),
        (dev.TEST, dev.RUN, LEFT),
    ],
)
def test_an_environment_serves_whoever_needs_no_more(
    done: list[str], before: str | None, target: str, steps: list[str]
) -> None:
    if before is not None:
        dev.prepare(before)
        done.clear()
    dev.prepare(target)
    assert done == steps
    done.clear()
    dev.prepare(target)
    assert done == LEFT


def test_other_requirements_need_another_environment(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(dev, "digest", lambda target: f"{target}, as it was required before")
        dev.prepare(dev.ENGINES)
    done.clear()
    dev.prepare(dev.RUN)
    assert done == MADE


def test_where_pip_refuses_to_add_the_environment_still_serves(
    done: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dev.prepare(dev.TEST)
    done.clear()

    def refuses(target: str) -> None:
        raise dev.refusal(1, f"no {target}")

    with monkeypatch.context() as patch:
        patch.setattr(dev, "install", refuses)
        with pytest.raises(SystemExit):
            dev.prepare(dev.ENGINES)
    dev.prepare(dev.TEST)
    assert done == LEFT
    dev.prepare(dev.ENGINES)
    assert done == ADDED


def test_what_is_interrupted_is_made_anew(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    dev.prepare(dev.TEST)
    done.clear()

    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(dev, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            dev.prepare(dev.ENGINES)
    dev.prepare(dev.TEST)
    assert done == MADE
