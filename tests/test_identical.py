"""X forbids the same text on several accounts: refused before it leaves, whoever was first."""

import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from campaigns import identical
from campaigns.models import Delivery
from campaigns.share_checks import ShareRefused
from campaigns.shares import Words, hand_over, share

from .networks.mastodon import Mastodon
from .networks.x import X

TEXT = "Six years of work went live today. I wired the first of 14 turbines!"


@pytest.fixture
def x(monkeypatch):
    with X() as server:
        for name, value in server.environment().items():
            monkeypatch.setenv(name, value)
        yield server


@pytest.fixture
def say(suggestion):
    def put(who, text, *accounts):
        words = Words(text=text, variant=suggestion.variant_set.get(), submission=uuid.uuid4())
        now = timezone.now()
        return share(
            by=who, suggestion=suggestion, words=words, accounts=accounts, due_at=now, now=now
        )

    return put


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (TEXT, TEXT, True),
        (TEXT, "six years of work — went LIVE today; I wired the first of 14 turbines", True),
        (TEXT, f"{TEXT} https://a.example/r/other", True),
        (TEXT, f"{TEXT} #NordwindTeam", True),
        (TEXT, TEXT.replace("14", "15"), True),
        (TEXT, TEXT.replace("I wired the first", "My team planned the last"), False),
        (TEXT, "Something else entirely, and of that kind of length as well, truly.", False),
        ("風力発電所が動きました", "風力発電所が動きました。", True),
        ("風力発電所が動きました", "太陽光の方が好きです", False),
        ("👏👏", "👏 👏", True),
        ("👏", "🎉", False),
    ],
)
def test_wordings_are_compared_without_case_punctuation_link_and_label(one, other, same):
    label = "#NordwindTeam"
    assert identical.alike(identical.core(one, label), identical.core(other, label)) is same


@pytest.mark.django_db
def test_second_account_is_refused_beside_the_text_without_a_name(person, x, account_on, say):
    first, second = person("Jona Harms"), person("Aylin Kaya")
    say(first, TEXT, account_on(first, x, "1"))
    with pytest.raises(ShareRefused) as refused:
        say(second, TEXT.upper(), account_on(second, x, "2"))
    assert refused.value.field == "text"
    assert refused.value.sentence == (
        "X forbids the same text on several accounts, and nearly these words are there already."
        " Say it in your own words."
    )
    assert Delivery.objects.count() == 1


@pytest.mark.django_db
def test_own_words_may_go(person, x, account_on, say):
    first, second = person("Jona"), person("Aylin")
    say(first, TEXT, account_on(first, x, "1"))
    say(second, "I was up there in the fog when they began to turn.", account_on(second, x, "2"))
    assert Delivery.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize("theirs", [f"Mine is another.\n---\n{TEXT}", TEXT])
def test_part_of_a_thread_is_a_text_of_its_own(person, x, account_on, say, theirs):
    first, second = person("Jona"), person("Aylin")
    say(first, f"{TEXT}\n---\nAnd the other 13 followed.", account_on(first, x, "1"))
    with pytest.raises(ShareRefused):
        say(second, theirs, account_on(second, x, "2"))
    assert Delivery.objects.count() == 2


@pytest.mark.django_db
def test_withdrawn_text_is_free_again(person, x, account_on, say):
    first, second = person("Jona"), person("Aylin")
    say(first, TEXT, account_on(first, x, "1"))
    Delivery.objects.update(state="cancelled")
    say(second, TEXT, account_on(second, x, "2"))
    assert Delivery.objects.count() == 2


@pytest.mark.django_db
def test_two_accounts_of_one_person_are_two_accounts(person, x, account_on, say):
    who = person()
    with pytest.raises(ShareRefused):
        say(who, TEXT, account_on(who, x, "1"), account_on(who, x, "2"))
    assert Delivery.objects.count() == 0


@pytest.mark.django_db
def test_other_networks_and_copying_are_not_concerned(
    person, x, account_on, say, suggestion, monkeypatch
):
    first, second = person("Jona"), person("Aylin")
    say(first, TEXT, account_on(first, x, "1"))
    with Mastodon() as mastodon:
        say(first, TEXT, account_on(first, mastodon, "1"))
        say(second, TEXT, account_on(second, mastodon, "2"))
    words = Words(text=TEXT, variant=suggestion.variant_set.get(), submission=uuid.uuid4())
    hand_over(
        by=second, suggestion=suggestion, words=words, network="x", how="copied", now=timezone.now()
    )
    assert Delivery.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_of_two_at_the_same_moment_one_is_refused(person, x, account_on, say):
    people = [person("Jona"), person("Aylin")]
    accounts = [account_on(who, x, str(number)) for number, who in enumerate(people)]
    barrier, ends = threading.Barrier(2), []

    def run(who, account):
        try:
            with transaction.atomic():
                barrier.wait(5)
                say(who, TEXT, account)
                threading.Event().wait(0.3)  # a slow commit
            ends.append("queued")
        except ShareRefused:
            ends.append("refused")
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=pair) for pair in zip(people, accounts, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (sorted(ends), Delivery.objects.count()) == (["queued", "refused"], 1)
