// What this device keeps for one person who switched it on: the switch, drafts, and what waits for
// the network. Read by pages and by the service worker. Every call opens and closes, so that a
// logout that clears the device is never blocked.
const kept = (() => {
  const open = () => new Promise((yes, no) => {
    const r = indexedDB.open('botschaft', 1);
    r.onupgradeneeded = () => ['settings', 'drafts', 'waiting'].forEach(s => r.result.createObjectStore(s));
    r.onsuccess = () => yes(r.result); r.onerror = r.onblocked = () => no(r.error);
  });
  const ask = async (store, mode, f) => {
    const db = await open();
    try {
      return await new Promise((yes, no) => {
        const t = db.transaction(store, mode), r = f(t.objectStore(store));
        t.oncomplete = () => yes(r.result); t.onerror = t.onabort = () => no(t.error);
      });
    } finally { db.close(); }
  };
  return {
    get: (store, key) => ask(store, 'readonly', o => o.get(key)),
    put: (store, key, value) => ask(store, 'readwrite', o => o.put(value, key)),
    drop: (store, key) => ask(store, 'readwrite', o => o.delete(key)),
    // [[key, value], …]
    all: async store => { const [keys, values] = await Promise.all([ask(store, 'readonly', o => o.getAllKeys()), ask(store, 'readonly', o => o.getAll())]); return keys.map((k, i) => [k, values[i]]); },
    empty: () => Promise.all(['settings', 'drafts', 'waiting'].map(s => ask(s, 'readwrite', o => o.clear()))),
  };
})();
