"""A picture of a form: taken in once, and carried along while the form's text is refused."""

from django.core import signing
from django.http import HttpRequest

from ambassadors.models import Person
from campaigns import uploads
from campaigns.models import Picture

_SALT = "picture of a form"


def of_form(request: HttpRequest, person: Person) -> Picture | None:
    """The picture that was sent now, or with an earlier try. Raises PictureRefused."""
    if request.POST.get("without"):
        return None
    if upload := request.FILES.get("picture"):
        return uploads.keep_picture(upload, by=person)
    try:
        owner, pk = signing.loads(request.POST.get("kept", ""), salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Picture.objects.filter(pk=pk).first() if owner == person.pk else None


def carried(picture: Picture | None, person: Person) -> str:
    """What the form hands back with its next try; of use to this person only."""
    return signing.dumps((person.pk, picture.pk), salt=_SALT) if picture else ""
