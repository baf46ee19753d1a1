// Keeps what is typed in a form[data-keep] in this tab, sealed, until it was sent and taken. Without
// script nothing is kept while typing; the server gives back what it refuses.
(() => {
  const tab = f => { try { return f(sessionStorage); } catch { return null; } };   // private mode
  tab(s => Object.keys(s).filter(n => n.startsWith('keep:')).forEach(n => s.removeItem(n)));   // earlier versions did not seal
  const kept = sealed('sessionStorage');
  document.querySelectorAll('form[data-keep]').forEach(form => {
    const name = `keep:${form.dataset.keep}`, sent = `sent:${form.dataset.keep}`;
    const taken = tab(s => s.getItem(sent)) && document.querySelector('.flash--success');
    tab(s => s.removeItem(sent));
    form.querySelectorAll('textarea').forEach(async el => {
      const place = `${name}:${el.name}`;
      el.addEventListener('input', () => kept.put(place, el.value));
      if (taken) { kept.drop(place); return; }
      const words = el.value ? null : await kept.get(place);
      if (words && !el.value) el.value = words;
    });
    form.addEventListener('submit', () => tab(s => s.setItem(sent, '1')));
  });
})();
