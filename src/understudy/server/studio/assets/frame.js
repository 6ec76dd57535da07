// What the page's own document needs to know: its language, what is said when the server is gone, and what a click is for.
const said = JSON.parse(document.currentScript.dataset.said);
document.documentElement.lang = said.language;
document.addEventListener("DOMContentLoaded", () => {
  const lines = document.querySelectorAll("#popup span");
  if (lines.length !== 2) return;
  [lines[0].textContent, lines[1].textContent] = [said.lost, said.again];
  // A studio that was started again has another secret in its address: trying again is of no use then.
  const look = async () => {
    if (document.getElementById("popup").ariaHidden !== "true") {
      const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
      lines[1].textContent = answer?.status === 401 ? said.anew : said.again;
    }
    setTimeout(look, 3000);
  };
  look();
});

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
