"""Which label a text carries, and the complete text that leaves."""

from dataclasses import dataclass

from .models import DisclosureRule
from .models.suggestion import Suggestion


@dataclass(frozen=True, slots=True)
class Label:
    """The label of one content class on one network in one language."""

    text: str
    place: str
    version: int

    def apply(self, text: str) -> str:
        """Put the label where the rule says, unless the text carries it there already."""
        if not self.text:
            return text
        if self.place == DisclosureRule.Place.START:
            return text if text.startswith(self.text) else f"{self.text} {text}"
        return text if text.endswith(self.text) else f"{text} {self.text}"


NO_LABEL = Label("", DisclosureRule.Place.END, 0)


def labels(content_class: str, language: str) -> dict[str, Label]:
    """All labels of a class in a language, by network; ``""`` is for every other network."""
    rules = DisclosureRule.objects.filter(content_class=content_class, language=language)
    found: dict[str, Label] = {}
    for rule in rules.order_by("version"):
        found[rule.network] = Label(rule.label, rule.place, rule.version)
    return found


def label_for(suggestion: Suggestion | None, network: str, language: str) -> Label:
    """The label for one post; a person's own post carries none of ours."""
    if suggestion is None:
        return NO_LABEL
    found = labels(suggestion.content_class, language)
    return found.get(network) or found.get("") or NO_LABEL


def complete(text: str, label: Label, link: str) -> str:
    """Text, label and link in the order in which they leave."""
    full = label.apply(text)
    return f"{full}\n{link}" if link else full
