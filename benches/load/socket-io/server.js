// The signaling server of a typical WebRTC tutorial on Socket.IO, with polling only: peers join rooms and send signals to each other's ids.
import { createServer } from 'node:http';
import { Server } from 'socket.io';

const http = createServer();
const io = new Server(http, { transports: ['polling'], serveClient: false });

io.on('connection', (socket) => {
  socket.on('join', (room) => socket.join(room));
  socket.on('signal', (to, message) => io.to(to).emit('signal', message));
});

http.listen(0, '127.0.0.1', 16_384, () => console.log(`listening on http://127.0.0.1:${http.address().port}`));
