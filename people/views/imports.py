"""Import people: the files so far, one file with its columns, its dry run and its report."""

from typing import Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ambassadors.models import DirectoryRow, Person
from campaigns.wakeups import nudge
from people import columns, imports, reasons
from people.csvfiles import FileRefused
from people.imports import NotAgreed
from people.models import PeopleImport
from people.tasks import import_people

_PAGE = 20
_NAMES = 50  # people of a kind whose names are shown before anything happens
State = PeopleImport.State


def _me(request: HttpRequest) -> Person:
    return cast("Person", request.user)


def imports_list(request: HttpRequest) -> HttpResponse:
    """All files so far; on POST take a new one."""
    error = ""
    if request.method == "POST":
        file = request.FILES.get("file")
        if file is None:
            error = _("Choose a file first.")
        else:
            try:
                row = imports.upload(upload=file, by=_me(request), now=timezone.now())
            except FileRefused as refused:
                error = str(refused)
            else:
                return redirect("import", pk=row.pk)
    rows = PeopleImport.objects.select_related("uploaded_by")
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "error": error}
    return render(request, "imports.html", context, status=422 if error else 200)


def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One file as it stands; an open page asks for the part that changes."""
    row = get_object_or_404(PeopleImport.objects.select_related("uploaded_by", "agreed_by"), pk=pk)
    return _page(request, row)


def _page(
    request: HttpRequest,
    row: PeopleImport,
    *,
    error: tuple[str, str] = ("", ""),
    chosen: dict[str, str] | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "row": row,
        "error_field": error[0],
        "error": error[1],
        "refused": [
            (line, reasons.sentence(str(why), str(detail))) for line, why, detail in row.refused
        ],
        "needs_second": imports.needs_second(row),
        "idle": not any(row.counts.get(key) for key in ("new", "changed", "returns", "leaves")),
        "percent": min(100 * row.lines // row.total, 100) if row.total else 0,
        "decides": row.agreed_by_id != _me(request).pk and _me(request).has_role("administrator"),
    }
    if row.state == State.UPLOADED:
        context["columns"] = _columns(row, chosen)
        context["modes"] = PeopleImport.Mode.choices
        context["mode"] = request.POST.get("mode", row.mode)
        context["makes_sites"] = request.POST.get("makes_sites") == "yes" or row.makes_sites
    if row.state in {State.READ, State.WAITING}:
        context["people"] = _people(row)
    part = request.headers.get("HX-Request") and request.method == "GET"
    template = "parts/import_state.html" if part else "import.html"
    return render(request, template, context, status=422 if error[1] else 200)


def _columns(row: PeopleImport, chosen: dict[str, str] | None) -> list[dict[str, Any]]:
    """Each field with the column it is likely to be, and what stands there."""
    guessed = columns.guess(row.header, row.mapping or imports.remembered())
    guessed = guessed if chosen is None else chosen
    return [
        {
            "field": field,
            "label": label,
            "chosen": guessed.get(field, ""),
            "samples": [
                sample[place]
                for sample in row.samples
                if (place := _place(row, guessed.get(field, ""))) is not None
                and place < len(sample)
            ],
        }
        for field, label in columns.FIELDS.items()
    ]


def _place(row: PeopleImport, name: str) -> int | None:
    return row.header.index(name) if name in row.header else None


def _people(row: PeopleImport) -> list[dict[str, Any]]:
    """Who would leave, come back, or be changed, by name; a few of each."""
    found = []
    for outcome, title in (
        ("leaves", _("They leave")),
        ("returns", _("They come back, without the roles they had")),
        ("changed", _("They change")),
    ):
        rows = DirectoryRow.objects.filter(batch=row.batch, outcome=outcome).order_by("pk")
        names = _names(rows)
        if names:
            more = row.counts.get(outcome, 0) - len(names)
            found.append({"title": title, "names": names, "more": more})
    return found


def _names(rows: "QuerySet[DirectoryRow]") -> list[str]:
    keys = [key for key in rows.values_list("person_key", flat=True)[:_NAMES] if key]
    return list(Person.objects.filter(pk__in=keys).order_by("name").values_list("name", flat=True))


@require_POST
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the columns, then read the file; or go back to them."""
    row = get_object_or_404(PeopleImport, pk=pk)
    if row.state == State.READ and request.POST.get("again"):
        imports.choose_again(row=row)
        return redirect("import", pk=pk)
    if row.state != State.UPLOADED:
        return redirect("import", pk=pk)
    chosen = {field: request.POST.get(field, "") for field in columns.FIELDS}
    try:
        mapping = columns.checked(chosen, row.header)
    except columns.NoMapping as error:
        return _page(request, row, error=(error.field, error.sentence), chosen=chosen)
    mode = request.POST.get("mode", "")
    if mode not in PeopleImport.Mode:
        mode = PeopleImport.Mode.ADD
    imports.choose(
        row=row, mapping=mapping, mode=mode, makes_sites=request.POST.get("makes_sites") == "yes"
    )
    nudge(import_people)
    return redirect("import", pk=pk)


@require_POST
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Say yes to what the dry run showed, as the first or as the second person."""
    row, person, now = get_object_or_404(PeopleImport, pk=pk), _me(request), timezone.now()
    typed = request.POST.get("typed", "")[:20]
    try:
        if row.state == State.READ:
            runs = imports.agree(row=row, typed=typed, by=person, now=now)
        elif row.state == State.WAITING and person.has_role("administrator"):
            runs = imports.agree_second(row=row, typed=typed, by=person, now=now)
        else:
            return redirect("import", pk=pk)
    except NotAgreed as error:
        return _page(request, row, error=(error.field, error.sentence))
    if runs:
        nudge(import_people)
    return redirect("import", pk=pk)


@require_POST
def drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing of it happens."""
    row = get_object_or_404(PeopleImport, pk=pk)
    if row.state in {State.UPLOADED, State.READ, State.WAITING} and imports.drop(
        row=row, by=_me(request), now=timezone.now()
    ):
        messages.success(request, _("Dropped. Nothing of the file was done, and it is deleted."))
    return redirect("imports")
