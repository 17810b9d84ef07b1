import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** A connection that is about to be made. */
export interface Target {
  protocol: string
  /** As the URL has it, without brackets: a name or an address. */
  hostname: string
  /** One that the name leads to; undefined behind a proxy when only that can tell. */
  address: string | undefined
}

/** Why a connection is not to be made, to follow "leads to …, "; undefined when it may be. */
export type Guard = (target: Target) => string | undefined

/** Where the URLs of images may lead. */
export interface ReachOptions {
  /** Only to addresses of the public internet. */
  publicOnly?: boolean | undefined
  /** Exceptions from that: names, addresses, CIDR ranges. */
  allowHost?: readonly string[] | undefined
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

/**
 * Where clouds tell a machine its own keys and settings, besides the link-local addresses: AWS (the range of its local
 * services), Google, Azure, Alibaba, Oracle. (The clouds' documentation of their metadata services.)
 */
const METADATA = [
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  '168.63.129.16/32',
  '100.100.100.200/32',
  '192.0.0.192/32',
].map(rangeFrom)

/** Mapped (RFC 4291, 2.5.5.2), and translated by the prefix that all know (RFC 6052, 2.1). */
const IPV4_IN_IPV6 = ['::ffff:0:0/96', '64:ff9b::/96'].map(rangeFrom)

/** IPv6 addresses that are on the internet all begin like this (RFC 4291, section 2.4; IANA's registry). */
const GLOBAL_IPV6 = rangeFrom('2000::/3')

/**
 * The guard of images: link-local and metadata addresses are refused whatever is allowed.
 * @param options names and ranges as `readHosts` has found them right
 */
export function guardOfImages({ publicOnly = false, allowHost = [] }: ReachOptions = {}): Guard {
  const ranges = allowHost.map(rangeOf).filter((range) => range !== undefined)
  const names = new Set(allowHost.map(nameOf))
  return ({ hostname, address }) => {
    const isNamed = names.has(nameOf(hostname))
    if (address === undefined) {
      return publicOnly && !isNamed
        ? 'a name that this machine cannot look up and the proxy may lead anywhere'
        : undefined
    }
    const spelled = spellingsOf(address)
    if (spelled.some((one) => one.range() === 'linkLocal')) return 'a link-local address'
    if (spelled.some((one) => isWithin(one, METADATA))) return "a cloud's own metadata service"
    if (!publicOnly || isNamed || isPublic(address)) return undefined
    // An allowed range is meant for what is in it, not for what stands for it in a tunnel.
    const [written, mapped] = spelled
    const plain = written?.range() === 'ipv4Mapped' ? mapped : written
    return plain !== undefined && isWithin(plain, ranges) ? undefined : 'no public address'
  }
}

/** The guard of the API: its key is not sent in clear to a host of the internet. */
export function guardOfApi({
  key,
  allowInsecure,
}: {
  key: string | undefined
  allowInsecure: boolean
}): Guard {
  return ({ protocol, address }) => {
    if (protocol !== 'http:' || key === undefined || allowInsecure) return undefined
    if (address === undefined) return 'a name that this machine cannot look up'
    return isPublic(address) ? 'a public address' : undefined
  }
}

/** Thrown for a connection that a guard refuses; nothing was sent. */
export class RefusedTargetError extends Error {
  override readonly name = 'RefusedTargetError'

  /** @param why what the guard says of it */
  constructor({ hostname, address = hostname }: Pick<Target, 'hostname' | 'address'>, why: string) {
    const at = address === hostname ? '' : ` (${address})`
    super(`${hostname}${at}, ${why}`)
  }
}

/** Is this text of `--allow-host` a name, an address or a range? */
export function isHost(text: string): boolean {
  if (text.includes('/') || text.includes(':')) return rangeOf(text) !== undefined
  return /^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?$/i.test(text)
}

/** All addresses of a host as its name has them now; none when it has none here. */
export async function addressesOf(hostname: string): Promise<string[]> {
  if (isIP(hostname) !== 0) return [hostname]
  const found = await lookup(hostname, { all: true }).catch(() => [])
  return found.map(({ address }) => address)
}

/** Is it an address of the public internet, to any one machine? */
export function isPublic(address: string): boolean {
  const [written, ...meant] = spellingsOf(address)
  if (written instanceof ipaddr.IPv4) return written.range() === 'unicast'
  if (written === undefined) return false
  // Merely written so, or translated where there is no IPv4: the IPv4 address counts.
  if (isWithin(written, IPV4_IN_IPV6)) return meant[0]?.range() === 'unicast'
  return written.range() === 'unicast' && isWithin(written, [GLOBAL_IPV6])
}

/** The address, and the IPv4 addresses that it may stand for: mapped, translated, tunnelled. */
function spellingsOf(address: string): Address[] {
  // `fe80::1%eth0`
  const bare = address.replace(/%.*$/, '')
  if (!ipaddr.isValid(bare)) return []
  const parsed = ipaddr.parse(bare)
  if (parsed instanceof ipaddr.IPv4) return [parsed]
  const bytes = parsed.toByteArray()
  const last = bytes.slice(12)
  const range = parsed.range()
  const within: number[][] = []
  // Also ::a.b.c.d, the oldest way (RFC 4291, 2.5.5.1), and ISATAP's interface ids (RFC 5214, 6.1).
  const isCompatible = bytes.slice(0, 12).every((byte) => byte === 0)
  const isIsatap = /^[02],0,94,254$/.test(bytes.slice(8, 12).join())
  if (range === 'ipv4Mapped' || range === 'rfc6145' || isCompatible || isIsatap) within.push(last)
  // A local translation may have it in several places (RFC 6052, 2.2); that of the well-known prefix is at the end.
  if (range === 'rfc6052') within.push(last, [...bytes.slice(6, 8), ...bytes.slice(9, 11)])
  if (range === '6to4') within.push(bytes.slice(2, 6))
  // Its server, and the client with every bit turned (RFC 4380, section 4).
  if (range === 'teredo')
    within.push(
      bytes.slice(4, 8),
      last.map((byte) => byte ^ 0xff),
    )
  return [parsed, ...within.map((four) => new ipaddr.IPv4(four))]
}

function isWithin(address: Address, ranges: readonly [Address, number][]): boolean {
  return ranges.some(
    ([from, bits]) => from.kind() === address.kind() && address.match([from, bits]),
  )
}

/** `10.0.0.0/8`, or one address as a range of one; undefined for anything else. */
function rangeOf(text: string): [Address, number] | undefined {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  const [from = '', bits] = bare.split('/')
  if (isIP(from) === 0) return undefined
  if (bits !== undefined) return ipaddr.isValidCIDR(bare) ? rangeFrom(bare) : undefined
  const address = ipaddr.parse(bare)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

function rangeFrom(cidr: string): [Address, number] {
  return ipaddr.parseCIDR(cidr)
}

/** `Example.com.` is `example.com`. */
function nameOf(hostname: string): string {
  return hostname.toLowerCase().replace(/\.$/, '')
}
