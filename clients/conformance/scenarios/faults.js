import { faults, pass, randomly } from '../kit/faults.js';
import { exchange } from './exchange.js';

/** What something between client and server may answer with success. */
const IMPOSTORS = {
  'a page instead of the answer': async (ask, answer) => { await ask(); answer.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Log in to this network</h1>'); },
  'other JSON instead of the answer': async (ask, answer) => { await ask(); answer.writeHead(200, { 'content-type': 'application/json' }).end('{"error":null}'); },
};

const ALL = { ...faults(randomly(3)), ...IMPOSTORS };

export default Object.entries(ALL).map(([fault, strike]) => ({
  name: `fault: ${fault}`,
  promise: 'nothing is lost, doubled or out of order, even if this happens to every third poll and post',
  async run(stage) {
    const server = await stage.server();
    const wire = await stage.wire(server);
    const peer = await stage.peer(server);
    const client = await stage.client(wire.base);
    let count = 0;
    wire.rule = async ({ isPoll, isPost }, ask, answer) => {
      if (isPoll || isPost) count += 1;
      return (isPoll || isPost) && count % 3 === 0 ? strike(ask, answer) : pass(answer, await ask());
    };
    const said = await exchange(client, peer);
    return `${said}; it happened ${Math.floor(count / 3)} times`;
  },
}));
