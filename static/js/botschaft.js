// Botschaft. Every page works without this file; it adds clipboard, live counters, shortcuts, theme.
(() => {
  const root = document.documentElement; root.classList.add('js');
  const $ = (s, el = document) => el.querySelector(s), $$ = (s, el = document) => [...el.querySelectorAll(s)];
  const de = root.lang !== 'en', t = (a, b) => (de ? a : b);

  // theme: a cookie, so that the server sets it before the first paint
  $$('[data-theme-toggle]').forEach(b => b.addEventListener('click', () => {
    const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    root.dataset.theme = dark ? 'light' : 'dark';
    const tls = location.protocol === 'https:';
    document.cookie = `${tls ? '__Host-' : ''}theme=${root.dataset.theme};path=/;max-age=31536000;samesite=lax${tls ? ';secure' : ''}`;
  }));

  // toast: one live region
  const live = Object.assign(document.createElement('div'), { role: 'status' }); document.body.append(live);
  let timer; const say = msg => { live.className = 'toast'; live.textContent = msg; clearTimeout(timer); timer = setTimeout(() => { live.className = ''; live.textContent = ''; }, 4000); };

  document.addEventListener('say', e => say(e.detail));   // from the other files

  $$('[data-copy]').forEach(b => b.addEventListener('click', async () => {
    const el = $(b.dataset.copy), text = 'value' in el ? el.value : el.textContent.trim();
    try { await navigator.clipboard.writeText(text); say(t('Kopiert.', 'Copied.')); }
    catch { say(t('Kopieren ging nicht. Markier den Text von Hand.', 'Copy failed. Select the text by hand.')); }
  }));
  if (location.hash === '#copied') say(t('Kopiert.', 'Copied.'));
  $$('[data-submit]').forEach(r => r.addEventListener('change', () => r.form.requestSubmit()));

  // htmx notes the address of the page in the browser's storage, and what was searched for stands in it
  const unnoted = () => { try { sessionStorage.removeItem('htmx-current-path-for-history'); } catch { /* private mode */ } };
  unnoted(); ['htmx:pushedIntoHistory', 'htmx:replacedInHistory', 'htmx:historyRestore'].forEach(name => document.addEventListener(name, unnoted));

  $$('[data-print]').forEach(b => b.addEventListener('click', () => print()));

  // An open page asks whether the situation changed: only while it is looked at, every half minute,
  // each page at its own beat, and at once when it is looked at again. What was unfolded stays so.
  if ($('#situation, #turn')) {
    let asked = Date.now();
    const look = () => { if (document.hidden || !navigator.onLine) return; asked = Date.now(); document.body.dispatchEvent(new Event('look')); };
    setTimeout(() => setInterval(look, 30000), Math.random() * 30000);
    document.addEventListener('visibilitychange', () => { if (Date.now() - asked > 10000) look(); });
    let open = [];
    document.addEventListener('htmx:beforeSwap', e => { if (new URL(e.detail.xhr.responseURL).pathname.startsWith('/accounts/')) e.detail.shouldSwap = false; });   // logged out meanwhile
    document.addEventListener('htmx:beforeSwap', e => { if (e.target.id === 'situation') open = $$('details[open]', e.target).map(d => d.id); });
    document.addEventListener('htmx:afterSwap', () => { open.forEach(id => { const d = document.getElementById(id); if (d) d.open = true; }); open = [];
      // a suggestion whose topic was stopped meanwhile is not offered any longer
      $$('[data-about]').forEach(p => { p.hidden = !!$(`#situation [data-topic="${p.dataset.about}"]:is([data-line=hold], [data-line=own])`); }); });
  }

  // how networks count; the server counts again
  const clusters = s => { try { return [...new Intl.Segmenter().segment(s)].map(c => c.segment); } catch { return [...s]; } };
  const light = c => c <= 0x10ff || (c >= 0x2000 && c <= 0x200d) || (c >= 0x2010 && c <= 0x201f) || (c >= 0x2032 && c <= 0x2037);
  const weight = c => (/\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|\p{RI}|\u20E3/u.test(c) ? 2 : [...c].reduce((k, p) => k + (light(p.codePointAt(0)) ? 1 : 2), 0));
  const emoji = c => !/^[©®™]$/.test(c) && /\p{Emoji_Presentation}|\p{Extended_Pictographic}|\p{RI}|\u20E3/u.test(c);   // as Threads
  const size = (s, n) => {
    if (n.url) s = s.replace(/https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]}'’”“»]/g, 'x'.repeat(n.url));
    if (n.endings) s = s.normalize('NFC').replace(new RegExp(`(?<![\\w@＠$#＃./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\\.)+(?:${n.endings})(?![\\w@+-])(?:/(?:[^\\s<>"]*[^\\s<>".,;:!?)\\]}'’”“»])?)?`, 'gi'), 'x'.repeat(n.url));   // example.com
    if (n.unit === 'weighted') return clusters(s).reduce((k, c) => k + weight(c), 0);
    if (n.unit === 'byte') return clusters(s).reduce((k, c) => k + (emoji(c) ? new TextEncoder().encode(c).length : [...c].length), 0);
    return n.unit === 'grapheme' ? clusters(s).length : s.length;   // UTF-16, as LinkedIn counts
  };
  const full = (s, n) => { s = s.trim(); const l = n.label; if (l) s = n.place === 'start' ? (s.startsWith(l) && !(s[l.length] || '').trim() ? s : `${l} ${s}`) : (s.endsWith(l) && !(s[s.length - l.length - 1] || '').trim() ? s : `${s} ${l}`); return n.link ? `${s}\n${n.link}` : s; };

  const cut = s => s.split(/^[ \t]*---[ \t]*$/m);   // a line --- alone begins the next part of a thread

  const toks = s => s.match(/\[[^\]]*\]|\S+|\s+/g) || [], key = w => w.toLowerCase().replace(/^[^\p{L}\p{N}_[]+|[^\p{L}\p{N}_\]]+$/gu, '');
  // a bracket is an open gap if it keeps half the words of one of the draft's; else it is words
  const words = g => new Set(g.toLowerCase().match(/[\p{L}\p{N}_]+/gu) || [g]);
  const gaps = base => { const asked = (base.match(/\[[^\[\]\n]{1,200}\]/g) || []).map(words); return w => /^\[/.test(w) && asked.some(a => 2 * [...a].filter(x => words(w).has(x)).length >= a.size); };
  // word diff (longest common subsequence): true where the word is the writer's own
  const own = (base, text) => {
    const open = gaps(base), a = toks(base).filter(w => w.trim()).map(key), T = toks(text), b = T.filter(w => w.trim()).map(key), n = a.length, m = b.length;
    if (n * m > 4e6) return T.map(w => (w.trim() ? { w, mine: true } : { w, space: true }));
    const L = Array.from({ length: n + 1 }, () => new Uint16Array(m + 1));
    for (let i = n - 1; i >= 0; i--) for (let j = m - 1; j >= 0; j--) L[i][j] = a[i] === b[j] && a[i] ? L[i + 1][j + 1] + 1 : Math.max(L[i + 1][j], L[i][j + 1]);
    const mine = new Array(m).fill(true); for (let i = 0, j = 0; i < n && j < m;) a[i] === b[j] && a[i] ? (mine[j] = false, i++, j++) : L[i + 1][j] >= L[i][j + 1] ? i++ : j++;
    let k = 0; return T.map(w => w.trim() ? { w, gap: open(w), mine: mine[k++] } : { w, space: true });
  };
  const span = (cls, text) => Object.assign(document.createElement('span'), { className: cls, textContent: text });
  const paint = (back, parts) => back.replaceChildren(...parts.map((p, i) => p.space
    ? (parts[i - 1]?.mine && parts[i + 1]?.mine && !parts[i - 1].gap && !parts[i + 1].gap ? span('own', p.w) : p.w)
    : p.gap ? span('blank', p.w) : p.mine ? span('own', p.w) : p.w), '\u200b');
  const NS = 'http://www.w3.org/2000/svg', svg = (name, attrs) => { const e = document.createElementNS(NS, name); for (const k in attrs) e.setAttribute(k, attrs[k]); return e; };
  const band = words => { let at = 0; const boxes = words.map(p => { const n = p.w.length, r = svg('rect', { class: p.gap ? 'b' : p.mine ? 'o' : 'h', x: at, width: n, height: 10 }); at += n + .8; return r; });
    const s = svg('svg', { class: 'wordband', viewBox: `0 0 ${Math.max(at - .8, 1)} 10`, preserveAspectRatio: 'none', 'aria-hidden': 'true', focusable: 'false' }); s.append(...boxes); return s; };

  // The composer. The server counts and compares again; what stands here is a hint while writing. It reads:
  //   form[data-composer]   data-limits: JSON {network: {limit, unit: "grapheme"|"weighted"|"byte"|"character", url: what a
  //                         link counts or null, label, place: "start"|"end", link, threads}}; data-nothread; data-of ("%a of %b words");
  //                         data-over ("%n too long")
  //   [name=variant]        radios with the draft in data-base
  //   [data-text]           the textarea; [data-back] its mirror of ink inside [data-editor]
  //   [data-voice]          gets data-level gap|copied|near|yours; in it [data-pct], [data-words], [data-band]
  //   [data-count=network], [data-note=network], [data-preview=network], [data-insert]
  $$('[data-composer]').forEach(form => {
    const area = $('[data-text]', form), back = $('[data-back]', form), ed = $('[data-editor]', form), voice = $('[data-voice]', form), nets = JSON.parse(form.dataset.limits);
    const drafts = {}; let current = $('[name=variant]:checked', form), dirty = false, gone = false;
    const render = () => {
      const parts = own(current.dataset.base, area.value), words = parts.filter(p => !p.space), said = words.filter(p => !p.gap), mine = said.filter(p => p.mine).length;
      const pct = said.length ? Math.round(100 * mine / said.length) : 0, gaps = words.length - said.length;
      paint(back, parts);
      ed.classList.toggle('is-plain', Math.abs(area.scrollHeight - back.offsetHeight) > 6);   // metrics differ? plain ink
      $('[data-pct]', form).textContent = pct;
      $('[data-words]', form).textContent = form.dataset.of.replace('%a', mine).replace('%b', said.length);
      $('[data-band]', form).replaceChildren(band(words));
      voice.dataset.level = gaps ? 'gap' : pct < 8 ? 'copied' : pct < 20 ? 'near' : 'yours';
      for (const net in nets) {
        const pieces = cut(area.value), none = pieces.length > 1 && !nets[net].threads;
        const texts = (nets[net].threads ? pieces : [area.value]).map((p, i) => full(p, i ? {} : nets[net]));
        const text = texts.join('\n⸻\n'), n = Math.max(...texts.map(p => size(p, nets[net]))), over = n - nets[net].limit;
        const c = $(`[data-count=${net}]`, form), pv = $(`[data-preview=${net}]`, form);
        if (c) { c.textContent = over > 0 ? `+${over}` : n; c.classList.toggle('is-over', over > 0); }
        $$(`[data-note=${net}]`, form).forEach(e => { e.textContent = none ? form.dataset.nothread : over > 0 ? form.dataset.over.replace('%n', over) : ''; e.classList.toggle('is-over', none || over > 0); });
        if (pv) pv.textContent = text;
      }
    };
    let wait; const ask = () => { clearTimeout(wait); wait = setTimeout(() => window.htmx?.ajax('POST', `${location.pathname}voice/`, { source: form, target: '#voice', swap: 'innerHTML' }), 700); };
    form.addEventListener('keydown', e => { if ((e.ctrlKey || e.metaKey) && e.key === 'Enter') { e.preventDefault(); $('[value=share]', form).click(); } });
    area.addEventListener('input', () => { dirty = true; render(); ask(); });
    // whoever comes to write finds the first gap of the draft selected, once
    // (a pointer sets its cursor after the focus; a selection of one's own stays)
    const fill = () => { const g = dirty || area.selectionStart !== area.selectionEnd ? null : area.value.match(/\[[^\[\]\n]{1,200}\]/); if (g) area.setSelectionRange(g.index, g.index + g[0].length); };
    area.addEventListener('focus', () => { fill(); setTimeout(fill); }, { once: true });
    $$('[name=variant]', form).forEach(r => r.addEventListener('change', () => { drafts[current.value] = area.value; current = r; area.value = drafts[r.value] ?? r.dataset.base; render(); ask(); }));
    form.addEventListener('click', e => { const b = e.target.closest('[data-start]'); if (!b) return; e.preventDefault(); const r = $(`[name=variant][value="${b.value}"]`, form); r.checked = true; r.dispatchEvent(new Event('change')); area.focus(); });
    $$('[data-insert]', form).forEach(b => b.addEventListener('click', () => { area.focus(); say(b.textContent); }));
    // Copy in one press: the server writes label and link, so its answer is what goes to the clipboard.
    // Where that does not work the form is sent as without this file, and its page offers the text.
    const copy = $('[data-copy-full]', form); copy?.addEventListener('click', async e => {
      if (copy.dataset.plain) return;
      e.preventDefault();
      let page = '';
      try {
        const text = fetch(location.href, { method: 'POST', body: new FormData(form, copy) }).then(async r => {
          if (!r.ok || !r.redirected) throw new Error('refused');
          page = r.url; return new DOMParser().parseFromString(await r.text(), 'text/html').getElementById('full').value; });
        await navigator.clipboard.write([new ClipboardItem({ 'text/plain': text.then(s => new Blob([s], { type: 'text/plain' })) })]);
        dirty = false; location.href = `${page}#copied`;
      } catch { dirty = false; if (page) location.href = page; else { copy.dataset.plain = 'yes'; form.requestSubmit(copy); } }
    });
    // a second press of the same button does nothing; the server would find the first post anyway
    form.addEventListener('submit', e => { if (gone) e.preventDefault(); gone = true; dirty = false; setTimeout(() => { gone = false; }, 5000); });
    addEventListener('pageshow', () => { gone = false; });
    addEventListener('beforeunload', e => { if (dirty) e.preventDefault(); });
    render(); document.fonts?.ready.then(render); addEventListener('resize', render);
  });

  $$('[data-gapeditor]').forEach(ed => {
    const area = $('[data-text]', ed), back = $('[data-back]', ed);
    const render = () => back.replaceChildren(...(area.value.match(/\[[^\]]*\]|[^[]+|\[/g) || []).map(p => /^\[.*\]$/.test(p) ? span('blank', p) : p), '\u200b');
    area.addEventListener('input', render); render();
  });

  // shortcuts: single keys only outside fields, all listed under "?"
  const sheet = $('#shortcuts'); $$('[data-shortcuts]').forEach(b => b.addEventListener('click', () => sheet?.showModal()));
  const store = { get: k => { try { return localStorage.getItem(k); } catch { return null; } }, set: (k, v) => { try { localStorage.setItem(k, v); } catch { /* private mode */ } } };
  const box = $('[data-keys-on]'); if (box) { box.checked = store.get('keys') !== 'off'; box.addEventListener('change', () => store.set('keys', box.checked ? 'on' : 'off')); }
  let g = 0; document.addEventListener('keydown', e => {
    if (store.get('keys') === 'off' && e.key !== '?') return;   // WCAG 2.1.4
    if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input:not([type=radio]):not([type=checkbox]),textarea,select,dialog')) return;
    if (e.key === '?') { e.preventDefault(); sheet?.showModal(); }
    else if (e.key === 'g') g = Date.now();
    else if (Date.now() - g < 1200) { const to = $(`[data-go="${e.key}"]`); if (to) location.href = to.href; g = 0; }
    else { const el = $(`[data-key="${e.key}"]`); if (el) { e.preventDefault(); if (el.matches('input')) el.focus(); else el.click(); } }
  });
  document.addEventListener('click', e => $$('details.menu[open]').forEach(d => d.contains(e.target) || d.removeAttribute('open')));
  document.addEventListener('keydown', e => { if (e.key === 'Escape') $$('details.menu[open]').forEach(d => { d.removeAttribute('open'); $('summary', d).focus(); }); });
})();
