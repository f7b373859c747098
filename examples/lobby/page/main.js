const status = document.querySelector('[role=status]');
const leave = document.getElementById('leave');
const { entrance } = document.forms;

const UNANSWERED = 'The server does not answer. Trying again.';
const NO_HOST = 'Nobody puts people together at the moment. You keep waiting.';

const tell = (text) => { status.textContent = text; };
const describe = async () => (await fetch('lobby.json')).json();

entrance.addEventListener('submit', async (event) => {
  event.preventDefault();
  show({ waiting: true });
  try {
    await wait(entrance.elements.name.value);
  } catch (error) {
    tell(explain(error));
    show({ waiting: false });
  }
});

async function wait(name) {
  let lobby = await describe();
  let isLeaving = false;
  const { join } = await import(new URL('client/index.js', lobby.server));
  // After a restart of the server, the first to return creates the room, so everybody asks for the same number of seats.
  const room = await join(lobby.server, lobby.room, { name, capacity: lobby.seats, onRetry: () => tell(UNANSWERED) });
  const want = () => isLeaving || ask(room, lobby.host);
  const findHost = async () => { lobby = await describe().catch(() => lobby); want(); };

  room.on('message', ({ from, type, data }) => {
    if (type !== 'data') return;
    // The host may have a new id since this page asked for it.
    if (data?.ask) findHost();
    // Others in the room could send people to a room of theirs.
    else if (from === lobby.host && data?.waiting) tell(inWords(data.waiting));
    else if (from === lobby.host && data?.pair && !isLeaving) {
      isLeaving = true;
      go(room, lobby.server, data.pair, name);
    }
  });
  room.on('resumed', ({ lost }) => lost && findHost());
  room.on('peer-left', ({ peer }) => { if (peer.id === lobby.host) tell(NO_HOST); });
  room.on('state', ({ state }) => {
    if (state === 'reconnecting') tell(UNANSWERED);
    // The answer tells the place.
    else if (state === 'connected') want();
    else show({ waiting: false });
  });
  leave.onclick = async () => { await room.leave(); tell('You no longer wait.'); };
  tell(NO_HOST);
  want();
}

/** If the host is away, it asks all who are here when it is back. */
function ask(room, host) {
  if (room.peers.has(host)) room.send(host, { type: 'data', data: { want: 'pair' } }).catch((error) => { tell(explain(error)); });
}

async function go(room, server, pair, name) {
  tell('Here is somebody. Going there.');
  await room.leave();
  const url = new URL(server);
  url.search = `?${new URLSearchParams({ room: pair.room, name, capacity: pair.seats })}`;
  url.hash = `#${new URLSearchParams({ secret: pair.secret })}`;
  location.assign(url);
}

function inWords({ place, missing }) {
  return `You are number ${place} in the queue. ${missing === 1 ? 'One person is' : `${missing} people are`} missing.`;
}

function explain(error) {
  if (error.slug !== 'room-full') return error.message;
  const ms = error.document.frees_in_ms;
  return `The lobby is full: more people wait than it has seats. Try again ${ms ? `in ${Math.ceil(ms / 1000)} seconds` : 'later'}.`;
}

function show({ waiting }) {
  entrance.hidden = waiting;
  leave.hidden = !waiting;
}
