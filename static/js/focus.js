// The focus of a picture: a click sets it, the lines follow the sliders. Without this file the sliders do it alone.
(() => {
  const form = document.querySelector('[data-focus]'); if (!form) return;
  const x = form.elements.focus_x, y = form.elements.focus_y, box = form.querySelector('[data-focus-box]');
  const draw = () => { form.querySelector('[data-focus-v]').setAttribute('d', `M${x.value} 0V100`); form.querySelector('[data-focus-h]').setAttribute('d', `M0 ${y.value}H100`); };
  box.addEventListener('click', e => { const r = box.getBoundingClientRect(); x.value = Math.round(100 * (e.clientX - r.left) / r.width); y.value = Math.round(100 * (e.clientY - r.top) / r.height); draw(); });
  x.addEventListener('input', draw); y.addEventListener('input', draw);
})();
