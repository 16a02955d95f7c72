"""Each command, killed at random moments: nothing is lost, and the same call then ends as if undisturbed."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.robustness.conftest import Inputs
from tests.robustness.fork_server import STARTED, ForkServer, Run
from tests.robustness.snapshot import snapshot, timeless

MANY = 20
FIT = "fit {table} -o output --epochs 2 --seed 0"
COMPARE = "compare {table} -o output --methods mvtcae,mmvae --epochs 1 --seed 0"
EMBED, FEATURES = "embed {flow} {table} -o output", "features {table} -o output"
SAMPLE, COMPLETE = "sample {flow} -n 4 -o output --seed 0", "complete {flow} {table} -o output --seed 0"
EVALUATE = "evaluate {vae} {table} -o output --seed 0"
OTHER_SEED, OTHER_MODEL = ("--seed 0", "--seed 1"), ("{flow}", "{vae}")


@dataclass(frozen=True)
class Case:
    """A command that is killed.

    Attributes:
        words: of the command; `{table}`, `{flow}` and `{vae}` are inputs.
        earlier: words, and others in their place, with which an earlier output was written; None for none.
        again: a word to add when the command is run again.
        few: how often it is killed where that must not take long.
    """

    words: str
    earlier: tuple[str, str] | None = None
    again: str = ""
    few: int = 1

    def __str__(self) -> str:
        command, method = self.words.split()[0], "mvtcae" if "--method " in self.words else ""
        return " ".join(
            word for word in (command, method, "" if self.earlier is None else "--overwrite") if word
        )


CASES = [
    Case("demo digits output --rows 10"),
    Case("inspect {table} --json"),
    Case(FEATURES, again="--overwrite"),
    Case(FEATURES + " --overwrite", ("{table}", "{table} --type number=category"), few=2),
    Case(FIT, again="--resume"),
    Case(FIT + " --overwrite", OTHER_SEED, few=0),
    Case(FIT + " --method mvtcae", again="--resume"),
    Case(FIT + " --method mvtcae --overwrite", OTHER_SEED, few=2),
    Case(SAMPLE, again="--overwrite"),
    Case(SAMPLE + " --overwrite", OTHER_SEED, few=2),
    Case(COMPLETE, again="--overwrite", few=0),
    Case(COMPLETE + " --overwrite", OTHER_SEED),
    Case(EMBED, again="--overwrite"),
    Case(EMBED + " --overwrite", OTHER_MODEL, few=2),
    Case(EVALUATE, again="--overwrite", few=0),
    Case(EVALUATE + " --overwrite", OTHER_SEED),
    Case(COMPARE),
    Case(COMPARE + " --overwrite", OTHER_SEED, few=0),
]


class Place:
    """A user's folder, in which a command is run and killed over and over, each time as if for the first time."""

    def __init__(self, case: Case, server: ForkServer, inputs: Inputs, folder: Path) -> None:
        self.case, self.server, self.inputs = case, server, inputs
        self.home, self.temporary, self.earlier = folder / "home", folder / "temporary", folder / "earlier"
        self.inputs_before = snapshot(inputs.root)
        self.clear()
        if case.earlier:
            words = case.words.replace(*case.earlier).replace(" --overwrite", "")
            whole = self.run(words)
            assert whole.code == 0, whole.stderr
            (self.home / "output").rename(self.earlier)
        self.old = timeless(self.earlier)
        self.restore()
        self.whole = self.run(case.words)
        assert self.whole.code == 0, self.whole.stderr
        self.new = timeless(self.home / "output")
        self.undisturbed = timeless(self.home)
        assert not list(self.temporary.iterdir())

    def run(self, words: str, **how: object) -> Run:
        inputs = {"table": self.inputs.table, "flow": self.inputs.flow, "vae": self.inputs.vae}
        filled = [word.format(**inputs) for word in words.split()]
        reads = self.inputs.root if filled[0] == "inspect" else None
        return self.server.run(filled, self.home, self.temporary, reads=reads, **how)

    def clear(self) -> None:
        for folder in (self.home, self.temporary):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        (self.home / "diary.txt").write_text("dear diary")

    def restore(self) -> None:
        """Put everything as it was before the command."""
        self.clear()
        if self.earlier.is_dir():
            shutil.copytree(self.earlier, self.home / "output")
        elif self.earlier.is_file():
            shutil.copyfile(self.earlier, self.home / "output")

    def lost(self) -> str:
        """What a kill has taken from the user, or left half done."""
        if snapshot(self.inputs.root) != self.inputs_before:
            return "an input has changed"
        if (self.home / "diary.txt").read_text() != "dear diary":
            return "the neighbour has changed"
        now = timeless(self.home / "output")
        if self.case.words.startswith("compare"):
            # It fills its folder method by method: each is there whole or not at all.
            parts = {name.split("/")[0] for name in now if not name.startswith(".")}
            half = [
                name
                for name in parts
                if not any(_part(now, name) == _part(of, name) for of in (self.old, self.new))
            ]
            return f"{half} is neither the old nor the new" if half else ""
        if now not in (self.old, self.new):
            return f"the output is {'half there' if now else 'gone'}"
        return ""

    def run_again(self) -> str:
        """Run the command again as a user would; says how that differs from an undisturbed run."""
        words, code = self.case.words, 0
        if words.startswith("fit") and (self.home / "output.training").exists():
            words = words.replace(" --overwrite", "") + " --resume"
        elif words.startswith("demo"):
            # It never replaces a folder, and what is there now is whole.
            code = 2 if (self.home / "output").exists() else 0
        else:
            words += " " + self.case.again
        run = self.run(words)
        if run.code != code:
            return f"`{words}` ended with {run.code}: {run.stderr[-300:]}"
        if words.startswith("inspect") and run.stdout != self.whole.stdout:
            return "it prints something else"
        now = timeless(self.home / "output")
        changed = sorted(name for name in {*now, *self.new} if now.get(name) != self.new.get(name))
        return f"the output of `{words}` differs in {changed}" if changed else ""

    def leftovers(self) -> list[str]:
        """What an undisturbed run would not have left."""
        names = [name for name in timeless(self.home) if name not in self.undisturbed]
        return names + [str(path) for path in self.temporary.iterdir()]


def _part(of: dict[str, str], name: str) -> dict[str, str]:
    return {path: entry for path, entry in of.items() if path == name or path.startswith(f"{name}/")}


def moments(events: Sequence[object], count: int, seed: str) -> list[tuple[int, bool]]:
    """Events to kill at, from 1, and whether to do so with a file just opened.

    Half of them are drawn among what changes names and folders, as most are openings of one of many files.
    """
    rng = random.Random(seed)  # noqa: S311
    numbers = range(1, len(events) + 1)
    rare = [number for number in numbers if not str(events[number - 1]).startswith("open ")]
    drawn = [rng.choice(rare if half % 2 and rare else numbers) for half in range(count)]
    return [(number, rng.random() < 0.5) for number in drawn]


def kill_often(case: Case, place: Place, count: int, record: Callable[[str, object], None]) -> None:
    found, said = Counter(lost=0, leftovers=0, differ=0), []
    for number, opened in moments(place.whole.events, count, str(case)):
        place.restore()
        killed = place.run(case.words, kill_at=number, opened=opened)
        assert killed.code == -9, killed
        problems = {"lost": place.lost(), "differ": place.run_again(), "leftovers": place.leftovers()}
        for kind, problem in problems.items():
            if problem:
                found[kind] += 1
                said.append(f"{kind} at {killed.events[-1]!r} ({number}{', opened' * opened}): {problem}")
    for name, value in {"command": str(case), "kills": count, **found}.items():
        record(name, value)
    assert not said, "\n".join(said)


KILLS = [pytest.param(case, case.few, id=str(case)) for case in CASES if case.few]
KILLS += [pytest.param(case, MANY, id=f"{case}, often", marks=pytest.mark.slow) for case in CASES]


@pytest.mark.parametrize(("case", "count"), KILLS)
def test_nothing_is_lost_when_it_is_killed(
    case: Case,
    count: int,
    server: ForkServer,
    inputs: Inputs,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    kill_often(case, Place(case, server, inputs, tmp_path), count, record_property)


@pytest.mark.slow
def test_a_comparison_goes_on_beside_a_method_of_a_killed_one(
    server: ForkServer, inputs: Inputs, tmp_path: Path
) -> None:
    place = Place(Case(COMPARE), server, inputs, tmp_path)
    in_trial = [n for n, event in enumerate(place.whole.events, start=1) if event.endswith(STARTED)]
    for number, _ in moments(in_trial, 3, "orphan"):
        place.restore()
        killed = place.run(COMPARE, kill_at=in_trial[number - 1], alone=True)
        assert killed.code == -9
        assert not place.lost()
        assert not place.run_again()
        server.wait(killed)
        # What the other wrote at last is cleared by the next start.
        assert not place.run_again()
        assert not place.leftovers()
