/** Server-sent events (WHATWG HTML, 9.2), as they come. */

/** Most characters of one event. */
const LONGEST = 1_000_000;

/**
 * What events say: the data of each.
 *
 * @param bytes The stream. What its end cuts off is no event.
 */
export async function* events(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const piece of bytes) {
    rest += decoder.decode(piece, { stream: true });
    // A \r at the end may be the first half of \r\n.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (data.length) yield data.join("\n");
        data = [];
      } else if (line.startsWith("data:")) {
        data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      } // others are comments, or say what this stream does not use
    }
    if (rest.length + data.reduce((sum, one) => sum + one.length, 0) > LONGEST) {
      throw new Error("an event does not end");
    }
  }
}
