// What the page's own document needs to know: its language, and what is said when the server is gone.
const said = JSON.parse(document.currentScript.dataset.said);
document.documentElement.lang = said.language;
document.addEventListener("DOMContentLoaded", () => {
  const lines = document.querySelectorAll("#popup span");
  if (lines.length === 2) [lines[0].textContent, lines[1].textContent] = [said.lost, said.again];
});
