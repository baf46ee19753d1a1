// The device's part. VERSION and SHELL stand above: a hash of this code and of every file it keeps.
// Pages are private and say no-store. They are kept only for the person who switched it on for this
// device, only three of them, for a week; another person's page, or the login page, drops them all.
const PAGES = 'pages', FILES = `shell-${VERSION}`, MINE = ['/', '/notebook/', '/offline/'], WEEK = 7 * 864e5, PATIENCE = 6000;   // ms
const chosen = () => kept.get('settings', 'offline').catch(() => null);   // {person}

const whose = text => /<html[^>]* data-person="(\w+)"/.exec(text)?.[1];

const fill = async () => (await caches.open(FILES)).addAll(SHELL);
const refresh = () => Promise.all(MINE.map(async path => { try { await keep(path, await fetch(path, { redirect: 'manual' })); } catch { /* the next visit keeps it */ } }));

addEventListener('install', e => { skipWaiting(); e.waitUntil(chosen().then(c => c && fill())); });
addEventListener('activate', e => e.waitUntil((async () => {
  const others = (await caches.keys()).filter(name => name !== FILES && name !== PAGES);
  await Promise.all(others.map(name => caches.delete(name)));
  await registration.navigationPreload?.enable();
  await clients.claim();
  // pages of an older version name files that are gone now
  if (others.length) { await caches.delete(PAGES); await refresh(); }
})()));

// Somebody else sits here: nothing of the person before stays.
const forget = async () => {
  await caches.delete(PAGES); await kept.empty();
  await (await registration.pushManager?.getSubscription())?.unsubscribe();
};

const keep = async (path, answer) => {
  const mine = await chosen();
  if (!mine || answer.status !== 200) return;
  const text = await answer.text(), who = whose(text);
  if (!who) return;
  if (who !== mine.person) { await forget(); return; }
  const headers = new Headers(answer.headers); ['content-encoding', 'content-length'].forEach(h => headers.delete(h)); headers.set('x-kept', Date.now());
  const pages = await caches.open(PAGES); await pages.put(path, new Response(text, { headers }));
  if (path !== '/') return;
  const pictures = [...text.matchAll(/\ssrc="(\/pictures\/[^"?]+)"/g)].map(m => m[1]);
  for (const r of await pages.keys()) { const p = new URL(r.url).pathname; if (p.startsWith('/pictures/') && !pictures.includes(p)) await pages.delete(r); }
  for (const p of pictures) if (!await pages.match(p)) try { const got = await fetch(p); if (got.ok && !got.redirected) await pages.put(p, got); } catch { /* without a picture, then */ }
};

const last = async path => {
  const pages = await caches.open(PAGES), found = await pages.match(path);
  if (!found || !await chosen()) return null;
  // one clock measures both ends, so a phone a day off loses nothing; the hour shown is the server's
  if (Math.abs(Date.now() - found.headers.get('x-kept')) > WEEK) { await pages.delete(path); return null; }
  return new Response((await found.text()).replace('data-stale hidden', 'data-stale'), { headers: found.headers });
};

const page = (e, url) => {
  const mine = MINE.includes(url.pathname) && !url.search;
  const asked = (async () => (await e.preloadResponse) || fetch(e.request))();
  if (mine) e.waitUntil(asked.then(a => a.clone()).then(a => keep(url.pathname, a)).catch(() => {}));
  if (url.pathname === '/accounts/login/') e.waitUntil(asked.then(() => caches.delete(PAGES)).catch(() => {}));
  const slow = new Promise((yes, no) => { if (mine) setTimeout(no, PATIENCE); });
  const early = Promise.race([asked, slow]).catch(async () => (mine && await last(url.pathname)) || null);
  return early.then(found => found || asked.catch(async error => { const page = await last('/offline/'); if (page) return page; throw error; }));
};

const picture = async request => {
  try { return await fetch(request); } catch (error) { const found = await caches.match(new URL(request.url).pathname, { cacheName: PAGES }); if (found) return found; throw error; }
};

// What the phone shares stays here, over a login if need be, until its person takes it into the form
// of ideas. It is kept for whoever switched this device on or is logged in now, else not at all. A
// form of another site is no share sheet; one that hides where it comes from looks like one, so the
// person is asked before anything stands in the form.
const shared = async request => {
  const from = request.headers.get('origin'), own = !from || from === 'null' || from === location.origin;
  if (!own) return Response.redirect('/ideas/', 303);
  let how = 'shared';
  try {
    const person = (await chosen())?.person || whose(await (await fetch('/ideas/', { redirect: 'manual' })).text());
    if (!person) throw new Error('nobody is logged in');
    const form = await request.formData(), picture = form.get('picture'), words = ['title', 'text', 'url'].map(n => String(form.get(n) || '').trim());
    await kept.put('settings', 'shared', { person, text: [...new Set(words.filter(Boolean))].join('\n'), picture: picture?.size ? picture : null, at: Date.now() });
  } catch { how = 'lost'; }
  return Response.redirect(`/ideas/?${how}`, 303);
};

addEventListener('fetch', e => {
  const r = e.request, url = new URL(r.url);
  if (url.origin !== location.origin) return;
  if (r.method === 'POST' && url.pathname === '/ideas/shared/') { e.respondWith(shared(r)); return; }
  if (r.method !== 'GET') return;
  if (r.mode === 'navigate') e.respondWith(page(e, url));
  else if (SHELL.includes(url.pathname)) e.respondWith(caches.match(r, { cacheName: FILES }).then(found => found || fetch(r)));
  else if (url.pathname.startsWith('/pictures/') && r.destination === 'image') e.respondWith(picture(r));
});

// A message has a text for the lock screen, and names neither a topic nor a person.
addEventListener('push', e => {
  let told = {}; try { told = e.data.json(); } catch { /* a browser shows something in any case */ }
  e.waitUntil(registration.showNotification(told.title || 'Botschaft', { body: told.body || '', tag: told.tag || '', icon: ICON, badge: BADGE, data: told.url || '/' }));
});
// An open page is left as it is: something may be typed there.
addEventListener('notificationclick', e => {
  e.notification.close();
  const to = new URL(e.notification.data, location.origin);
  if (to.origin === location.origin) e.waitUntil((async () => {
    const there = (await clients.matchAll({ type: 'window' })).find(c => new URL(c.url).pathname === to.pathname);
    return there ? there.focus() : clients.openWindow(to.href);
  })());
});

// The switch on the page of this device: "keep" answers when all is kept, "forget" when all is gone.
addEventListener('message', e => e.waitUntil((async () => {
  let done = true;
  try {
    if (e.data === 'keep') { await fill(); await refresh(); done = !!await last('/'); }
    if (e.data === 'forget') await Promise.all((await caches.keys()).map(name => caches.delete(name)));
  } catch { done = false; }
  e.ports[0]?.postMessage(done);
})()));
