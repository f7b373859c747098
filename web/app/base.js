/** The path of the server, with a slash at its end: a proxy may have put it under any (`/signal/`). */
export const BASE = new URL('../', import.meta.url).pathname;
