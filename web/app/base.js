/**
 * The server's path with a trailing slash; behind a proxy it may be any, such as `/signal/`. The files of one version of the
 * page are one level below (src/pages/assets.rs).
 */
export const BASE = new URL('../', import.meta.url).pathname.replace(/\/files-[0-9a-f]{16}\/$/, '/');
