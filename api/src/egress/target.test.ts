import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DnsServer, startDnsServer } from '../testing/dns-server.ts'
import { type Egress, EgressRefusal } from './egress.ts'
import { openEgress } from './open.ts'
import { isPublicAddress } from './public-address.ts'

let dns: DnsServer
let egress: Egress
let any: Egress
before(async () => {
  dns = await startDnsServer()
  for (const name of ['hooks.example.com', 'xn--bcher-kva.example', 'example.com', 'a_b.example.com', '1.2.3.4.example.com'])
    dns.set(name, { A: ['93.184.215.14'], AAAA: ['2606:2800:21f:cb07:6820:80da:af6b:8b2c'] })
  egress = openEgress({ targets: 'public', ports: [443, 8443], dnsServers: [dns.address] })
  any = openEgress({ targets: 'any', ports: [443], dnsServers: [dns.address] })
})
after(async () => {
  await egress.close()
  await any.close()
  await dns.close()
})

const send = (from: Egress, url: string) =>
  from.post({ url, headers: {}, body: '', timeoutMs: 5000, maxAnswerBytes: 1024, signal: new AbortController().signal })

/** What the refusal says; the check and the request must refuse alike. */
const refusalOf = async (url: string, from = egress): Promise<string> => {
  const messages: string[] = []
  for (const attempt of [() => from.check(url), () => send(from, url)]) {
    const error: unknown = await attempt().then(
      () => undefined,
      (reason: unknown) => reason
    )
    assert.ok(error instanceof EgressRefusal, `${url}: ${String(error)}`)
    messages.push(error.message)
  }
  assert.equal(messages[0], messages[1], url)
  return messages[0] ?? ''
}

const refused = async (hosts: readonly string[], expected: RegExp) => {
  for (const host of hosts) assert.match(await refusalOf(`https://${host}/hook`), expected, host)
}

const NOT_PUBLIC = /^The host leads to an address that is not public\. .*EGRESS=any/
const PRIVATE_NAME = /^The host is a name of private networks\. .*EGRESS=any/

test('public names and addresses pass, on the ports that are open', async () => {
  for (const url of [
    'https://hooks.example.com/path?query#fragment',
    'HTTPS://Hooks.Example.COM:443/',
    'https://hooks.example.com:8443/',
    'https://bücher.example/',
    'https://xn--bcher-kva.example/',
    'https://a_b.example.com/',
    'https://1.2.3.4.example.com/',
    'https://ｅｘａｍｐｌｅ.com/',
    'https://ex%61mple.com/',
    'https://8.8.8.8/',
    'https://172.15.255.255/',
    'https://172.32.0.1/',
    'https://100.63.255.255/',
    'https://100.128.0.1/',
    'https://[2606:4700:4700::1111]/',
    'https://[2a00:1450:4001:82a::200e]:8443/'
  ])
    await egress.check(url)
})

test('loopback is refused in each of its spellings', () =>
  refused(
    [
      '127.0.0.1',
      '127.1',
      '127.0.1',
      '127.255.255.254',
      '2130706433',
      '0x7f000001',
      '0x7F.1',
      '0x7f.0x0.0x0.0x1',
      '0177.0.0.1',
      '017700000001',
      '0177.0x0.1',
      '0000177.0.0.1',
      '127.0.0.1.',
      '１２７.０.０.１',
      '①②⑦.⓪.⓪.①',
      '127。0。0。1',
      '127%2e0%2e0%2e1',
      '%31%32%37.0.0.1',
      '[::1]',
      '[0:0:0:0:0:0:0:1]',
      '[0000::0001]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[::127.0.0.1]',
      '[::ffff:0:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '[64:ff9b::127.0.0.1]',
      '[64:ff9b:1::7f00:1]',
      '[2002:7f00:1::]',
      '[2001:0:7f00:1::]'
    ],
    NOT_PUBLIC
  ))

test('private, link-local, shared, metadata, multicast and reserved addresses are refused', () =>
  refused(
    [
      '0.0.0.0',
      '0',
      '0x0',
      '0.1.2.3',
      '10.0.0.1',
      '10.255.255.255',
      '012.0.0.1',
      '167772161',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.0.1',
      '192.168.1',
      '3232235521',
      '0xc0a80001',
      '169.254.0.1',
      '169.254.169.254',
      '169.254.43518',
      '2852039166',
      '0xa9fea9fe',
      '0251.0376.0251.0376',
      '169.254.170.2',
      '100.64.0.1',
      '100.100.100.200',
      '100.127.255.255',
      '168.63.129.16',
      '192.0.0.192',
      '192.0.0.9',
      '192.0.2.1',
      '192.31.196.1',
      '192.52.193.1',
      '192.88.99.1',
      '192.175.48.1',
      '198.18.0.1',
      '198.19.255.255',
      '198.51.100.7',
      '203.0.113.9',
      '224.0.0.1',
      '239.255.255.255',
      '240.0.0.1',
      '255.255.255.255',
      '4294967295',
      '[::]',
      '[::ffff:10.0.0.1]',
      '[::ffff:169.254.169.254]',
      '[::ffff:8.8.8.8]',
      '[64:ff9b::a9fe:a9fe]',
      '[64:ff9b::8.8.8.8]',
      '[100::1]',
      '[100:0:0:1::1]',
      '[2001::1]',
      '[2001:2::1]',
      '[2001:3::1]',
      '[2001:4:112::1]',
      '[2001:10::1]',
      '[2001:20::1]',
      '[2001:30::1]',
      '[2001:db8::1]',
      '[2002:a00:1::1]',
      '[2002:808:808::1]',
      '[2620:4f:8000::1]',
      '[3fff::1]',
      '[4000::1]',
      '[5f00::1]',
      '[fc00::1]',
      '[fd00:ec2::254]',
      '[fd20:ce::254]',
      '[fe80::1]',
      '[fe80::a9fe:a9fe]',
      '[fec0::1]',
      '[ff02::1]',
      '[ff0e::1]'
    ],
    NOT_PUBLIC
  ))

test('names of private networks are refused without asking for them', async () => {
  const before = dns.asked.length
  const names = [
    'localhost',
    'LOCALHOST',
    'ｌｏｃａｌｈｏｓｔ',
    'a.localhost',
    'localhost.localdomain',
    'printer.local',
    'a.home.arpa'
  ]
  await refused([...names, 'metadata.google.internal', 'redis', 'metadata', 'com', 'loc%61lhost'], PRIVATE_NAME)
  assert.equal(dns.asked.length, before)
})

test('hosts that DNS cannot have are refused, and a dot at the end', async () => {
  await refused(['hooks.example.com.', 'localhost.', 'metadata.google.internal.', 'redis.'], /^Leave out the dot at the end/)
  const long = `${'a'.repeat(60)}.`.repeat(5)
  const label = 'a'.repeat(64)
  await refused(
    ['a..example.com', '.example.com', "a'b.example.com", 'a,b.example.com', '-a.example.com', `${long}com`, `${label}.com`],
    /^The host is not a name that DNS can have/
  )
})

test('what is no URL with a host is refused', async () => {
  for (const url of [
    '',
    'hooks.example.com',
    '//hooks.example.com',
    'https://',
    'https://[fe80::1%25eth0]/',
    'https://[fe80::1%eth0]/',
    'https://[::1/',
    'https://256.256.256.256/',
    'https://1.2.3.4.5/',
    'https://0x100000000/',
    'https://a b.example.com/',
    'https://a%00.example.com/',
    'https://a%2fb.example.com/',
    'https://example.com:99999/'
  ])
    assert.match(await refusalOf(url), /^Use an absolute URL such as "https:/, url)
})

test('only https leaves, and no name or password is taken, whatever the targets', async () => {
  assert.match(await refusalOf('http://hooks.example.com/'), /^Use https, not http\. .*EGRESS=any/)
  for (const scheme of ['ftp', 'file', 'ws', 'wss', 'gopher', 'unix', 'data', 'javascript', 'blob']) {
    for (const from of [egress, any]) {
      assert.equal(await refusalOf(`${scheme}://hooks.example.com/`, from), `Use https, not ${scheme}.`)
    }
  }
  for (const credentials of ['a:b', 'a', ':b', 'hooks.example.com%40', 'a%3ab']) {
    for (const from of [egress, any]) {
      const message = await refusalOf(`https://${credentials}@hooks.example.com/`, from)
      assert.equal(message, 'Leave user name and password out of the URL.')
    }
  }
  // What looks like a host and a port is a name and a password here; the host is the other one.
  assert.match(await refusalOf('https://hooks.example.com:443@127.0.0.1/'), /^Leave user name/)
  assert.match(await refusalOf('https://hooks.example.com@127.0.0.1/'), /^Leave user name/)
})

test('only the ports of the configuration are open', async () => {
  for (const port of [1, 22, 25, 80, 444, 6379, 8080, 65_535])
    assert.equal(
      await refusalOf(`https://hooks.example.com:${port}/`),
      `Use port 443 or 8443, not ${port}. EGRESS_PORTS of the service says which are open.`
    )
})

test('any target passes where the configuration lets it', async () => {
  dns.set('receiver', { A: ['10.0.0.1'] })
  for (const url of ['http://127.0.0.1:8080/', 'https://[::1]:1/', 'http://169.254.169.254/', 'http://receiver:9000/'])
    await any.check(url)
})

test('addresses with a zone, or that are none, are not public', () => {
  for (const address of ['', '8.8.8', '8.8.8.8 ', '08.8.8.8', '2606:4700::1111%eth0', '::ffff:8.8.8.8', 'hooks.example.com'])
    assert.equal(isPublicAddress(address), false, address)
})
