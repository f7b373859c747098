import { Host } from './host.js';

/** Outbound policies of a caller's network, as nftables rules. Traffic that matches no rule passes. */
const POLICIES = {
  all: '',
  'no UDP': 'iifname lan ip protocol udp drop;',
  'only an HTTP proxy': 'iifname lan ip daddr 203.0.113.30 tcp dport 3128 accept; iifname lan counter reject;',
  'only a proxy that insists on TLS': 'iifname lan ip daddr 203.0.113.30 tcp dport 3129 accept; iifname lan counter reject;',
};

/** How a NAT chooses the external port: one for all destinations, or a different one for each. */
const MAPPINGS = { cone: '', symmetric: 'random,fully-random' };

/**
 * An internet with servers and two callers, each behind a NAT:
 *
 *     ann 10.1.0.2 ── 10.1.0.1 nat1 .101 ─┬─ 203.0.113.0/24 ─┬─ .10 server
 *     ben 10.2.0.2 ── 10.2.0.1 nat2 .102 ─┘                  ├─ .20 relay
 *                                                            └─ .30 proxy
 */
export class Network {
  hosts = {};

  /**
   * @param {object} options
   * @param {keyof MAPPINGS} [options.nat]
   * @param {keyof POLICIES} [options.out]
   * @param {{ nat?: keyof MAPPINGS, out?: keyof POLICIES }} [options.ben] where Ben's differs from Ann's
   * @param {{ delayMs: number, lossPercent: number }} [options.wire] of the server
   */
  static async make({ nat = 'cone', out = 'all', ben, wire } = {}) {
    const [atAnn, atBen] = [{ nat, out }, { nat, out, ...ben }];
    const network = new Network();
    try {
      await network.#internet();
      await network.#public('server', 10, wire);
      await Promise.all([network.#public('relay', 20), network.#public('proxy', 30), network.#nat(1, atAnn), network.#nat(2, atBen)]);
      await network.#caller('ann', 1);
      await network.#caller('ben', 2);
    } catch (error) {
      await network.remove();
      throw error;
    }
    return network;
  }

  async #host(name) {
    this.hosts[name] = await Host.make(name);
    return this.hosts[name];
  }

  /** Packets to an unassigned address are dropped silently, as on the real internet. */
  async #internet() {
    const internet = await this.#host('internet');
    await internet.sh(`
      ip link add br0 type bridge
      ip addr add 203.0.113.1/24 dev br0
      ip link set br0 up`);
  }

  /** A host with a public address. */
  async #public(name, number, wire) {
    const { internet } = this.hosts;
    const host = await this.#host(name);
    if (wire) await this.#wire(internet, name, host, wire);
    else await internet.sh(`ip link add ${name} type veth peer name wan netns ${host.name}`);
    await internet.sh(`ip link set ${name} master br0 up`);
    await host.sh(`
      ip addr add 203.0.113.${number}/24 dev wan
      ip link set wan up
      ip route add default via 203.0.113.1`);
    return host;
  }

  /** A link with delay and loss each way, in user space, because the kernel may lack netem. */
  async #wire(internet, name, host, { delayMs, lossPercent }) {
    const script = new URL('wire.py', import.meta.url).pathname;
    const ends = [internet.name, name, host.name, 'wan'];
    const child = internet.start(['python3', script, ...ends, String(delayMs), String(lossPercent)], { stdout: 'pipe' });
    await new Promise((resolve, reject) => {
      child.stdout.once('data', resolve);
      child.once('exit', () => reject(new Error(child.complaints)));
    });
  }

  async #nat(number, { nat: mapping, out }) {
    const nat = await this.#public(`nat${number}`, 100 + number);
    await nat.sh(`
      echo 1 > /proc/sys/net/ipv4/ip_forward
      nft -f - <<RULES
        table ip nat {
          chain out { type nat hook postrouting priority 100; oifname wan masquerade ${MAPPINGS[mapping]}; }
          chain through {
            type filter hook forward priority 0;
            ${POLICIES[out]}
            iifname wan ct state established,related accept;
            iifname wan drop;
          }
          chain in { type filter hook input priority 0; iifname wan ct state established,related accept; iifname wan drop; }
        }
RULES`);
  }

  async #caller(name, number) {
    await this.#host(name);
    await this.plug(name, number);
    await this.use(name, number);
  }

  /** Links a caller to a NAT, without using the link yet. */
  async plug(name, number) {
    const caller = this.hosts[name];
    const nat = this.hosts[`nat${number}`];
    await nat.sh(`
      ip link add lan type veth peer name eth${number} netns ${caller.name}
      ip addr add 10.${number}.0.1/24 dev lan
      ip link set lan up`);
  }

  /** Makes this link the caller's default route. */
  async use(name, number) {
    await this.hosts[name].sh(`
      ip addr add 10.${number}.0.2/24 dev eth${number}
      ip link set eth${number} up
      ip route add default via 10.${number}.0.1`);
  }

  /** Moves the caller to another network, as from Wi-Fi to mobile: the old link goes down before the new one comes up. */
  async move(name, from, to) {
    await this.#nat(to, { nat: 'cone', out: 'all' });
    await this.plug(name, to);
    await this.hosts[name].sh(`ip link set eth${from} down`);
    await this.use(name, to);
  }

  /** Drops all packets to and from a public host silently. */
  async cut(name) {
    await this.hosts.internet.sh(`bridge link set dev ${name} state 0`);
  }

  async mend(name) {
    await this.hosts.internet.sh(`bridge link set dev ${name} state 3`);
  }

  async remove() {
    await Promise.all(Object.values(this.hosts).map((host) => host.remove()));
  }
}
