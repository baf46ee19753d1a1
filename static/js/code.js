// Takes the code from behind the # of a link into the form and sends it; then no address has it.
(() => {
  const form = document.querySelector('form[data-code]');
  const take = () => {
    const code = location.hash.slice(1);
    if (!/^[\w:.-]{26,}$/.test(code)) return;   // the link to the content has a # too
    history.replaceState(null, '', location.pathname + location.search);
    form.elements.code.value = code;
    form.submit();
  };
  take();
  addEventListener('hashchange', take);
})();
