// Hands a file over to the server, with its progress: the answer is its id, or the name of a text that says what is wrong.
export function send(kind, file, progress) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", `/uploads/${kind}/${encodeURIComponent(file.name)}`);
    request.responseType = "json";
    request.upload.onprogress = (event) => progress(event.loaded / Math.max(event.total, 1));
    request.onload = () => resolve(request.response ?? { fault: "fault.lost" });
    request.onerror = request.onabort = () => resolve({ fault: "fault.lost" });
    request.send(file);
  });
}
