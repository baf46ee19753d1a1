"""What monitoring may know, for Prometheus: how work stands, never whose work it is.

Nothing is counted by person, team, topic or text. All of it is read when asked, from indexed rows;
a scrape every half minute is plenty.
"""

import datetime as dt
from collections.abc import Iterator

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ambassadors.models import AuditUnsealed
from campaigns import watch
from campaigns.models import Programme, Topic
from integrations import instance, limits
from integrations.models import ConnectedAccount, Revocation


class Gauges(Collector):
    """Everything, as it stands at a moment."""

    def __init__(self, now: dt.datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each gauge with its meaning."""
        yield from self._posts()
        yield from self._networks()
        yield from self._house()

    def _posts(self) -> Iterator[GaugeMetricFamily]:
        found = watch.standing(now=self.now)
        posts = GaugeMetricFamily(
            "botschaft_posts", "Posts that are not at their end, by how they stand.", labels=["is"]
        )
        for name in ("due", "later", "blocked", "sending"):
            posts.add_metric([name], getattr(found, name))
        posts.add_metric(["unknown"], found.looking + found.asking)
        yield posts
        oldest = GaugeMetricFamily(
            "botschaft_oldest_post_seconds",
            "How long the oldest post has been due, or has been unknown.",
            labels=["is"],
        )
        oldest.add_metric(["due"], self._age(found.due_since))
        oldest.add_metric(["unknown"], self._age(found.unknown_since))
        yield oldest
        standstill = watch.waiting(now=self.now, since=watch.STANDSTILL)
        yield GaugeMetricFamily(
            "botschaft_standstill", "1 while a post is due and no worker takes it.", int(standstill)
        )

    def _networks(self) -> Iterator[GaugeMetricFamily]:
        silent = GaugeMetricFamily(
            "botschaft_network_silent_seconds",
            "How long the longest silent host of a network has answered nothing.",
            labels=["network"],
        )
        since: dict[str, dt.datetime] = {}
        for (network, _address), moment in limits.silent().items():
            since[network] = min(moment, since.get(network, moment))
        for network, moment in sorted(since.items()):
            silent.add_metric([network], self._age(moment))
        yield silent
        lost = ConnectedAccount.objects.filter(disconnected_at__isnull=True)
        yield GaugeMetricFamily(
            "botschaft_accounts_to_reconnect",
            "Accounts whose key the network no longer takes.",
            lost.exclude(reconnect_reason="").count(),
        )
        yield GaugeMetricFamily(
            "botschaft_keys_to_return",
            "Keys on their way back to their network.",
            Revocation.objects.count(),
        )

    def _house(self) -> Iterator[GaugeMetricFamily]:
        held = Programme.objects.filter(held_at__isnull=False).exists()
        yield GaugeMetricFamily("botschaft_held", "1 while everything is on hold.", int(held))
        topics = Topic.objects.current().filter(held_at__isnull=False).count()
        yield GaugeMetricFamily("botschaft_topics_held", "Topics that are on hold.", topics)
        yield GaugeMetricFamily(
            "botschaft_stopped",
            "1 while nothing is published until somebody confirms the installation.",
            int(instance.stopped()),
        )
        yield GaugeMetricFamily(
            "botschaft_record_unsealed",
            "Entries of the record that no seal covers yet.",
            AuditUnsealed.objects.count(),
        )
        spool = settings.SPOOL_DIR
        yield GaugeMetricFamily(
            "botschaft_spooled",
            "Answers of networks that the database could not take yet.",
            sum(1 for _ in spool.iterdir()) if spool.is_dir() else 0,
        )

    def _age(self, since: dt.datetime | None) -> float:
        return max((self.now - since).total_seconds(), 0.0) if since else 0.0


def text(*, now: dt.datetime) -> bytes:
    """All gauges in Prometheus' text format 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Gauges(now))
    return generate_latest(registry)
