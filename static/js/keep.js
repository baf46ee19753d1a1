// Keeps what is typed in a form[data-keep] in this tab until it was sent and taken. Without script
// nothing is kept while typing; the server gives back what it refuses.
(() => {
  const store = f => { try { return f(sessionStorage); } catch { return null; } };   // private mode
  document.querySelectorAll('form[data-keep]').forEach(form => {
    const name = `keep:${form.dataset.keep}`, fields = [...form.querySelectorAll('textarea')];
    const taken = store(s => s.getItem(`${name}:sent`)) && document.querySelector('.flash--success');
    store(s => s.removeItem(`${name}:sent`));
    fields.forEach(el => {
      const key = `${name}:${el.name}`;
      if (taken) store(s => s.removeItem(key));
      else if (!el.value) el.value = store(s => s.getItem(key)) || '';
      el.addEventListener('input', () => store(s => s.setItem(key, el.value)));
    });
    form.addEventListener('submit', () => store(s => s.setItem(`${name}:sent`, '1')));
  });
})();
