import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { run, startProgram } from './programs.ts'
import type { RestartableS3 } from './s3.ts'

/** Debian's packages for them: ceph-mon, ceph-osd, radosgw, ceph-common. */
export const CEPH_PROGRAMS = [
  'ceph',
  'ceph-authtool',
  'ceph-mon',
  'ceph-osd',
  'monmaptool',
  'radosgw',
  'radosgw-admin',
]

const ACCESS_KEY = { accessKeyId: 'testaccesskey', secretAccessKey: randomUUID() }

/**
 * Ceph's S3 gateway on the smallest cluster there is: one monitor, and one storage daemon that keeps
 * everything in memory. Up in about two seconds, as any user. Nothing of it outlives `stop`.
 */
export async function startCephHere(): Promise<RestartableS3> {
  const folder = await mkdtemp(join(tmpdir(), 'plate-snapshot-ceph-'))
  const gatewayPort = await freePort()
  const monitorPort = await freePort()
  const endpoint = `http://127.0.0.1:${gatewayPort}`
  const cluster = randomUUID()
  const conf = join(folder, 'ceph.conf')
  const inCluster = ['-c', conf]

  const running: { stop(): Promise<void> }[] = []
  const stop = async () => {
    for (const daemon of running.reverse()) await daemon.stop()
    await rm(folder, { recursive: true, force: true })
  }
  const start = (command: string, ...args: string[]) => {
    const daemon = startProgram(
      command,
      [...inCluster, '-f', ...args],
      join(folder, `${command}.out`),
    )
    // The data is thrown away: no need to let them put it in order first.
    running.push({ stop: () => daemon.stop('SIGKILL') })
    return daemon
  }

  try {
    await writeFile(conf, configuration({ folder, cluster, monitorPort, gatewayPort }))
    await mkdir(join(folder, 'mon'))
    await mkdir(join(folder, 'osd'))
    const keyring = join(folder, 'keyring')
    await writeFile(keyring, '')
    const allowAll = ['mon', 'osd', 'mgr'].flatMap((type) => ['--cap', type, 'allow *'])
    for (const who of ['mon.', 'client.admin', 'osd.0'])
      await run('ceph-authtool', [keyring, '--gen-key', '-n', who, ...allowAll])
    const map = join(folder, 'monmap')
    const address = `[v2:127.0.0.1:${monitorPort}]`
    await run('monmaptool', ['--create', '--fsid', cluster, '--addv', 'a', address, map])
    await run('ceph-mon', [
      ...inCluster,
      '--mkfs',
      '-i',
      'a',
      '--monmap',
      map,
      '--keyring',
      keyring,
    ])
    start('ceph-mon', '-i', 'a')

    const disk = randomUUID()
    await run('ceph', [...inCluster, '--connect-timeout', '30', 'osd', 'new', disk, '0'])
    await run('ceph-osd', [...inCluster, '-i', '0', '--mkfs', '--osd-uuid', disk])
    start('ceph-osd', '-i', '0')

    const gateway = start('radosgw', '-n', 'client.admin')
    const up = async () => {
      gateway.startAgain()
      await gateway.until(async () => (await fetch(endpoint).catch(() => undefined))?.ok === true)
    }
    await up()
    const keys = [
      '--access-key',
      ACCESS_KEY.accessKeyId,
      '--secret-key',
      ACCESS_KEY.secretAccessKey,
    ]
    const user = ['--uid', 'test', '--display-name', 'test', ...keys]
    await run('radosgw-admin', [...inCluster, '-n', 'client.admin', 'user', 'create', ...user])
    const { stdout } = await run('radosgw', ['--version'])
    const version = /ceph version (\d+\.\d+)/.exec(stdout)?.[1] ?? ''
    return {
      name: `Ceph RADOS Gateway ${version}`,
      endpoint,
      ...ACCESS_KEY,
      region: 'us-east-1',
      verifiesSignatures: true,
      up,
      // Only the gateway: the objects are with the storage daemon.
      down: () => gateway.stop('SIGTERM'),
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type Cluster = { folder: string; cluster: string; monitorPort: number; gatewayPort: number }

function configuration({ folder, cluster, monitorPort, gatewayPort }: Cluster): string {
  return `[global]
fsid = ${cluster}
mon_host = v2:127.0.0.1:${monitorPort}/0
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_msgr1 = false
auth_allow_insecure_global_id_reclaim = false
keyring = ${folder}/keyring
run_dir = ${folder}
admin_socket =
log_file = ${folder}/$name.log
mon_data = ${folder}/mon
mon_data_avail_warn = 1
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 2000
mon_tick_interval = 1
objecter_tick_interval = 0.2
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
osd_data = ${folder}/osd
osd_objectstore = memstore
memstore_device_bytes = 4294967296
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_pool_default_pg_num = 8
rgw_rados_pool_pg_num_min = 8
rgw_frontends = beast endpoint=127.0.0.1:${gatewayPort}
`
}
