// What is typed and not sent yet lies in this browser sealed (AES-GCM), under a key that only the pages
// of the person who typed it bring along and that is stored nowhere here. What it does not open,
// somebody else left: that goes. Without WebCrypto (http on another host) nothing is kept.
const sealed = (() => {
  const page = document.currentScript, utf8 = new TextEncoder();
  const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0)), text = (...parts) => btoa(parts.map(p => Array.from(new Uint8Array(p), b => String.fromCharCode(b)).join('')).join(''));
  const key = crypto.subtle?.importKey('raw', bytes(page.dataset.key), 'AES-GCM', false, ['encrypt', 'decrypt']); key?.catch(() => {});
  page.removeAttribute('data-key');   // a page that is saved as a file has none
  const how = (name, iv) => ({ name: 'AES-GCM', iv, additionalData: utf8.encode(name) });

  const inside = kind => {
    const store = f => { try { return f(self[kind]); } catch { return null; } }, turns = {};   // private mode
    const turn = name => { turns[name] = (turns[name] || 0) + 1; return turns[name]; };   // the last call counts, whichever is sealed first
    return {
      names: of => (store(Object.keys) || []).filter(n => n.startsWith(`sealed:${of}`)).map(n => n.slice(7)),
      put: async (name, words) => {
        const mine = turn(name), iv = crypto.getRandomValues(new Uint8Array(12));
        try {
          const shut = text(iv, await crypto.subtle.encrypt(how(name, iv), await key, utf8.encode(words)));
          if (turns[name] === mine) self[kind].setItem(`sealed:${name}`, shut);
          return true;
        } catch { return false; }
      },
      get: async name => {
        const shut = store(s => s.getItem(`sealed:${name}`)); if (!shut) return null;
        try {
          const found = bytes(shut);
          return new TextDecoder().decode(await crypto.subtle.decrypt(how(name, found.slice(0, 12)), await key, found.slice(12)));
        } catch { store(s => s.getItem(`sealed:${name}`) === shut && s.removeItem(`sealed:${name}`)); return null; }
      },
      drop: name => { turn(name); store(s => s.removeItem(`sealed:${name}`)); },
    };
  };
  ['localStorage', 'sessionStorage'].map(inside).forEach(place => place.names('').forEach(place.get));
  return inside;
})();
