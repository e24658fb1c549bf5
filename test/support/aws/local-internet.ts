import { Resolver } from 'node:dns/promises';
import { type LookupFunction, Socket } from 'node:net';

/*
 * Loaded ahead of a function's code in tests: names that its name servers do not know, and public addresses that are servers on
 * this machine. Only a connection to an address that was looked up is made here, so what was checked is what is reached.
 */

type Internet = {
  /** Addresses of names, as name servers tell them. */
  readonly names: Readonly<Record<string, string>>;
  /** Ports of this machine, by the public address that they stand for. */
  readonly servers: Readonly<Record<string, number>>;
};

type Options = { port?: number | string; lookup?: LookupFunction };

const { names, servers } = JSON.parse(process.env.TEST_INTERNET ?? '{"names":{},"servers":{}}') as Internet;
const { resolve4, resolve6 } = Resolver.prototype;
const { connect } = Socket.prototype;

Resolver.prototype.resolve4 = async function (this: Resolver, name: string, ...rest: unknown[]) {
  const address = names[name];
  return address === undefined ? Reflect.apply(resolve4, this, [name, ...rest]) : [address];
} as typeof resolve4;

Resolver.prototype.resolve6 = async function (this: Resolver, name: string, ...rest: unknown[]) {
  if (names[name] === undefined) return Reflect.apply(resolve6, this, [name, ...rest]);
  throw Object.assign(new Error(`queryAaaa ENODATA ${name}`), { code: 'ENODATA' });
} as typeof resolve6;

Socket.prototype.connect = function (this: Socket, ...given: unknown[]) {
  const [first] = given;
  const options = (Array.isArray(first) ? first[0] : first) as Options | undefined;
  if (typeof options === 'object' && options.lookup !== undefined) leadHere(options, options.lookup);
  return Reflect.apply(connect, this, given) as Socket;
} as typeof connect;

/** Where what is looked up is one of the servers, to its port of this machine. */
function leadHere(options: Options, lookup: LookupFunction): void {
  const port = portOf(lookup);
  if (port === undefined) return;
  options.port = port;
  options.lookup = (_, asked, callback) => {
    if (asked.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(null, '127.0.0.1', 4);
  };
}

/** A lookup that answers at once: that of addresses which are known. */
function portOf(lookup: LookupFunction): number | undefined {
  let port: number | undefined;
  lookup('', { all: true }, (_error, addresses) => {
    if (Array.isArray(addresses) && addresses.length === 1) port = servers[addresses[0]!.address];
  });
  return port;
}
