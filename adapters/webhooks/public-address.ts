import { BlockList, isIP } from 'node:net';

/*
 * What is not the public internet: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890, as of 2026) and what clouds
 * keep for their machines on top. Of IPv6 only global unicast, 2000::/3, is allocated to the public: all else is refused,
 * which covers loopback, unspecified, IPv4-mapped and -compatible, NAT64, discard, unique local (fd00:ec2::254 too),
 * link-local, site-local and multicast.
 */
const REFUSED_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT; Alibaba's metadata
  '127.0.0.0/8', // loopback
  '168.63.129.16/32', // Azure's host
  '169.254.0.0/16', // link-local; metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments; Oracle's metadata
  '192.0.2.0/24', // documentation
  '192.31.196.0/24', // AS112
  '192.52.193.0/24', // multicast tunnels
  '192.88.99.0/24', // 6to4 relays
  '192.168.0.0/16', // private
  '192.175.48.0/24', // AS112
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, broadcast
];
const GLOBAL_V6 = '2000::/3';
const REFUSED_V6 = [
  '2001::/23', // protocol assignments: Teredo, benchmarks, ORCHID
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4: an IPv4 address inside
  '2620:4f:8000::/48', // AS112
  '3fff::/20', // documentation
];

const refusedV4 = toList(REFUSED_V4, 'ipv4');
const globalV6 = toList([GLOBAL_V6], 'ipv6');
const refusedV6 = toList(REFUSED_V6, 'ipv6');

/** True if `address` is an IPv4 or IPv6 address of the public internet; one with a zone, or anything else, is not. */
export function isPublicAddress(address: string): boolean {
  if (address.includes('%')) return false;
  const family = isIP(address);
  if (family === 4) return !refusedV4.check(address, 'ipv4');
  return family === 6 && globalV6.check(address, 'ipv6') && !refusedV6.check(address, 'ipv6');
}

function toList(networks: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
