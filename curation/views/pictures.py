"""The media library: find, upload, describe, cut, and say whose faces are on a picture."""

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from ambassadors.models import Person
from campaigns import pictures, uploads, wording
from campaigns.models import Picture, PictureFace, Suggestion
from integrations.networks import NETWORKS

_PAGE = 24
CHOICE = 11  # pictures offered in the editor at once


class PictureForm(forms.ModelForm):  # type: ignore[type-arg]
    """Words, rights and focus of a picture."""

    alt_de = forms.CharField(required=False, max_length=1500, widget=forms.Textarea)
    alt_en = forms.CharField(required=False, max_length=1500, widget=forms.Textarea)
    usable_until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    focus_x = forms.IntegerField(min_value=0, max_value=100)
    focus_y = forms.IntegerField(min_value=0, max_value=100)

    class Meta:
        model = Picture
        fields = pictures.FIELDS


class FaceForm(forms.Form):
    """A colleague by name or e-mail address, or the name of an outsider with a day."""

    person = forms.CharField(required=False, max_length=254)
    name = forms.CharField(required=False, max_length=120)
    until = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def clean_person(self) -> Person | None:
        """The one who is meant; of two with one name the address decides."""
        typed = " ".join(wording.clean(self.cleaned_data["person"]).split())
        if not typed:
            return None
        here = Person.objects.filter(left_at__isnull=True)
        found = list(here.filter(Q(email__iexact=typed) | Q(name__iexact=typed))[:2])
        if not found:
            raise forms.ValidationError(_("Nobody here has this name or address."))
        if len(found) > 1:
            raise forms.ValidationError(
                _("Several people have this name. Type the e-mail address.")
            )
        return found[0]

    def clean(self) -> dict[str, Any]:
        """Exactly one of the two."""
        found: dict[str, Any] = super().clean() or {}
        found["name"] = " ".join(wording.clean(found.get("name") or "").split())
        if "person" not in self.errors and bool(found.get("person")) == bool(found["name"]):
            self.add_error("name", _("Choose a colleague, or write the name of somebody else."))
        return found


def library(request: HttpRequest) -> HttpResponse:
    """All pictures, newest first; on POST take one in."""
    if request.method == "POST":
        return _upload(request)
    return _library(request)


def _library(request: HttpRequest, error: str = "") -> HttpResponse:
    today = timezone.localdate()
    q, only = request.GET.get("q", "").strip()[:100], request.GET.get("only", "")
    rows = _found(q).select_related("uploaded_by").annotate(used=Count("suggestion", distinct=True))
    if only == "barred":
        rows = rows.filter(pk__in=Picture.objects.barred(today))
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    barred = pictures.barred(page.object_list, on=today)
    for row in page:
        row.barred = row.pk in barred
    context = {"page": page, "q": q, "only": only, "error": error}
    return render(request, "pictures.html", context, status=422 if error else 200)


def _found(q: str) -> Any:
    rows = Picture.objects.library().order_by("-pk")
    for word in q.replace("\x00", "").split()[:6]:
        rows = rows.filter(
            Q(title__icontains=word)
            | Q(alt_de__icontains=word)
            | Q(alt_en__icontains=word)
            | Q(made_by__icontains=word)
            | Q(faces__person__name__icontains=word)
            | Q(faces__name__icontains=word)
        )
    return rows.distinct()


def _upload(request: HttpRequest) -> HttpResponse:
    upload = request.FILES.get("file")
    if upload is None:
        return _library(request, _("Choose a file first."))
    try:
        picture = uploads.keep_picture(upload, by=cast("Person", request.user))
    except uploads.PictureRefused as error:
        return _library(request, str(error))
    name = wording.clean((upload.name or "").rsplit(".", 1)[0])[:80]
    Picture.objects.filter(pk=picture.pk, title="").update(title=name)
    Picture.objects.filter(pk=picture.pk, uploaded_at=None).update(uploaded_at=timezone.now())
    return redirect("picture_edit", pk=picture.pk)


def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture; on POST its words, rights and focus change."""
    row = get_object_or_404(Picture.objects.library(), pk=pk)
    if request.method != "POST":
        return _page(request, row, PictureForm(instance=row), FaceForm())
    form = PictureForm(request.POST, instance=row)
    if not form.is_valid():
        return _page(request, row, form, FaceForm(), status=422)
    pictures.describe(picture=row, by=cast("Person", request.user), now=timezone.now())
    messages.success(request, _("Saved."))
    return redirect("picture_edit", pk=pk)


def _page(
    request: HttpRequest, row: Picture, form: PictureForm, face: FaceForm, *, status: int = 200
) -> HttpResponse:
    today = timezone.localdate()
    missing = set(row.faces.without_yes(today).values_list("pk", flat=True))
    crops = {crop.network: crop for crop in row.crops.exclude(network="")}
    used = Suggestion.objects.filter(Q(picture=row) | Q(more_pictures=row)).distinct()
    context = {
        "picture": row,
        "form": form,
        "face_form": face,
        "faces": [(f, f.pk in missing) for f in row.faces.select_related("person")],
        "why": pictures.why_barred(Picture.objects.get(pk=row.pk), on=today),
        "crops": [
            (network.abilities.name, crops.get(network.abilities.name))
            for network in NETWORKS.values()
            if network.abilities.pictures
        ],
        "aspects": Picture.Aspect.choices,
        "used": used.select_related("topic")[:50],
    }
    return render(request, "picture.html", context, status=status)


@require_POST
def face_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Note who is in the picture."""
    row = get_object_or_404(Picture.objects.library(), pk=pk)
    form = FaceForm(request.POST)
    if not form.is_valid():
        return _page(request, row, PictureForm(instance=row), form, status=422)
    found = form.cleaned_data
    pictures.add_face(
        picture=row,
        person=found["person"],
        name=found["name"],
        until=found["until"],
        by=cast("Person", request.user),
        now=timezone.now(),
    )
    return redirect("picture_edit", pk=pk)


@require_POST
def face_remove(request: HttpRequest, pk: int, face: int) -> HttpResponse:
    """Somebody is not in the picture after all."""
    row = get_object_or_404(PictureFace, pk=face, picture=pk)
    pictures.remove_face(face=row, by=cast("Person", request.user), now=timezone.now())
    return redirect("picture_edit", pk=pk)


@require_POST
def cut(request: HttpRequest, pk: int) -> HttpResponse:
    """Cut the picture for a network, or show it whole there."""
    row = get_object_or_404(Picture.objects.library(), pk=pk)
    network, aspect = request.POST.get("network", ""), request.POST.get("aspect", "")
    if network in NETWORKS and aspect in {"", *Picture.Aspect.values}:
        pictures.cut(
            picture=row,
            network=network,
            aspect=aspect,
            by=cast("Person", request.user),
            now=timezone.now(),
        )
    return redirect("picture_edit", pk=pk)


def chosen(form: QueryDict) -> Picture | None:
    """The picture that was picked from the library; None for "no picture"."""
    key = form.get("library", "")
    if not key.isdecimal() or not key.isascii():
        return None
    return Picture.objects.library().filter(pk=int(key[:18])).first()


def choices(form: QueryDict, suggestion: Suggestion) -> dict[str, Any]:
    """What the editor offers from the library: what was picked, then the newest that fit."""
    q = form.get("pic", "").strip()[:100]
    picked = chosen(form)
    found = [
        row for row in _offered(q) if row.pk not in {suggestion.picture_id, picked and picked.pk}
    ]
    rows = [picked, *found] if picked else found
    return {"offered": rows[:CHOICE], "library": form.get("library", ""), "pic": q}


def _offered(q: str) -> list[Picture]:
    """Pictures that may be shown, newest first, one more than there is room for."""
    rows = _found(q).exclude(pk__in=Picture.objects.barred(timezone.localdate()))
    return list(rows[: CHOICE + 1])


@require_safe
def choice(request: HttpRequest) -> HttpResponse:
    """The pictures to choose from, as a fragment of the editor."""
    q = request.GET.get("pic", "").strip()[:100]
    context = {"offered": _offered(q)[:CHOICE], "pic": q}
    return render(request, "parts/picture_choice.html", context)
