"""What browsers and machines call themselves: our own list, written from what they publish."""

import itertools

# Unfurlers, crawlers, scanners and programs, some behind a browser's name.
MACHINES = """
Twitterbot/1.0
facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)
meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0
LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)
Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)
Slackbot 1.0 (+https://api.slack.com/robots)
Slack-ImgProxy (+https://api.slack.com/robots)
http.rb/5.2.0 (Mastodon/4.3.1; +https://mastodon.example/) Bot
Mastodon/4.4.2 (http.rb/5.3.1; +https://social.example/)
Akkoma 3.15.2; https://akkoma.example <admin@akkoma.example>
Misskey/2025.4.0 (https://misskey.example)
Friendica 'Interrupted Fern' 2024.12-1576; https://friendica.example
gotosocial/0.17.3 (+https://gts.example)
Lemmy/0.19.9; +https://lemmy.example
PeerTube/6.3.3 (+https://tube.example)
Mozilla/5.0 (compatible; Bluesky Cardyb/1.1; +mailto:support@bsky.app)
Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)
TelegramBot (like TwitterBot)
WhatsApp/2.23.20.0
WhatsApp/2.2441.7 W
Viber/13.3.0.5 CFNetwork
Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com
Pinterest/0.2 (+https://www.pinterest.com/bot.html)
Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)
Iframely/1.3.1 (+https://iframely.com/docs/about)
Mozilla/5.0 (compatible; Embedly/0.2; +http://support.embed.ly/)
Synapse (bot; +https://github.com/matrix-org/synapse)
Mattermost-Bot/1.1
Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.7390.54 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google Web Preview) Chrome/41.0.2272.118 Safari/537.36
Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/136.0.0.0 Safari/537.36
Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/534+ (KHTML, like Gecko) BingPreview/1.0b
Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)
Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)
DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)
Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1; +http://www.apple.com/go/applebot)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)
Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)
Mozilla/5.0 (Linux; Android 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Mobile Safari/537.36 (compatible; Bytespider; spider-feedback@bytedance.com)
CCBot/2.0 (https://commoncrawl.org/faq/)
Mozilla/4.0 (compatible; ms-office; MSOffice 16)
Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)
Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; WOW64; Trident/7.0; .NET4.0C; Microsoft Outlook 16.0.5429)
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 SafeLinks
Mozilla/5.0 (compatible; Barracuda Sentinel (EE))
BarracudaCentral.org link check
Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/118.0.0.0 Safari/537.36 Mimecast
Mozilla/5.0 (compatible; Proofpoint URL Defense)
Mozilla/5.0 (compatible; TrendMicro URL scan)
Mozilla/5.0 (compatible; Cisco ESA)
Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/129.0.0.0 Safari/537.36
Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1
Mozilla/5.0 (Linux; Android 11; moto g power (2022)) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Mobile Safari/537.36 Chrome-Lighthouse
Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)
Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)
Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)
Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)
Mozilla/5.0 (compatible; archive.org_bot +http://archive.org/details/archive.org_bot)
Screaming Frog SEO Spider/20.2
W3C_Validator/1.3 http://validator.w3.org/services
curl/8.10.1
Wget/1.24.5
python-requests/2.32.3
Python-urllib/3.12
python-httpx/0.28.1
Python/3.12 aiohttp/3.11.10
Scrapy/2.12.0 (+https://scrapy.org)
Go-http-client/1.1
Go-http-client/2.0
Java/17.0.9
Apache-HttpClient/5.4.1 (Java/17.0.9)
okhttp/4.12.0
axios/1.7.9
node-fetch/1.0 (+https://github.com/bitinn/node-fetch)
undici
got (https://github.com/sindresorhus/got)
GuzzleHttp/7
Ruby
libwww-perl/6.78
PostmanRuntime/7.43.0
Faraday v2.12.2
reqwest/0.12.9
CFNetwork/1568.300.101 Darwin/24.2.0
Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B Build/UP1A.231005.007)
WordPress/6.7.1; https://blog.example
FeedFetcher-Google; (+http://www.google.com/feedfetcher.html)
bitlybot/3.0 (+http://bit.ly/)
-
""".strip().splitlines()

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0"
_PHONES = (
    "Android 10; K", "Android 14; SM-S921B", "Android 13; Pixel 7a", "Android 12; CUBOT NOTE 30",
    "Android 15; 2312DRA50G", "Android 9; moto g(7) power", "Android 14; Fairphone 5",
    "Android 13; CPH2415",
)  # fmt: skip
_DESKS = (
    "Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64",
    "X11; CrOS x86_64 14541.0.0", "Windows NT 6.1; Win64; x64",
)  # fmt: skip


def _browsers():
    for v, desk in itertools.product(range(109, 143), _DESKS):
        yield f"Mozilla/5.0 ({desk}) {_CHROME.format(v=v)} Safari/537.36"
        yield f"Mozilla/5.0 ({desk}) {_CHROME.format(v=v)} Safari/537.36 Edg/{v}.0.0.0"
        yield f"Mozilla/5.0 ({desk}; rv:{v}.0) Gecko/20100101 Firefox/{v}.0"
        yield f"Mozilla/5.0 ({desk}) {_CHROME.format(v=v)} Safari/537.36 OPR/{v - 14}.0.0.0"
    for v, phone in itertools.product(range(118, 143), _PHONES):
        yield f"Mozilla/5.0 (Linux; {phone}) {_CHROME.format(v=v)} Mobile Safari/537.36"
        yield f"Mozilla/5.0 (Linux; {phone}) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/{v - 115}.0 Chrome/{v}.0.0.0 Mobile Safari/537.36"
        yield f"Mozilla/5.0 (Linux; {phone}; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/{v}.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/491.0.0.{v}.79;]"
        yield f"Mozilla/5.0 ({phone.split(';')[0]}; Mobile; rv:{v}.0) Gecko/{v}.0 Firefox/{v}.0"
    for major, minor, device in itertools.product(range(14, 20), range(4), ("iPhone", "iPad")):
        os = f"{device}; CPU {'iPhone ' if device == 'iPhone' else ''}OS {major}_{minor} like Mac OS X"
        kit = f"Mozilla/5.0 ({os}) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        yield f"{kit} Version/{major}.{minor} Mobile/15E148 Safari/604.1"
        yield f"{kit} CriOS/14{minor}.0.7444.77 Mobile/15E148 Safari/604.1"
        yield f"{kit} FxiOS/13{minor}.0 Mobile/15E148 Safari/605.1.15"
        yield f"{kit} Mobile/15E148 [LinkedInApp]/9.31.{minor}"
        yield f"{kit} Mobile/15E148 Instagram 390.0.0.28.85 ({device}15,2; iOS {major}_{minor}; de_DE; de; scale=3.00; 1179x2556)"
        yield f"{kit} Mobile/15E148 Twitter for iPhone/11.{minor}"
        yield f"{kit} Mobile/15E148 [FBAN/FBIOS;FBAV/540.0.0.{minor};FBDV/{device}15,2;FBLC/de_DE]"
        yield f"{kit} GSA/390.0.81{minor} Mobile/15E148 Safari/604.1"
    for major, minor in itertools.product(range(14, 27), range(4)):
        yield f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{major}.{minor} Safari/605.1.15"
    yield "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
    yield "Mozilla/5.0 (compatible; MSIE 10.0; Windows NT 6.2; Trident/6.0)"
    yield "Opera/9.80 (Android; Opera Mini/36.2.2254/119.132; U; id) Presto/2.12.423 Version/12.16"
    yield "Lynx/2.9.2 libwww-FM/2.14 SSL-MM/1.4.1 OpenSSL/3.3.2"
    yield "w3m/0.5.3+git20230121"
    yield "Links (2.29; Linux 6.1.0 x86_64; GNU C 12.2; text)"


# No two are equal.
BROWSERS = list(dict.fromkeys(_browsers()))
