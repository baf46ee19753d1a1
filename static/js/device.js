// The page of this device: install, and the switch to work without network.
(() => {
  const $ = s => document.querySelector(s), { who, worker, forget } = self.device;
  const state = (box, text) => { box.querySelector('[data-state]').textContent = text; };
  const ask = async what => {
    const r = await worker.ready;
    return new Promise(done => { const c = new MessageChannel(); c.port1.onmessage = e => done(e.data); r.active.postMessage(what, [c.port2]); });
  };

  // the browser offers to install; without such an offer the sentences say how
  const install = $('[data-install]'); let offer = null;
  addEventListener('beforeinstallprompt', e => { e.preventDefault(); offer = e; install.querySelector('button').hidden = false; });
  install.querySelector('button').addEventListener('click', async () => { await offer?.prompt(); offer = null; install.querySelector('button').hidden = true; });
  const standing = () => matchMedia('(display-mode: standalone)').matches;
  if (standing()) state(install, install.dataset.there);
  addEventListener('appinstalled', () => state(install, install.dataset.there));

  const box = $('[data-offline]'), button = box.querySelector('button');
  const show = on => { button.querySelector('[data-label]').textContent = on ? box.dataset.turnoff : box.dataset.turnon; state(box, on ? box.dataset.on : box.dataset.off); };
  if (!worker || !self.indexedDB || !self.caches) { button.hidden = true; state(box, box.dataset.cannot); return; }
  self.device.ready.then(() => show(!!self.device.mine));
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      if (self.device.mine) {
        if ((await kept.all('waiting')).length && !box.dataset.sure) { box.dataset.sure = '1'; state(box, box.dataset.unsent); return; }
        await forget(); self.device.mine = null; show(false); return;
      }
      localStorage.setItem('device', 'on');
      await kept.put('settings', 'offline', { person: who });
      await worker.register('/sw.js', { updateViaCache: 'all' });
      if (!await ask('keep')) throw new Error('not kept');
      self.device.mine = { person: who }; show(true);
    } catch { await forget().catch(() => {}); show(false); state(box, box.dataset.failed); } finally { button.disabled = false; }
  });

  // notifications: the browser asks, the push service of its maker answers, and the server keeps it
  const bell = $('[data-push]'), key = bell.querySelector('button'), { register, token, store } = self.device;
  const ringing = () => store(l => l.getItem('push')) === who;
  const tone = (on, text) => { key.querySelector('[data-label]').textContent = on ? bell.dataset.turnoff : bell.dataset.turnon; state(bell, text || (on ? bell.dataset.on : bell.dataset.off)); };
  if (!self.PushManager || !self.Notification) { key.hidden = true; state(bell, bell.dataset.cannot); return; }
  tone(ringing());
  const again = ringing() && worker.getRegistration().then(r => r && register(r, bell.dataset.key)).catch(() => tone(ringing(), bell.dataset.failed));
  key.addEventListener('click', async () => {
    key.disabled = true;
    try {
      await Promise.all([again, self.device.ringing]);   // else it would come after the switch
      if (ringing()) {
        const s = await (await worker.ready).pushManager.getSubscription();
        const body = new URLSearchParams({ act: 'off', endpoint: s?.endpoint || '' });
        await fetch('/me/device/push/', { method: 'POST', body, headers: { 'X-CSRFToken': token() }, redirect: 'manual' });
        await s?.unsubscribe(); store(l => l.removeItem('push')); tone(false); return;
      }
      if (await Notification.requestPermission() !== 'granted') { tone(false, bell.dataset.denied); return; }
      await worker.register('/sw.js', { updateViaCache: 'all' });
      await register(await worker.ready, bell.dataset.key); tone(true);
    } catch (e) { tone(ringing(), e.said || bell.dataset.failed); } finally { key.disabled = false; }
  });
})();
