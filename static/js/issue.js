// The order of an issue: its buttons move lines in place, and lines can be dragged. Without this file
// the same buttons send the form and the server moves them.
(() => {
  const form = document.querySelector('[data-issue]'), list = form?.querySelector('[data-lines]'), said = form?.querySelector('[data-said]');
  if (!list) return;
  const lines = () => [...list.querySelectorAll('[data-line]')];
  const number = line => {
    const all = lines(); all.forEach((l, i) => { l.querySelector('[data-n]').textContent = i + 1; });
    said.textContent = form.dataset.moved.replace('%t', line.dataset.title).replace('%a', all.indexOf(line) + 1).replace('%b', all.length);
  };
  list.addEventListener('click', e => {
    const button = e.target.closest('[data-move]'); if (!button) return;
    e.preventDefault();
    const line = button.closest('[data-line]');
    if (button.dataset.move === '-1') line.previousElementSibling?.before(line); else line.nextElementSibling?.after(line);
    button.focus(); number(line);
  });
  // dragged by its grip only, so that text in a note can still be selected
  let moving = null;
  lines().forEach(line => {
    line.querySelector('[data-grip]').addEventListener('pointerdown', () => { line.draggable = true; });
    line.addEventListener('dragstart', e => { moving = line; e.dataTransfer.effectAllowed = 'move'; line.classList.add('is-moving'); });
    line.addEventListener('dragend', () => { line.draggable = false; line.classList.remove('is-moving'); number(line); moving = null; });
  });
  addEventListener('pointerup', () => { if (!moving) lines().forEach(l => { l.draggable = false; }); });
  list.addEventListener('dragover', e => {
    const over = e.target.closest('[data-line]'); if (!moving || !over) return;
    e.preventDefault(); if (over === moving) return;
    const box = over.getBoundingClientRect();
    if (e.clientY < box.top + box.height / 2) over.before(moving); else over.after(moving);
  });
  list.addEventListener('drop', e => e.preventDefault());
})();
