/**
 * Peers of a room that share one page, with pictures that cost little: eight pages would be too much for two cores.
 *
 * @param {import('playwright-core').Browser} browser
 */
export async function friends(browser, base) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${base}/network-test`);
  await page.evaluate(prepare);
  const run = (what, ...values) => page.evaluate(([what, values]) => window.friends[what](...values), [what, values]);
  return {
    /** They come into the room, one after the other. */
    join: (room, names, options = {}) => run('join', room, names, options),
    say: (room, name, text) => run('say', room, name, text),
    /** What pages tell each other about their devices. */
    tell: (room, name, media) => run('tell', room, name, media),
    share: (room, name) => run('share', room, name),
    /** One of them, or all. */
    leave: (room, name) => run('leave', room, name),
    /** A camera that calls by WHIP. */
    encode: (room, name, secret) => run('encode', room, name, secret),
  };
}

function prepare() {
  /** By room and name. */
  const here = new Map();

  /** A painted picture: a face in front of a wall. */
  const picture = (hue, [width, height] = [320, 240]) => {
    const canvas = document.createElement('canvas');
    Object.assign(canvas, { width, height });
    const brush = canvas.getContext('2d');
    const draw = () => {
      brush.fillStyle = `hsl(${hue} 40% 70%)`;
      brush.fillRect(0, 0, width, height);
      brush.fillStyle = `hsl(${hue} 50% 35%)`;
      brush.beginPath();
      brush.arc(width / 2, height * 0.42, height * 0.2, 0, 7);
      brush.ellipse(width / 2, height, height * 0.36, height * 0.34, 0, 0, 7);
      brush.fill();
    };
    draw();
    setInterval(draw, 1_000);
    return canvas.captureStream(2);
  };

  // Each has a seat of their own, which the tab must not keep.
  const storage = { getItem: () => null, setItem() {}, removeItem() {} };

  const join = async (room, names, { capacity = 8, ...seal } = {}) => {
    const client = await import('/client/index.js');
    for (const name of names) {
      const seat = await client.join('/', room, { name, capacity, storage, ...seal });
      here.set(`${room} ${name}`, { room: seat, call: seat.call({ stream: picture(here.size * 47), admit }) });
    }
  };
  /** They need no pictures of each other. */
  const admit = async ({ name }) => name === 'Ann';
  const of = (room, name) => here.get(`${room} ${name}`);
  const tell = async (at, name, media) => {
    const { room } = of(at, name);
    for (const id of room.peers.keys()) await room.send(id, { type: 'data', data: { media: { camera: 'live', microphone: 'live', ...media } } });
  };
  const share = async (room, name) => {
    const stream = picture(200, [640, 400]);
    of(room, name).call.share(stream);
    await tell(room, name, { screen: stream.id });
  };
  const leave = async (at, name) => {
    for (const [key, { call, room }] of here) {
      if (name ? key !== `${at} ${name}` : !key.startsWith(`${at} `)) continue;
      here.delete(key);
      call.hangUp('hung up');
      await room.leave();
    }
  };
  const encode = async (room, name, secret) => {
    const pc = new RTCPeerConnection();
    for (const track of picture(300).getTracks()) pc.addTransceiver(track, { direction: 'sendonly' });
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    const headers = { 'content-type': 'application/sdp', authorization: `Bearer ${secret}` };
    const response = await fetch(`/v1/rooms/${room}/whip?${new URLSearchParams({ name })}`, { method: 'POST', headers, body: pc.localDescription.sdp });
    // The page did not answer in time. Encoders try again, too.
    if (response.status === 503) return pc.close(), encode(room, name, secret);
    if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
    await pc.setRemoteDescription({ type: 'answer', sdp: await response.text() });
    here.set(`${room} ${name}`, { room: { leave() {} }, call: { hangUp: () => pc.close() } });
  };
  // A connection is there before its channel.
  const say = async (room, name, text) => {
    const { call } = of(room, name);
    while (call.say(text) === 0) await new Promise((resolve) => { call.on('channel', resolve); });
  };
  window.friends = { join, say, tell, share, leave, encode };
}
