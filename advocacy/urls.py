"""Every address. Each name has its policy in :mod:`advocacy.policies`."""

from django.urls import include, path
from django.views.i18n import set_language

from ambassadors.views import audit, notebook, roster
from campaigns.views import (
    approvals,
    briefings,
    composer,
    ending,
    hold,
    links,
    posts,
    situation,
    system,
    today,
    topics,
)
from curation.views import briefings as issues
from curation.views import (
    calendar,
    comments,
    desk,
    drafting,
    editor,
    feed,
    history,
    merge,
    review,
    tones,
)
from curation.views import topics as desk_topics
from integrations.views import accounts, bluesky, channels, connect, wall

from .views import demo, health

urlpatterns = [
    path("", today.today, name="today"),
    path("suggestions/", today.suggestions, name="suggestions"),
    path("suggestions/<int:pk>/", composer.composer, name="composer"),
    path("suggestions/<int:pk>/voice/", composer.voice, name="voice"),
    path("situation/", situation.situation, name="situation"),
    path("situation/topics/<int:pk>/", situation.turn, name="turn"),
    path("topics/", topics.topics, name="topics"),
    path("topics/<int:pk>/", topics.topic, name="topic"),
    path("issues/", briefings.briefings, name="briefings"),
    path("issues/<str:day>/", briefings.briefing, name="briefing"),
    path("issues/<str:day>/tick/", briefings.tick, name="briefing_tick"),
    path("me/issue-mail/", briefings.issue_mail, name="issue_mail"),
    path("issue-mail/stop/<str:token>/", briefings.issue_mail_stop, name="issue_mail_stop"),
    path("posts/", posts.posts, name="posts"),
    path("posts/<int:pk>/", posts.post, name="post"),
    path("notebook/", notebook.notebook, name="notebook"),
    path("desk/", desk.desk, name="desk"),
    path("desk/calendar/", calendar.show, name="calendar"),
    path("desk/calendar/address/", feed.settings, name="feed_settings"),
    path("desk/calendar/feed/<str:signed>.ics", feed.feed, name="feed"),
    path("desk/tone/", tones.show, name="tones"),
    path("desk/views/", desk.keep_view, name="keep_view"),
    path("desk/views/<int:pk>/drop/", desk.drop_view, name="drop_view"),
    path("desk/acts/<int:pk>/undo/", desk.undo, name="undo"),
    path("desk/suggestions/<int:pk>/copy/", desk.copy, name="copy"),
    path("desk/suggestions/<int:pk>/pattern/", desk.pattern, name="pattern"),
    path("desk/issues/", issues.issues, name="issues"),
    path("desk/issues/<str:day>/", issues.edit, name="issue_edit"),
    path("desk/issues/<str:day>/withdraw/", issues.withdraw, name="issue_withdraw"),
    path("desk/topics/", desk_topics.topic_list, name="topic_list"),
    path("desk/topics/new/", desk_topics.edit, name="topic_new"),
    path("desk/topics/<int:pk>/", desk_topics.edit, name="topic_edit"),
    path("desk/topics/<int:pk>/archive/", desk_topics.archive, name="topic_archive"),
    path("desk/topics/<int:pk>/light/", desk_topics.light, name="light"),
    path("desk/topics/<int:pk>/hold/", hold.hold, name="hold"),
    path("desk/topics/<int:pk>/release/", hold.release, name="release"),
    path("desk/suggestions/<int:pk>/hold/", hold.hold_suggestion, name="hold_suggestion"),
    path("desk/suggestions/<int:pk>/release/", hold.release_suggestion, name="release_suggestion"),
    path("desk/everything/hold/", hold.hold_programme, name="hold_programme"),
    path("desk/everything/release/", hold.release_programme, name="release_programme"),
    path("desk/holds/", hold.hold_reports, name="hold_reports"),
    path("desk/holds/<int:pk>/", hold.hold_report, name="hold_report"),
    path("desk/suggestions/new/", editor.edit, name="suggestion_new"),
    path("desk/suggestions/<int:pk>/", editor.edit, name="suggestion_edit"),
    path("desk/suggestions/<int:pk>/review/", review.review, name="review"),
    path("desk/suggestions/<int:pk>/history/", history.history, name="history"),
    path(
        "desk/suggestions/<int:pk>/history/<int:version>/restore/", history.restore, name="restore"
    ),
    path("desk/suggestions/<int:pk>/merge/<int:version>/", merge.merge, name="merge"),
    path("desk/suggestions/<int:pk>/merge/<int:version>/aside/", merge.put_aside, name="put_aside"),
    path("desk/suggestions/<int:pk>/remarks/", comments.comment, name="comment"),
    path("desk/suggestions/<int:pk>/here/", drafting.here, name="here"),
    path("desk/drafts/<uuid:key>/", drafting.draft, name="draft"),
    path("desk/drafts/<uuid:key>/discard/", drafting.discard, name="discard"),
    path("roster/", roster.roster, name="roster"),
    path("record/", audit.audit, name="audit"),
    path("me/accounts/", accounts.accounts, name="accounts"),
    path("me/accounts/networks/", accounts.networks, name="networks"),
    path("me/accounts/<int:pk>/disconnect/", ending.disconnect, name="disconnect"),
    path("me/consents/", ending.consent, name="consent"),
    path("connect/bluesky/client-metadata.json", bluesky.metadata, name="bluesky_metadata"),
    path("connect/bluesky/jwks.json", bluesky.jwks, name="bluesky_jwks"),
    path("connect/bluesky/local/", bluesky.local, name="bluesky_local"),
    path("connect/<slug:network>/", connect.connect, name="connect"),
    path("connect/cb/<slug:server>/", connect.callback, name="connect_callback"),
    path("connect/choose/<int:pk>/", connect.choose, name="connect_choose"),
    path("connect/bluesky/password/", connect.bluesky_password, name="bluesky_password"),
    path("channels/", channels.channels, name="channels"),
    path("channels/<int:pk>/editors/", channels.add_editor, name="editor_add"),
    path(
        "channels/<int:pk>/editors/<int:editor>/remove/",
        ending.remove_editor,
        name="editor_remove",
    ),
    path("approvals/", approvals.approvals, name="approvals"),
    path("approvals/<int:pk>/", approvals.decide, name="approval"),
    path("people/<int:pk>/leave/", ending.leave, name="leave"),
    path("system/", system.system, name="system"),
    path("wall/", wall.wall, name="wall"),
    path("wall/api/posts", wall.wall_posts, name="wall_posts"),
    path("wall/api/posts/<uuid:pk>", wall.wall_post, name="wall_post"),
    path("pictures/<int:pk>/", links.picture, name="picture"),
    path("pictures/public/<str:signed>/", links.public_picture, name="public_picture"),
    path("r/<str:code>", links.short_link, name="short_link"),
    path("demo/<slug:role>/", demo.demo_login, name="demo_login"),
    path("healthz", health.health, name="health"),
    path("readyz", health.ready, name="ready"),
    path("language/", set_language, name="set_language"),
    path("accounts/", include("allauth.urls")),
]
handler400 = "advocacy.views.errors.bad_request"
handler403 = "advocacy.views.errors.forbidden"
handler404 = "advocacy.views.errors.not_found"
handler429 = "advocacy.views.errors.too_many"  # allauth asks for this name
handler500 = "advocacy.views.errors.broken"
