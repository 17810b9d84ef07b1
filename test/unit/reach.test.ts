import { expect, test } from 'vitest'
import { guardOfApi, guardOfImages, isHost, isPublic } from '../../src/reach.ts'

/** What a guard says of an address, by whatever name it was reached. */
function refusalOf(address: string, options = {}, hostname = 'cams.example') {
  return guardOfImages(options)({ protocol: 'https:', hostname, address })
}

const LINK_LOCAL = [
  '169.254.169.254',
  '169.254.0.1',
  '169.254.170.2',
  'fe80::1',
  'fe80::1%eth0',
  'febf:ffff::1',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '0:0:0:0:0:ffff:a9fe:a9fe',
  '::ffff:0:a9fe:a9fe',
  '::a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a9fe:a9fe',
  '64:ff9b:1:a9fe:a9:fe00::',
  '2002:a9fe:a9fe::1',
  '2001:0:a9fe:a9fe::1',
  '2001:0:4136:e378:8000:63bf:5601:5601',
  '2001:db8::5efe:169.254.169.254',
  'fd12::200:5efe:a9fe:a9fe',
]
const METADATA = [
  'fd00:ec2::254',
  'FD00:0EC2:0:0:0:0:0:254',
  'fd00:ec2::23',
  'fd20:ce::254',
  '100.100.100.200',
  '::ffff:100.100.100.200',
  '168.63.129.16',
  '192.0.0.192',
]
const NOT_PUBLIC = [
  ...['0.0.0.0', '127.0.0.1', '127.8.9.1', '10.0.0.1', '172.16.0.1', '192.168.1.1', '100.64.0.1'],
  ...['192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '224.0.0.1', '240.0.0.1'],
  ...['255.255.255.255', '::', '::1', 'fc00::1', 'fd00::1', 'fec0::1', 'ff02::1', '2001:db8::1'],
  ...['::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1', '::7f00:1', '2002:7f00:1::1'],
  ...['2001:0:7f00:1::1', '4000::1', '64:ff9b:1::a00:1', '3fff::1', '::808:808', '2002:808:808::1'],
]
const PUBLIC = [
  ...['8.8.8.8', '93.184.215.14', '172.32.0.1', '2606:2800:21f:cb07::1', '2a00:1450:4001::1'],
  ...['::ffff:8.8.8.8', '64:ff9b::8.8.8.8'],
]

test.each(LINK_LOCAL)('%s is link-local, and refused whatever is allowed', (address) => {
  const hostname = 'cams.example'
  expect(refusalOf(address)).toBe('a link-local address')
  const allowHost = [hostname, '0.0.0.0/0', '::/0', address]
  expect(refusalOf(address, { publicOnly: true, allowHost })).toBe('a link-local address')
})

test.each(METADATA)("%s is a cloud's, and refused whatever is allowed", (address) => {
  expect(refusalOf(address)).toBe("a cloud's own metadata service")
  const allowHost = ['cams.example', '0.0.0.0/0', '::/0']
  expect(refusalOf(address, { publicOnly: true, allowHost })).toMatch('metadata')
})

test.each(NOT_PUBLIC)('%s is fetched from, and with --public-only refused', (address) => {
  expect(isPublic(address)).toBe(false)
  expect(refusalOf(address)).toBe(undefined)
  expect(refusalOf(address, { publicOnly: true })).toBe('no public address')
})

test.each(PUBLIC)('%s is public', (address) => {
  expect(isPublic(address)).toBe(true)
  expect(refusalOf(address, { publicOnly: true })).toBe(undefined)
})

test.each<[allowed: string, address: string, isAllowed: boolean]>([
  ['10.0.0.0/8', '10.9.8.7', true],
  ['10.0.0.0/8', '::ffff:10.9.8.7', true],
  ['10.0.0.0/8', '172.16.0.1', false],
  ['10.0.0.0/8', '192.168.0.1', false],
  ['10.0.0.0/8', '2002:a09:807::1', false],
  ['192.168.1.20', '192.168.1.20', true],
  ['192.168.1.20', '192.168.1.21', false],
  ['fd00:1::/32', 'fd00:1::5', true],
  ['fd00:1::/32', 'fd00:2::5', false],
  ['[::1]', '::1', true],
  ['cams.example', '192.168.1.20', true],
  ['CAMS.example.', '192.168.1.20', true],
  ['example', '192.168.1.20', false],
  ['other.example', '192.168.1.20', false],
])('--allow-host %s lets %s through: %s', (allowed, address, isAllowed) => {
  const refusal = refusalOf(address, { publicOnly: true, allowHost: [allowed] })
  expect(refusal).toBe(isAllowed ? undefined : 'no public address')
})

test('a name that only a proxy can look up is no public one, unless it is allowed', () => {
  const behind = { protocol: 'http:', hostname: 'cams.example', address: undefined }
  expect(guardOfImages()(behind)).toBe(undefined)
  expect(guardOfImages({ publicOnly: true })(behind)).toMatch('proxy')
  expect(guardOfImages({ publicOnly: true, allowHost: ['cams.example'] })(behind)).toBe(undefined)
})

test('the API key does not go in clear to a public address, nor to one that is not known', () => {
  const refuses = guardOfApi({ key: 'k', allowInsecure: false })
  const at = (protocol: string, address?: string) =>
    refuses({ protocol, hostname: 'api.example', address })
  expect(at('http:', '8.8.8.8')).toBe('a public address')
  expect(at('http:')).toMatch('cannot look up')
  for (const open of [at('https:', '8.8.8.8'), at('https:'), at('http:', '10.0.0.1')])
    expect(open).toBe(undefined)
})

test.each<[text: string, is: boolean]>([
  ['cams', true],
  ['cam_1.example.com', true],
  ['10.0.0.1', true],
  ['10.0.0.0/8', true],
  ['fd00::/8', true],
  ['::1', true],
  ['[::1]', true],
  ['10.0.0.0/33', false],
  ['10.0.0/8', false],
  ['host:8080', false],
  ['http://host', false],
  ['host/path', false],
  ['*.example.com', false],
  ['two words', false],
])('is %s a host: %s', (text, is) => {
  expect(isHost(text)).toBe(is)
})
