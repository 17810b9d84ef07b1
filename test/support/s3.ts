import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3'
import { CEPH_PROGRAMS } from './ceph.ts'
import { dockerAnswers } from './docker-answers.ts'
import { orGoOnWithout } from './or-go-on-without.ts'
import { startInOwnProcess } from './own-process.ts'
import { pathOf } from './programs.ts'
import type { Restartable } from './restartable.ts'

/** Where an S3 server is, with the keys of a user that may make buckets. */
export type S3Address = {
  name: string
  endpoint: string
  accessKeyId: string
  secretAccessKey: string
  region: string
  /** False: any signature and expiry is taken, and tests of those are skipped. */
  verifiesSignatures: boolean
}

export type S3Server = S3Address & { stop(): Promise<void> }

export type RestartableS3 = S3Server & Restartable

type OwnS3 = RestartableS3 & AsyncDisposable

/** The S3 server that tests run on: `TEST_S3_ENDPOINT`, else MinIO in Docker, else Ceph, else fauxqs. */
export async function startS3(): Promise<S3Server> {
  const endpoint = process.env['TEST_S3_ENDPOINT']
  if (endpoint) return serverAt(endpoint)

  const containers = new URL('./containers.ts', import.meta.url)
  const minio =
    (await dockerAnswers()) &&
    (await orGoOnWithout(
      'MinIO in Docker',
      startInOwnProcess<S3Server>(containers, 'startMinioContainer'),
    ))
  return minio || startOwnS3()
}

/** A server for the one test that asks: Ceph, where its programs are, else fauxqs. */
export async function startOwnS3(): Promise<OwnS3> {
  const ceph = CEPH_PROGRAMS.every(pathOf) && (await orGoOnWithout('Ceph', startCeph()))
  return ceph || startFauxqs()
}

function startCeph(): Promise<OwnS3> {
  return startInOwnProcess(new URL('./ceph.ts', import.meta.url), 'startCephHere')
}

/** As `startOwnS3`, the same on any machine. */
export function startFauxqs(): Promise<OwnS3> {
  return startInOwnProcess(new URL('./fauxqs.ts', import.meta.url), 'startFauxqsHere')
}

async function serverAt(endpoint: string): Promise<S3Server> {
  const accessKeyId = process.env['TEST_S3_ACCESS_KEY_ID']
  const secretAccessKey = process.env['TEST_S3_SECRET_ACCESS_KEY']
  if (!accessKeyId || !secretAccessKey) {
    throw new Error('TEST_S3_ENDPOINT needs TEST_S3_ACCESS_KEY_ID and TEST_S3_SECRET_ACCESS_KEY')
  }
  const region = process.env['TEST_S3_REGION'] || 'us-east-1'
  const address = { name: 'TEST_S3_ENDPOINT', endpoint, accessKeyId, secretAccessKey, region }
  const wrong = { ...address, secretAccessKey: `${secretAccessKey}x`, verifiesSignatures: false }
  const client = s3Client(wrong)
  const verifiesSignatures = await client.send(new ListBucketsCommand()).then(
    () => false,
    (error) => error.$metadata?.httpStatusCode === 403,
  )
  client.destroy()
  return { ...address, verifiesSignatures, stop: async () => {} }
}

export function s3Client({ endpoint, region, accessKeyId, secretAccessKey }: S3Address): S3Client {
  const credentials = { accessKeyId, secretAccessKey }
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true })
}
