// Where the keyboard was, it stays. What it was on may be drawn anew, can't be pressed for a while, or goes with what it
// belongs to: browsers forget the place then, and who can't see the page is back at its beginning.
const SETTLED = 60; // milliseconds after which a page that is being drawn anew has what it will have

// The control that the keyboard was on last, its name, and what it stands in, from the inside; null for a mouse's.
let last = null;
let timer = null;

addEventListener("focusin", ({ target }) => {
  if (target.closest("dialog")) return; // which gives the keyboard back to where it was, while that is there
  last = target.matches(":focus-visible") ? { target, name: nameOf(target), around: around(target) } : null;
});
addEventListener("pointerdown", () => (last = null));

function nameOf(element) {
  return element.ariaLabel ?? element.textContent.trim();
}

function around(element) {
  const found = [];
  for (let one = element.parentElement?.closest("#room *, #room"); one; one = one.parentElement) {
    found.push(one);
    if (one.id === "room") break;
  }
  return found;
}

function isLost() {
  return last !== null && document.activeElement === document.body && !document.querySelector("dialog[open]");
}

function isThere(element) {
  return element.isConnected && element.checkVisibility();
}

// A control of the same name, or what the one before stood in: no other control, which a second press would hit.
function restore() {
  if (!isLost()) return;
  const { target, name } = last;
  if (isThere(target)) return target.focus(); // which does nothing as long as it can't be pressed
  const place = last.around.find(isThere);
  if (!place) return;
  const alike = [...place.querySelectorAll("button, a, input, select")].find((one) => isThere(one) && nameOf(one) === name);
  if (alike) return alike.focus();
  if (!place.hasAttribute("tabindex")) {
    place.tabIndex = -1;
    place.addEventListener("blur", () => place.removeAttribute("tabindex"), { once: true });
  }
  place.focus({ preventScroll: true });
}

// A browser notices only when it draws that what has the keyboard is not shown any more: so it is looked a little later.
function look() {
  timer = isLost() ? setTimeout(() => ((timer = null), restore()), SETTLED) : null;
}

new MutationObserver(() => {
  if (last !== null) timer ??= setTimeout(look, SETTLED);
}).observe(document, {
  subtree: true,
  childList: true,
  attributes: true,
  attributeFilter: ["disabled", "class", "inert", "open"],
});
