// What the page says, and what it is made of.
const TEXTS = JSON.parse(document.getElementById("texts").textContent);

/** A text in the reader's language, with what is to stand in it. */
export function t(name, values = {}) {
  return TEXTS[name].replace(/\{(\w+)\}/g, (_, one) => values[one]);
}

/** An element: its attributes and listeners, then what is in it. */
export function make(tag, attributes = {}, ...inside) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") found.addEventListener(name, value);
    else if (value !== false && value !== undefined) found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...inside);
  return found;
}
