// Add a photo: whose face it is and on what ground it may be used is asked before anything is done with it.
import { ask } from "./connection.js";
import { make, t } from "./texts.js";

const GROUNDS = { self: "consent.self", granted: "consent.granted", fictional: "consent.fictional" };

/** Ask for a photo and its consent; the id of the person that was added, or nothing. */
export function addPhoto(key, explain) {
  return new Promise((resolve) => {
    const file = make("input", { type: "file", accept: "image/*", required: true, id: "photo" });
    const note = make("input", { type: "text", maxlength: 1000, placeholder: t("consent.note_example"), id: "note" });
    const noted = make("label", { for: "note", hidden: true }, t("consent.note"), note);
    const fault = make("p", { class: "notice", role: "alert", hidden: true });
    const save = make("button", { class: "go", type: "submit" }, t("consent.save"));
    const options = Object.entries(GROUNDS).map(([ground, text]) =>
      make("label", { class: "choice" },
        make("input", { type: "radio", name: "ground", value: ground, required: true,
          change: () => ((noted.hidden = ground !== "granted"), (note.required = ground === "granted")) }),
        t(text)));
    const form = make("form", { class: "panel" },
      make("label", { for: "photo" }, t("remote.photo"), file), make("p", {}, t("remote.photo_why")),
      ...options, noted, fault,
      make("div", { class: "row" }, save, make("button", { type: "button", click: () => dialog.close() }, t("consent.not_now"))));
    const dialog = make("dialog", { "aria-label": t("remote.add"), close: () => (dialog.remove(), resolve(dialog.returnValue)) }, form);
    const forget = (id) => ask(`/api/v1/photos/${id}`, { key, method: "DELETE" });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      [save.disabled, fault.hidden] = [true, true];
      try {
        const [photo] = file.files;
        const place = `/api/v1/photos?name=${encodeURIComponent(photo.name)}`;
        const taken = await (await ask(place, { key, method: "POST", body: photo, type: "application/octet-stream" })).json();
        if (!dialog.open) return await forget(taken.id); // "Not now" after all: nothing was said of whose it is
        const consent = { ground: new FormData(form).get("ground"), note: note.value, uses: ["live"] };
        const json = { name: photo.name.replace(/\.\w+$/, "").slice(0, 80), photos: [taken.id], consent };
        const person = await (await ask("/api/v1/people", { key, method: "POST", json })).json();
        if (!dialog.open) return await forget(taken.id); // and with it the person
        dialog.close(person.id);
      } catch (wrong) {
        [fault.textContent, fault.hidden, save.disabled] = [explain(wrong), false, false];
      }
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
