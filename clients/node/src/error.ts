/**
 * The server did not do what was asked, could not be reached, or could not be asked that.
 *
 * What an `AbortSignal` ends is no such error: its own reason is thrown then.
 */
export class ApiError extends Error {
  override readonly name = "ApiError";

  /**
   * @param message What is wrong.
   * @param hint What to do.
   * @param status The answer's HTTP status; 0 where there was no answer.
   * @param retryAfter Seconds after which to come back, where the server said so; else null.
   * @param options What caused it.
   */
  constructor(
    message: string,
    readonly hint: string,
    readonly status: number = 0,
    readonly retryAfter: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What is told of a line that broke. */
export function unreached(fault: unknown): ApiError {
  if (fault instanceof ApiError) return fault;
  const found = fault as NodeJS.ErrnoException;
  // Where several addresses were tried, the error is about all of them, and has no message of its own.
  const why = found.message || found.code || "no address of it answers";
  return new ApiError(`the server can't be reached: ${why}`, "Is it running, and its address right?", 0, null, {
    cause: fault,
  });
}
