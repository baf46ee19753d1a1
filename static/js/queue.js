// The queue of my posts by drag: the list is drawn in the new order and sent whole; the server keeps
// the moments where they are. Without this file the arrows do the same, post by post.
(() => {
  const list = document.querySelector('[data-queue]'); if (!list) return;
  const form = document.querySelector(list.dataset.queue), field = form.elements.order;
  const order = () => [...list.children].map(row => row.dataset.row).join(',');
  const before = order();
  let held = null;
  for (const row of list.children) {
    row.draggable = true;
    row.addEventListener('dragstart', e => { held = row; e.dataTransfer.effectAllowed = 'move'; e.dataTransfer.setData('text/plain', row.dataset.row); row.classList.add('is-dragged'); });
    row.addEventListener('dragend', () => { row.classList.remove('is-dragged'); held = null; });
  }
  list.addEventListener('dragover', e => {
    if (!held) return;
    e.preventDefault();
    const over = e.target.closest('[data-row]'); if (!over || over === held) return;
    const box = over.getBoundingClientRect();
    list.insertBefore(held, e.clientY > box.top + box.height / 2 ? over.nextSibling : over);
  });
  list.addEventListener('drop', e => {
    e.preventDefault();
    if (order() === before) return;
    field.value = order(); form.submit();
  });
})();
