import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../adapters/webhooks/public-address.ts';
import { createWebhookSender } from '../../adapters/webhooks/sender.ts';
import { expectFailureOf } from '../support/failures.ts';

/** One address of every kind that is not the public internet, and the edges of the networks that are often got wrong. */
const NOT_PUBLIC = [
  '0.0.0.0',
  '0.255.255.255',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.100.100.200',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.0.1',
  '169.254.169.254',
  '169.254.170.2',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.7',
  '203.0.113.9',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::ffff:a9fe:a9fe',
  '64:ff9b::7f00:1',
  '64:ff9b::8.8.8.8',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:10::1',
  '2001:20::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '2606:4700:4700::1111%eth0',
];

const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '128.0.0.1',
  '169.253.255.255',
  '169.255.0.1',
  '172.15.255.255',
  '172.32.0.1',
  '192.167.255.255',
  '192.169.0.1',
  '198.17.255.255',
  '198.20.0.1',
  '223.255.255.255',
  '2606:4700:4700::1111',
  '2a00:1450:4001:81c::200e',
  '2001:4860:4860::8888',
];

/** URLs that name something which is not the public internet, or do so in disguise. */
const HOSTILE_URLS = [
  'http://hooks.example.com/',
  'ftp://hooks.example.com/',
  'file:///etc/passwd',
  'gopher://hooks.example.com/',
  'javascript:alert(1)',
  'data:text/plain,x',
  'hooks.example.com',
  '//hooks.example.com/',
  'https://',
  'https://user@hooks.example.com/',
  'https://:secret@hooks.example.com/',
  'https://hooks.example.com@127.0.0.1/',
  'https://hooks.example.com/#fragment',
  'https://hooks.example.com:22/',
  'https://hooks.example.com:6379/',
  'https://hooks.example.com:8080/',
  'https://127.0.0.1/',
  'https://127.1/',
  'https://127.0.1/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0177.0.0.1/',
  'https://017700000001/',
  'https://127.0.0.1./',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/',
  'https://%31%32%37.0.0.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://10.0.0.1:8443/',
  'https://169.254.169.254/latest/meta-data/',
  'https://0xa9fea9fe/',
  'https://2852039166/',
  'https://[::1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[0:0:0:0:0:ffff:169.254.169.254]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::7f00:1]/',
  'https://[fd00:ec2::254]/',
  'https://[fe80::1]/',
  'https://localhost/',
  'https://LOCALHOST/',
  'https://localhost./',
  'https://metadata/',
  'https://hooks.example.com./',
];

/** What name servers answered, and why none of it is posted to. */
const HOSTILE_ANSWERS: readonly (readonly string[])[] = [
  ['127.0.0.1'],
  ['::1'],
  ['8.8.8.8', '127.0.0.1'],
  ['8.8.8.8', '10.0.0.1', '1.1.1.1'],
  ['2606:4700:4700::1111', 'fd00:ec2::254'],
  ['8.8.8.8', '::ffff:169.254.169.254'],
  ['8.8.8.8', '64:ff9b::a00:1'],
  ['not an address'],
  [],
];

describe('a public address', () => {
  it.each(NOT_PUBLIC)('is not %s', (address) => expect(isPublicAddress(address)).toBe(false));
  it.each(PUBLIC)('is %s', (address) => expect(isPublicAddress(address)).toBe(true));
  it.each(['', 'localhost', '127.1', '0x7f000001', '1.1.1.1 ', '1.1.1.1:443'])('is not %j', (text) =>
    expect(isPublicAddress(text)).toBe(false),
  );
});

describe('a webhook URL', () => {
  const asked: string[] = [];
  const resolveName = async (name: string) => {
    asked.push(name);
    return ['8.8.8.8', '2606:4700:4700::1111'];
  };
  const sender = createWebhookSender({ reach: 'public', resolveName });

  it.each(HOSTILE_URLS)('is refused before any name is looked up: %s', async (url) => {
    asked.length = 0;
    await expectFailureOf(sender.check(url), 'webhook-url-refused', { field: 'url' });
    expect(await sender.post(url, {}, '{}')).toEqual({ kind: 'failed', reason: 'refused-address' });
    expect(asked).toEqual([]);
  });

  it.each(HOSTILE_ANSWERS.map((answer) => ({ answer })))(
    'is refused where its name stands for $answer',
    async ({ answer }) => {
      const tricked = createWebhookSender({ reach: 'public', resolveName: async () => answer });
      await expectFailureOf(tricked.check('https://hooks.example.com/'), 'webhook-url-refused', { field: 'url' });
      const reason = answer.length === 0 ? 'unresolved' : 'refused-address';
      expect(await tricked.post('https://hooks.example.com/', {}, '{}')).toEqual({ kind: 'failed', reason });
    },
  );

  it.each([
    'https://hooks.example.com/',
    'https://hooks.example.com/a/b?token=c',
    'https://hooks.example.com:443/',
    'https://hooks.example.com:8443/',
    'https://bücher.example/',
    'https://8.8.8.8/',
    'https://[2606:4700:4700::1111]:8443/',
  ])('is taken: %s', (url) => sender.check(url));

  it('is taken while nobody can tell what its name stands for: every post asks again', async () => {
    const resolveLater = () => Promise.reject(Object.assign(new Error('try again'), { code: 'ETIMEOUT' }));
    const later = createWebhookSender({ reach: 'public', resolveName: resolveLater });
    await later.check('https://hooks.example.com/');
    expect(await later.post('https://hooks.example.com/', {}, '{}')).toEqual({ kind: 'failed', reason: 'unresolved' });
  });

  it('says why it is refused, and nothing of what the name stands for', async () => {
    const tricked = createWebhookSender({ reach: 'public', resolveName: async () => ['10.1.2.3'] });
    await expectFailureOf(tricked.check('https://inside.example.com/'), 'webhook-url-refused', {
      detail: 'the name stands for a private address',
    });
  });
});
