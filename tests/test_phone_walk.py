"""What a phone transfers for Today, as packed as our server packs it (P11). Times: bench.phone."""

import gzip

import pytest

from .test_loop import PHONE, Visitor, chromium  # noqa: F401 - a fixture

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("a_working_day")]
STATIC = 155_000  # bytes; with a page of 45 kB it is 200 kB
PACKED = (".css", ".js", ".svg")
SHIFT = """() => new Promise(done => {
    let shift = 0;
    new PerformanceObserver(l => l.getEntries().forEach(e => { shift += e.value; }))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done(shift), 300);
})"""


def size(response):
    body = response.body()
    return len(gzip.compress(body)) if response.url.endswith(PACKED) else len(body)


def test_first_page_is_small_and_does_not_move(chromium, live_server, jona, suggestion):
    phone = Visitor(chromium, live_server.url, PHONE)
    phone.login(jona)
    phone.context.new_cdp_session(phone.page).send("Network.clearBrowserCache")
    page, seen = phone.context.new_page(), []
    page.on("response", lambda r: seen.append(r) if r.ok else None)
    page.goto(f"{phone.base}/")
    page.wait_for_load_state("networkidle")
    static = {r.url: size(r) for r in seen if "/static/" in r.url}
    pages = [size(r) for r in seen if r.request.resource_type == "document"]
    assert sum(static.values()) <= STATIC, static
    assert len([url for url in static if url.endswith(".css")]) == 3
    assert (len(pages), pages[0] < 45_000) == (1, True)
    assert page.evaluate(SHIFT) < 0.001
