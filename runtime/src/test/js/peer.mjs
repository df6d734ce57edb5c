#!/usr/bin/env node
// A js-libp2p peer that speaks the line interface of `troupe peer --json`: commands on standard input, one JSON object a
// line on standard output. The interoperability tests drive both kinds of peer through this one interface.

import { open, readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { createIPNSRecord, marshalIPNSRecord, multihashToIPNSRoutingKey, unmarshalIPNSRecord } from 'ipns'
import { CID } from 'multiformats/cid'
import { base36 } from 'multiformats/bases/base36'
import * as raw from 'multiformats/codecs/raw'
import { sha256 } from 'multiformats/hashes/sha2'
import { createNode } from './node.mjs'
import { PERF_PROTOCOL, runPerf } from './perf.mjs'

const DEFAULT_LISTEN = '/ip4/127.0.0.1/tcp/0'
const BOOTSTRAP_ATTEMPTS = 3
const BOOTSTRAP_PAUSE_MS = 5_000
const DIAL_TIMEOUT_MS = 10_000
const DHT_TIMEOUT_MS = 30_000
const PERF_TIMEOUT_MS = 300_000
const NAME_LIFETIME_MS = 48 * 60 * 60 * 1000

/** A failure with the code that the reply carries. */
class CommandError extends Error {
  constructor (code, message) {
    super(message)
    this.code = code
  }
}

const encoder = new TextEncoder()
const strictDecoder = new TextDecoder('utf-8', { fatal: true })

function write (object) {
  process.stdout.write(JSON.stringify(object) + '\n')
}

function utf8OrUndefined (bytes) {
  try {
    return strictDecoder.decode(bytes)
  } catch {
    return undefined
  }
}

async function keyFrom (file) {
  if (file == null) {
    return generateKeyPair('Ed25519')
  }
  try {
    return privateKeyFromProtobuf(await readFile(file))
  } catch (err) {
    if (err.code !== 'ENOENT') {
      throw err
    }
  }
  const key = await generateKeyPair('Ed25519')
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(privateKeyToProtobuf(key))
  } finally {
    await handle.close()
  }
  return key
}

function options (args) {
  const { values } = parseArgs({
    args,
    options: {
      listen: { type: 'string', multiple: true, default: [] },
      bootstrap: { type: 'string', multiple: true, default: [] },
      key: { type: 'string' },
      topic: { type: 'string', multiple: true, default: [] },
      dht: { type: 'string', default: 'auto' },
      'dht-protocol': { type: 'string' },
      namespace: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
      perf: { type: 'boolean', default: false } // it always serves perf
    }
  })
  if (!['client', 'server', 'auto', 'off'].includes(values.dht)) {
    throw new Error(`--dht is client, server, auto or off, not ${values.dht}`)
  }
  return values
}

function peerId (text) {
  try {
    return peerIdFromString(text)
  } catch (err) {
    throw new CommandError('BadArgument', `not a peer id: ${text}`)
  }
}

function address (text) {
  try {
    return multiaddr(text)
  } catch (err) {
    throw new CommandError('BadArgument', `not a multiaddr: ${text}: ${err.message}`)
  }
}

async function cid (text) {
  try {
    return CID.parse(text)
  } catch {
    return CID.createV1(raw.code, await sha256.digest(encoder.encode(text)))
  }
}

function need (value, name) {
  if (value == null || value === '') {
    throw new CommandError('BadArgument', `${name} is missing`)
  }
  return value
}

function bytes (text, name) {
  const count = Number(need(text, name))
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new CommandError('BadArgument', `${name} is not a count: ${text}`)
  }
  return count
}

function nameFields (id, { value, sequence, validity }) {
  return { name: `/ipns/${id.toCID().toString(base36)}`, value, sequence: sequence.toString(), validity }
}

/** The first word of a text, and the rest of it. */
function split (text) {
  const match = /^\s*(\S*)\s?(.*)$/s.exec(text)
  return [match[1], match[2]]
}

class Peer {
  constructor (node, settings) {
    this.node = node
    this.settings = settings
    this.ready = false
    this.topicPeers = new Map()
    this.open = new Set()
  }

  dht () {
    if (this.node.services.dht == null) {
      throw new CommandError('NoDht', 'this peer runs no DHT')
    }
    return this.node.services.dht
  }

  announceEvents () {
    const { node } = this
    const id = (value) => value.toString()
    node.addEventListener('connection:open', ({ detail }) => {
      write({ event: 'connected', peer: id(detail.remotePeer), addr: id(detail.remoteAddr), direction: detail.direction === 'inbound' ? 'in' : 'out' })
    })
    node.addEventListener('connection:close', ({ detail }) => {
      write({ event: 'disconnected', peer: id(detail.remotePeer), addr: id(detail.remoteAddr), direction: detail.direction === 'inbound' ? 'in' : 'out' })
    })
    node.addEventListener('peer:identify', ({ detail }) => {
      write({ event: 'identified', peer: id(detail.peerId), agent: detail.agentVersion ?? '', protocols: detail.protocols })
    })
    node.addEventListener('peer:disconnect', ({ detail }) => {
      for (const [topic, peers] of this.topicPeers) {
        if (peers.delete(id(detail))) {
          write({ event: 'topic-peer', topic, peer: id(detail), joined: false })
        }
      }
    })
    const { pubsub, dht } = node.services
    pubsub.addEventListener('subscription-change', ({ detail }) => {
      const peer = id(detail.peerId)
      for (const { topic, subscribe } of detail.subscriptions) {
        const peers = this.topicPeers.get(topic) ?? new Set()
        this.topicPeers.set(topic, peers)
        if (peers.has(peer) !== subscribe) {
          subscribe ? peers.add(peer) : peers.delete(peer)
          write({ event: 'topic-peer', topic, peer, joined: subscribe })
        }
      }
    })
    // The mesh shows from outside only here: the harness waits for it before it publishes.
    pubsub.addEventListener('gossipsub:graft', ({ detail }) => {
      write({ event: 'mesh-peer', topic: detail.topic, peer: detail.peerId, grafted: true })
    })
    pubsub.addEventListener('gossipsub:prune', ({ detail }) => {
      write({ event: 'mesh-peer', topic: detail.topic, peer: detail.peerId, grafted: false })
    })
    pubsub.addEventListener('message', ({ detail }) => {
      write({
        event: 'message',
        topic: detail.topic,
        from: id(detail.from),
        data: Buffer.from(detail.data).toString('base64'),
        text: utf8OrUndefined(detail.data)
      })
    })
    dht?.routingTable.addEventListener('peer:add', () => { this.dhtState() })
    dht?.routingTable.addEventListener('peer:remove', () => { this.dhtState() })
  }

  dhtState () {
    const peers = this.node.services.dht.routingTable.size
    if (peers > 0 !== this.ready) {
      this.ready = peers > 0
      write({ event: 'dht', state: this.ready ? 'ready' : 'starved', peers, stashed: 0 })
    }
  }

  async start () {
    this.announceEvents()
    await this.node.start()
    write({
      event: 'listening',
      peer: this.node.peerId.toString(),
      addrs: this.node.getMultiaddrs().map(String)
    })
    if (this.node.services.dht != null && this.settings.bootstrap.length > 0) {
      write({ event: 'dht', state: 'bootstrapping', peers: 0, stashed: 0 })
    }
    for (const topic of this.settings.topic) {
      this.node.services.pubsub.subscribe(topic)
    }
    for (const text of this.settings.bootstrap) {
      this.bootstrap(address(text))
    }
  }

  async bootstrap (addr) {
    for (let attempt = 1; attempt <= BOOTSTRAP_ATTEMPTS; attempt++) {
      try {
        await this.node.dial(addr, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
        return
      } catch (err) {
        process.stderr.write(`bootstrap ${addr}, attempt ${attempt}: ${err.message}\n`)
        await new Promise((resolve) => { setTimeout(resolve, BOOTSTRAP_PAUSE_MS).unref() })
      }
    }
  }

  /** Resolves to how many peers stored it. */
  async put (key, value) {
    let stored = 0
    let failure
    for await (const event of this.dht().put(key, value, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'PUT_VALUE') {
        stored++
      } else if (event.name === 'QUERY_ERROR') {
        failure = event.error
      }
    }
    if (stored === 0) {
      throw new CommandError('NoPeers', failure == null ? 'no peer to store at' : `no peer stored it: ${failure.message}`)
    }
    return stored
  }

  async get (key) {
    let value
    for await (const event of this.dht().get(key, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) {
      if (event.name === 'VALUE') {
        value = event.value
      }
    }
    if (value == null) {
      throw new CommandError('NotFound', 'no value under this key')
    }
    return value
  }

  /** What an IPNS name points at. */
  async name (id) {
    return unmarshalIPNSRecord(await this.get(multihashToIPNSRoutingKey(id.toMultihash())))
  }

  async run (text, line) {
    const [command, rest] = split(text)
    if (command === '') {
      return
    }
    try {
      const handler = COMMANDS[command]
      if (handler == null) {
        throw new CommandError('UnknownCommand', `no such command: ${command}`)
      }
      write({ reply: command, line, ok: true, ...await handler(this, rest) })
    } catch (err) {
      const error = err instanceof CommandError ? err.code : err.name === 'TimeoutError' ? 'TimedOut' : err.name
      write({ reply: command, line, ok: false, error, message: err.message })
    }
  }

  submit (text, line) {
    const running = this.run(text, line)
    this.open.add(running)
    running.finally(() => this.open.delete(running))
    return running
  }
}

const COMMANDS = {
  async id ({ node }) {
    return { peer: node.peerId.toString(), addrs: node.getMultiaddrs().map(String) }
  },

  async connect ({ node }, rest) {
    const addr = address(need(split(rest)[0], 'the address'))
    const connection = await node.dial(addr, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
    return { peer: connection.remotePeer.toString() }
  },

  async disconnect ({ node }, rest) {
    await node.hangUp(peerId(need(split(rest)[0], 'the peer')))
    return {}
  },

  async peers ({ node }) {
    return { peers: node.getPeers().map(String) }
  },

  async subscribe ({ node }, rest) {
    node.services.pubsub.subscribe(need(split(rest)[0], 'the topic'))
    return {}
  },

  async unsubscribe ({ node }, rest) {
    node.services.pubsub.unsubscribe(need(split(rest)[0], 'the topic'))
    return {}
  },

  async publish ({ node }, rest) {
    const [topic, text] = split(rest)
    const { recipients } = await node.services.pubsub.publish(need(topic, 'the topic'), encoder.encode(text))
    return { recipients: recipients.length }
  },

  async 'topic-peers' ({ node }, rest) {
    return { peers: node.services.pubsub.getSubscribers(need(split(rest)[0], 'the topic')).map(String) }
  },

  async 'mesh-peers' ({ node }, rest) {
    return { peers: node.services.pubsub.getMeshPeers(need(split(rest)[0], 'the topic')) }
  },

  async put (peer, rest) {
    const [key, value] = split(rest)
    return { stored: await peer.put(encoder.encode(need(key, 'the key')), encoder.encode(value)) }
  },

  async get (peer, rest) {
    const value = await peer.get(encoder.encode(need(split(rest)[0], 'the key')))
    return { value: new TextDecoder().decode(value) }
  },

  async 'name-publish' (peer, rest) {
    const { privateKey } = peer.settings
    const id = peer.node.peerId
    let sequence = 0n
    try {
      sequence = (await peer.name(id)).sequence + 1n
    } catch (err) {
      if (err.code !== 'NotFound') {
        throw err
      }
    }
    const record = await createIPNSRecord(privateKey, need(rest.trim(), 'the value'), sequence, NAME_LIFETIME_MS)
    await peer.put(multihashToIPNSRoutingKey(id.toMultihash()), marshalIPNSRecord(record))
    return nameFields(id, record)
  },

  async 'name-resolve' (peer, rest) {
    const id = peerId(need(rest.trim(), 'the name').replace(/^\/ipns\//, ''))
    return nameFields(id, await peer.name(id))
  },

  async provide (peer, rest) {
    const key = await cid(need(rest.trim(), 'the CID or text'))
    let stored = 0
    let failure
    for await (const event of peer.dht().provide(key, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) {
      if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') {
        stored++
      } else if (event.name === 'QUERY_ERROR') {
        failure = event.error
      }
    }
    if (stored === 0) {
      throw new CommandError('NoPeers', failure == null ? 'no peer to store at' : `no peer stored it: ${failure.message}`)
    }
    return { cid: key.toString(), stored }
  },

  async providers (peer, rest) {
    const key = await cid(need(rest.trim(), 'the CID or text'))
    const found = new Set()
    for await (const event of peer.dht().findProviders(key, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) {
      if (event.name === 'PROVIDER') {
        event.providers.forEach((provider) => found.add(provider.id.toString()))
      }
    }
    return { cid: key.toString(), peers: [...found] }
  },

  async find (peer, rest) {
    const id = peerId(need(split(rest)[0], 'the peer'))
    for await (const event of peer.dht().findPeer(id, { signal: AbortSignal.timeout(DHT_TIMEOUT_MS) })) {
      if (event.name === 'FINAL_PEER') {
        return { addrs: event.peer.multiaddrs.map(String) }
      }
    }
    throw new CommandError('NotFound', 'no such peer was found')
  },

  async ping ({ node }, rest) {
    const [peer, count] = split(rest)
    const id = peerId(need(peer, 'the peer'))
    const rttMicros = []
    for (let left = count === '' ? 1 : bytes(count.trim(), 'the number of pings'); left > 0; left--) {
      // The service rounds to milliseconds. This includes the opening of its stream.
      const start = performance.now()
      await node.services.ping.ping(id, { signal: AbortSignal.timeout(DIAL_TIMEOUT_MS) })
      rttMicros.push(Math.round((performance.now() - start) * 1000))
    }
    return { rttMicros }
  },

  async perf ({ node }, rest) {
    const [peer, upload, download] = rest.trim().split(/\s+/)
    const id = peerId(need(peer, 'the peer'))
    const uploadBytes = bytes(upload, 'the upload size')
    const downloadBytes = bytes(download, 'the download size')
    const signal = AbortSignal.timeout(PERF_TIMEOUT_MS)
    const stream = await node.dialProtocol(id, PERF_PROTOCOL, { signal, maxOutboundStreams: 16 })
    return runPerf(stream, uploadBytes, downloadBytes, signal)
  }
}

async function main () {
  const settings = options(process.argv.slice(2))
  settings.privateKey = await keyFrom(settings.key)
  const node = await createNode({
    privateKey: settings.privateKey,
    listen: settings.listen.length > 0 ? settings.listen : [DEFAULT_LISTEN],
    dht: settings.dht,
    dhtProtocol: settings['dht-protocol'],
    namespaces: settings.namespace
  })
  const peer = new Peer(node, settings)
  const stop = async () => {
    await node.stop()
    // What is written to a pipe is written asynchronously: leave when the last line is out.
    process.stdout.write('', () => process.exit(0))
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  await peer.start()

  let line = 0
  for await (const text of createInterface({ input: process.stdin })) {
    line++
    if (split(text)[0] === 'quit') {
      await Promise.allSettled(peer.open)
      write({ reply: 'quit', line, ok: true })
      return stop()
    }
    peer.submit(text, line)
  }
  await Promise.allSettled(peer.open)
  if (settings.listen.length === 0 && settings.topic.length === 0) {
    await stop()
  }
}

main().catch((err) => {
  process.stderr.write(`${err.stack}\n`)
  process.exit(1)
})
