// What the page's own document needs to know: its language, what is said when the server is gone, and what a click is for.
const said = JSON.parse(document.currentScript.dataset.said);
document.documentElement.lang = said.language;
document.documentElement.style.setProperty("--said-old", JSON.stringify(said.old));
document.addEventListener("DOMContentLoaded", () => {
  const popup = document.getElementById("popup");
  const lines = document.querySelectorAll("#popup span");
  if (lines.length !== 2) return;
  // What a page shows that hears nothing any more is not to be believed, and its buttons do nothing.
  const show = () => {
    const lost = popup.ariaHidden !== "true";
    document.documentElement.classList.toggle("lost", lost);
    document.getElementById("room").inert = lost;
    if (lost) look();
  };
  // A studio that was started again has another secret in its address: trying again is of no use then.
  const look = async () => {
    const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
    const anew = answer?.status === 401;
    [lines[0].textContent, lines[1].textContent] = anew ? [said.anew, said.open] : [said.lost, said.again];
    if (!anew && popup.ariaHidden !== "true") setTimeout(look, 3000);
  };
  [lines[0].textContent, lines[1].textContent] = [said.lost, said.again];
  new MutationObserver(show).observe(popup, { attributes: true, attributeFilter: ["aria-hidden"] });
});

// A file that is dropped beside the places for files would be opened by the browser, in place of the studio.
for (const kind of ["dragover", "drop"]) {
  addEventListener(kind, (event) => {
    if (event.defaultPrevented || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  });
}

// The second half of a double click is for what the first half hit, not for what came in its place meanwhile: a question,
// or another button of a row that was drawn anew.
let hit = null;
document.addEventListener(
  "click",
  (event) => {
    const label = event.target.closest("label");
    const now = label?.control ?? event.target.closest("button, a, input, select, dialog") ?? event.target;
    if (event.detail < 2) hit = now;
    if (now === hit) return;
    event.stopImmediatePropagation();
    event.preventDefault();
  },
  true,
);
