import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPublicAddress } from './public-address.ts'

/** The first and the last address of blocks that are nobody's on the internet. */
const SPECIAL_IPV4 = [
  ['0.0.0.0', '0.255.255.255'],
  ['10.0.0.0', '10.255.255.255'],
  ['100.64.0.0', '100.127.255.255'],
  ['127.0.0.0', '127.255.255.255'],
  ['169.254.0.0', '169.254.255.255'],
  ['172.16.0.0', '172.31.255.255'],
  ['192.0.0.0', '192.0.0.255'],
  ['192.0.2.0', '192.0.2.255'],
  ['192.31.196.0', '192.31.196.255'],
  ['192.52.193.0', '192.52.193.255'],
  ['192.88.99.0', '192.88.99.255'],
  ['192.168.0.0', '192.168.255.255'],
  ['192.175.48.0', '192.175.48.255'],
  ['198.18.0.0', '198.19.255.255'],
  ['198.51.100.0', '198.51.100.255'],
  ['203.0.113.0', '203.0.113.255'],
  ['224.0.0.0', '239.255.255.255'],
  ['240.0.0.0', '255.255.255.255'],
  ['168.63.129.16', '168.63.129.16']
]

/** Those beside them. */
const PUBLIC_IPV4 = [
  '1.0.0.0',
  '9.255.255.255',
  '11.0.0.0',
  '100.63.255.255',
  '100.128.0.0',
  '126.255.255.255',
  '128.0.0.0',
  '169.253.255.255',
  '169.255.0.0',
  '172.15.255.255',
  '172.32.0.0',
  '191.255.255.255',
  '192.0.1.0',
  '192.0.3.0',
  '192.167.255.255',
  '192.169.0.0',
  '198.17.255.255',
  '198.20.0.0',
  '223.255.255.255'
]

const SPECIAL_IPV6 = [
  '::',
  '::1',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '1fff:ffff::1',
  '2001::1',
  '2001:1::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2001:30::1',
  '2001:1ff:ffff::1',
  '2001:db8::1',
  '2001:db8:ffff::1',
  '2002:808:808::1',
  '2620:4f:8000::1',
  '3fff::1',
  '3fff:fff::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fec0::1',
  'ff02::1'
]

/** Of the space for global unicast, and handed out to nobody. */
const UNALLOCATED_IPV6 = [
  '2001:1000::1',
  '2001:4e00::1',
  '2001:6000::1',
  '2001:c000::1',
  '2003:4000::1',
  '2004::1',
  '2300::1',
  '2420::1',
  '2610:200::1',
  '2620:200::1',
  '2640::1',
  '2810::1',
  '2a20::1',
  '2b00::1',
  '2c10::1',
  '2d00::1',
  '2e00::1',
  '2fff::1',
  '3000::1',
  '3c00::1',
  '3ffe::1',
  '3fff:1000::1'
]

/** Addresses of well-known hosts, and ends of blocks. */
const PUBLIC_IPV6 = [
  '2001:200::1',
  '2001:4860:4860::8888',
  '2001:500:2::c',
  '2001:67c:2e8:22::c100:68b',
  '2001:dc7::1',
  '2001:4200::1',
  '2001:bfff::1',
  '2003:3fff::1',
  '2400:cb00::1',
  '2410::1',
  '2606:4700:4700::1111',
  '2620:fe::fe',
  '2630::1',
  '2800:3f0::1',
  '2a00:1450::1',
  '2a1f:ffff::1',
  '2c0f:fb50::1'
]

test('an address in a special block is not public, from the first to the last; those beside it are', () => {
  for (const address of SPECIAL_IPV4.flat()) assert.equal(isPublicAddress(address), false, address)
  for (const address of PUBLIC_IPV4) assert.equal(isPublicAddress(address), true, address)
})

test('an IPv6 address is public where a registry has it from IANA, and nowhere else', () => {
  for (const address of [...SPECIAL_IPV6, ...UNALLOCATED_IPV6]) assert.equal(isPublicAddress(address), false, address)
  for (const address of PUBLIC_IPV6) assert.equal(isPublicAddress(address), true, address)
})
