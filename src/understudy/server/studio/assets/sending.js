// Hands a file over to the server, with its progress. The answer is its id, or as fault the name of a text that says what
// is wrong; neither if it was ended by the signal: the server keeps nothing of a file that did not come whole. One that
// has gone out whole is the server's by then, and comes.
export function send(kind, file, progress, signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve({});
    const request = new XMLHttpRequest();
    const end = () => request.abort();
    request.open("POST", `/uploads/${kind}/${encodeURIComponent(file.name)}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(event.total, 1));
    request.upload.onload = () => signal.removeEventListener("abort", end);
    request.onload = () => resolve(request.response ?? { fault: "fault.lost" });
    request.onerror = () => resolve({ fault: "fault.lost" });
    request.onabort = () => resolve({});
    signal.addEventListener("abort", end);
    request.send(file);
  });
}
