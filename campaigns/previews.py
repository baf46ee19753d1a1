"""How a wording leaves on every network: label, text and link, counted as each network counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from integrations.networks import NETWORKS
from integrations.networks.base import Network

from . import disclosure
from .disclosure import Label, Labels
from .links import CODE_LENGTH
from .models import Suggestion, Variant
from .outgoings import short_url

LONG = 20_000  # characters; no network takes that many
CODE = "x" * CODE_LENGTH


@dataclass(frozen=True, slots=True)
class Fit:
    """One wording on one network in one country."""

    network: str
    label: str
    country: str
    carried: Label
    full: str
    length: int
    limit: int

    @property
    def over(self) -> int:
        """Characters too many, 0 where it fits."""
        return max(self.length - self.limit, 0)


@dataclass(frozen=True, slots=True)
class Leaving:
    """One complete text, and the networks on which it leaves like this."""

    full: str
    carried: Label
    fits: list[Fit]


def _length(network: Network, text: str) -> int:
    """Characters as the network counts them; beyond all limits a plain count is enough."""
    return network.length(text) if len(text) < LONG else len(text)


def link_of(suggestion: Suggestion) -> str:
    """A tracked link as long as the real one, empty without a link."""
    return short_url(CODE) if suggestion.link_url else ""


def fits(suggestion: Suggestion, variant: Variant, rules: Mapping[str, Labels]) -> list[Fit]:
    """The wording on each network it is meant for, once for every country with its own rule."""
    labels, link = rules.get(variant.language, Labels()), link_of(suggestion)
    found = []
    for country in labels.countries:
        for name, network in NETWORKS.items():
            if variant.network not in {"", name}:
                continue
            carried = labels.on(name, country)
            full = disclosure.complete(variant.text, carried, link)
            found.append(
                Fit(
                    name,
                    network.abilities.label,
                    country,
                    carried,
                    full,
                    _length(network, full),
                    network.abilities.limit,
                )
            )
    return found


def leaving(
    suggestion: Suggestion, variants: Sequence[Variant], rules: Mapping[str, Labels]
) -> list[tuple[Variant, list[Leaving]]]:
    """All wordings as they leave, equal texts together."""
    found = []
    for variant in variants:
        texts: dict[str, Leaving] = {}
        for fit in fits(suggestion, variant, rules):
            texts.setdefault(fit.full, Leaving(fit.full, fit.carried, [])).fits.append(fit)
        found.append((variant, list(texts.values())))
    return found


def matrix(
    suggestion: Suggestion, variants: Sequence[Variant], rules: Mapping[str, Labels]
) -> list[tuple[Variant, list[int]]]:
    """Characters left for each wording on each network, with label and link.

    Where countries differ, the longest label counts.
    """
    link = link_of(suggestion)
    found = []
    for variant in variants:
        labels = rules.get(variant.language, Labels())
        row = []
        for name, network in NETWORKS.items():
            texts = [
                disclosure.complete(variant.text, labels.on(name, country), link)
                for country in labels.countries
            ]
            row.append(network.abilities.limit - max(_length(network, text) for text in texts))
        found.append((variant, row))
    return found
