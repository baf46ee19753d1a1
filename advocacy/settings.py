"""All settings. Each is an environment variable; secrets also come from the file ``NAME_FILE``."""

import hashlib
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from advocacy import company
from ambassadors import tidying

BASE_DIR = Path(__file__).resolve().parent.parent


def env(name: str, default: str | None = None) -> str:
    """Read a setting from the environment, or from the file that ``NAME_FILE`` names."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path).read_text(encoding="utf-8").strip()
    value = os.environ.get(name, default)
    if value is None:
        message = f"Set the environment variable {name}. `make demo` sets it for you."
        raise ImproperlyConfigured(message)
    return value


def flag(name: str, default: str = "") -> bool:
    """Tell whether a yes/no setting is on."""
    return env(name, default).lower() in {"1", "true", "yes", "on"}


# Commands that only read code may run without a database or secrets.
_BARE = sys.argv[1:2] in (["compilemessages"], ["makemessages"], ["collectstatic"])

DEBUG = flag("DEBUG")
SECRET_KEY = env("SECRET_KEY", "only-to-read-code" if _BARE else None)
# Keys for secrets at rest, comma-separated; the first seals, all open. A Fernet key, or aes256gcm:
# and 32 random bytes in URL-safe base64.
TOKEN_KEYS = [k for k in env("TOKEN_KEYS", "" if _BARE else None).split(",") if k]
# The public address. Redirect URIs and mails are built from it, never from the Host header.
SITE_URL = env("SITE_URL", "http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
# One-click logins for the fictional company. Never set this for a real one.
DEMO = flag("DEMO")
# Name of the company in the masthead.
ORGANISATION = env("ORGANISATION", "Nordwind Energie" if DEMO else "Botschaft")
# Tracked links begin so; a short domain of the company's own that leads to the same server serves
# as well, when ALLOWED_HOSTS names it.
LINK_URL = env("LINK_URL", SITE_URL).rstrip("/")
# Whether tracked links tell the company's web figures the network and the campaign (utm_source,
# utm_medium, utm_campaign); of the person they never tell anything.
LINK_TAGS = flag("LINK_TAGS", "yes")
# Addresses of calendars may have their password in them, for programs that can send none (Google
# Calendar, Outlook on the web): whoever reads a proxy's log reads those calendars.
SECRET_ADDRESSES = flag("SECRET_ADDRESSES")
# The company's website, for strangers whose link has ended; empty: CAREERS_URL, or the contacts.
COMPANY_URL = env("COMPANY_URL", "")
# Where workers reach our own web server, for the practice wall.
PRACTICE_WALL_URL = env("PRACTICE_WALL_URL", SITE_URL).rstrip("/")
# host:port pairs that outgoing calls may reach although they are private (tests, an own PDS).
os.environ.setdefault("LOOPBACK_HOSTS", "")
# Public hosts that outgoing calls may reach, comma-separated; one that begins with a dot means all
# below it, * any: people's servers, feeds, links and webhooks are where their owners put them.
os.environ.setdefault("OUTGOING_HOSTS", "*")
# Base of Bluesky's public AppView, for engagement figures.
BLUESKY_APPVIEW_URL = env("BLUESKY_APPVIEW_URL", "https://public.api.bsky.app").rstrip("/")
# The Mastodon server that is asked how often a hashtag was used; empty asks none.
HASHTAG_MASTODON_URL = env("HASHTAG_MASTODON_URL", "").rstrip("/")
# The directory of Bluesky's identities.
BLUESKY_PLC_URL = env("BLUESKY_PLC_URL", "https://plc.directory").rstrip("/")
# Slack's Web API; GovSlack has a host of its own.
SLACK_API_URL = env("SLACK_API_URL", "https://slack.com/api").rstrip("/")
# Named crash points for the chaos tests; refused unless DEBUG_FAILPOINTS is on.
FAILPOINTS = env("FAILPOINTS", "")
DEBUG_FAILPOINTS = flag("DEBUG_FAILPOINTS")
# Shrinks leases, deadlines and pauses for chaos tests; 1 is real time.
TIME_SCALE = float(env("TIME_SCALE", "1"))
if (FAILPOINTS or TIME_SCALE != 1) and not DEBUG_FAILPOINTS:
    message = "FAILPOINTS or TIME_SCALE is set without DEBUG_FAILPOINTS=1. Unset it."
    raise ImproperlyConfigured(message)


def _network_app(network: str) -> dict[str, Any] | None:
    """Our registration at a network: X_CLIENT_ID, X_CLIENT_SECRET, X_OPTIONS="key=value,…"."""
    name = network.upper()
    if not (client_id := env(f"{name}_CLIENT_ID", "")):
        return None
    pairs = (part.partition("=") for part in env(f"{name}_OPTIONS", "").split(",") if part)
    return {
        "client_id": client_id,
        "client_secret": env(f"{name}_CLIENT_SECRET", ""),
        "options": {key.strip(): value.strip() for key, _sign, value in pairs},
    }


def _networks_with(ending: str) -> list[str]:
    """Networks for which a setting that ends so is given, itself or as a file."""
    names = {name.removesuffix("_FILE") for name in os.environ}
    return sorted(name[: -len(ending)].lower() for name in names if name.endswith(ending))


NETWORK_APPS = {
    network: app for network in _networks_with("_CLIENT_ID") if (app := _network_app(network))
}


def _bluesky_app() -> dict[str, Any]:
    """Bluesky has no registry: our id is the address of our metadata, our secret makes our key.

    BLUESKY_CLIENT_KEY is a random text of 32 bytes or more, several comma-separated while one
    replaces another; without it the keys come from TOKEN_KEYS (a hash, so that the network file
    never holds one). The protocol knows http only as the development client of localhost.
    """
    derived = [hashlib.sha256(f"bluesky client {k}".encode()).hexdigest() for k in TOKEN_KEYS]
    local = SITE_URL.startswith(("http://localhost", "http://127.0.0.1"))
    home = SITE_URL.replace("//localhost", "//127.0.0.1", 1)
    return {
        "client_id": "http://localhost"
        if local
        else f"{SITE_URL}/connect/bluesky/client-metadata.json",
        "client_secret": env("BLUESKY_CLIENT_KEY", ",".join(derived)),
        "options": {"redirect_uri": f"{home}/connect/bluesky/local/"} if local else {},
    }


NETWORK_APPS["bluesky"] = _bluesky_app()
# Push services of browsers that we may write to, comma-separated; one that begins with a dot means
# all below it, * any public host.
PUSH_HOSTS = [
    host.strip()
    for host in env(
        "PUSH_HOSTS",
        "fcm.googleapis.com,.push.services.mozilla.com,.push.apple.com,.notify.windows.com",
    ).split(",")
    if host.strip()
]
# For how many days after it left a post's figures are read.
ENGAGEMENT_DAYS = int(env("ENGAGEMENT_DAYS", "30"))
# What a bought click would cost at the least and at the most, in cents; used while the switch of
# the works agreement for it is on.
CLICK_CENTS = (int(env("CLICK_CENTS_LOW", "50")), int(env("CLICK_CENTS_HIGH", "200")))
# What publishing through a paid API may cost a month, in US dollars; 0 leaves copying only.
MONTHLY_BUDGETS = {
    network: float(env(f"{network.upper()}_MONTHLY_BUDGET"))
    for network in _networks_with("_MONTHLY_BUDGET")
}

VAR_DIR = Path(env("VAR_DIR", str(BASE_DIR / "var")))

INSTALLED_APPS = [
    "advocacy",
    "curation",
    "people",
    "reception",
    "campaigns",
    "integrations",
    "ambassadors",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "csp",
    "django_htmx",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "advocacy.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "advocacy.middleware.StillMiddleware",
    "advocacy.middleware.LinkMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "advocacy.middleware.BodyMiddleware",  # the next one reads forms
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "advocacy.middleware.EdgeMiddleware",
    "advocacy.middleware.PolicyMiddleware",
]
ROOT_URLCONF = "advocacy.urls"
WSGI_APPLICATION = "advocacy.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "advocacy.context.shell",
            ]
        },
    }
]

# PostgreSQL and Redis on another machine are reached over TLS, and their certificates looked at:
# postgresql://botschaft_app@db.example/botschaft?sslmode=verify-full&sslrootcert=/path/ca.pem
# rediss://redis.example:6379/0?ssl_ca_certs=/path/ca.pem
# Passwords may stand in the addresses, or in DATABASE_PASSWORD and REDIS_PASSWORD.
DATABASES = {
    "default": dj_database_url.parse(
        env("DATABASE_URL", "postgresql:///botschaft" if _BARE else None),
        conn_max_age=60,
        conn_health_checks=True,
    )
}
if password := env("DATABASE_PASSWORD", ""):
    DATABASES["default"]["PASSWORD"] = password
DATABASES["default"].setdefault("OPTIONS", {})["application_name"] = "botschaft"
# The directory of pg_dump and pg_restore, as new as the server, for backups; empty: the PATH's.
PG_BIN = env("PG_BIN", "")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"


def _redis_url() -> str:
    """REDIS_URL with REDIS_PASSWORD; over TLS the certificate is looked at by every part."""
    parts = urlsplit(env("REDIS_URL", "redis://localhost:6379/0" if _BARE else None))
    if password := env("REDIS_PASSWORD", ""):
        parts = parts._replace(netloc=f":{quote(password, safe='')}@{parts.netloc}")
    if parts.scheme == "rediss" and "ssl_cert_reqs" not in parts.query:
        asked = filter(None, (parts.query, "ssl_cert_reqs=required&ssl_check_hostname=true"))
        parts = parts._replace(query="&".join(asked))
    return parts.geturl()


REDIS_URL = _redis_url()
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "botschaft",
        "VERSION": 2,  # 1 was pickled
        "OPTIONS": {"serializer": "advocacy.cached.Json"},
    }
}

# People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "ambassadors.Person"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "advocacy.passwords.LongestPasswordValidator"},
    {"NAME": "advocacy.passwords.DressedPasswordValidator"},
    {"NAME": "advocacy.passwords.OwnWordsValidator"},
    {"NAME": "advocacy.passwords.BreachedPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Names of products and places that no password may be, comma-separated, beside ORGANISATION.
PASSWORD_WORDS = [word.strip() for word in env("PASSWORD_WORDS", "").split(",") if word.strip()]
# A folder with lists of breached passwords; empty: none is asked. See docs/security.md.
BREACHED_PASSWORDS = env("BREACHED_PASSWORDS", "")
if BREACHED_PASSWORDS and not Path(BREACHED_PASSWORDS).is_dir():
    message = f"BREACHED_PASSWORDS is no folder: {BREACHED_PASSWORDS}"
    raise ImproperlyConfigured(message)
PASSWORD_RESET_TIMEOUT = 30 * 60
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "advocacy.accounts.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 10 * 60
# A code by mail is a login of its own (advocacy.stepup), no proof beside a password or a factor.
ACCOUNT_REAUTHENTICATION_METHODS = {"password", "mfa"}
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # strangers' addresses get no mail from us
ACCOUNT_SESSION_REMEMBER = False
# Wrong passwords are counted by advocacy.throttle, which locks nobody out; of codes by mail an
# office behind one address may ask for many, one account for few.
ACCOUNT_RATE_LIMITS = {
    "login": None,
    "login_failed": None,
    "request_login_code": "300/m/ip,3/m/key",
    "reset_password": "60/m/ip,3/m/key",
}
# So many wrong passwords and codes within ten minutes, all accounts together, are an error in the
# log.
LOGIN_ALARM = int(env("LOGIN_ALARM", "300"))
# Before keys, roles, exports, erasure and the end of a hold, the last proof of who somebody is may
# be so many minutes old.
STEPUP_MINUTES = int(env("STEPUP_MINUTES", "15"))
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "login": "advocacy.login_forms.LoginForm",
    "request_login_code": "advocacy.login_forms.RequestLoginCodeForm",
    "reset_password": "advocacy.login_forms.ResetPasswordForm",
}
# Roles that rest until their person has a second factor, comma-separated; the word "everybody"
# closes everything to whoever came in by a password or a mailed code alone, and has all of these
# roles rest. Usual are the roles, and without a company login everybody. Empty: nobody needs one.
MFA_ROLES = ["administrator", "curator", "legal", "hr", "auditor"]
_OIDC, _SAML = company.oidc_apps(env, ORGANISATION), company.saml_apps(env, ORGANISATION)
MFA_REQUIRED_ROLES = [
    name.strip()
    for name in env(
        "MFA_REQUIRED_ROLES", ",".join(MFA_ROLES) if _OIDC or _SAML else "everybody"
    ).split(",")
    if name.strip()
]
if "everybody" in MFA_REQUIRED_ROLES:
    MFA_REQUIRED_ROLES = [*MFA_ROLES, "everybody"]
# What the company's provider says when somebody came in by two factors: values of the claims amr
# and acr, or SAML's AuthnContextClassRef, comma-separated. Such a login needs no second one here.
COMPANY_LOGIN_MFA = [v.strip() for v in env("COMPANY_LOGIN_MFA", "mfa").split(",") if v.strip()]
MFA_ADAPTER = "advocacy.accounts.MFAAdapter"
# allauth would keep recovery codes so that they can be told again; integrations.recovery_codes not.
MFA_SUPPORTED_TYPES = ["totp", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = SITE_URL.startswith("http://localhost")
MFA_TOTP_TOLERANCE = 0  # a code counts in its own 30 seconds (ASVS 6.5.5)
MFA_TOTP_ISSUER = "Botschaft"
MFA_FORMS = {
    "authenticate": "advocacy.factor_codes.Second",
    "reauthenticate": "advocacy.factor_codes.Fresh",
    "login_webauthn": "advocacy.logged.LoginPasskey",
    "authenticate_webauthn": "advocacy.logged.SecondPasskey",
    "reauthenticate_webauthn": "advocacy.logged.FreshPasskey",
}
SOCIALACCOUNT_ADAPTER = "advocacy.accounts.SocialAccountAdapter"
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_LOGIN_ON_GET = False  # a link of another site begins no login
# Company login over OpenID Connect and SAML 2.0. Every setting is described in advocacy/company.py.
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": _OIDC},
    "saml": {"APPS": _SAML},
}
# Domains whose addresses the company's identity provider vouches for, comma-separated. An address
# that it does not call verified matches a person only from one of them. With domains set, no
# address from elsewhere matches, whatever it calls it.
COMPANY_MAIL_DOMAINS = [
    tidying.host(d.strip().lower()) for d in env("COMPANY_MAIL_DOMAINS", "").split(",") if d
]
# A login at the company's provider opens ours for so many hours; after them it is asked to have the
# person log in there anew. 0: however old it is. Where the provider does not say, nobody knows.
COMPANY_LOGIN_HOURS = int(env("COMPANY_LOGIN_HOURS", "168"))
# So many bits a key of the company's provider has at least that signs by RSA: 3072 are as strong as
# all else here (128 bits), 2048 less (112), for providers that have no longer ones as Entra ID.
RSA_STRONG, RSA_LEAST = 3072, 2048
LOGIN_RSA_BITS = int(env("LOGIN_RSA_BITS", str(RSA_STRONG)))
if LOGIN_RSA_BITS < RSA_LEAST:
    message = f"LOGIN_RSA_BITS is below {RSA_LEAST}: whoever breaks such a key logs in as anybody."
    raise ImproperlyConfigured(message)
# Whether a company login that matches nobody makes a person. Off: HR or the directory does.
LOGIN_CREATES_PEOPLE = flag("LOGIN_CREATES_PEOPLE")

# Write once to people whom a file or SCIM brought. Off: nobody is written to unasked.
INVITE_JOINERS = flag("INVITE_JOINERS")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_ENGINE = "ambassadors.login_sessions"
# A login ends after so many minutes without use, and so many hours after it began; the logins of
# administrators sooner.
SESSION_COOKIE_AGE = int(env("SESSION_IDLE_MINUTES", "480")) * 60
SESSION_HOURS = int(env("SESSION_HOURS", "168"))
ADMIN_SESSION_IDLE_MINUTES = int(env("ADMIN_SESSION_IDLE_MINUTES", "30"))
ADMIN_SESSION_HOURS = int(env("ADMIN_SESSION_HOURS", "12"))
_SECURE = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _SECURE
# Browsers take a cookie of these names from this host alone, over https, for all its addresses.
SESSION_COOKIE_NAME = "__Host-sessionid" if _SECURE else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if _SECURE else "csrftoken"
LANGUAGE_COOKIE_NAME = "__Host-django_language" if _SECURE else "django_language"
THEME_COOKIE_NAME = "__Host-theme" if _SECURE else "theme"  # static/js/botschaft.js writes it
LANGUAGE_COOKIE_SECURE = _SECURE
LANGUAGE_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "advocacy.notices.Notices"
SECURE_HSTS_SECONDS = 31_536_000 if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _SECURE
SECURE_SSL_REDIRECT = False  # the proxy in front does this; deploy/nginx.conf is one
SILENCED_SYSTEM_CHECKS = [
    "security.W008",  # asks for that redirect, which programs must not get
    "files.E001",  # asks for FILE_UPLOAD_TEMP_DIR before an upload makes it
]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["default", "botschaft"],  # static/js/trusted.js
    }
}
CSRF_FAILURE_VIEW = "advocacy.views.errors.csrf_failure"
DEFAULT_EXCEPTION_REPORTER = "advocacy.reports.Report"
# A pasted novel of 10 MB must arrive, so that the form can answer and give it back.
DATA_UPLOAD_MAX_MEMORY_SIZE = 12 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
FILE_UPLOAD_HANDLERS = ["advocacy.bodies.OnVolume"]
FILE_UPLOAD_TEMP_DIR = VAR_DIR / "uploads"
# What Prometheus shows as its bearer token to read /metrics; empty: there is no such page.
METRICS_TOKEN = env("METRICS_TOKEN", "")
# After so many days without an answer, a member's idea is brought before the curators again.
IDEA_DAYS = int(env("IDEA_DAYS", "3"))
# So long a speaker may think about an offer; so long an ended talk request is kept.
TALK_OFFER_DAYS = int(env("TALK_OFFER_DAYS", "7"))
TALK_REQUEST_DAYS = int(env("TALK_REQUEST_DAYS", "270"))
# Days until a nomination that nobody answered is deleted without a trace.
NOMINATION_DAYS = int(env("NOMINATION_DAYS", "14"))
# On: a term that is over ends by itself when nobody answers. Off: it goes on until somebody speaks.
TERMS_END_IN_SILENCE = flag("TERMS_END_IN_SILENCE")

# Pages for strangers ------------------------------------------------------------------------
# Search engines may list the contacts and speakers. Off: names outlive their pages in an index.
PUBLIC_INDEXED = flag("PUBLIC_INDEXED")
# Days after the last word until a stranger's question is deleted with all that was said.
INQUIRY_DAYS = int(env("INQUIRY_DAYS", "90"))
# Links in the frame of those pages: the company's own careers site, privacy notice, imprint and
# statement on accessibility. An empty one is not shown.
CAREERS_URL = env("CAREERS_URL", "")
PRIVACY_URL = env("PRIVACY_URL", "")
IMPRINT_URL = env("IMPRINT_URL", "")
ACCESSIBILITY_URL = env("ACCESSIBILITY_URL", "")
# How many proxies of ours stand in front and add to X-Forwarded-For; the limits of the public form
# count networks, and without the right number they would count the proxy.
TRUSTED_PROXIES = int(env("TRUSTED_PROXIES", "0"))

# The largest film of a lesson, in megabytes.
FILM_MEGABYTES = int(env("FILM_MEGABYTES", "300"))
# host:port of ClamAV's clamd, which looks at every film before it is taken; empty: nobody does.
CLAMD = env("CLAMD", "")
# Fonts for letters on a certificate that ours lack (Greek, Cyrillic, Hebrew, Arabic and more).
CERTIFICATE_FONTS = [
    Path(name)
    for name in env("CERTIFICATE_FONTS", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").split(
        ","
    )
    if name
]

# Words and time -----------------------------------------------------------------------------
LANGUAGE_CODE = "de"
LANGUAGES = [("de", _("German")), ("en", _("English"))]
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True

# Files --------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", str(VAR_DIR / "static")))
MEDIA_ROOT = VAR_DIR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Answers a network gave while the database could not take them; encrypted, read at start.
SPOOL_DIR = VAR_DIR / "spool"
# Where the list of erased people lies, as digests; empty: in VAR_DIR. It must outlive a restore.
TOMBSTONES_DIR = env("TOMBSTONES_DIR", "")
# What keys these digests. When SECRET_KEY changes, set this to the one before.
TOMBSTONES_KEY = env("TOMBSTONES_KEY", "") or SECRET_KEY
# Days in which a wish to be erased can be taken back, and the days that are promised at most.
ERASURE_WAIT_DAYS = int(env("ERASURE_WAIT_DAYS", "7"))
ERASURE_PROMISED_DAYS = 30
# Who gets the day's head of the record by mail, comma-separated: best a mailbox that the database's
# administrators cannot open. It also stands in the log.
AUDIT_HEADS_TO = [one.strip() for one in env("AUDIT_HEADS_TO", "").split(",") if one.strip()]

# Mail ---------------------------------------------------------------------------------------
EMAIL_BACKEND = env(
    "EMAIL_BACKEND",
    "django.core.mail.backends.filebased.EmailBackend"
    if DEMO
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = env("EMAIL_HOST", "localhost")
EMAIL_PORT = int(env("EMAIL_PORT", "25"))
EMAIL_HOST_USER = env("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env("EMAIL_HOST_PASSWORD", "")
EMAIL_TIMEOUT = 20  # seconds; a silent mail server must not keep a worker
# STARTTLS (port 587), or TLS from the first byte (465); the server's certificate is looked at.
EMAIL_USE_TLS = flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = flag("EMAIL_USE_SSL")
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", "botschaft@localhost")
# The domain whose mail for q+…@, bounces+…@ and issue+…@ is piped into `manage.py receive_mail`;
# empty: nobody replies by mail, and reports of mails that did not arrive go to the sender.
MAIL_DOMAIN = env("MAIL_DOMAIN", "")

# Work in the background: messages are wake-ups, PostgreSQL is the truth -----------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 180,
    "socket_timeout": 10,
    "health_check_interval": 25,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": env("CELERY_PREFIX", "botschaft:"),
}
CELERY_TASK_TIME_LIMIT = 120
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Programs: requests of one token in a minute.
API_A_MINUTE = int(env("API_A_MINUTE", "600"))
REST_FRAMEWORK = {
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["advocacy.api.bearer.Bearer"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,  # format= is an unknown word like any other
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Botschaft",
    "DESCRIPTION": "What integrators may read and write. docs/api.md tells how to begin.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": f"{SITE_URL}/api/v1"}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "SERVE_URLCONF": "advocacy.urls",
    "COMPONENT_SPLIT_PATCH": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["advocacy.api.schema.exact"],
    "PATH_CONVERTER_OVERRIDES": {
        "number": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
        "onday": {"type": "string", "format": "date"},
        "inmonth": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
        "cardkey": {"type": "string", "pattern": "^[0-9a-z]{10}$"},
    },
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "advocacy.logs.Line",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        },
        "json": {"()": "advocacy.logs.Json"},
    },
    # LOG_FORMAT=json writes an object for each line.
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": env("LOG_FORMAT", "line")}
    },
    "root": {"handlers": ["stderr"], "level": env("LOG_LEVEL", "INFO")},
}
