"""What a run proves, from the networks' ledgers and the database alone.

Every check is a function that yields one sentence per violation; no sentence, no violation.
Times of the ledger are CLOCK_MONOTONIC; ``offset`` turns them into the database's time.
"""

from collections import defaultdict
from dataclasses import dataclass, field

GATE_SECONDS = 2.0  # not scaled
ONE_RETRY = {"linkedin", "x"}  # no key there: after a second open answer a person is asked
CLOSED = {"sent", "unknown", "refused"}  # outcomes that only an arrival can have


@dataclass(frozen=True)
class Window:
    """A hold in force: from its 200 to just before its release was asked for (monotonic)."""

    topic: int
    begin: float
    end: float


@dataclass
class Evidence:
    """All that is known after a run. ``trouble``: somebody killed or froze processes."""

    sql: object
    ledger: list
    offset: float
    time_scale: float
    holds: list = field(default_factory=list)
    trouble: bool = False
    kills: int = 0

    def __post_init__(self):
        self.deliveries = {
            row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in self.sql(_DELIVERIES)
        }
        self.by_mark = {row["mark"]: row for row in self.deliveries.values()}
        self.attempts = _grouped(self.sql(_ATTEMPTS), "fence began ended outcome")
        self.transitions = _grouped(self.sql(_TRANSITIONS), "source target fence at actor reason")
        found = self.sql("SELECT to_regclass('chaos_change') IS NOT NULL")[0][0]
        self.changes = _grouped(
            self.sql(_CHANGES) if found else [], "source target fence fence_after delayed"
        )
        self.events = defaultdict(lambda: defaultdict(list))
        for row in self.ledger:
            self.events[row["kind"]][row["mark"]].append(row)

    def of(self, kind, delivery):
        """A delivery's rows of one kind in the ledger."""
        return self.events[kind].get(delivery["mark"], [])

    def decisions(self, delivery):
        """How often a person decided to send this again."""
        return sum(row["actor"] is not None for row in self.transitions[delivery["id"]])


_COLUMNS = [
    "id",
    "mark",
    "network",
    "account",
    "topic",
    "state",
    "blocked",
    "reason",
    "fence",
    "remote_id",
    "due",
    "not_after",
    "look",
    "can_look",
]
_DELIVERIES = """
SELECT d.id, replace(d.key::text, '-', ''), a.network, d.account_id, s.topic_id, d.state,
       d.blocked, d.reason, d.fence, d.remote_id, extract(epoch FROM d.due_at)::float8,
       extract(epoch FROM d.not_after)::float8, d.look_at IS NOT NULL,
       COALESCE(a.features ->> 'can_look', 'true') = 'true'
  FROM campaigns_delivery d JOIN integrations_connectedaccount a ON a.id = d.account_id
  JOIN campaigns_post p ON p.id = d.post_id
  LEFT JOIN campaigns_suggestion s ON s.id = p.suggestion_id ORDER BY d.due_at, d.id"""
_ATTEMPTS = """
SELECT delivery_id, fence, extract(epoch FROM began_at)::float8,
       extract(epoch FROM ended_at)::float8, outcome FROM campaigns_attempt ORDER BY id"""
_TRANSITIONS = """
SELECT delivery_id, source, target, fence, extract(epoch FROM at)::float8, actor_id, reason
  FROM campaigns_transition ORDER BY id"""
_CHANGES = """
SELECT delivery_id, source, target, fence, fence_after, delayed FROM chaos_change ORDER BY id"""


def _grouped(rows, names):
    groups = defaultdict(list)
    for first, *rest in rows:
        groups[first].append(dict(zip(names.split(), rest, strict=True)))
    return groups


# The checks ---------------------------------------------------------------------------------


def lost(seen):
    """I1: over, or waiting for a person for a reason that really happened."""
    for row in seen.deliveries.values():
        over = row["state"] in {"sent", "cancelled"} or (
            row["state"] == "failed" and row["reason"] == "expired"
        )
        person = row["state"] == "unknown" and not row["look"]
        poisoned = row["blocked"] == "quarantined" and seen.trouble
        if not (over or person or poisoned):
            yield f"{_name(row)} {row['state']} {row['blocked']} {row['reason']}"


def doubled(network):
    """I2: at most one post for each delivery."""

    def check(seen):
        for row in seen.deliveries.values():
            made = seen.of("created", row)
            if row["network"] == network and len(made) > 1 + seen.decisions(row):
                yield f"{_name(row)} exists {len(made)} times"

    check.__name__ = f"doubled on {network}"
    return check


def sent_again_unasked(seen):
    """I2 where no key exists: after an open answer the system itself never sends again."""
    for row in seen.deliveries.values():
        if row["can_look"]:
            continue
        proven = sum(not fault["ambiguous"] for fault in seen.of("fault", row))
        arrived = len(seen.of("arrived", row))
        if arrived > 1 + proven + seen.decisions(row):
            yield f"{_name(row)} arrived {arrived} times"


def sent_without_post(seen):
    """I3: what we call sent exists."""
    for row in seen.deliveries.values():
        if row["state"] == "sent" and not seen.of("created", row):
            yield _name(row)


def wrong_id(seen):
    """I3: the id we keep is the post's."""
    for row in seen.deliveries.values():
        ids = {str(made["id"]) for made in seen.of("created", row)}
        if row["state"] == "sent" and ids and row["remote_id"] not in ids:
            yield f"{_name(row)} {row['remote_id']!r} is none of {sorted(ids)}"


def post_not_in_database(seen):
    """What exists is sent, or said aloud to be unknown."""
    for mark in seen.events["created"]:
        row = seen.by_mark.get(mark)
        if row is None:
            yield f"nobody knows the post {mark}"
        elif row["state"] not in {"sent", "unknown"} and row["blocked"] != "quarantined":
            yield f"{_name(row)} exists but is {row['state']} {row['reason']}"


def unknown_without_cause(seen):
    """I3: unknown needs an open answer, no answer in time, or a worker that died or froze.

    A crashed database counts with the latter: the answer came in time, but its lease had run out
    when it could be written.
    """
    lease, deadline = 60 * seen.time_scale, 30 * seen.time_scale
    for row in seen.deliveries.values():
        open_answers = sum(fault["ambiguous"] for fault in seen.of("fault", row))
        for step in seen.transitions[row["id"]]:
            if step["target"] != "unknown":
                continue
            tries = [a for a in seen.attempts[row["id"]] if a["fence"] == step["fence"]]
            took = max((a["ended"] - a["began"] for a in tries if a["ended"]), default=lease)
            waited = max((step["at"] - a["began"] for a in tries), default=lease)
            died = step["reason"] == "worker_lost" and waited >= lease and seen.trouble
            late = step["reason"] == "ambiguous" and took >= deadline
            if not (open_answers or died or late):
                yield f"{_name(row)} {step['reason']} after {took:.2f} s"


def unknown_too_long(seen):
    """Whoever can look has looked within a quarter of an hour (scaled)."""
    for row in seen.deliveries.values():
        if not row["can_look"]:
            continue
        since = None
        for step in seen.transitions[row["id"]]:
            took = step["at"] - since if since else 0
            if took > 900 * seen.time_scale:
                yield f"{_name(row)} {took:.0f} s unknown"
            since = step["at"] if step["target"] == "unknown" else None
        asked = row["network"] in ONE_RETRY and len(seen.attempts[row["id"]]) > 1
        if row["state"] == "unknown" and not asked:
            yield f"{_name(row)} still unknown ({row['reason']})"


def arrived_during_hold(seen):
    """I5: nothing arrives between a hold's answer and its release."""
    windows = defaultdict(list)
    for hold in seen.holds:
        windows[hold.topic].append(hold)
    for row in seen.deliveries.values():
        for arrival in seen.of("arrived", row):
            for hold in windows[row["topic"]]:
                if hold.begin < arrival["at"] < hold.end:
                    yield f"{_name(row)} {arrival['at'] - hold.begin:.3f} s after the answer"


def early_or_late(seen):
    """I7, by the database's clock: 50 ms for reading two clocks, the gate for the last start."""
    for row in seen.deliveries.values():
        for arrival in seen.of("arrived", row):
            at = arrival["at"] + seen.offset
            if at < row["due"] - 0.05:
                yield f"{_name(row)} {row['due'] - at:.3f} s early"
            if at > row["not_after"] + GATE_SECONDS:
                yield f"{_name(row)} {at - row['not_after']:.3f} s after its end"


def out_of_order(seen):
    """I8: on one account in order of due time, unless something was put back or held."""
    last = {}
    for row in seen.deliveries.values():
        arrivals = seen.of("arrived", row)
        if not arrivals or any(change["delayed"] for change in seen.changes[row["id"]]):
            continue
        first = min(arrival["at"] for arrival in arrivals)
        before = last.get(row["account"])
        if before and before[0] > first:
            yield f"{_name(row)} before {before[1]}"
        last[row["account"]] = (first, _name(row))


def attempts_do_not_match(seen):
    """Every arrival is an attempt; every answered attempt is an arrival."""
    for row in seen.deliveries.values():
        tries = seen.attempts[row["id"]]
        arrived = len(seen.of("arrived", row))
        answered = sum(a["outcome"] in CLOSED for a in tries)
        if not answered <= arrived <= len(tries):
            yield f"{_name(row)}: {answered} answered, {arrived} arrived, {len(tries)} attempts"


def change_under_old_fence(seen):
    """I14: each change of state is written down, and made under the fence the row had then.

    Proof that the post exists (I4) and a person's decision may come under any fence.
    """
    for row in seen.deliveries.values():
        changes = [c for c in seen.changes[row["id"]] if c["source"] != c["target"]]
        steps = seen.transitions[row["id"]]
        if not seen.changes:
            continue
        if [(c["source"], c["target"]) for c in changes] != [
            (s["source"], s["target"]) for s in steps
        ]:
            yield f"{_name(row)}: {len(changes)} changes, {len(steps)} transitions"
            continue
        for change, step in zip(changes, steps, strict=True):
            free = step["target"] == "sent" or step["actor"] is not None
            if not free and step["fence"] != change["fence"]:
                yield (
                    f"{_name(row)} {step['source']} → {step['target']} under fence"
                    f" {step['fence']}, the row had {change['fence']}"
                )


def refresh_token_replayed(seen):
    """I10: presented once, except after a crash between answer and commit."""
    replays = sum(len(rows) for rows in seen.events["replayed"].values())
    if replays > seen.kills:
        yield f"{replays} replays, {seen.kills} kills"


def _name(row):
    return f"{row['network']} {row['id']}"


CHECKS = [
    lost,
    *(doubled(name) for name in ("mastodon", "bluesky", "linkedin", "x")),
    sent_again_unasked,
    sent_without_post,
    wrong_id,
    post_not_in_database,
    unknown_without_cause,
    unknown_too_long,
    arrived_during_hold,
    early_or_late,
    out_of_order,
    attempts_do_not_match,
    change_under_old_fence,
    refresh_token_replayed,
]


# The report ---------------------------------------------------------------------------------


def figures(seen):
    """What happened, in one line per network."""
    for network in sorted({row["network"] for row in seen.deliveries.values()}):
        rows = [row for row in seen.deliveries.values() if row["network"] == network]
        states = defaultdict(int)
        for row in rows:
            states[row["blocked"] or row["state"]] += 1
        ever = sum(any(s["target"] == "unknown" for s in seen.transitions[r["id"]]) for r in rows)
        posted = sum(row["state"] == "unknown" and bool(seen.of("created", row)) for row in rows)
        counts = {
            kind: sum(len(seen.of(kind, row)) for row in rows)
            for kind in ("arrived", "created", "fault")
        }
        yield (
            f"{network:9} {len(rows):6} deliveries  "
            + "  ".join(f"{number} {kind}" for kind, number in counts.items())
            + f"  {ever} were unknown  now "
            + ", ".join(f"{number} {state}" for state, number in sorted(states.items()))
            + (f" ({posted} of the unknown are posted)" if posted else "")
        )


def delays(seen):
    """Due to first arrival of all that nothing delayed on purpose: median, p95, p99, seconds."""
    waits = sorted(
        min(a["at"] for a in arrivals) + seen.offset - row["due"]
        for row in seen.deliveries.values()
        if (arrivals := seen.of("arrived", row))
        and not any(change["delayed"] for change in seen.changes[row["id"]])
    )
    return (
        [round(waits[int(len(waits) * share)], 2) for share in (0.5, 0.95, 0.99)] if waits else []
    )


def judge(seen, title):
    """Print the table; returns how many checks failed."""
    print(f"\n{title}")
    for line in figures(seen):
        print(f"  {line}")
    print(f"  due to first byte, seconds (median, p95, p99): {delays(seen)}")
    bad = 0
    for check in CHECKS:
        problems = list(check(seen))
        bad += bool(problems)
        name = check.__name__.replace("_", " ")
        print(f"  {name:28} {len(problems):5}  {'VIOLATED' if problems else 'ok'}")
        for problem in problems[:5]:
            print(f"      {problem}")
    return bad
