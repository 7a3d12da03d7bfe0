#!/usr/bin/env python3
"""Every interleaving of helpers, their guards and make, in small: tokens, locks, and kill -9.

    tests/model/protocol.py [-v]

A state is: the tokens in make's pipe, who holds the guards' mutex, the claims in order of arrival,
and for each job how far its helper and its guard have come. A step is what others can see of one
system call. From each state all steps are tried that anybody could take next, a kill of any helper
or guard among them, until there is no new state. In all of them

- no token is lost and none is made: those in the pipe, those of running jobs, and the guards'
  balances are always N - 1,
- no more sessions (and slots of theirs) run than there are slots, so long as their helpers live,
  but for one more for each that went through the gate and has not its slot back, and for each that
  was killed with its guard while its slot was lent, until somebody takes that over (ledger.h),
- no two sessions run that exclude each other,
- somebody can go on, and the end can be reached without any further kill: all jobs are reaped, no
  guard is left, and make counts N - 1 tokens (else it says INTERNAL). No time limit helps: who has
  to wait for one is stuck.

For a goal of the makefile's own that noxmk does not know, make starts `noxmk end` after each
session: a job like others, with a slot. It waits for the keeper of a helper that was killed.

A session that runs may wait at the gate (gate.h), with its slot lent. It goes on when it is the
first of those that wait and beside few enough others, and takes the slot back while it runs, or
ends, or waits again before it has it. Who has not begun holds its slots and waits for the gate.

Then the same with mistakes built in, each of which has to be found. What is not modelled: make
without a jobserver (pool.c), guards that are killed between the balance's change and the pipe's,
which costs a token, who is told first, and the limit on how many lend at once. TAP on stdout.
"""

from __future__ import annotations

import sys
from collections import deque
from typing import Iterator, NamedTuple, Optional

NEW, TICKET, WAIT, LENT, SLOTS, RUN, HELD, BACK, CLOSING, DEAD, REAPED, ENDING, ENDED = range(13)
IDLE, SETTLE, TAKE, UNDO, CLEAR = range(5)
GIVING, TAKEN = "giving", "taken"


class Guard(NamedTuple):
    """balance.c: struct memory, and where the guard is in it."""

    phase: int = IDLE
    hand: str = ""         # between the balance's change and the pipe's
    asked: bool = False    # since the last look: guard_ask
    least: int = 0         # as the helper wants it
    most: int = 0
    low: int = 0           # as the guard has seen it
    high: int = 0
    before: int = 0        # balance when it began to take
    done: bool = True      # for what was asked last
    lone: bool = False     # it was killed, and its helper does its work


class Job(NamedTuple):
    stage: int = NEW
    balance: int = 0
    guard: Optional[Guard] = None
    keeper: bool = False   # it has outlived its helper
    asks: int = 0          # commands that are to come to the gate
    debt: bool = False     # it went through the gate, and has not its slot back
    bereft: bool = False   # its guard was killed


class State(NamedTuple):
    pipe: int
    mutex: int             # the job whose guard has it, or -1
    claims: tuple          # (job, granted), oldest first
    jobs: tuple


class Setup(NamedTuple):
    name: str
    slots: int
    uses: tuple            # of each job: resources that it excludes others from
    wants: tuple           # of each job: (least, most) slots
    kills: int = 99        # how many helpers are killed at most
    stops: bool = False    # helpers that wait may also be told to end
    own: bool = False      # a goal of the makefile's own: an end for each session
    asks: tuple = ()       # of each job: its commands that come to the gate
    room: int = 0          # beside so many others such a command may run
    guards: int = 0        # how many guards are killed at most


def running(state: State) -> int:
    """Jobs that make has started and not reaped."""
    return sum(job.stage not in (NEW, REAPED, ENDED) for job in state.jobs)


class Model:
    def __init__(self, setup: Setup, mistake: str = "") -> None:
        self.setup, self.mistake = setup, mistake

    def start(self) -> State:
        asks = self.setup.asks or (0,) * len(self.setup.uses)
        return State(self.setup.slots - 1, -1, (), tuple(Job(asks=n) for n in asks))

    # What must hold.

    def fault(self, state: State) -> str:
        tokens = state.pipe + max(0, running(state) - 1)
        for job in state.jobs:
            tokens += job.balance + bool(job.guard and job.guard.hand)
        if tokens != self.setup.slots - 1:
            return f"{tokens} tokens of {self.setup.slots - 1}"
        busy = [i for i, job in enumerate(state.jobs) if job.stage == RUN]
        owed = sum(self.is_owed(job) and job.balance < 0 for job in state.jobs)
        if sum(max(state.jobs[i].balance + 1, self.setup.wants[i][0]) - state.jobs[i].debt
               for i in busy) > self.setup.slots + owed:
            return "more slots in use than there are"
        if any(state.jobs[i].balance < 0 and not state.jobs[i].debt for i in busy):
            return "one runs without its slot"
        busy = [i for i, job in enumerate(state.jobs) if job.stage in (RUN, HELD, BACK)]
        used = [name for i in busy for name in self.setup.uses[i]]
        return "two have one resource" if len(used) > len(set(used)) else ""

    def is_end(self, state: State) -> bool:
        mends = self.mistake != "nobody takes over what the dead owe"
        return all(job.stage == (ENDED if self.setup.own else REAPED) and
                   not (mends and job.balance) for job in state.jobs)

    @staticmethod
    def is_owed(job: Job) -> bool:
        """ledger.c: an entry that nobody locks. It would hide mistakes that a guard makes."""
        return job.bereft and job.stage >= DEAD and not job.guard and job.balance != 0

    # Who can do what.

    def steps(self, state: State) -> Iterator[State]:
        """What goes on by itself."""
        for i, job in enumerate(state.jobs):
            yield from self.make_steps(state, i, job)
            yield from self.helper_steps(state, i, job)
            if job.keeper and self.mistake != "the dead keep their place at the gate":
                yield self.put(state, i, job._replace(keeper=False))
            if job.guard:
                yield from self.guard_steps(state, i, job, job.guard)
            if self.is_owed(job) and self.mistake != "nobody takes over what the dead owe":
                yield from self.mend(state, i, job)

    def mend(self, state: State, i: int, job: Job) -> Iterator[State]:
        """guard.c: guard_mend, by who waits for tokens, or the end of the run or of a goal."""
        over = all(other.stage in (REAPED, ENDED) for other in state.jobs)
        waiting = self.mistake != "who waits does not look for what the dead have" and any(
            other.stage in (LENT, SLOTS) and other.guard and not other.guard.done
            for other in state.jobs)
        if not over and not waiting and all(other.stage != ENDING for other in state.jobs):
            return
        if job.balance > 0:
            yield self.put(state, i, job._replace(balance=job.balance - 1), pipe=state.pipe + 1)
        elif state.pipe > 0:
            yield self.put(state, i, job._replace(balance=0), pipe=state.pipe - 1)

    def take_over(self, state: State, i: int) -> Iterator[State]:
        """balance.c: balance_open of a new guard, which may find the entry of one who is dead."""
        for k, job in enumerate(state.jobs):
            if self.is_owed(job):
                taken = self.put(state, k, job._replace(balance=0))
                yield self.put(taken, i, taken.jobs[i]._replace(balance=job.balance))

    def blows(self, state: State) -> Iterator[State]:
        """What somebody does to helpers and guards."""
        killed = sum(job.stage >= DEAD for job in state.jobs)
        for i, job in enumerate(state.jobs):
            if TICKET <= job.stage <= CLOSING and killed < self.setup.kills:
                yield self.die(state, i, job)
            if self.setup.stops and job.stage in (WAIT, LENT, SLOTS, HELD):
                yield self.close(state, i, job)
            if sum(other.bereft for other in state.jobs) < self.setup.guards:
                yield from self.kill_guard(state, i, job)

    def kill_guard(self, state: State, i: int, job: Job) -> Iterator[State]:
        guard = job.guard
        if guard and not guard.lone and not guard.hand:
            rest = None if job.stage >= DEAD else guard._replace(lone=True)
            mutex = -1 if state.mutex == i and not rest else state.mutex
            yield self.put(state, i, job._replace(guard=rest, bereft=True), mutex=mutex)

    @staticmethod
    def put(state: State, i: int, job: Job, **changes) -> State:
        jobs = state.jobs[:i] + (job,) + state.jobs[i + 1:]
        return state._replace(jobs=jobs, **changes)

    def make_steps(self, state: State, i: int, job: Job) -> Iterator[State]:
        """GNU make, job.c: start_waiting_job, free_child."""
        if job.stage == NEW or (job.stage == REAPED and self.setup.own):
            started = job._replace(stage=TICKET if job.stage == NEW else ENDING)
            if running(state) == 0:
                yield self.put(state, i, started)
            elif state.pipe > 0:
                yield self.put(state, i, started, pipe=state.pipe - 1)
        if job.stage == ENDING and not self.is_awaited(state, job):
            back = 1 if running(state) > 1 else 0
            yield self.put(state, i, job._replace(stage=ENDED), pipe=state.pipe + back)
        # The guard traces its helper: make hears of its end when the guard has ended.
        hidden = job.guard is not None and self.mistake != "make hears of a death at once"
        if job.stage == DEAD and not hidden:
            back = 1 if running(state) > 1 else 0
            yield self.put(state, i, job._replace(stage=REAPED), pipe=state.pipe + back)

    def is_awaited(self, state: State, job: Job) -> bool:
        """end.c: await_keepers. The mistake is what rundir_wait did."""
        others = self.mistake == "the end waits until all helpers have left" and \
            any(TICKET <= other.stage <= CLOSING for other in state.jobs)
        return job.keeper or others

    def helper_steps(self, state: State, i: int, job: Job) -> Iterator[State]:
        """turn.c: turn_try, turn_close."""
        if job.stage in (TICKET, WAIT, LENT):
            yield from self.try_lock(state, i, job)
        if job.stage == WAIT and self.mistake != "who waits for a resource lends nothing":
            # slot_lend
            guard = Guard(asked=True, least=-1, most=-1, done=False)
            lent = self.put(state, i, job._replace(stage=LENT, guard=guard))
            yield lent
            yield from self.take_over(lent, i)
        ready = job.guard is None or job.guard.done or \
            self.mistake == "it runs before it has its slots"
        if job.stage == SLOTS and ready and self.has_waiting(state):
            if self.mistake == "who waits for the gate lends its slot, and begins without" and \
                    job.guard is None:
                yield self.put(state, i, job._replace(guard=LENDING))
        elif job.stage == SLOTS and ready:
            # ask_guard; a guard with nothing in hand is closed
            guard = None if job.guard and job.balance == 0 and job.guard.done else job.guard
            yield self.put(state, i, job._replace(stage=RUN, guard=guard))
        if job.stage == RUN:
            yield self.close(state, i, job)
        if self.setup.asks:
            yield from self.gate_steps(state, i, job)
        if job.stage == CLOSING:
            # With all given back, or after CLOSE_PATIENCE; then the guard sees to the rest.
            yield self.die(state, i, job)

    def has_waiting(self, state: State) -> bool:
        """gate.c: gate_is_awaited. The entry of a dead helper is there as long as its keeper."""
        return bool(self.setup.asks) and any(
            job.stage in (HELD, BACK) or job.keeper for job in state.jobs)

    def may_go(self, state: State, i: int) -> bool:
        """gate.c: may_go"""
        others = [(k, job) for k, job in enumerate(state.jobs) if k != i]
        using = sum(job.stage == RUN or job.keeper for _, job in others)
        if self.mistake == "who waits at the gate counts as one that runs":
            using += sum(job.stage == HELD for _, job in others)
        is_first = all(job.stage != HELD or k > i for k, job in others)
        return is_first and using <= self.setup.room

    def gate_steps(self, state: State, i: int, job: Job) -> Iterator[State]:
        """passage.c; turn.c: turn_lend, turn_take_back, turn_settle. Several slots are kept."""
        taking_back = (job.guard or Guard())._replace(asked=True, least=0, most=0, done=False)
        early = self.mistake == "who waits at the gate goes when it has its slot"
        if job.stage == RUN and job.asks > 0 and self.may_go(state, i):
            yield self.put(state, i, job._replace(asks=job.asks - 1))
        elif job.stage == RUN and job.asks > 0:
            guard = job.guard
            if self.setup.wants[i] == ONE:
                guard = (guard or Guard())._replace(asked=True, least=-1, most=-1, done=False)
            yield self.put(state, i, job._replace(stage=HELD, guard=guard))
        elif job.stage == HELD and self.may_go(state, i):
            lent = self.setup.wants[i] == ONE
            yield self.put(state, i, job._replace(
                stage=BACK if early else RUN, asks=job.asks - 1, debt=lent,
                guard=taking_back if lent else job.guard))
        back = job.debt and job.guard and job.guard.done and job.balance == 0
        if back and job.stage in (RUN, BACK):
            yield self.put(state, i, job._replace(stage=RUN, debt=False, guard=None))

    def close(self, state: State, i: int, job: Job) -> State:
        """lock_close, guard_close"""
        guard = job.guard
        if job.debt and self.mistake == "who ends forgets its debt":
            guard = None
        if guard:
            guard = guard._replace(asked=True, least=0, most=0, done=False)
        return self.put(state, i, job._replace(stage=CLOSING, guard=guard),
                        claims=self.without(state, i))

    def die(self, state: State, i: int, job: Job) -> State:
        guard = job.guard
        mutex = state.mutex
        if guard and (guard.lone or self.mistake == "the guard dies with its helper"):
            # What it had in hand is the guard's last act here: else a token would be lost.
            if guard.hand:
                return state
            guard, mutex = None, -1 if mutex == i else mutex
        claims = state.claims if self.mistake == "the dead keep their claims" else \
            self.without(state, i)
        keeper = bool(self.setup.own or self.setup.asks) and job.stage in (RUN, HELD, BACK)
        return self.put(state, i, job._replace(stage=DEAD, guard=guard, keeper=keeper),
                        claims=claims, mutex=mutex)

    @staticmethod
    def without(state: State, i: int) -> tuple:
        return tuple(claim for claim in state.claims if claim[0] != i)

    def try_lock(self, state: State, i: int, job: Job) -> Iterator[State]:
        """lock.c: lock_try, under .noxmk/locks/mutex; slot.c: slot_want."""
        claims, uses = state.claims, self.setup.uses[i]
        if not uses:
            yield self.go_on(state, i, job, claims)
            return
        if self.mistake == "resources are taken one by one":
            mine = sum(claim[0] == i for claim in claims)
            taken = [self.setup.uses[k][n] for n, (k, _) in self.numbered(claims)]
            if mine == len(uses):
                yield self.go_on(state, i, job, claims)
            elif uses[mine] not in taken:
                yield self.put(state, i, job._replace(stage=max(job.stage, WAIT)),
                               claims=claims + ((i, True),))
            return
        if all(claim[0] != i for claim in claims):
            claims += ((i, False),)
        place = [claim[0] for claim in claims].index(i)
        others = [(k, granted) for n, (k, granted) in enumerate(claims)
                  if k != i and (granted or n < place)]
        if self.mistake == "holders are not looked at":
            others = [other for other in others if not other[1]]
        if any(set(uses) & set(self.setup.uses[k]) for k, _ in others):
            if job.stage == TICKET:
                yield self.put(state, i, job._replace(stage=WAIT), claims=claims)
            return
        claims = claims[:place] + ((i, True),) + claims[place + 1:]
        yield self.go_on(state, i, job, claims)

    @staticmethod
    def numbered(claims: tuple) -> Iterator[tuple]:
        """Each claim with how many its job has before it."""
        seen: dict[int, int] = {}
        for claim in claims:
            yield seen.get(claim[0], 0), claim
            seen[claim[0]] = seen.get(claim[0], 0) + 1

    def go_on(self, state: State, i: int, job: Job, claims: tuple) -> State:
        least, most = self.setup.wants[i]
        guard = job.guard
        if (most > 1 or job.stage == LENT) and not (
                self.mistake == "what was lent is not taken back" and most == 1):
            guard = (guard or Guard())._replace(asked=True, least=least - 1, most=most - 1,
                                                done=False)
        elif guard:
            guard = guard._replace(done=True)
        return self.put(state, i, job._replace(stage=SLOTS, guard=guard), claims=claims)

    def guard_steps(self, state: State, i: int, job: Job, guard: Guard) -> Iterator[State]:
        """guard_process.c: serve, clear_up; balance.c: balance_settle and what it calls."""
        if guard.hand == GIVING:
            yield self.put(state, i, job._replace(guard=guard._replace(hand="")),
                           pipe=state.pipe + 1)
        elif guard.hand == TAKEN:
            yield self.put(state, i, job._replace(balance=job.balance + 1,
                                                  guard=guard._replace(hand="")))
        elif guard.phase == IDLE and job.stage >= DEAD:
            yield self.put(state, i, job._replace(guard=guard._replace(phase=CLEAR)))
        elif guard.phase == IDLE and not guard.done:
            seen = guard._replace(phase=SETTLE, asked=False, low=guard.least, high=guard.most,
                                  before=job.balance)
            yield self.put(state, i, job._replace(guard=seen))
        elif guard.phase == SETTLE:
            yield from self.settle(state, i, job, guard)
        elif guard.phase == TAKE:
            yield from self.take(state, i, job, guard)
        elif guard.phase == UNDO:
            yield from self.undo(state, i, job, guard)
        elif guard.phase == CLEAR:
            yield from self.clear(state, i, job, guard)

    def give(self, state: State, i: int, job: Job, guard: Guard) -> State:
        return self.put(state, i, job._replace(balance=job.balance - 1,
                                               guard=guard._replace(hand=GIVING)))

    def settle(self, state: State, i: int, job: Job, guard: Guard) -> Iterator[State]:
        if job.balance > guard.high:
            yield self.give(state, i, job, guard)
        elif job.balance == guard.high:
            yield self.settled(state, i, job, guard, state.mutex)
        elif guard.low - job.balance > 1:
            # Several: when as many are there, and one guard after the other.
            if state.pipe >= guard.low - job.balance and state.mutex < 0:
                yield self.put(state, i, job._replace(
                    guard=guard._replace(phase=TAKE, before=job.balance)), mutex=i)
            else:
                yield self.put(state, i, job._replace(guard=guard._replace(phase=UNDO, before=-1)))
        else:
            yield self.put(state, i, job._replace(
                guard=guard._replace(phase=TAKE, before=job.balance)))

    def take(self, state: State, i: int, job: Job, guard: Guard) -> Iterator[State]:
        free = -1 if state.mutex == i else state.mutex
        if job.balance < guard.high and state.pipe > 0:
            yield self.put(state, i, job._replace(guard=guard._replace(hand=TAKEN)),
                           pipe=state.pipe - 1)
        elif job.balance >= guard.low:
            yield self.settled(state, i, job, guard, free)
        else:
            yield self.put(state, i, job._replace(guard=guard._replace(phase=UNDO)), mutex=free)

    def settled(self, state: State, i: int, job: Job, guard: Guard, mutex: int) -> State:
        return self.put(state, i, job._replace(guard=guard._replace(
            phase=IDLE, done=not guard.asked or self.mistake == "an old answer counts")),
            mutex=mutex)

    def undo(self, state: State, i: int, job: Job, guard: Guard) -> Iterator[State]:
        """Who waits keeps nothing. Then it waits until there is one, or for the clock."""
        if job.balance > -1 and self.mistake != "who waits for several keeps what it has":
            yield self.give(state, i, job, guard)
        else:
            yield self.put(state, i, job._replace(guard=guard._replace(phase=IDLE)))

    def clear(self, state: State, i: int, job: Job, guard: Guard) -> Iterator[State]:
        if job.balance > 0:
            yield self.give(state, i, job, guard)
        elif job.balance == 0 or self.mistake == "the guard forgets what was lent":
            extra = int(self.mistake == "the guard gives one too many")
            yield self.put(state, i, job._replace(guard=None), pipe=state.pipe + extra)
        elif state.pipe > 0:
            yield self.put(state, i, job._replace(guard=guard._replace(hand=TAKEN)),
                           pipe=state.pipe - 1)


def explore(model: Model) -> tuple[int, str]:
    """How many states there are, and what is wrong with one of them, or nothing."""
    first = model.start()
    before: dict[State, list[State]] = {first: []}
    ends, queue = [], deque([first])
    while queue:
        state = queue.popleft()
        fault = model.fault(state)
        if fault:
            return len(before), fault
        if model.is_end(state):
            if state.pipe != model.setup.slots - 1:
                return len(before), "INTERNAL: make has miscounted its tokens"
            ends.append(state)
            continue
        following = [step for step in model.steps(state) if step != state]
        if not following:
            return len(before), f"nobody can go on: {state}"
        for step in [*following, *model.blows(state)]:
            if step not in before:
                before[step] = []
                queue.append(step)
        for step in following:
            before[step].append(state)
    reaching, queue = set(ends), deque(ends)
    while queue:
        for state in before[queue.popleft()]:
            if state not in reaching:
                reaching.add(state)
                queue.append(state)
    stuck = next((state for state in before if state not in reaching), None)
    return len(before), f"the end cannot be reached: {stuck}" if stuck else ""


ONE, TWO, ANY = (1, 1), (2, 2), (1, 2)
LENDING = Guard(asked=True, least=-1, most=-1, done=False)
SETUPS = [
    Setup("two for one resource, one slot", 1, (("db",), ("db",)), (ONE, ONE), stops=True),
    Setup("two for one resource, two slots", 2, (("db",), ("db",)), (ONE, ONE), stops=True),
    Setup("three, two of them for one resource", 2, (("db",), ("db",), ()), (ONE, ONE, ONE)),
    Setup("two resources, in either order", 2, (("a", "b"), ("b", "a")), (ONE, ONE), stops=True),
    Setup("two that want two slots", 2, ((), ()), (TWO, TWO), stops=True),
    Setup("two that want two of three slots", 3, ((), ()), (TWO, TWO)),
    Setup("one wants two slots, and one what is free", 2, ((), ()), (TWO, ANY), stops=True),
    Setup("two slots, and one resource", 2, (("db",), ("db",)), (TWO, ONE), stops=True),
    Setup("the same, and a third one", 2, (("db",), ("db",), ()), (TWO, ONE, ONE), kills=1),
    Setup("two for one resource, and two others", 2, (("db",), ("db",), (), ()), (ONE,) * 4,
          kills=1),
    Setup("three for one resource, each with an end", 2, (("db",),) * 3, (ONE,) * 3, kills=1,
          own=True),
    Setup("two come to the gate, one of them twice", 2, ((), ()), (ONE, ONE), kills=1,
          stops=True, asks=(2, 1)),
    Setup("one of four comes there", 2, ((),) * 4, (ONE,) * 4, kills=0, asks=(1, 0, 0, 0)),
    Setup("two of three, one of them beside another", 3, ((),) * 3, (ONE,) * 3, kills=0,
          asks=(1, 1, 0), room=1),
    Setup("two for one resource, which both come there", 2, (("db",), ("db",)), (ONE, ONE),
          kills=1, asks=(1, 1)),
    Setup("one with two slots comes there", 3, ((), ()), (TWO, ONE), kills=1, asks=(1, 1)),
    Setup("two for one resource, and guards are killed", 2, (("db",), ("db",)), (ONE, ONE),
          guards=2, stops=True),
    Setup("three for one resource, and guards are killed", 2, (("db",),) * 3, (ONE,) * 3,
          kills=2, guards=1),
    Setup("two that want two slots, and guards are killed", 2, ((), ()), (TWO, ANY), guards=2),
    Setup("each with an end, and guards are killed", 2, (("db",),) * 2, (ONE,) * 2, own=True,
          guards=2),
    Setup("two come to the gate, and guards are killed", 2, ((), ()), (ONE, ONE), kills=1,
          asks=(1, 1), guards=1),
]
# A mistake, and in which setup it shows.
MISTAKES = [
    ("who waits for a resource lends nothing", 7),
    ("what was lent is not taken back", 9),
    ("who waits for several keeps what it has", 4),
    ("it runs before it has its slots", 4),
    ("an old answer counts", 9),
    ("the guard dies with its helper", 1),
    ("the guard forgets what was lent", 1),
    ("the guard gives one too many", 1),
    ("make hears of a death at once", 4),
    ("the dead keep their claims", 1),
    ("holders are not looked at", 1),
    ("resources are taken one by one", 3),
    ("the end waits until all helpers have left", 10),
    ("who ends forgets its debt", 11),
    ("who waits for the gate lends its slot, and begins without", 12),
    ("who waits at the gate goes when it has its slot", 12),
    ("who waits at the gate counts as one that runs", 11),
    ("the dead keep their place at the gate", 11),
    ("nobody takes over what the dead owe", 16),
    ("who waits does not look for what the dead have", 18),
]


def main() -> int:
    verbose, number, bad = "-v" in sys.argv, 0, 0
    for setup in SETUPS:
        number += 1
        count, fault = explore(Model(setup))
        print(f"{'not ok' if fault else 'ok'} {number} {setup.name} ({count} states)")
        if fault:
            print(f"#   {fault}")
        bad += bool(fault)
    for mistake, where in MISTAKES:
        number += 1
        count, fault = explore(Model(SETUPS[where], mistake))
        print(f"{'ok' if fault else 'not ok'} {number} found: {mistake} ({count} states)")
        if verbose:
            print(f"#   {fault}")
        bad += not fault
    print(f"1..{number}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
