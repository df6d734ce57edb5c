#!/usr/bin/env node
// Records what three js-libp2p peers with fixed keys put on the wire, as vectors for our own codecs:
//   node vectors.mjs ../../../../protocol/src/test/resources/js-vectors
// Keys, envelopes and everything signed with Ed25519 repeat exactly; ports and sequence numbers differ from run to run.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateKeyPair, generateKeyPairFromSeed, privateKeyToProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { createIPNSRecordWithExpiration, marshalIPNSRecord, multihashToIPNSRoutingKey } from 'ipns'
import { base36 } from 'multiformats/bases/base36'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { createNode } from './node.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const inside = (path) => import(join(here, 'node_modules', path))
const hex = (bytes) => Buffer.from(bytes.subarray()).toString('hex')
const target = process.argv[2] ?? '.'

// The codecs are not exported, and every module finds them through these same objects: recording is replacing a method.
const { Identify } = await inside('@libp2p/identify/dist/src/pb/message.js')
const { Message } = await inside('@libp2p/kad-dht/dist/src/message/dht.js')
const { RPC } = await inside('@libp2p/gossipsub/dist/src/message/rpc.js')
const { PeerRecord, RecordEnvelope } = await inside('@libp2p/peer-record/dist/src/index.js')

function plain (value) {
  if (value instanceof Uint8Array || typeof value?.subarray === 'function') {
    return hex(value)
  }
  if (typeof value === 'bigint') {
    return value.toString()
  }
  if (Array.isArray(value)) {
    return value.map(plain)
  }
  if (value !== null && typeof value === 'object') {
    return Object.fromEntries(Object.entries(value).filter(([, field]) => field != null).map(([name, field]) => [name, plain(field)]))
  }
  return value
}

function record (codec, name, into) {
  const encode = codec.encode
  codec.encode = (message) => {
    const bytes = encode(message)
    into(name(message), bytes, message)
    return bytes
  }
}

const identifies = {}
const kad = {}
const gossip = {}
const first = (map) => (name, bytes, message) => {
  map[name] ??= { hex: hex(bytes), fields: plain(message) }
}
record(Identify, () => 'identify', first(identifies))
record(Message, (message) => {
  const parts = [message.type]
  if (message.record != null) parts.push('record')
  if (message.closer?.length > 0) parts.push('closer')
  if (message.providers?.length > 0) parts.push('providers')
  if (message.key == null) parts.push('no-key')
  return parts.join('+')
}, first(kad))
record(RPC, (message) => {
  const parts = []
  if (message.subscriptions?.length > 0) parts.push(message.subscriptions[0].subscribe ? 'subscribe' : 'unsubscribe')
  if (message.messages?.length > 0) parts.push('message')
  for (const [name, entries] of Object.entries(message.control ?? {})) {
    if (entries?.length > 0) parts.push(name)
  }
  return parts.join('+')
}, first(gossip))

async function seeded (byte) {
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(byte))
}

function event (target, name, accept = () => true) {
  return new Promise((resolve) => {
    const listener = (evt) => {
      if (accept(evt.detail)) {
        target.removeEventListener(name, listener)
        resolve(evt.detail)
      }
    }
    target.addEventListener(name, listener)
  })
}

async function drain (source) {
  const all = []
  for await (const item of source) {
    all.push(item)
  }
  return all
}

async function keys () {
  const vectors = []
  const message = new TextEncoder().encode('troupe')
  const pairs = [
    ['Ed25519', await seeded(1), '01'.repeat(32)],
    ['Ed25519', await seeded(2), '02'.repeat(32)],
    ['secp256k1', await generateKeyPair('secp256k1')],
    ['ECDSA', await generateKeyPair('ECDSA', 'P-256')],
    ['RSA', await generateKeyPair('RSA', 2048)]
  ]
  for (const [type, key, seed] of pairs) {
    // js-libp2p signs with ECDSA but makes no peer id of it.
    const id = type === 'ECDSA' ? undefined : peerIdFromPrivateKey(key)
    vectors.push({
      type,
      seed,
      privateKeyProtobuf: hex(privateKeyToProtobuf(key)),
      publicKeyProtobuf: hex(publicKeyToProtobuf(key.publicKey)),
      peerIdBytes: id && hex(id.toMultihash().bytes),
      peerIdBase58: id?.toString(),
      peerIdCid: id?.toCID().toString(),
      message: hex(message),
      signature: hex(await key.sign(message))
    })
  }
  return vectors
}

async function names () {
  const value = '/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
  const validity = '2120-01-02T03:04:05.123456789Z'
  const vectors = []
  const keys = [
    ['Ed25519', await seeded(1), '01'.repeat(32)],
    ['secp256k1', await generateKeyPair('secp256k1')],
    ['RSA', await generateKeyPair('RSA', 2048)]
  ]
  for (const [type, key, seed] of keys) {
    for (const v1Compatible of [false, true]) {
      const id = peerIdFromPrivateKey(key)
      const sequence = v1Compatible ? 300n : 7n
      const record = await createIPNSRecordWithExpiration(key, value, sequence, validity, { ttlNs: 300_000_000_000n, v1Compatible })
      vectors.push({
        type,
        seed,
        versions: v1Compatible ? '1 and 2' : '2',
        peerId: id.toString(),
        name: `/ipns/${id.toCID().toString(base36)}`,
        key: hex(multihashToIPNSRoutingKey(id.toMultihash())),
        value,
        sequence: sequence.toString(),
        validity,
        ttlNanos: '300000000000',
        record: hex(marshalIPNSRecord(record))
      })
    }
  }
  return vectors
}

async function envelope () {
  const privateKey = await seeded(1)
  const addrs = ['/ip4/127.0.0.1/tcp/4001', '/dns4/example.org/tcp/443', '/ip6/::1/tcp/4001']
  const peerRecord = new PeerRecord({
    peerId: peerIdFromPrivateKey(privateKey),
    multiaddrs: addrs.map((addr) => multiaddr(addr)),
    seqNumber: 1700000000000n
  })
  const sealed = await RecordEnvelope.seal(peerRecord, privateKey)
  return {
    domain: 'libp2p-peer-record',
    peerId: peerIdFromPrivateKey(privateKey).toString(),
    seq: '1700000000000',
    addrs,
    payloadType: hex(sealed.payloadType),
    payload: hex(sealed.payload),
    signature: hex(sealed.signature),
    envelope: hex(sealed.marshal())
  }
}

async function traffic () {
  const nodes = []
  for (const byte of [1, 2, 3]) {
    nodes.push(await createNode({ privateKey: await seeded(byte), listen: ['/ip4/127.0.0.1/tcp/0'], dht: 'server' }))
  }
  const [one, two, three] = nodes
  try {
    for (const node of nodes) {
      await node.start()
    }
    const tables = nodes.map((node) => event(node.services.dht.routingTable, 'peer:add'))
    await two.dial(one.getMultiaddrs()[0])
    await three.dial(one.getMultiaddrs()[0])
    await Promise.all(tables)

    const cid = CID.createV1(raw.code, await sha256.digest(new TextEncoder().encode('troupe')))
    await drain(two.services.dht.provide(cid))
    await drain(three.services.dht.findProviders(cid))
    const key = new TextEncoder().encode('/test/troupe')
    await drain(two.services.dht.put(key, new TextEncoder().encode('value')))
    await drain(three.services.dht.get(key))
    await drain(three.services.dht.get(new TextEncoder().encode('/test/absent')))
    await drain(three.services.dht.findPeer(two.peerId))

    const grafted = nodes.map((node) => event(node.services.pubsub, 'gossipsub:graft'))
    nodes.forEach((node) => node.services.pubsub.subscribe('troupe'))
    await Promise.all(grafted)
    const heard = [two, three].map((node) => event(node.services.pubsub, 'message'))
    await one.services.pubsub.publish('troupe', new TextEncoder().encode('hello'))
    await Promise.all(heard)
    // A late subscriber, outside the mesh for a moment, is told what there was (IHAVE) and asks (IWANT) only by chance:
    // these two are encoded below instead.
    const pruned = event(one.services.pubsub, 'gossipsub:prune')
    two.services.pubsub.unsubscribe('troupe')
    await pruned
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  const ids = [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)]
  RPC.encode({ subscriptions: [], messages: [], control: { ihave: [{ topicID: 'troupe', messageIDs: ids }], iwant: [], graft: [], prune: [], idontwant: [] } })
  RPC.encode({ subscriptions: [], messages: [], control: { ihave: [], iwant: [{ messageIDs: ids }], graft: [], prune: [], idontwant: [] } })
  RPC.encode({ subscriptions: [], messages: [], control: { ihave: [], iwant: [], graft: [], prune: [], idontwant: [{ messageIDs: ids }] } })
  RPC.encode({ subscriptions: [], messages: [], control: { ihave: [], iwant: [{ messageIDs: ids }], graft: [{ topicID: 'a' }], prune: [{ topicID: 'b', peers: [{ peerID: one.peerId.toMultihash().bytes, signedPeerRecord: Uint8Array.of(9) }], backoff: 60 }], idontwant: [] } })
  return [one, two, three].map((node) => node.peerId.toString())
}

const versions = JSON.parse(await readFile(join(here, 'package.json'), 'utf8')).dependencies
const save = (name, vectors) => writeFile(join(target, name), JSON.stringify(vectors, null, 2) + '\n')

await mkdir(target, { recursive: true })
await save('keys.json', await keys())
await save('peer-record.json', await envelope())
await save('ipns.json', await names())
const peers = await traffic()
const of = (name) => ({ versions: { libp2p: versions.libp2p, [name]: versions[name] }, peers })
await save('identify.json', { ...of('@libp2p/identify'), messages: identifies })
await save('kad.json', { ...of('@libp2p/kad-dht'), messages: kad })
await save('gossipsub.json', { ...of('@libp2p/gossipsub'), messages: gossip })
process.exit(0)
