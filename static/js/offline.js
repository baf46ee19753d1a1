// Without network: typed text stays, drafts of the person who switched it on wait on the device and
// go to the notebook afterwards. Nothing is published from here. Sentences stand in #device.
(() => {
  const words = document.getElementById('device'), who = document.documentElement.dataset.person; if (!words) return;
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  const say = text => document.dispatchEvent(new CustomEvent('say', { detail: text }));
  const store = f => { try { return f(localStorage); } catch { return null; } };   // private mode
  const used = () => store(s => s.getItem('device')) === 'on';
  const worker = navigator.serviceWorker;
  const off = () => !navigator.onLine;

  // the same sentences that the server shows after a form
  const tell = lines => {
    const box = Object.assign(document.createElement('div'), { role: 'status' });
    $('main').prepend(box);
    box.append(...lines.map(text => Object.assign(document.createElement('p'), { className: 'flash', textContent: text })));
  };
  const key = () => crypto.randomUUID?.() || [8, 4, 4, 4, 12].map(n => [...crypto.getRandomValues(new Uint8Array(n))].map(b => (b % 16).toString(16)).join('')).join('-');
  const token = () => document.cookie.match(/(?:^|; )(?:__Host-)?csrftoken=([^;]+)/)?.[1] || $('[name=csrfmiddlewaretoken]')?.value || '';

  // what the browser gave up meanwhile is asked for again; what it has, the server hears of
  const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
  const send64 = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const register = async (r, key) => {
    const s = await r.pushManager.getSubscription() || await r.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(key) });
    const body = new URLSearchParams({ endpoint: s.endpoint, p256dh: send64(s.getKey('p256dh')), auth: send64(s.getKey('auth')) });
    const answer = await fetch('/me/device/push/', { method: 'POST', body, headers: { 'X-CSRFToken': token() }, redirect: 'manual' });
    if (answer.status !== 204) { await s.unsubscribe(); const e = new Error('refused'); e.said = answer.status === 422 ? (await answer.json()).said : ''; throw e; }
    store(l => l.setItem('push', who));
  };
  const ring = async () => {
    const r = await worker?.getRegistration();
    if (!r || self.Notification?.permission !== 'granted' || await r.pushManager.getSubscription()) return;
    await register(r, (await (await fetch('/me/device/push/')).json()).key);
  };

  const forget = async () => {
    store(s => { s.removeItem('device'); s.removeItem('push'); });
    const r = await worker?.getRegistration();
    await (await r?.pushManager?.getSubscription())?.unsubscribe();
    await r?.unregister();
    if (self.caches) await Promise.all((await caches.keys()).map(name => caches.delete(name)));
    await kept.empty();
  };

  // what the phone shared is its person's, and for an hour; what is older or anybody else's goes
  const came = async () => {
    const found = await kept.get('settings', 'shared');
    if (!found || (found.person === who && Math.abs(Date.now() - found.at) < 36e5)) return found;
    return kept.drop('settings', 'shared');
  };

  let ringing = null;   // a registration on its way
  let mine = null;   // {person} when the switch is on and it is this person's
  const ready = (async () => {
    const installed = matchMedia('(display-mode: standalone)').matches;
    const bell = store(s => s.getItem('push'));
    if (bell && bell !== who) { await forget(); return; }   // somebody else's
    const found = used() ? await kept.get('settings', 'offline').catch(() => null) : null;
    // somebody else's, or the worker emptied it because it was; null: the store cannot be read now
    if (used() && found !== null && found?.person !== who) { await forget(); return; }
    if (worker && (used() || bell || installed)) worker.register('/sw.js', { updateViaCache: 'all' }).catch(() => {});
    if (bell) ringing = ring().catch(() => {});
    if (worker?.controller) await came().catch(() => {});
    mine = found || null;
  })();

  // what waits goes to the notebook, each once; what is refused stays here with the reason
  let sending = null;
  const send = () => { sending ||= (async () => {
    const lines = [];
    for (const [id, note] of await kept.all('waiting')) {
      if (note.refused) continue;
      const body = new URLSearchParams({ key: id, text: note.text, suggestion: note.suggestion || '' });
      const answer = await fetch('/notebook/arrive/', { method: 'POST', body, headers: { 'X-CSRFToken': token() }, redirect: 'manual' });
      if (answer.type === 'opaqueredirect' || answer.status === 403) { lines.push(words.dataset.out); break; }
      if (answer.status === 422) { note.refused = (await answer.json()).said; await kept.put('waiting', id, note); lines.push(note.refused); continue; }
      if (!answer.ok) break;
      lines.push((await answer.json()).said); await kept.drop('waiting', id);
    }
    if (lines.length) tell([...new Set(lines)]);
    if (lines.length) list();
  })().catch(() => {}).finally(() => { sending = null; }); return sending; };
  const wait = async note => { await kept.put('waiting', key(), note); list(); if (!off()) await send(); };

  // the composer: what is typed is kept here until it was shared or dropped
  const composer = $('[data-composer]'), area = composer && $('[data-text]', composer), about = composer && Number(location.pathname.match(/\d+/)?.[0]);
  const compose = async () => {
    const found = await kept.get('drafts', about), offer = $('[data-mine]');
    if (found && offer && found.text.trim() !== area.value.trim() && area.value === area.defaultValue && !$('[aria-invalid]', composer)) {
      const bar = offer.content.firstElementChild.cloneNode(true);
      $('[data-words]', bar).textContent = found.text.length > 200 ? `${found.text.slice(0, 199)}…` : found.text;
      $('[data-take]', bar).addEventListener('click', () => { area.value = found.text; area.dispatchEvent(new Event('input')); bar.remove(); area.focus(); });
      $('[data-drop]', bar).addEventListener('click', () => { kept.drop('drafts', about); bar.remove(); area.focus(); });
      composer.before(bar);
    }
    let timer; const store = sent => kept.put('drafts', about, { text: area.value, title: $('h1').textContent, sent });
    const typed = () => { clearTimeout(timer); timer = setTimeout(() => store(false), 400); };
    area.addEventListener('input', typed);
    if (area.value !== area.defaultValue) typed(); // what was typed while the device was asked
    composer.addEventListener('submit', e => { clearTimeout(timer); if (!e.defaultPrevented) store(true); });
  };
  // shared: the server answers with a page of posts; a refusal gives the text back in the composer
  const shared = async () => { if (!/^\/posts\//.test(location.pathname)) return; for (const [k, d] of await kept.all('drafts')) if (d.sent) await kept.drop('drafts', k); };

  // the notebook lists what is only here
  const list = async () => {
    const place = $('[data-here]'); if (!place || !mine) return;
    const rows = [...(await kept.all('waiting')).map(r => ['waiting', ...r]), ...(await kept.all('drafts')).filter(r => r[1].text.trim()).map(r => ['drafts', ...r])];
    place.hidden = !rows.length;
    $('[data-rows]', place).replaceChildren(...rows.map(([store, k, d]) => {
      const row = $('template', place).content.firstElementChild.cloneNode(true), into = $('[data-into]', row);
      $('blockquote', row).textContent = d.text;
      $('[data-why]', row).textContent = d.refused || (store === 'waiting' ? place.dataset.waits : `${place.dataset.draft} ${d.title || ''}`);
      into.hidden = store === 'waiting';
      into.addEventListener('click', async () => { await kept.drop('drafts', k); await wait({ text: d.text, suggestion: k }); });
      $('[data-drop]', row).addEventListener('click', async () => { await kept.drop(store, k); list(); });
      return row;
    }));
  };

  // no form is sent into nothing: the text stays on the page, or waits on the device
  document.addEventListener('submit', e => {
    const form = e.target; if (e.defaultPrevented || form.method !== 'post' || !off()) return;
    e.preventDefault();
    const text = form.elements.text?.value || '', jot = form.matches('.jot');
    if (!mine || !text.trim() || (form !== composer && !jot)) { say(words.dataset.offline); return; }
    const note = jot ? { text } : { text, suggestion: about };
    (async () => { if (!jot) await kept.drop('drafts', about); await wait(note); if (jot) form.reset(); say(jot ? words.dataset.note : words.dataset.draft); })().catch(() => say(words.dataset.offline));
  });
  // at logout everything goes; what waits is sent before, and what cannot be is said before
  $$('form[action$="/accounts/logout/"]').forEach(form => form.addEventListener('submit', e => {
    if (!(used() || store(s => s.getItem('push'))) || form.dataset.sure || off()) return;
    e.preventDefault();
    (async () => {
      if (mine) for (const [k, d] of await kept.all('drafts')) if (d.text.trim() && !d.sent) { await kept.put('waiting', key(), { text: d.text, suggestion: k }); await kept.drop('drafts', k); }
      await send();
      form.dataset.sure = '1';
      if ((await kept.all('waiting')).length) { tell([words.dataset.unsent]); return; }
      await forget(); form.requestSubmit();
    })().catch(() => { form.dataset.sure = '1'; form.requestSubmit(); });
  }));

  ready.then(async () => {
    if (!mine) return;
    await shared(); if (composer) await compose(); await list();
    if (!off()) send();
    addEventListener('online', send);
  }).catch(() => {});

  self.device = { register, token, store, words, who, worker, ready, say, tell, forget, list, came, get ringing() { return ringing; }, get mine() { return mine; }, set mine(v) { mine = v; }, used };
})();
