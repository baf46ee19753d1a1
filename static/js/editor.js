// The editor keeps what is typed: on the server, or sealed in this browser until it has arrived there.
// Without this file everything is saved by the buttons alone.
(() => {
  const form = document.querySelector('[data-editor-form]'); if (!form) return;
  const status = document.querySelector('[data-status]'), part = name => status.querySelector(`[data-part=${name}]`);
  const PAUSE = 1500, LEAST = 4000, PULSE = 15000, MOST_WAIT = 60000;   // ms: after a key, between two, a sign of life, longest retry
  const store = sealed('localStorage'), place = () => `draft:${url}`, whose = form.dataset.person;
  const fields = () => { const data = new FormData(form); data.delete('picture_file'); return new URLSearchParams(data); };
  const told = () => { const f = fields(); ['csrfmiddlewaretoken', 'revision', 'suggestion', 'draft'].forEach(n => f.delete(n)); [...f.keys()].filter(n => n.startsWith('comment-')).forEach(n => f.delete(n)); return f.toString(); };
  let url = form.dataset.draft, clean = told(), last = 0, timer, busy = false, waits = 0, leaving = false;

  // a page that the browser brings back from memory is a new form: its old key is saved already
  addEventListener('pageshow', e => {
    leaving = false; if (!e.persisted) return;
    const key = crypto.randomUUID?.(); if (!key) { location.reload(); return; }
    url = url.replace(/[0-9a-f-]{36}/, key); form.elements.draft.value = key;
  });

  const show = html => {
    const fresh = new DOMParser().parseFromString(html, 'text/html');
    ['kept', 'here', 'since'].forEach(name => {
      const now = part(name), next = fresh.querySelector(`[data-part=${name}]`);
      if (!next || (name === 'kept' && !next.textContent.trim())) return;
      if (now.textContent.trim() !== next.textContent.trim()) now.replaceChildren(...next.childNodes);
    });
  };
  const say = text => { part('kept').textContent = text; };
  const renew = async () => {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
    const now = page.querySelector(`#editor[data-person="${whose}"] [name=csrfmiddlewaretoken]`);   // somebody else's token would make it theirs
    if (now) document.querySelectorAll('[name=csrfmiddlewaretoken]').forEach(t => { t.value = now.value; });
  };
  const post = async (to, body, again = true) => {
    body.set('csrfmiddlewaretoken', form.elements.csrfmiddlewaretoken.value);
    const answer = await fetch(to, { method: 'POST', body, redirect: 'manual' });
    if (answer.status === 403 && again) { await renew(); return post(to, body, false); }   // signed in again in another tab
    const out = answer.type === 'opaqueredirect' || answer.status === 403;
    if (out || answer.status >= 500) { const e = new Error(answer.status); e.out = out; throw e; }
    return answer;
  };

  const copy = () => { const body = fields(); body.delete('csrfmiddlewaretoken'); return store.put(place(), body.toString()); };

  const keep = async () => {
    if (busy || leaving) { soon(); return; }
    const typed = told(); if (typed === clean) return;
    busy = true; last = Date.now();
    const body = fields(), at = place();
    try {
      const answer = await post(url, body); show(await answer.text());
      waits = 0; if (answer.status !== 413) { clean = typed; if (told() === typed) store.drop(at); }
    } catch (e) {
      if (await copy()) say(e.out ? form.dataset.signedOut : form.dataset.offline);
      waits += 1; clearTimeout(timer); timer = setTimeout(keep, Math.min(LEAST * 2 ** waits, MOST_WAIT));
    } finally { busy = false; }
  };
  const soon = () => { clearTimeout(timer); timer = setTimeout(keep, Math.max(PAUSE, LEAST - (Date.now() - last))); };
  // the copy is sealed at once, for nothing can be sealed any more while a page is leaving
  const typing = () => { soon(); if (told() === clean) store.drop(place()); else copy(); };
  form.addEventListener('input', typing); form.addEventListener('change', typing);
  addEventListener('online', () => { waits = 0; keep(); });

  // what an earlier page could not send goes to the server now, to be offered there
  const late = async name => {
    const kept = await store.get(name); if (!kept) return;
    const body = new URLSearchParams(kept), answer = await post(name.slice(6), body);
    if (answer.ok || answer.status === 404) { store.drop(name); if (answer.status === 200) offer(body.get('suggestion')); }
  };
  // what earlier versions left is readable: one's own is sealed, or sent where nothing can be; all of it goes
  const readable = async name => {
    const [, of, to] = name.split(':'), words = localStorage.getItem(name);
    try { const { body } = JSON.parse(words); if (of === whose && !await store.put(`draft:${to}`, body)) await post(to, new URLSearchParams(body)); } finally { localStorage.removeItem(name); }
  };
  // the copy of a page that is still open is that page's to send; a lock goes with its page
  const locks = navigator.locks || { request: (name, f) => f() };
  locks.request(place(), () => new Promise(() => {}));
  (async () => {
    for (const name of Object.keys(localStorage)) if (name.startsWith('draft:')) await readable(name).catch(() => {});
    for (const name of store.names('draft:')) if (name !== place()) locks.request(name, () => late(name).catch(() => {}));
  })().catch(() => {});   // private mode
  const offer = of => { if (of === form.elements.suggestion.value) fetch(location.href).then(r => r.text()).then(html => {
    const fresh = new DOMParser().parseFromString(html, 'text/html').querySelectorAll('.offer');
    document.querySelectorAll('.offer').forEach(o => o.remove()); fresh.forEach(o => form.before(o));
  }).catch(() => {}); };

  // a sign of life, so that the others see who is here; silent while the page is hidden
  const here = form.dataset.here;
  const pulse = async () => { if (!document.hidden && !leaving) try { show(await (await post(here, new URLSearchParams({ revision: form.elements.revision.value }))).text()); } catch { /* the next one tells */ } };
  if (here) {
    setInterval(pulse, PULSE); document.addEventListener('visibilitychange', pulse);
    addEventListener('pagehide', () => navigator.sendBeacon(here, new URLSearchParams({ gone: 1, csrfmiddlewaretoken: form.elements.csrfmiddlewaretoken.value })));
  }

  // a save that never arrives must not take the text along: a copy stays here until the next page
  form.addEventListener('submit', () => {
    const done = copy();
    if (!navigator.onLine) { done.then(kept => kept && say(form.dataset.offline)); return; }   // offline.js stops it and says so
    leaving = true; clearTimeout(timer); setTimeout(() => { leaving = false; }, 8000);
  });
  addEventListener('pagehide', () => { if (!leaving && told() !== clean) navigator.sendBeacon(url, fields()); });
  // a remark goes with the save; leaving otherwise asks
  addEventListener('beforeunload', e => { if (!leaving && [...form.querySelectorAll('[name^="comment-"]')].some(t => t.value.trim())) e.preventDefault(); });
  document.addEventListener('keydown', e => {
    if (!(e.ctrlKey || e.metaKey) || e.altKey || e.shiftKey) return;
    const act = e.key === 's' ? 'save' : e.key === 'Enter' ? 'hand_in' : null;
    if (act) { e.preventDefault(); document.querySelector(`[form=editor][value=${act}]`).click(); }
  });
})();
