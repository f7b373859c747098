/** @typedef {Pick<MediaStreamTrack, 'kind' | 'muted' | 'readyState'>} Track */

/**
 * The tracks of a peer by tile, in whatever streams they arrive: the first tile has all sound and a picture, and each
 * further picture has a tile of its own, a shared screen first. A video track without data is not a picture, unless there is no other.
 *
 * @template {Track} T
 * @param {Iterable<{ id?: string, getTracks(): T[] }>} streams
 * @param {string} [screen] id of the stream with a shared screen
 * @returns {{ main: T[], more: T[], screens: T[] }} `screens`: those of `more` that are shared
 */
export function arrange(streams, screen) {
  const all = [...streams].flatMap((stream) => stream.getTracks());
  const tracks = [...new Set(all)].filter(({ readyState }) => readyState === 'live');
  const shared = [...streams].filter(({ id }) => screen && id === screen).flatMap((stream) => stream.getTracks());
  const videos = tracks.filter((track) => track.kind === 'video' && !shared.includes(track));
  const screens = tracks.filter((track) => track.kind === 'video' && !track.muted && shared.includes(track));
  const pictures = videos.filter(({ muted }) => !muted);
  const [first, ...more] = pictures.length > 0 ? pictures : videos.slice(0, 1);
  return { main: tracks.filter((track) => track.kind === 'audio' || track === first), more: [...screens, ...more], screens };
}
