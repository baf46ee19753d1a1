"""Who may open which URL. Deny by default: a name that is not here opens for nobody."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest

from ambassadors.models import Person

Policy = Callable[[HttpRequest], bool]


def public(request: HttpRequest) -> bool:
    """Everybody, signed in or not."""
    del request
    return True


def nobody(request: HttpRequest) -> bool:
    """A page that a library brings along and that we do not offer."""
    del request
    return False


def signed_in(request: HttpRequest) -> bool:
    """Everybody who works here."""
    user = request.user
    return isinstance(user, Person) and user.left_at is None


def bearer(request: HttpRequest) -> bool:
    """Machines; the view checks the token itself."""
    del request
    return True


def demo(request: HttpRequest) -> bool:
    """Only in the demonstration of the fictional company."""
    del request
    return bool(settings.DEMO)


def role(*names: str) -> Policy:
    """Everybody with one of the roles."""

    def policy(request: HttpRequest) -> bool:
        user = request.user
        return isinstance(user, Person) and signed_in(request) and user.has_role(*names)

    policy.__name__ = "role_" + "_".join(names)
    return policy


curator, hr = role("curator"), role("hr")
POLICIES: dict[str, Policy] = {
    "health": public,
    "ready": public,
    "metrics": bearer,
    "set_language": public,
    "picture": signed_in,
    "public_picture": public,  # by signature, for networks that fetch pictures
    "short_link": public,
    "link_svg": signed_in,  # the view: of one's own posts
    "link_png": signed_in,
    "demo_login": demo,
    "today": signed_in,
    "welcome": signed_in,
    "suggestions": signed_in,
    "composer": signed_in,
    "voice": signed_in,
    "situation": signed_in,
    "turn": signed_in,
    "topics": signed_in,
    "topic": signed_in,
    **dict.fromkeys(
        (
            "guidelines",
            "guideline",
            "guideline_version",
            "guideline_confirm",
            "guideline_quiz",
        ),
        signed_in,
    ),
    "briefings": signed_in,
    "briefing": signed_in,
    "briefing_tick": signed_in,
    "reach": signed_in,
    "chats": role("administrator"),
    "chat_remove": role("administrator"),
    "issue_mail_stop": public,  # by signature: one click in a mail needs no login (RFC 8058)
    "posts": signed_in,
    "post": signed_in,
    "me": signed_in,
    "stepup": signed_in,
    **dict.fromkeys(("second_factor", "recovery_codes", "sessions"), signed_in),
    **dict.fromkeys(("effect", "effect_export"), signed_in),  # the view: one's own, nobody else's
    # groups only, and the auditor sees what an evaluation looks like
    **dict.fromkeys(("analytics", "analytics_export"), role("curator", "hr", "lead", "auditor")),
    "too_much": signed_in,
    "hints": signed_in,
    "my_time": signed_in,
    "feedback": signed_in,
    "feedback_list": role("administrator"),
    "notebook": signed_in,
    "note_arrive": signed_in,
    "device": signed_in,
    "device_push": signed_in,
    "offline": signed_in,
    "manifest": public,
    "ink_css": public,
    "idea_shared": public,  # it takes nothing, and leads to the form
    "service_worker": public,
    "ideas": signed_in,
    "idea": signed_in,
    "activity": signed_in,
    "campaigns": signed_in,
    "campaign": signed_in,
    "desk_activities": curator,
    "desk_activity_end": curator,
    "desk_campaigns": curator,
    "desk_campaign": curator,
    "desk_campaign_belong": curator,
    "takeovers": signed_in,
    "takeover": signed_in,
    "takeover_decide": signed_in,
    "desk_takeovers": curator,
    "desk_ideas": curator,
    "desk_idea": curator,
    "accounts": signed_in,
    "consent": signed_in,
    "bluesky_metadata": public,
    "bluesky_jwks": public,
    "bluesky_local": public,
    "connect": signed_in,
    "connect_callback": public,  # it sends strangers to the login, without the code in its address
    "connect_choose": signed_in,
    "bluesky_password": signed_in,
    "channels": role("administrator", "curator"),
    "editor_add": role("administrator"),
    "editor_remove": role("administrator"),
    "approvals": signed_in,
    "approval": signed_in,
    "leave": role("hr", "administrator"),
    "leavers": role("hr", "administrator"),
    "my_data": signed_in,
    "private_address": signed_in,
    "erase_me": signed_in,
    "erasure_report": public,  # the address itself is the secret, and it names nobody
    "erase_leaver": role("hr", "administrator"),
    # by a code: it was mailed to that address, and whoever left has no login
    **dict.fromkeys(("takeout_address", "takeout_address_old", "takeout", "takeout_old"), public),
    "disconnect": signed_in,
    "wall": signed_in,
    "wall_posts": bearer,
    "wall_post": bearer,
    "networks": signed_in,
    **dict.fromkeys(("sites", "site", "site_company"), role("hr", "administrator")),
    **dict.fromkeys(("coverage", "coverage_export", "figures"), hr),
    **dict.fromkeys(("roster", "roster_export", "roster_keep", "roster_drop"), role("hr", "lead")),
    "desk": curator,
    "light": curator,
    "calendar": curator,
    "feed_settings": curator,
    "tones": curator,
    "keep_view": curator,
    "drop_view": curator,
    "undo": curator,
    "copy": curator,
    "pattern": curator,
    "issues": curator,
    "issue_edit": curator,
    "issue_withdraw": curator,
    "topic_list": curator,
    "topic_new": curator,
    "topic_edit": curator,
    "topic_archive": curator,
    "hold": curator,
    "release": curator,
    "hold_suggestion": curator,
    "release_suggestion": curator,
    "hold_programme": role("curator", "administrator"),
    "release_programme": role("curator", "administrator"),
    "hold_reports": role("curator", "administrator", "auditor"),
    "hold_report": role("curator", "administrator", "auditor"),
    "suggestion_new": curator,
    "suggestion_edit": curator,
    "review": role("curator", "legal"),
    "suggestion_preview": curator,
    "reviews": role("curator", "legal"),
    "away": role("curator", "legal"),
    "disclosure": role("curator", "legal", "administrator", "auditor"),
    "disclosure_propose": role("curator", "administrator"),
    "disclosure_decide": role("curator", "legal", "administrator"),
    "post_evidence": signed_in,
    "evidence": role("auditor", "administrator"),
    "history": curator,
    "restore": curator,
    "merge": curator,
    "put_aside": curator,
    "comment": curator,
    "here": curator,
    "draft": curator,
    "discard": curator,
    **dict.fromkeys(
        (
            "sources",
            "source_new",
            "source",
            "source_act",
            "source_rule_add",
            "source_rule_remove",
            "source_draft",
            "pictures",
            "picture_choice",
            "picture_edit",
            "picture_cut",
            "face_add",
            "face_remove",
            "tags",
            "tag_forget",
            "unfurl",
            "preview_picture",
        ),
        curator,
    ),
    **dict.fromkeys(("pulse", "pulse_mails", "pulse_results", "pulse_quarter"), signed_in),
    "pulse_open": hr,
    **dict.fromkeys(
        (
            "training",
            "training_executives",
            "course",
            "lesson",
            "lesson_film",
            "lesson_captions",
            "session_book",
            "training_room",  # the view: its trainer, and HR
            "booking",
            "booking_calendar",
            "training_start",  # the view: who leads the team
            "training_feed_settings",
            "certificate",
            "certificate_name",
        ),
        signed_in,
    ),
    "certificate_check": public,  # the code is the secret, and it says valid or not
    **dict.fromkeys(
        (
            "desk_training",
            "desk_completions",
            "desk_training_team",
            "desk_course_new",
            "desk_course",
            "desk_course_act",
            "desk_lesson_add",
            "desk_lesson",
            "desk_lesson_act",
            "desk_session_new",
            "desk_session",
            "desk_session_call_off",
        ),
        hr,
    ),
    **dict.fromkeys(
        (
            "teams",
            "team",
            "nominate",
            "my_teams",
            "my_term",
            "my_nomination",
            "calls",
            "call",
            "call_withdraw",
        ),
        signed_in,
    ),
    # A lead sees the teams they lead, and nothing of any other.
    **dict.fromkeys(
        (
            "pipeline",
            "term",
            "term_act",
            "team_list",
            "team_edit",
            "call_list",
            "call_new",
            "desk_call",
            "call_edit",
            "call_end",
            "call_invite",
            "application_decide",
        ),
        role("hr", "lead"),
    ),
    "team_new": hr,
    "kind_new": hr,
    "kind_edit": hr,
    "invitation_no": public,  # by signature: one click in a mail needs no login (RFC 8058)
    **dict.fromkeys(
        ("imports", "import", "import_choose", "import_agree", "import_drop"),
        role("hr", "administrator"),
    ),
    **dict.fromkeys(
        (
            "guideline_list",
            "guideline_new",
            "guideline_edit",
            "guideline_publish",
            "guideline_act",
        ),
        role("hr", "curator"),
    ),
    **dict.fromkeys(("speakers", "speakers_talk", "speakers_ask", "speaker_photo"), public),
    # the view asks for a code; earlier addresses, which had it in them, say how to go on
    **dict.fromkeys(("talk_asked", "talk_asked_old", "question_page", "question_old"), public),
    # name and password in a header; in the address only where SECRET_ADDRESSES allows it
    **dict.fromkeys(("feed", "training_feed", "talk_feed"), bearer),
    **dict.fromkeys(("feed_secret", "training_feed_secret", "talk_feed_secret"), bearer),
    **dict.fromkeys(("experts", "experts_talk", "experts_ask"), signed_in),
    **dict.fromkeys(
        ("speaking", "speaking_act", "speaking_profile", "speaking_talk_new", "speaking_talk"),
        signed_in,
    ),
    "talk_requests": role("lead", "hr"),
    # speakers open what they were asked, coordinators all; the view gives 404 to others
    **dict.fromkeys(("talk_request", "talk_act", "talk_sheet"), signed_in),
    **dict.fromkeys(
        (
            "directory",
            "directory_key_make",
            "directory_key_end",
            "directory_rule_add",
            "directory_rule_drop",
            "directory_decide",
        ),
        role("administrator"),
    ),
    **dict.fromkeys(("scim", "scim_root"), bearer),
    **dict.fromkeys(
        ("webhooks", "webhook", "webhook_rotate", "webhook_act"), role("administrator")
    ),
    **dict.fromkeys(("api_tokens", "api_token_make", "api_token_end", "api_docs"), signed_in),
    "api_schema": public,  # it names addresses and fields, and nobody
    **dict.fromkeys(
        (
            "api_token",
            "api_situation",
            "api_hold",
            "api_topics",
            "api_topic",
            "api_light",
            "api_topic_hold",
            "api_suggestions",
            "api_suggestion",
            "api_suggestion_hold",
            "api_drafts",
            "api_draft",
            "api_review",
            "api_guidelines",
            "api_guideline",
            "api_briefings",
            "api_briefing",
            "api_campaigns",
            "api_campaign",
            "api_ideas",
            "api_idea",
            "api_teams",
            "api_team",
            "api_people",
            "api_training_dates",
            "api_training_date",
            "api_cards",
            "api_card",
            "api_inquiry_months",
            "api_figures",
            "api_figure",
            "api_posts",
            "api_post",
            "api_links",
        ),
        bearer,
    ),
    **dict.fromkeys(("ask", "ask_card", "ask_photo", "ask_privacy", "widget_frame"), public),
    **dict.fromkeys(("my_card", "my_card_photo"), role("contact")),
    **dict.fromkeys(("questions", "question"), role("contact", "lead_contact")),
    **dict.fromkeys(("widgets", "widget", "quarantine", "answers"), hr),
    **dict.fromkeys(("audit", "agreement", "looks", "retention"), role("auditor", "administrator")),
    **dict.fromkeys(("system", "setup", "setup_mail", "roles"), role("administrator")),
}
# Doors of programs answer other methods than a page's in their own words.
ANY_METHOD = ("api_", "scim", "wall_post")
PAGE_METHODS = frozenset({"GET", "HEAD", "POST"})
# Beside what is open to everybody or to programs, all that somebody has who owes a second factor.
WITHOUT_FACTOR = frozenset({"second_factor", "stepup"})


def is_beyond_factor(name: str) -> bool:
    """Tell whether an address is closed to somebody who owes a second factor."""
    return name not in WITHOUT_FACTOR and policy_for(name) not in {public, bearer}


# What is typed there is kept nowhere, not even over a login: it would lie beside a name. Of what
# a device sends, the device keeps its own until it has arrived; and what an open page sends by
# itself, also as it closes, would take the place of what somebody sent.
UNKEPT = frozenset(("pulse", "note_arrive", "draft", "here", "suggestion_preview", "device_push"))
# Holds nothing of a person, so the browser may keep it: the rest of what somebody who is logged in
# gets is never stored.
SAME_FOR_ALL = frozenset({"manifest", "service_worker", "ink_css"})
_ERASING = ("erase_me", "erase_leaver")
# What an open screen must not be enough for: keys, roles, exports, erasure, the end of a hold.
# Posts to them ask for a fresh proof of who it is; see :mod:`advocacy.stepup`. A hold itself never
# does: stopping is fast.
FRESH = frozenset(
    {
        *("directory_key_make", "chats", "feed_settings", "api_token_make"),
        *("webhooks", "webhook_rotate"),
        *("directory_rule_add", "directory_rule_drop", "editor_add", "team_new", "team_edit"),
        *("import_agree", "directory_decide", "leave", "system", "roles"),
        "sessions",  # to end one's others is what a thief would do first
        *("roster_export", "coverage_export", "analytics_export", "evidence", "my_data"),
        "private_address",  # there one's data go, and a mail that nobody else gets
        *("release", "release_suggestion", "release_programme"),
        *_ERASING,
    }
)
# Pages of allauth that show or take a way in: already opening them asks.
FRESH_PAGES = frozenset(
    {
        *("mfa_activate_totp", "mfa_deactivate_totp", "mfa_add_webauthn", "mfa_remove_webauthn"),
        *("mfa_edit_webauthn", "recovery_codes", "account_set_password", "account_email"),
    }
)
# allauth guards its own pages: login pages are public, the rest want a login.
OWN_GUARD = ("account_", "mfa_", "socialaccount_", "openid_connect_", "saml_")
# Accounts are linked at login only, logging out here logs nobody out elsewhere, and a code by mail
# is no fresh proof of somebody who is logged in.
CLOSED = (
    *("socialaccount_connections", "socialaccount_signup", "saml_sls"),
    *("account_request_reauthentication_code", "account_confirm_reauthentication_code"),
)


def policy_for(name: str) -> Policy | None:
    """The policy of a URL name, None when nobody declared one."""
    if name in CLOSED:
        return nobody
    if name.startswith(OWN_GUARD):
        return public
    return POLICIES.get(name)


def name_of(request: HttpRequest) -> str:
    """The name of the address that is asked for; empty where there is none."""
    match = request.resolver_match
    return (match and match.url_name) or ""


def wants_fresh(request: HttpRequest) -> bool:
    """Tell whether a request, which its policy lets through, asks for a fresh proof first."""
    name = name_of(request)
    if name in FRESH:
        # to take the wish to be erased back stops something, too
        stops = name in _ERASING and request.POST.get("act") == "take_back"
        return request.method == "POST" and not stops
    return name in FRESH_PAGES and request.user.is_authenticated
