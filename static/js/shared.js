// What a phone shared is offered above the form of ideas. Without this file it is chosen there by hand.
(() => {
  const form = document.querySelector('form.idea'), offer = document.querySelector('[data-came]'), $ = (s, el) => el.querySelector(s);
  if (location.search !== '?shared' && !matchMedia('(display-mode: standalone)').matches) return;
  (async () => {
    await self.device.ready;
    const came = await self.device.came(); if (!came) return;
    const bar = offer.content.firstElementChild.cloneNode(true), words = $('[data-words]', bar), name = $('[data-name]', bar);
    if (came.text) words.textContent = came.text.length > 200 ? `${came.text.slice(0, 199)}…` : came.text; else words.remove();
    if (came.picture) name.textContent = came.picture.name; else name.parentElement.remove();
    const over = async () => { await kept.drop('settings', 'shared'); bar.remove(); history.replaceState(null, '', '/ideas/'); form.elements.text.focus(); };
    $('[data-take]', bar).addEventListener('click', async () => {
      const text = form.elements.text;
      if (came.text) { text.value = text.value.trim() ? `${text.value}\n${came.text}` : came.text; text.dispatchEvent(new Event('input')); }
      if (came.picture) { const box = new DataTransfer(); box.items.add(came.picture); form.elements.picture.files = box.files; }
      await over(); self.device.tell([form.dataset.shared]);
    });
    $('[data-drop]', bar).addEventListener('click', over);
    form.before(bar);
  })().catch(() => {});
})();
