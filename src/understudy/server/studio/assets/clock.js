// Times of a clip as people write them.
export function clock(seconds) {
  const whole = Math.floor(seconds + 0.0005);
  const rest = String(Math.floor((seconds + 0.0005 - whole) * 100)).padStart(2, "0");
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${rest}`;
}

// Seconds, or [hours:]minutes:seconds; null for what is neither.
export function secondsOf(written) {
  const found = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:[.,]\d{1,6})?)$/.exec(written.trim());
  if (!found) return null;
  return Number(found[1] ?? 0) * 3600 + Number(found[2] ?? 0) * 60 + Number(found[3].replace(",", "."));
}
