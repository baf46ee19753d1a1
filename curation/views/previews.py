"""What stands in the editor now, as it would leave and for how many; nothing is saved."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from campaigns import audiences, disclosure, previews
from campaigns.models import Suggestion, Variant
from curation.forms import SuggestionForm
from curation.forms import variants as wordings


def sides(
    suggestion: Suggestion, variants: Sequence[Variant], form: SuggestionForm
) -> dict[str, Any]:
    """For the page and the fragment: how texts leave, by which rules, for how many. Two queries."""
    rules = disclosure.labels_by_language(suggestion.content_class)
    audience = form.audience()
    return {
        "leaving": previews.leaving(suggestion, variants, rules),
        "rules": rules,
        "audience": audience,
        "reach": audiences.reach(audience),
    }


@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The fragment that follows the typing."""
    suggestion = Suggestion(changed_at=timezone.now())
    form = SuggestionForm(request.POST, instance=suggestion)
    form.is_valid()  # fills the suggestion with what can be read
    variants = wordings(request.POST)
    return render(request, "parts/preview.html", sides(suggestion, variants, form))
