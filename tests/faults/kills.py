"""Writers that are killed at a random point, alone and beside another; pairs of writers; full disks."""

from __future__ import annotations

import random
import time

from tests.faults.children import Arm, Ended
from tests.faults.folders import damaged, hidden, missing, state_of
from tests.faults.injection import FULL, KILLS, Action
from tests.faults.records import LOST, REFUSED, SURVIVED, Record
from tests.faults.scenarios import PAIRS, SCENARIOS, Pair, Prepared, Scenario, Workshop

__all__ = ["full_disk_trial", "kill_trial", "pair_kill_trial", "pair_trial"]

LISTS = ("mepps.csv", "summary.csv", "failures.csv")
CRASHED = "stands on crashed"  # what the parent of a command says of it
KEPT_FROM_OTHERS = ("is writing it; wait until it has ended", "is there already", "has changed it since")


class Trials:
    """Draws scenarios and knows how long each takes and how many points it has, once measured."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop, self.server = workshop, workshop.server
        self._measured: dict[str, tuple[float, int]] = {}

    def measure(self, scenario: Scenario) -> tuple[float, int]:
        """Return the seconds and the number of points of a command that nothing disturbs."""
        if scenario.name not in self._measured:
            prepared = self.workshop.copy(scenario.before)
            ended = self.server.call(prepared.filled(scenario.command), arm=Arm(prepared.folder))
            if ended.code != scenario.code:
                raise RuntimeError(f"{scenario.name} ended with {ended.code}: {ended.said}")
            self._measured[scenario.name] = ended.seconds, self.server.injection.calls
            self.workshop.drop(prepared)
        return self._measured[scenario.name]

    def fault(
        self, scenario: Scenario, prepared: Prepared, random_: random.Random
    ) -> tuple[Arm | None, float]:
        """Draw where to kill: at a call (three times in four, where possible) or by the clock."""
        seconds, points = self.measure(scenario)
        if points and random_.random() < 0.75:
            return Arm(prepared.folder, random_.randint(1, points), random_.choice(KILLS)), 60.0
        return None, random_.uniform(0.0, seconds)


def _draw(random_: random.Random) -> Scenario:
    return random_.choices(SCENARIOS, [one.weight for one in SCENARIOS])[0]


def kill_trial(trials: Trials, number: int, seed: int) -> Record:
    """Kill a writer, look at what is there, and run the same command again."""
    random_ = random.Random(f"{seed} kill {number}")
    scenario, began_s = _draw(random_), time.monotonic()
    prepared = trials.workshop.copy(scenario.before)
    arm, delay_s = trials.fault(scenario, prepared, random_)
    child = trials.server.start(prepared.filled(scenario.command), arm=arm)
    if child.running_for(delay_s):
        child.kill(alone=random_.random() < 0.5)
    ended = child.wait()
    clean = trials.server.reap()
    where = trials.server.injection.at or f"after {delay_s:.3f} s"
    final = trials.workshop.result((*scenario.before, scenario.command))
    problem = ended.fault() or ("" if clean else "processes stayed for 10 s")
    problem = problem or damaged(trials.server.compute(state_of, prepared.out), (prepared.old, final))
    problem = problem or _next_run(trials, prepared, [scenario], [final])
    return _record(
        "kills, one writer", scenario.name, number, problem, f"killed at {where}", began_s, trials, prepared
    )


def _next_run(trials: Trials, prepared: Prepared, scenarios: list[Scenario], finals: list[dict]) -> str:
    """Run commands undisturbed; return what is wrong with the folder after them."""
    for one in scenarios:
        ended = trials.server.call(prepared.filled(one.command))
        problem = ended.fault() or ("" if ended.code == one.code else f"next run: exit code {ended.code}")
        if problem:
            return f"{problem} ({ended.said.strip()[-300:]})"
    return missing(trials.server.compute(state_of, prepared.out), finals) or _left(prepared)


def _left(prepared: Prepared) -> str:
    left = hidden(prepared.folder)
    return f"left behind after the next run: {', '.join(left)}" if left else ""


def _record(
    part: str,
    kind: str,
    number: int,
    problem: str,
    detail: str,
    began_s: float,
    trials: Trials,
    prepared: Prepared,
    outcome: str = SURVIVED,
) -> Record:
    record = Record(
        part=part,
        kind=kind,
        number=number,
        outcome=LOST if problem else outcome,
        detail=f"{problem}; {detail}" if problem else detail,
        seconds=round(time.monotonic() - began_s, 3),
    )
    trials.workshop.drop(prepared)
    return record


def _states(trials: Trials, pair: Pair) -> dict[str, dict]:
    """Return what the folder holds after each of two commands, and after both in either order."""
    a, b = pair.commands
    orders = {"": (), "a": (a,), "b": (b,), "ab": (a, b), "ba": (b, a)}
    return {name: trials.workshop.result((*pair.before, *order)) for name, order in orders.items()}


def _of_commands(pair: Pair) -> list[Scenario]:
    return [Scenario(f"{pair.name}, {n}", one, pair.before) for n, one in enumerate(pair.commands)]


def pair_kill_trial(trials: Trials, number: int, seed: int) -> Record:
    """Kill one of two writers that work at once; the other ends as ever, or is refused."""
    random_ = random.Random(f"{seed} pair kill {number}")
    pair, began_s = random_.choice(PAIRS), time.monotonic()
    prepared = trials.workshop.copy(pair.before)
    scenarios = _of_commands(pair)
    killed, other = random_.sample(scenarios, 2)
    states = _states(trials, pair)
    arm, delay_s = trials.fault(killed, prepared, random_)
    later = trials.server.start(prepared.filled(other.command))
    child = trials.server.start(prepared.filled(killed.command), arm=arm)
    if child.running_for(delay_s):
        child.kill(alone=random_.random() < 0.5)
    ended, of_other = child.wait(), later.wait()
    clean = trials.server.reap()
    where = trials.server.injection.at or f"after {delay_s:.3f} s"
    problem = ended.fault() or of_other.fault() or ("" if clean else "processes stayed for 10 s")
    problem = problem or damaged(trials.server.compute(state_of, prepared.out), states.values())
    problem = problem or _next_run(trials, prepared, scenarios, [states["ab"], states["ba"]])
    return _record(
        "kills, two writers", pair.name, number, problem, f"killed at {where}", began_s, trials, prepared
    )


def pair_trial(trials: Trials, number: int, seed: int) -> Record:
    """Let two writers work at once: every result is there, or its writer was refused with a sentence."""
    random_ = random.Random(f"{seed} pair {number}")
    pair, began_s = PAIRS[number % len(PAIRS)], time.monotonic()
    prepared = trials.workshop.copy(pair.before)
    states = _states(trials, pair)
    first = trials.server.start(prepared.filled(pair.commands[0]))
    time.sleep(random_.choice([0.0, random_.uniform(0.0, 0.5)]))
    second = trials.server.start(prepared.filled(pair.commands[1]))
    ends = [first.wait(), second.wait()]
    trials.server.reap()
    problem = next((one.fault() for one in ends if one.fault()), "") or _pair_problem(ends)
    found = trials.server.compute(state_of, prepared.out)
    done = "".join(name for name, one in zip("ab", ends, strict=True) if one.code == 0)
    if done == "ab":
        problem = problem or missing(found, [states["ab"], states["ba"]])
    else:
        # What a refused batch has done already may stay, but the result of the other must be there.
        problem = problem or damaged(found, [states[done], states["ab"], states["ba"]])
    problem = problem or _left(prepared)
    outcome = SURVIVED if done == "ab" else REFUSED
    return _record("pairs", pair.name, number, problem, f"done: {done}", began_s, trials, prepared, outcome)


def _pair_problem(ends: list[Ended]) -> str:
    if all(one.code for one in ends):
        return f"neither was done: {ends[0].said.strip()[-200:]} / {ends[1].said.strip()[-200:]}"
    for one in ends:
        if one.code and not any(text in one.said for text in KEPT_FROM_OTHERS):
            return f"refused for another reason: {one.said.strip()[-300:]}"
    return ""


def full_disk_trial(trials: Trials, number: int, seed: int) -> Record:
    """Let the k-th call that writes fail as on a full disk: the targets are unchanged or complete."""
    random_ = random.Random(f"{seed} disk {number}")
    scenario, began_s = _draw(random_), time.monotonic()
    prepared = trials.workshop.copy(scenario.before)
    _, points = trials.measure(scenario)
    if points and random_.random() < 0.8:
        arm = Arm(prepared.folder, random_.randint(1, points), random_.choice(FULL))
    else:
        arm = Arm(prepared.folder, file_bytes=int(10 ** random_.uniform(4.0, 5.7)))
    ended = trials.server.call(prepared.filled(scenario.command), arm=arm)
    where = trials.server.injection.at or f"files of {arm.file_bytes} bytes"
    final = trials.workshop.result((*scenario.before, scenario.command))
    found = dict(trials.server.compute(state_of, prepared.out))
    if ended.code:
        # The tables are of what is done, and say why the rest is not.
        for name in LISTS:
            found.pop(name, None)
    allowed = (prepared.old, final, {name: one for name, one in final.items() if name not in LISTS})
    problem = ended.fault() or damaged(found, allowed)
    problem = problem or _disk_sentence(ended, scenario)
    # What a crash leaves is removed by the next run, as after a kill.
    if CRASHED not in ended.said:
        problem = problem or (_left(prepared) and f"temporaries after the failure: {hidden(prepared.folder)}")
    problem = problem or _next_run(trials, prepared, [scenario], [final])
    if problem:
        problem = f"{problem} [{ended.said.strip()[:3000]}]"
    outcome = SURVIVED if ended.code == scenario.code else REFUSED
    detail = f"{arm.action.name} at {where}" if arm.action is not Action.COUNT else where
    return _record("full disk", scenario.name, number, problem, detail, began_s, trials, prepared, outcome)


def _disk_sentence(ended: Ended, scenario: Scenario) -> str:
    """Return what is wrong with what was said of a failure."""
    if ended.code == scenario.code:
        return ""
    said = ended.said.lower()
    known = ("space", "disk full", "file too large", CRASHED)
    return "" if any(one in said for one in known) else "the sentence does not say that the disk is full"
