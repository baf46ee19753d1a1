"""The queue of a channel's posts that wait for a second pair of eyes."""

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from ambassadors.models import Person
from campaigns import approvals as verbs
from campaigns import wording
from campaigns.models import Delivery
from campaigns.tasks import publish_due
from campaigns.wakeups import nudge


def approvals(
    request: HttpRequest, *, errors: dict[int, str] | None = None, status: int = 200
) -> HttpResponse:
    """Posts that wait, the next due first; one's own wait for somebody else."""
    person = cast("Person", request.user)
    page = Paginator(verbs.waiting(person), 15).get_page(request.GET.get("page"))
    rows = [
        {
            "delivery": delivery,
            "marked": wording.marked(delivery.post.draft, delivery.post.text),
            "own": delivery.post.person_id == person.pk,
            "late": delivery.not_after <= timezone.now(),
            "error": (errors or {}).get(delivery.pk, ""),
            "why": request.POST.get("why", "") if delivery.pk in (errors or {}) else "",
        }
        for delivery in page.object_list
    ]
    return render(request, "approvals.html", {"page": page, "rows": rows}, status=status)


def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve exactly the text that was shown, or give it back with a sentence."""
    person, now = cast("Person", request.user), timezone.now()
    if request.method != "POST":
        return redirect("approvals")
    delivery = get_object_or_404(
        Delivery.objects.filter(account__in=verbs.may_approve(person)), pk=pk
    )
    if request.POST.get("act") == "decline":
        why = wording.clean(request.POST.get("why", ""))[:400]
        if not why:
            errors = {pk: _("Say why, in one sentence for the author.")}
            return approvals(request, errors=errors, status=422)
        done = verbs.decline(delivery=delivery, why=why, by=person, now=now)
        sentence = _("Given back with your sentence.")
    else:
        shown = request.POST.get("sha256", "").replace("\x00", "")
        done = verbs.approve(delivery=delivery, sha256=shown, by=person, now=now)
        nudge(publish_due)
        sentence = _("Approved. It leaves at its moment.")
    if done:
        messages.success(request, sentence)
    else:
        messages.error(
            request, _("This is not possible any more: it was changed, is over, or is your own.")
        )
    return redirect("approvals")
