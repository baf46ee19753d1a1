"""``python -m bench.curators``: fifty curators at one desk, as HTTP clients with real sessions.

They open, type, autosave, crash, take over, save and bring together on the same suggestions.
Every sentence they typed carries a word of its own; in the end each is looked for in the history
and among the kept drafts. Exit code 1 when one is lost, an answer was a 5xx, or p95 is missed.
"""

import argparse
import datetime as dt
import http.client
import random
import re
import statistics
import sys
import threading
import time
import urllib.parse
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from .__main__ import PAGE, machine
from .result import Result
from .stage import Stage, stage
from .words import WORDS

P95_GOAL = 0.3  # seconds of a save
_SAVE = 4  # seconds between two saves of a curator for each unit of pace
_HOT = 0.1  # this share of the suggestions gets two thirds of the work


@dataclass(slots=True)
class Notes:
    """What all curators saw together."""

    saved: dict[str, str] = field(default_factory=dict)  # word: where it was sent with a save
    drafted: dict[str, str] = field(default_factory=dict)  # the same for text never saved
    took: dict[str, list[float]] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    trouble: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def timed(self, what: str, seconds: float) -> None:
        """Keep how long an answer took."""
        with self.lock:
            self.took.setdefault(what, []).append(seconds)


class Fields(HTMLParser):
    """The fields of the form with an id (or the only one that posts to ``action``), as sent."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id, self.inside, self.fields = form_id, False, list[tuple[str, str]]()
        self._area, self._select, self._chosen = "", "", ""
        self._text: list[str] = []
        self.token = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect inputs, begin text areas and selects."""
        a = dict(attrs)
        if tag == "form":
            self.inside = a.get("id") == self.form_id
        name = a.get("name") or ""
        if tag == "input" and name == "csrfmiddlewaretoken":
            self.token = a.get("value") or ""
        if not self.inside:
            return
        if tag == "input" and name and a.get("type") not in {"file", "submit", "radio"}:
            if a.get("type") != "checkbox" or "checked" in a:
                self.fields.append((name, a.get("value") or ""))
        elif tag == "textarea" and name:
            self._area, self._text = name, []
        elif tag == "select" and name:
            self._select, self._chosen = name, "\0"
        elif tag == "option" and self._select and (self._chosen == "\0" or "selected" in a):
            self._chosen = a.get("value") or ""

    def handle_data(self, data: str) -> None:
        """Text of a text area."""
        if self._area:
            self._text.append(data)

    def handle_endtag(self, tag: str) -> None:
        """End a text area, a select, the form."""
        if tag == "textarea" and self._area:
            self.fields.append((self._area, "".join(self._text)))
            self._area = ""
        elif tag == "select" and self._select:
            self.fields.append((self._select, self._chosen.replace("\0", "")))
            self._select = ""
        elif tag == "form":
            self.inside = False


class Curator(threading.Thread):
    """One person at the desk until the end."""

    def __init__(
        self,
        number: int,
        cookie: str,
        port: int,
        pks: list[int],
        end: float,
        notes: Notes,
        pace: float,
    ) -> None:
        super().__init__(daemon=True)
        self.number, self.port, self.pks, self.end, self.notes, self.pace = (
            number,
            port,
            pks,
            end,
            notes,
            pace,
        )
        self.cookies = {"sessionid": cookie}
        self.dice = random.Random(number)  # noqa: S311 - the same in every run
        self.count = 0
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.abandoned: list[tuple[int, str, list[str]]] = []

    def run(self) -> None:
        """Work; what goes wrong is noted, never swallowed."""
        time.sleep(self.dice.uniform(0, 3 * self.pace))
        while time.monotonic() < self.end:
            try:
                self.work()
            except Exception as error:  # noqa: BLE001 - any is a finding
                with self.notes.lock:
                    self.notes.trouble.append(f"{type(error).__name__}: {error}")
                self.http.close()

    # What a person does -------------------------------------------------------------------------

    def work(self) -> None:
        """Open one suggestion, type, and save it or leave it."""
        pk, taken, typed = self.choose()
        where = f"/desk/suggestions/{pk}/"
        form = self.open(where + taken)
        key = next(value for name, value in form if name == "draft")
        for _ in range(self.dice.randint(1, 3)):
            self.think(0.3, 1.5)
            self.send(
                f"{where}here/",
                [("revision", dict(form)["revision"]), *self.secret(form)],
                "sign of life",
            )
            form, words = self.type(form)
            typed = [w for w in (*typed, *words) if any(w in value for _, value in form)]
            self.send(f"/desk/drafts/{key}/", form, "autosave")
        if self.dice.random() < 0.05:  # the lid closes
            self.drafted(typed, where)
            self.abandoned.append((pk, key, typed))
            return
        if self.dice.random() < 0.1:
            self.send(
                f"{where}remarks/",
                [("remark", "new"), ("comment-new", "Is this right?"), *self.secret(form)],
                "remark",
            )
        self.think(0.2, 1)
        self.saved(typed, where)
        status, target = self.send(where, [*form, ("act", "save")], "save")
        if status == 422:  # said beside the field, and kept as a draft
            self.note("refused by the form")
            self.drafted(typed, where)
            with self.notes.lock:
                for word in typed:
                    del self.notes.saved[word]
        for _ in range(6):
            if "/merge/" not in target:
                break
            target = self.merge(target)
        if target:
            self.get(target)  # as a browser follows
        self.think(0.3, 2)

    def choose(self) -> tuple[int, str, list[str]]:
        """A suggestion; or an own draft to take over, with the words in it.

        From then on they are in a form again, and its writer's to change.
        """
        if self.abandoned and self.dice.random() < 0.5:
            pk, key, typed = self.abandoned.pop()
            with self.notes.lock:
                for word in typed:
                    self.notes.drafted.pop(word, None)
            self.note("taken over")
            return pk, f"?draft={key}", typed
        hot = self.pks[: max(int(len(self.pks) * _HOT), 1)]
        return self.dice.choice(hot if self.dice.random() < 0.66 else self.pks), "", []

    def type(self, form: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
        """Change one place of the form, with a sentence that carries a word of its own."""
        self.count += 1
        word = f"w{self.number}x{self.count}z"
        sentence = f"{' '.join(self.dice.choices(WORDS, k=self.dice.randint(4, 12)))} {word}."
        texts = [i for i, (name, _) in enumerate(form) if name == "v_text"]
        chance, found = self.dice.random(), list(form)

        def put(name: str, value: str) -> None:
            index = next(i for i, (n, _) in enumerate(found) if n == name)
            found[index] = (name, value)

        if chance < 0.12:
            put("title", f"About {sentence}"[:60] + word)
        elif chance < 0.25:
            put("why", f"Because {sentence}")
        elif chance < 0.4:
            old = dict(form)["facts_text"].splitlines()[-8:]
            put("facts_text", "\n".join([*old, sentence]))
        elif chance < 0.48 and len(texts) < 6:
            fresh = [
                ("v_id", ""),
                ("v_name", "New"),
                ("v_language", "en"),
                ("v_network", ""),
                ("v_text", sentence),
            ]
            found = [*found, *fresh]
        elif chance < 0.52 and len(texts) > 2:
            found[self.dice.choice(texts)] = ("v_text", "")
            return found, []
        elif chance < 0.7:
            found[self.dice.choice(texts)] = ("v_text", f"Anew: {sentence} [your part]")
        else:
            index = self.dice.choice(texts)
            found[index] = ("v_text", f"{found[index][1][-900:]} {sentence}".strip())
        return found, [word]

    def merge(self, where: str) -> str:
        """Decide every clash of a merge page; returns where the answer leads."""
        status, page = self.get(where)
        if status != 200:
            self.note(f"merge page {status}")
            return ""
        self.note("clash")
        keys = sorted(set(re.findall(r'name="pick-([^"]+)"', page)))
        by_hand = set(re.findall(r'name="hand-([^"]+)"', page))
        reader = Fields("no form")
        reader.feed(page)
        revision = re.search(r'name="revision" value="(\d+)"', page)
        form = [
            ("csrfmiddlewaretoken", reader.token),
            ("revision", revision[1] if revision else ""),
        ]
        typed = []
        self.think(0.3, 1.5)
        for key in keys:
            pick = self.dice.choice(["mine", "theirs", *(["hand"] if key in by_hand else [])])
            form.append((f"pick-{key}", pick))
            if pick == "hand":
                self.count += 1
                word = f"w{self.number}x{self.count}z"
                typed.append(word)
                form.append((f"hand-{key}", f"Both together {word}"))
        self.saved(typed, where)
        _, target = self.send(where, form, "merge")
        return target

    # What the browser does ------------------------------------------------------------------------

    def open(self, where: str) -> list[tuple[str, str]]:
        """Get the editor and read its form."""
        status, page = self.get(where)
        if status != 200:
            raise RuntimeError(f"{where} answered {status}")
        reader = Fields("editor")
        reader.feed(page)
        return [(n, v.removeprefix("\n")) for n, v in reader.fields if not n.startswith("comment-")]

    def secret(self, form: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The form's token alone."""
        return [(n, v) for n, v in form if n == "csrfmiddlewaretoken"]

    def get(self, where: str) -> tuple[int, str]:
        """One page."""
        began = time.monotonic()
        status, _, body = self.ask("GET", where)
        self.notes.timed("page", time.monotonic() - began)
        return status, body.decode()

    def send(self, where: str, form: list[tuple[str, str]], what: str) -> tuple[int, str]:
        """Post a form; returns status and where it leads."""
        began = time.monotonic()
        status, target, _ = self.ask("POST", where, urllib.parse.urlencode(form))
        self.notes.timed(what, time.monotonic() - began)
        self.note(what)
        return status, target

    def ask(self, method: str, where: str, body: str | None = None) -> tuple[int, str, bytes]:
        """One request over the kept connection; a connection that was closed is opened again."""
        headers = {
            "Host": f"localhost:{self.port}",
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
        }
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.http.request(method, where, body, headers)
            answer = self.http.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.note("connection opened again")
            self.http.close()
            self.http.request(method, where, body, headers)
            answer = self.http.getresponse()
        content = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        self.note(f"{answer.status // 100}xx")
        if answer.status >= 500 or (answer.status >= 400 and answer.status != 422):
            with self.notes.lock:
                self.notes.trouble.append(f"{method} {where} answered {answer.status}")
        return answer.status, answer.headers.get("Location") or "", content

    def think(self, least: float, most: float) -> None:
        """Pause as a person does."""
        time.sleep(self.dice.uniform(least, most) * self.pace)

    def note(self, what: str) -> None:
        """Count something."""
        with self.notes.lock:
            self.notes.counts[what] += 1

    def saved(self, words: list[str], where: str) -> None:
        """Remember words that go with a save."""
        with self.notes.lock:
            self.notes.saved |= dict.fromkeys(words, where)

    def drafted(self, words: list[str], where: str) -> None:
        """Remember words that were kept and not saved."""
        with self.notes.lock:
            self.notes.drafted |= dict.fromkeys(words, where)


def prepare(curators: int, suggestions: int) -> tuple[list[str], list[int]]:
    """Sessions and drafts; returns the cookies and the suggestions."""
    from django.test import Client  # noqa: PLC0415 - needs the stage's Django

    from campaigns.models import Suggestion, Variant  # noqa: PLC0415

    from . import load  # noqa: PLC0415

    made = load.suggestions(suggestions)
    Suggestion.objects.update(state="draft", approved_at=None, approved_by=None)
    Variant.objects.bulk_create(
        Variant(
            suggestion=s, name="Facts", language="en", text=f"Facts about {s.title}.", position=1
        )
        for s in made
    )
    cookies = []
    for person in load.people(curators, "curator"):
        client = Client()
        client.force_login(person)
        cookies.append(client.cookies["sessionid"].value)
    return cookies, [s.pk for s in made]


def lost(notes: Notes) -> tuple[list[str], list[str]]:
    """Words of saves that no version holds, and words of drafts that nothing holds."""
    from campaigns.models import Version  # noqa: PLC0415
    from curation.models import Draft  # noqa: PLC0415

    pattern = re.compile(r"w\d+x\d+z")
    held: set[str] = set()
    for content in Version.objects.values_list("content", flat=True).iterator():
        held |= set(pattern.findall(str(content)))
    kept = {
        w for form in Draft.objects.values_list("form", flat=True) for w in pattern.findall(form)
    }
    never = [word for word in notes.saved if word not in held]
    drafts = [word for word in notes.drafted if word not in held | kept]
    return never, drafts


def percentile(values: list[float], share: float) -> float:
    """The value below which the share of them lies, in seconds."""
    ordered = sorted(values) or [0.0]
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def play(
    made: Stage, *, seconds: float, curators: int, suggestions: int, pace: float
) -> list[Result]:
    """Let them work, then look for every word."""
    from campaigns.models import Version  # noqa: PLC0415

    cookies, pks = prepare(curators, suggestions)
    made.start("web")
    notes, end = Notes(), time.monotonic() + seconds
    crew = [
        Curator(n, cookie, made.port, pks, end, notes, pace) for n, cookie in enumerate(cookies)
    ]
    for curator in crew:
        curator.start()
    for curator in crew:
        curator.join(seconds + 120)
    stuck = sum(curator.is_alive() for curator in crew)
    never, drafts = lost(notes)
    kinds = Counter(v.kind for v in Version.objects.only("kind"))
    merged = sum(v.is_merged for v in Version.objects.defer("content"))
    saves, counts = notes.took.get("save", []), notes.counts
    p95 = percentile(saves, 0.95)
    for line in (notes.trouble + [f"lost from a save: {w} in {notes.saved[w]}" for w in never])[
        :20
    ]:
        print(line, file=sys.stderr)
    return [
        Result("sentences typed and saved", f"{len(notes.saved)}, lost {len(never)}", "0 lost", "", not never and bool(notes.saved)),
        Result("sentences kept as drafts (crash)", f"{len(notes.drafted)}, lost {len(drafts)}", "0 lost", "", not drafts),
        Result("answers 5xx", str(counts["5xx"]), "0", f"{counts['2xx'] + counts['3xx']} good, {counts['4xx']} 4xx", counts["5xx"] == 0),
        Result("other trouble", str(len(notes.trouble) + stuck), "0", "", not notes.trouble and not stuck),
        Result("a save, p95", f"{p95 * 1000:.0f} ms", "< 300 ms", f"median {statistics.median(saves or [0]) * 1000:.0f} ms, slowest {max(saves, default=0) * 1000:.0f} ms, n = {len(saves)}", p95 < P95_GOAL),
        Result("an autosave, p95", f"{percentile(notes.took.get('autosave', []), 0.95) * 1000:.0f} ms", "", f"n = {counts['autosave']}"),
        Result("a merge saved, p95", f"{percentile(notes.took.get('merge', []), 0.95) * 1000:.0f} ms", "", f"n = {counts['merge']}"),
        Result("the editor opened, p95", f"{percentile(notes.took.get('page', []), 0.95) * 1000:.0f} ms", "", f"n = {len(notes.took.get('page', []))}"),
        Result("versions", f"{sum(kinds.values())}: {kinds['saved']} saved, of these {merged} brought together by themselves, {kinds['refused']} refused and kept"),
        Result("drafts taken over after a crash", str(counts["taken over"])),
    ]  # fmt: skip


def keep(results: list[Result], asked: Any) -> None:
    """Write the table between the page's own markers."""
    head = (
        f"{dt.datetime.now(dt.UTC):%Y-%m-%d}, {machine()}; {asked.curators} curators on "
        f"{asked.suggestions} suggestions for {asked.seconds:.0f} s, each with a save every {asked.pace * _SAVE:.0f} s or so"
        f"{', the machine shared with other work' if asked.shared else ''}; `make curators`.\n\n"
        "| what | figure | goal | beside it | kept |\n|---|---|---|---|---|\n"
    )
    block = "\n".join(
        ["<!-- curators -->", head + "\n".join(r.row() for r in results), "<!-- /curators -->"]
    )
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        re.sub(r"<!-- curators -->.*<!-- /curators -->", lambda _: block, text, flags=re.DOTALL),
        encoding="utf-8",
    )


def main() -> int:
    """Play; 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.curators", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--curators", type=int, default=50)
    parser.add_argument("--suggestions", type=int, default=200)
    parser.add_argument(
        "--pace", type=float, default=16, help="factor of the pauses; 16: a save a minute or so"
    )
    parser.add_argument(
        "--no-goal", action="store_true", help="time counts for nothing: shared machines"
    )
    parser.add_argument("--shared", action="store_true", help="say that the machine was shared")
    parser.add_argument("--keep", action="store_true", help="write the table to docs")
    asked = parser.parse_args()
    with stage() as made:
        results = play(
            made,
            seconds=asked.seconds,
            curators=asked.curators,
            suggestions=asked.suggestions,
            pace=asked.pace,
        )
    for result in results:
        print(result.line(), flush=True)
    if asked.keep:
        keep(results, asked)
    wrong = [
        r for r in results if r.kept is False and not (asked.no_goal and r.name.endswith("p95"))
    ]
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
