// What a phone shared stands in the form of ideas. Without this file it is chosen there by hand.
(() => {
  const form = document.querySelector('form.idea'), asked = location.search === '?shared', DAY = 864e5;
  if (!asked && !matchMedia('(display-mode: standalone)').matches) return;
  (async () => {
    const came = await kept.get('settings', 'shared'); if (!came) return;
    await kept.drop('settings', 'shared');
    if (Math.abs(Date.now() - came.at) > DAY) return;
    const text = form.elements.text, file = form.elements.picture;
    if (came.text) { text.value = text.value.trim() ? `${text.value}\n${came.text}` : came.text; text.dispatchEvent(new Event('input')); }
    if (came.picture) { const box = new DataTransfer(); box.items.add(came.picture); file.files = box.files; }
    self.device.tell([form.dataset.shared]); text.focus();
    history.replaceState(null, '', '/ideas/');
  })().catch(() => {});
})();
