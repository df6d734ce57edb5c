// A js-libp2p node as these tests need it: TCP, Noise, Yamux, identify, ping, Kademlia, GossipSub and perf.

import { gossipsub } from '@libp2p/gossipsub'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { ipnsSelector } from 'ipns/selector'
import { ipnsValidator } from 'ipns/validator'
import { createLibp2p } from 'libp2p'
import { PERF_PROTOCOL, servePerf } from './perf.mjs'

/** IPNS; and any value passes under an open namespace, where the first of several is as good as any. */
function namespacesOf (names) {
  const validators = { ipns: ipnsValidator }
  const selectors = { ipns: ipnsSelector }
  for (const name of names) {
    validators[name] = () => {}
    selectors[name] = () => 0
  }
  return { validators, selectors }
}

/**
 * Settings: privateKey, listen (multiaddrs), dht ('client', 'server', 'auto' or 'off'), dhtProtocol, namespaces.
 * What differs from the defaults of js-libp2p is what peers on one loopback address need.
 */
export async function createNode ({ privateKey, listen, dht = 'server', dhtProtocol = '/ipfs/kad/1.0.0', namespaces = [] }) {
  const services = {
    // The default of 5 s is short for a machine that starts six peers at once.
    identify: identify({ timeout: 20_000 }),
    identifyPush: identifyPush(),
    // The DHT pings its contacts too, and by default one stream a connection is all that may do so.
    ping: ping({ maxInboundStreams: 16, maxOutboundStreams: 16 }),
    pubsub: gossipsub({
      allowPublishToZeroTopicPeers: true,
      emitSelf: false,
      floodPublish: true,
      globalSignaturePolicy: 'StrictSign',
      // All peers of a test share one address, and would sink below the mesh threshold for it.
      scoreParams: { IPColocationFactorWeight: 0 }
    })
  }
  if (dht !== 'off') {
    services.dht = kadDHT({
      // Left undefined, js-libp2p serves only once it has a public address.
      clientMode: dht === 'auto' ? undefined : dht === 'client',
      protocol: dhtProtocol,
      // The default mapper forgets private addresses, and here are no others.
      peerInfoMapper: passthroughMapper,
      ...namespacesOf(['test', ...namespaces])
    })
  }
  const node = await createLibp2p({
    privateKey,
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionManager: {
      // The default admits five connections a second from one address.
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 100
    },
    // Its pings wait behind bulk data and a busy machine, and one that takes 5 s would end the connection.
    connectionMonitor: { abortConnectionOnPingFailure: false },
    services,
    start: false
  })
  await node.handle(PERF_PROTOCOL, (stream) => { servePerf(stream) }, { maxInboundStreams: 16, maxOutboundStreams: 16 })
  return node
}
