"""How long things are kept: administrators change it, auditors read it."""

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors import retention
from ambassadors.models import Person, RetentionRule, RetentionRun

_SHOWN = 60  # lines of the log


def page(request: HttpRequest) -> HttpResponse:
    """The table with its dry run and the log; on POST one class gets other days."""
    by, now = cast("Person", request.user), timezone.now()
    may, errors, typed = by.has_role("administrator"), {}, ""
    if request.method == "POST" and may:
        name, typed = request.POST.get("name", ""), request.POST.get("days", "")[:20]
        try:
            days = retention.change(name=name, typed=typed, by=by, now=now)
        except KeyError:
            return redirect("retention")
        except retention.NotChanged as refused:
            errors[name] = str(refused)
        else:
            messages.success(request, _("Kept for %(days)s days from now on.") % {"days": days})
            return redirect("retention")
    counts, chosen = retention.would_go(now=now), retention.chosen()
    changed = {rule.name: rule for rule in RetentionRule.objects.select_related("changed_by")}
    titles = {kept.name: _(kept.title) for kept in retention.classes()}
    rows = [
        {
            "kept": kept,
            "title": titles[kept.name],
            "why": _(kept.why),
            "days": chosen[kept.name],
            "typed": typed if kept.name in errors else chosen[kept.name],
            "goes": counts[kept.name],
            "rule": changed.get(kept.name),
            "error": errors.get(kept.name, ""),
        }
        for kept in retention.classes()
    ]
    log = [
        {"run": run, "title": titles.get(run.name, run.name)}
        for run in RetentionRun.objects.filter(gone__gt=0)[:_SHOWN]
    ]
    context = {
        "rows": rows,
        "log": log,
        "may": may,
        "untimed": [(_(title), _(why)) for title, why in retention.UNTIMED],
    }
    return render(request, "retention.html", context, status=422 if errors else 200)
