/** The server's path with a trailing slash; behind a proxy it may be any, such as `/signal/`. Every page of ours is right below it. */
export const BASE = new URL('./', document.baseURI).pathname;
