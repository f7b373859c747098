/** The server's path with a trailing slash; behind a proxy it may be any, such as `/signal/`. */
export const BASE = new URL('../', import.meta.url).pathname;
