import { join } from 'signalpost';

// The import map in index.html has the client's address, SERVER/client/index.js.
const server = new URL('..', import.meta.resolve('signalpost'));
const { entrance, chat } = document.forms;
const [main, leave, videos, self, log] = ['call', 'leave', 'videos', 'self', 'log'].map((id) => document.getElementById(id));

entrance.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { room, name } = Object.fromEntries(new FormData(entrance));
  show({ entrance: false });
  try {
    await enter(room, name);
  } catch (error) {
    // A refusal of the server is a `Problem`: `error.slug` is for programs (`room-full`).
    print(error.message);
    show({ entrance: true });
  }
});

async function enter(roomName, name) {
  const room = await join(server, roomName, { name, onRetry: ({ error }) => print(`${error.message} Trying again.`) });
  const stream = await openCamera();
  const call = room.call({ stream });
  self.srcObject = stream;
  show({ call: true });

  room.on('peer-joined', (peer) => print(`${peer.name} is here`));
  room.on('peer-left', ({ peer, reason }) => print(`${peer.name} has gone (${reason})`));
  room.on('state', ({ state }) => {
    print(`room: ${state}`);
    // The other states are final. The client has ended the call by then.
    if (state === 'connected' || state === 'reconnecting') return;
    stream?.getTracks().forEach((track) => track.stop());
    show({ entrance: true });
  });

  call.on('link', ({ peer, state }) => {
    print(`connection with ${peer.name}: ${state}`);
    if (state === 'closed') document.getElementById(peer.id)?.remove();
  });
  call.on('stream', ({ peer, stream }) => { videoOf(peer).srcObject = stream; });
  call.on('data', ({ peer, data }) => print(`${peer.name}: ${data}`));

  chat.onsubmit = (event) => {
    event.preventDefault();
    const text = chat.elements.text.value;
    const receivers = call.say(text);
    print(receivers > 0 ? `${name}: ${text}` : 'Nobody is connected yet.');
    chat.reset();
  };
  leave.onclick = () => room.leave();
}

/** Null if there is no camera or no permission: such a peer still sees the others. */
async function openCamera() {
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  } catch (error) {
    print(`No camera and microphone: ${error.message}`);
    return null;
  }
}

function videoOf(peer) {
  const existing = document.getElementById(peer.id);
  if (existing) return existing;
  const video = Object.assign(document.createElement('video'), { id: peer.id, autoplay: true, playsInline: true });
  videos.append(video);
  return video;
}

function show({ entrance: waiting = false, call = false }) {
  entrance.hidden = !waiting;
  main.hidden = !call;
}

function print(text) {
  log.append(Object.assign(document.createElement('li'), { textContent: text }));
}
