// The search asks for this name; it stands in the page so that no script is written inline.
window.base_url = document.documentElement.dataset.base;
document.querySelector(".find").hidden = !window.Worker || location.protocol === "file:";
// On a wide screen the list of pages is always open.
const list = document.querySelector(".map details");
const wide = matchMedia("(min-width: 62rem)");
const open = () => { if (wide.matches) list.open = true; };
wide.addEventListener("change", open);
open();
list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
// What scrolls sideways can be reached by keyboard.
for (const part of document.querySelectorAll("main pre, main .wide")) {
  if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
}
document.addEventListener("keydown", (event) => {
  const field = document.getElementById("mkdocs-search-query");
  if (event.key === "Escape" && field.value) {
    field.value = "";
    document.getElementById("mkdocs-search-results").replaceChildren();
  }
});
document.querySelector(".find").addEventListener("submit", (event) => event.preventDefault());
