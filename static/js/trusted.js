/* Trusted types (CSP `require-trusted-types-for 'script'`): the one place where text becomes markup.
   htmx and our own parts hand what the server answered to the parser; before that, whatever could run
   is taken out here. The server sends nothing of it: this is for the day on which it does. */
(() => {
  if (!window.trustedTypes) return;
  const own = (url) => { try { return new URL(url, location.href).origin === location.origin; } catch { return false; } };
  const parsed = trustedTypes.createPolicy('botschaft', { createHTML: (text) => text });
  const tidy = (root) => {
    for (const at of root.querySelectorAll('*')) {
      if (at.localName === 'script' && (at.textContent.trim() && at.type !== 'application/json' || at.hasAttribute('src') && !own(at.getAttribute('src')))) { at.remove(); continue; }
      for (const { name, value } of [...at.attributes]) if (/^on|^srcdoc$/i.test(name) || /^\s*(javascript|data:text|vbscript)/i.test(value) && /^(href|src|action|formaction|xlink:href|data)$/i.test(name)) at.removeAttribute(name);
      if (at.localName === 'template') tidy(at.content);
    }
  };
  trustedTypes.createPolicy('default', {
    createHTML: (text) => {
      const page = new DOMParser().parseFromString(parsed.createHTML(text), 'text/html');
      tidy(page);
      return page.documentElement.outerHTML;
    },
    createScriptURL: (url) => (own(url) ? url : null),
    createScript: (text) => (text === '' ? '' : null),
  });
})();
