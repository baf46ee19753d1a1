// The calendar's drag and arrow keys. Both fill the form that stands in every entry and send it; the
// server knows clocks and rules. Without this file the forms do the same.
(() => {
  const cal = document.querySelector('.cal'); if (!cal) return;
  const words = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: 'long', day: 'numeric', month: 'long', hour: '2-digit', minute: '2-digit', timeZone: 'UTC' });
  // wall-clock arithmetic, as if every day had 24 hours: what is typed is a wall-clock time, too
  const shift = (at, hours) => new Date(Date.parse(`${at}Z`) + hours * 36e5).toISOString().slice(0, 16);
  const send = move => move.querySelector('button[name=act]').click();

  cal.querySelectorAll('[data-move]').forEach(move => {
    const summary = move.querySelector('summary'), field = move.querySelector('[name=at]'), said = move.querySelector('output');
    const start = field.value;
    const steps = { ArrowLeft: -24, ArrowRight: 24, ArrowUp: -1, ArrowDown: 1 };
    summary.addEventListener('keydown', e => {
      if (e.key in steps && !e.altKey && !e.ctrlKey && !e.metaKey) {
        e.preventDefault(); move.open = true; field.value = shift(field.value || start, steps[e.key]);
        said.textContent = words.format(Date.parse(`${field.value}Z`));
      } else if (e.key === 'Enter' && field.value !== start) { e.preventDefault(); send(move); }
      else if (e.key === 'Escape' && move.open) { field.value = start; said.textContent = ''; move.open = false; }
    });

    const entry = move.closest('[data-entry]');
    entry.draggable = true;
    entry.addEventListener('dragstart', e => { e.dataTransfer.setData('text/plain', entry.id); e.dataTransfer.effectAllowed = 'move'; entry.classList.add('is-dragged'); });
    entry.addEventListener('dragend', () => entry.classList.remove('is-dragged'));
  });
  cal.querySelectorAll('[data-day]').forEach(day => {
    day.addEventListener('dragover', e => { e.preventDefault(); day.classList.add('is-over'); });
    day.addEventListener('dragleave', () => day.classList.remove('is-over'));
    day.addEventListener('drop', e => {
      e.preventDefault(); day.classList.remove('is-over');
      const move = document.getElementById(e.dataTransfer.getData('text/plain'))?.querySelector('[data-move]');
      const field = move?.querySelector('[name=at]');
      if (!field || field.value.slice(0, 10) === day.dataset.day) return;
      field.value = day.dataset.day + field.value.slice(10); send(move);
    });
  });
})();
