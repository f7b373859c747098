/** The HTTP/1.1 connections that a browser opens to one server, for all its pages; each page in a room occupies one. */
const CONNECTIONS = 6;
const PRESENT = 'signalpost:page-in-room';
const LOOK_MS = 3_000;

/**
 * Counts the pages of this browser that are in rooms, and reports whether there are too many to work at once. Without locks,
 * which insecure pages do not have, it reports nothing.
 *
 * @param {(tooMany: boolean) => void} tell
 */
export async function watchCrowd(tell) {
  if (!navigator.locks || multiplexed()) return;
  try {
    await countIn(navigator.locks);
  } catch {
    // If storage is blocked, so are locks.
    return;
  }
  const look = async () => {
    const { held = [] } = await navigator.locks.query();
    tell(held.filter(({ name }) => name === PRESENT).length >= CONNECTIONS);
  };
  setInterval(() => void look(), LOOK_MS);
  await look();
}

/** Holds a shared lock, which only counts, until the page is gone. @param {LockManager} locks */
function countIn(locks) {
  return new Promise((resolve, reject) => {
    const held = () => (resolve(undefined), new Promise(() => {}));
    locks.request(PRESENT, { mode: 'shared' }, held).catch(reject);
  });
}

/** Does one connection carry many requests at once, as in HTTP/2? */
function multiplexed() {
  const [loaded] = performance.getEntriesByType('navigation');
  return !/^http\/1|^$/.test(/** @type {PerformanceNavigationTiming | undefined} */ (loaded)?.nextHopProtocol ?? '');
}
