import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresServer } from './postgres.ts'
import { postgresVersion } from './postgres-version.ts'
import type { S3Server } from './s3.ts'

/** The PostgreSQL that `docker-compose.snapshot.yml` uses. */
export async function startPostgresContainer(): Promise<PostgresServer> {
  const { GenericContainer } = await import('testcontainers')
  const container = await new GenericContainer('postgres:15')
    .withEnvironment({ POSTGRES_PASSWORD: 'postgres' })
    .withCommand(['postgres', '-c', 'fsync=off', '-c', 'max_connections=200'])
    .withExposedPorts(5432)
    .start()
  const address = `${container.getHost()}:${container.getMappedPort(5432)}`
  const url = `postgresql://postgres:postgres@${address}/postgres`
  const stop = async () => {
    await container.stop({ timeout: 0 })
  }
  // The port is open before PostgreSQL listens behind it.
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const version = await postgresVersion(url)
    if (version) return { name: `PostgreSQL ${version} in Docker`, url, version, stop }
  }
  await stop()
  throw new Error('PostgreSQL does not answer')
}

/** MinIO, when its image is there or comes within 30 seconds. */
export async function startMinioContainer(): Promise<S3Server> {
  const { GenericContainer, getContainerRuntimeClient, ImageName, Wait } = await import(
    'testcontainers'
  )
  const image = ImageName.fromString('minio/minio:latest')
  const { image: images } = await getContainerRuntimeClient()
  if (!(await images.exists(image))) {
    const pulled = images.pull(image).then(() => true)
    if (!(await Promise.race([pulled, sleep(30_000, false)]))) throw new Error('slow to pull')
  }
  const accessKeyId = 'minioadmin'
  const secretAccessKey = 'minioadmin'
  const container = await new GenericContainer(image.string)
    .withEnvironment({ MINIO_ROOT_USER: accessKeyId, MINIO_ROOT_PASSWORD: secretAccessKey })
    .withCommand(['server', '/data'])
    .withExposedPorts(9000)
    .withWaitStrategy(Wait.forHttp('/minio/health/ready', 9000))
    .start()
  return {
    name: 'MinIO in Docker',
    endpoint: `http://${container.getHost()}:${container.getMappedPort(9000)}`,
    accessKeyId,
    secretAccessKey,
    region: 'us-east-1',
    verifiesSignatures: true,
    async stop() {
      await container.stop({ timeout: 0 })
    },
  }
}
