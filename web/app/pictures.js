/** @typedef {Pick<MediaStreamTrack, 'kind' | 'muted' | 'readyState'>} Track */

/**
 * The tracks of a peer by tile, in whatever streams they arrive: the first tile has all sound and a picture, and each
 * further picture has a tile of its own. A video track without data is not a picture, unless there is no other.
 *
 * @template {Track} T
 * @param {Iterable<{ getTracks(): T[] }>} streams
 * @returns {{ main: T[], more: T[] }}
 */
export function arrange(streams) {
  const all = [...streams].flatMap((stream) => stream.getTracks());
  const tracks = [...new Set(all)].filter(({ readyState }) => readyState === 'live');
  const videos = tracks.filter(({ kind }) => kind === 'video');
  const pictures = videos.filter(({ muted }) => !muted);
  const [first, ...more] = pictures.length > 0 ? pictures : videos.slice(0, 1);
  return { main: tracks.filter((track) => track.kind === 'audio' || track === first), more };
}
